//! Does a log only repeat what is in another one?
//!
//! Debian's syslog daemon writes mail, kernel and cron messages twice: into `syslog` and into a file
//! of their own. Whoever watches both is told everything twice. Elsewhere (Red Hat, Slackware) the
//! files of the same names have different contents. So the lines themselves are compared.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::paths;

/// Files that others may be contained in, in the same folder.
const WHOLES: &[&str] = &["syslog", "messages", "mail"];

/// With Debian's names, what `syslog` contains where the lines do not tell.
const IN_DEBIAN_SYSLOG: &[&str] = &[
    "messages",
    "mail.log",
    "mail.info",
    "mail.warn",
    "mail.err",
    "kern.log",
    "daemon.log",
    "user.log",
    "cron.log",
    "ufw.log",
];

/// Bytes at the end of a file that are compared, and of the one that may contain them.
const PART_BYTES_MAX: u64 = 16 * 1024;
const WHOLE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Lines that are compared.
const LINES_MAX: usize = 20;

/// Two files that are both in use were written within this time. Of others, rotation may have taken
/// the lines apart.
const APART_MAX: Duration = Duration::from_secs(3600);

/// The name of the file, in the same folder, that contains what is in this one.
pub(super) fn contained_in(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let sibling = |whole: &str| path.with_file_name(whole);
    for whole in WHOLES.iter().take_while(|whole| **whole != name) {
        match shares_lines(path, &sibling(whole)) {
            Some(true) => return Some(whole),
            Some(false) => {}
            None if *whole == "syslog"
                && IN_DEBIAN_SYSLOG.contains(&name)
                && sibling("syslog").is_file()
                && sibling("auth.log").is_file() =>
            {
                return Some(whole);
            }
            None => {}
        }
    }
    None
}

/// Whether the last lines of one file are in another one; `None` where that cannot be told.
fn shares_lines(part: &Path, whole: &Path) -> Option<bool> {
    let written = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if apart(written(part)?, written(whole)?) > APART_MAX {
        return None;
    }
    let part = paths::tail(part, PART_BYTES_MAX).ok()?;
    let whole = paths::tail(whole, WHOLE_BYTES_MAX).ok()?;
    let whole: HashSet<&[u8]> = lines(&whole).collect();
    let last: Vec<&[u8]> = lines(&part).collect();
    let last = last.get(last.len().saturating_sub(LINES_MAX)..)?;
    let shared = last.iter().filter(|line| whole.contains(*line)).count();
    (!last.is_empty() && !whole.is_empty()).then_some(shared * 2 >= last.len())
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|earlier| earlier.duration())
}

/// Whole lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
    let lines = bytes.get(..end).unwrap_or_default().split(|&byte| byte == b'\n');
    lines.filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    /// What `name` is contained in, among files of these contents.
    fn check(files: &[(&str, &str)], name: &str) -> Option<&'static str> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        contained_in(&dir.path().join(name))
    }

    #[test]
    fn lines_tell() {
        let debian = [("syslog", "a\nm1\nm2\n"), ("mail.log", "m1\nm2\n"), ("auth.log", "x\n")];
        assert_eq!(check(&debian, "mail.log"), Some("syslog"));
        assert_eq!(check(&debian, "auth.log"), None);
        assert_eq!(check(&debian, "syslog"), None);
        let slackware = [("syslog", "w\n"), ("messages", "i\n"), ("maillog", "m\n")];
        assert_eq!(check(&slackware, "messages"), None);
        assert_eq!(check(&slackware, "maillog"), None);
        // A syslog without mail, whatever the names.
        let own = [("syslog", "a\nb\n"), ("mail.log", "m1\nm2\n"), ("auth.log", "x\n")];
        assert_eq!(check(&own, "mail.log"), None);
        let suse = [("messages", "a\n"), ("mail", "m1\nm2\n"), ("mail.warn", "m2\n")];
        assert_eq!(check(&suse, "mail.warn"), Some("mail"));
    }

    #[test]
    fn names_tell_where_there_are_no_lines() {
        let fresh = [("syslog", "a\n"), ("mail.log", ""), ("cron.log", "half"), ("auth.log", "")];
        assert_eq!(check(&fresh, "mail.log"), Some("syslog"));
        assert_eq!(check(&fresh, "cron.log"), Some("syslog"));
        assert_eq!(check(&fresh, "auth.log"), None);
        assert_eq!(check(&[("messages", "a\n"), ("cron.log", "")], "cron.log"), None);
    }

    #[test]
    fn files_that_were_rotated_apart() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("syslog", "a\n"), ("kern.log", "k\n"), ("auth.log", "x\n")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let kern = dir.path().join("kern.log");
        assert_eq!(contained_in(&kern), None);
        File::options()
            .write(true)
            .open(&kern)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(contained_in(&kern), Some("syslog"));
    }
}
