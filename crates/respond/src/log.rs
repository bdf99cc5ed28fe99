//! `active-responses.log`: what was done, as OSSEC's scripts write it and its decoder reads it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::time::{MONTHS, WEEKDAYS};
use rustix::fs::OFlags;

use crate::order::Cause;
use crate::script::Verb;
use crate::target::{Target, User};

/// The log. It is opened for each batch of lines, so that whoever rotates it need not tell anybody.
#[derive(Clone, Debug)]
pub struct ResponseLog {
    path: PathBuf,
    pending: String,
}

impl ResponseLog {
    pub fn new(path: PathBuf) -> Self {
        Self { path, pending: String::new() }
    }

    /// Notes what was done by an action that is built in; scripts do that themselves.
    pub fn did(
        &mut self,
        at: Timestamp,
        executable: &Path,
        verb: Verb,
        target: &Target,
        cause: &Cause,
    ) {
        let user = target.user.as_ref().map_or("-", User::as_str);
        let net = target.net.map_or("-".to_owned(), |net| net.to_string());
        let (alert, rule, verb) = (cause.alert, cause.rule, verb.as_str());
        let executable = executable.display();
        let line = format!("{} {executable} {verb} {user} {net} {alert} {rule}\n", date(at));
        self.pending.push_str(&line);
    }

    /// Notes what a program has said: one line, already escaped.
    pub fn said(&mut self, at: Timestamp, executable: &Path, line: &str) {
        self.pending.push_str(&format!("{} {}: {line}\n", date(at), executable.display()));
    }

    /// Writes what was noted. What cannot be written is let go.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.pending);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        let options =
            options.append(true).create(true).mode(0o660).custom_flags(flags.bits() as i32);
        options.open(&self.path)?.write_all(text.as_bytes())
    }
}

/// As `date` prints it in the C locale and UTC, which is what the decoder knows.
fn date(at: Timestamp) -> String {
    let civil = Timestamp::utc(at.seconds).civil();
    let weekday = WEEKDAYS.get(usize::from(civil.weekday)).and_then(|name| name.get(..3));
    let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1));
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} UTC {}",
        weekday.unwrap_or_default(),
        month.copied().unwrap_or_default(),
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        civil.year
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::AlertId;
    use crate::target::Net;

    #[test]
    fn lines_as_the_decoder_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("active-responses.log");
        let mut log = ResponseLog::new(path.clone());
        let target = Target::address(Net::of_attacker(b"203.0.113.7").unwrap());
        let alert = AlertId { seconds: 1_795_560_311, number: 1 };
        let cause = Cause { alert, rule: 5710, ..Cause::default() };
        let script = Path::new("/var/ossec/active-response/bin/host-deny.sh");
        let at = Timestamp { seconds: 1_795_560_311, utc_offset: 3600 };
        log.did(at, script, Verb::Add, &target, &cause);
        log.did(Timestamp::utc(1_793_491_200), script, Verb::Delete, &target, &cause);
        log.said(at, script, "oops");
        log.flush().unwrap();
        log.flush().unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "Tue Nov 24 22:45:11 UTC 2026 /var/ossec/active-response/bin/host-deny.sh add - 203.0.113.7 1795560311.1 5710\n\
             Sun Nov  1 00:00:00 UTC 2026 /var/ossec/active-response/bin/host-deny.sh delete - 203.0.113.7 1795560311.1 5710\n\
             Tue Nov 24 22:45:11 UTC 2026 /var/ossec/active-response/bin/host-deny.sh: oops\n"
        );
    }
}
