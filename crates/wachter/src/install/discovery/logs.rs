//! Which logs there are, and which of them need not be watched.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::candidates::{self, Candidate, Format};
use super::{copies, paths};

/// A log to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundLog {
    /// A path, or one with wildcards.
    pub(crate) location: String,
    pub(crate) format: &'static str,
    /// Whether whoever asks may read a file of it.
    pub(crate) is_readable: bool,
}

/// A log that is there and need not be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) location: String,
    pub(crate) why: String,
}

/// All logs, and whether the journal is to be watched as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logs {
    pub(crate) logs: Vec<FoundLog>,
    pub(crate) left_out: Vec<LeftOut>,
    /// Only where no syslog daemon writes files: what stands in both would be told twice.
    pub(crate) journal: bool,
}

/// A file of the syslog daemon that is so much older than the journal is not written any more.
const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// Bytes of an alert file that tell its format.
const FIRST_LINE_BYTES_MAX: u64 = 4096;

/// Looks for logs. Without `journalctl` the journal cannot be watched.
pub(super) fn look(root: &Path, has_journalctl: bool) -> Logs {
    let mut logs = Logs::default();
    let journal = journal_written(root).filter(|_| has_journalctl);
    let mut has_main = false;
    for name in candidates::SYSTEM {
        let is_taken = logs.system(root, "/var/log", name, journal);
        has_main |= is_taken && candidates::SYSTEM_MAIN.contains(name);
    }
    logs.journal = journal.is_some() && !has_main;
    for candidate in candidates::PROGRAMS {
        logs.program(root, candidate);
    }
    for name in candidates::WEB {
        logs.web(root, &format!("/var/log/{name}"));
    }
    if paths::below(root, candidates::CONTAINERS).is_dir() {
        for name in candidates::CONTAINER_SYSTEM {
            logs.system(root, candidates::CONTAINER_LOGS, name, None);
        }
        for name in candidates::WEB {
            logs.web(root, &format!("{}/{name}", candidates::CONTAINER_LOGS));
        }
    }
    logs
}

impl Logs {
    /// Takes a file of the syslog daemon, unless it adds nothing. Whether it was taken.
    fn system(&mut self, root: &Path, dir: &str, name: &str, journal: Option<SystemTime>) -> bool {
        let location = format!("{dir}/{name}");
        let paths = paths::fitting(root, &location);
        if paths.is_empty() {
            return false;
        }
        let is_stale = |path: &PathBuf| journal.is_some_and(|journal| is_stale(path, journal));
        if paths.iter().all(is_stale) {
            self.leave_out(location, "it is not written any more; the journal is".to_owned());
            return false;
        }
        let wholes: Option<Vec<&str>> =
            paths.iter().map(|path| copies::contained_in(path)).collect();
        if let Some(whole) = wholes.and_then(|wholes| wholes.first().copied()) {
            self.leave_out(location, format!("what is in it is in {dir}/{whole} as well"));
            return false;
        }
        self.take(location, "syslog", &paths);
        true
    }

    fn program(&mut self, root: &Path, candidate: &Candidate) {
        let paths = paths::fitting(root, candidate.location);
        let Some(first) = paths.first() else { return };
        let format = match candidate.format {
            Format::Named(format) => format,
            Format::Snort => snort_format(first),
        };
        self.take(candidate.location.to_owned(), format, &paths);
    }

    fn web(&mut self, root: &Path, location: &str) {
        let paths = paths::fitting(root, location);
        if !paths.is_empty() {
            self.take(location.to_owned(), "apache", &paths);
        }
    }

    fn take(&mut self, location: String, format: &'static str, paths: &[PathBuf]) {
        let is_readable = paths.iter().any(|path| File::open(path).is_ok());
        self.logs.push(FoundLog { location, format, is_readable });
    }

    fn leave_out(&mut self, location: String, why: String) {
        self.left_out.push(LeftOut { location, why });
    }
}

/// When the journal was written last, if there is one.
fn journal_written(root: &Path) -> Option<SystemTime> {
    let journals = ["/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal"];
    let paths = journals.iter().flat_map(|pattern| paths::fitting(root, pattern));
    paths.filter_map(|path| path.metadata().ok()?.modified().ok()).max()
}

fn is_stale(path: &Path, journal: SystemTime) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| {
        journal.duration_since(modified).is_ok_and(|behind| behind > STALE_AFTER)
    })
}

/// Full alerts put the class on a line of its own.
fn snort_format(path: &Path) -> &'static str {
    let head = paths::head(path, FIRST_LINE_BYTES_MAX).unwrap_or_default();
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let has = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
    match has(b"[**] ") && !has(b"Classification:") && !has(b" -> ") {
        true => "snort-full",
        false => "snort-fast",
    }
}
