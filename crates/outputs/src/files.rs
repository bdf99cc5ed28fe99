//! All files that are written for events, each under its OSSEC name.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use model::Timestamp;

use crate::daily::{Creation, DailyFile, RecordEnd};
use crate::day::Day;
use crate::error::WriteError;
use crate::place::FileName;
use crate::replay::FileLength;

/// Pending bytes with which no further events should be taken: the disk is full, and what is
/// pending lies in RAM.
pub const PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;

static ALERTS: FileName = FileName {
    folder: "logs/alerts",
    stem: "ossec-alerts",
    extension: "log",
    fixed: Some("alerts.log"),
};
static ALERTS_JSON: FileName = FileName {
    folder: "logs/alerts",
    stem: "ossec-alerts",
    extension: "json",
    fixed: Some("alerts.json"),
};
static ARCHIVES: FileName = FileName {
    folder: "logs/archives",
    stem: "ossec-archive",
    extension: "log",
    fixed: Some("archives.log"),
};
static ARCHIVES_JSON: FileName = FileName {
    folder: "logs/archives",
    stem: "ossec-archive",
    extension: "json",
    fixed: Some("archives.json"),
};
static FIREWALL: FileName = FileName {
    folder: "logs/firewall",
    stem: "ossec-firewall",
    extension: "log",
    fixed: Some("firewall.log"),
};
static TOTALS: FileName =
    FileName { folder: "stats/totals", stem: "ossec-totals", extension: "log", fixed: None };

/// What is written besides `alerts.log`. Records of a file that is off are left out; the files
/// `archives.log` and `firewall.log` are there all the same, and empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// `jsonout_output`
    pub alerts_json: bool,
    /// `logall`
    pub archives: bool,
    /// `logall_json`
    pub archives_json: bool,
    /// `analysisd.log_fw`
    pub firewall: bool,
    /// Whether `custom_alert_output` makes lines of the records of `alerts.log`.
    pub alerts_are_lines: bool,
}

/// The files of one installation.
#[derive(Debug)]
pub struct OutputFiles {
    options: OutputOptions,
    /// The day that the last record was of.
    day: Option<Day>,
    alerts: DailyFile,
    alerts_json: DailyFile,
    archives: DailyFile,
    archives_json: DailyFile,
    firewall: DailyFile,
    totals: DailyFile,
}

impl OutputFiles {
    /// `home` is the directory of the installation. Nothing is opened before the first flush.
    pub fn new(home: OwnedFd, options: OutputOptions) -> Self {
        let home = Arc::new(home);
        let file = |name, creation, end| DailyFile::new(Arc::clone(&home), name, creation, end);
        let mut files = Self {
            options,
            day: None,
            alerts: file(&ALERTS, Creation::Daily, RecordEnd::EmptyLine),
            alerts_json: file(&ALERTS_JSON, Creation::OnRecord, RecordEnd::Line),
            archives: file(&ARCHIVES, Creation::Daily, RecordEnd::Line),
            archives_json: file(&ARCHIVES_JSON, Creation::OnRecord, RecordEnd::Line),
            firewall: file(&FIREWALL, Creation::Daily, RecordEnd::Line),
            totals: file(&TOTALS, Creation::OnRecord, RecordEnd::EmptyLine),
        };
        files.set_options(options);
        files
    }

    pub fn options(&self) -> OutputOptions {
        self.options
    }

    /// Goes by other options from the next record on. What is pending is still written.
    pub fn set_options(&mut self, options: OutputOptions) {
        let creation = |is_on| if is_on { Creation::Daily } else { Creation::OnRecord };
        self.alerts_json.set_creation(creation(options.alerts_json));
        self.archives_json.set_creation(creation(options.archives_json));
        self.alerts.set_record_end(match options.alerts_are_lines {
            true => RecordEnd::Line,
            false => RecordEnd::EmptyLine,
        });
        self.options = options;
        // A file that was switched on is to be there.
        self.day = None;
    }

    /// Says what time it is: the files of its day are there after the next flush, and the fixed
    /// names lead to them. To be called at the start, and whenever the caller wakes up, so that the
    /// day changes without an event too. Every record says it by itself. Not to be called with the
    /// clock's time while events are judged again after a kill.
    pub fn roll_over(&mut self, at: Timestamp) {
        let day = Some(Day::of(at));
        if self.day != day {
            self.day = day;
            for file in self.each() {
                file.begin_day(at);
            }
        }
    }

    /// A record of `alerts.log`.
    pub fn alerts_text(&mut self, at: Timestamp, record: &[u8]) {
        self.roll_over(at);
        self.alerts.append(at, record);
    }

    /// A line of `alerts.json`.
    pub fn alerts_json(&mut self, at: Timestamp, line: &[u8]) {
        self.roll_over(at);
        if self.options.alerts_json {
            self.alerts_json.append(at, line);
        }
    }

    /// A line of `archives.log`; none is there for an empty one.
    pub fn archives_text(&mut self, at: Timestamp, line: &[u8]) {
        self.roll_over(at);
        if self.options.archives {
            self.archives.append(at, line);
        }
    }

    /// A line of `archives.json`.
    pub fn archives_json(&mut self, at: Timestamp, line: &[u8]) {
        self.roll_over(at);
        if self.options.archives_json {
            self.archives_json.append(at, line);
        }
    }

    /// A line of `firewall.log`.
    pub fn firewall(&mut self, at: Timestamp, line: &[u8]) {
        self.roll_over(at);
        if self.options.firewall {
            self.firewall.append(at, line);
        }
    }

    /// A block of `stats/totals`. It is of an hour that is over, so the day stays what it is.
    pub fn totals(&mut self, at: Timestamp, block: &[u8]) {
        self.totals.append(at, block);
    }

    /// Bytes that are appended and not written. See [`PENDING_BYTES_MAX`].
    pub fn pending_bytes(&self) -> usize {
        self.all().iter().map(|file| file.pending_bytes()).sum()
    }

    /// Writes everything that is pending, to each file as far as it goes.
    ///
    /// # Errors
    ///
    /// The first of them. What could not be written stays pending; flush again.
    pub fn flush_all(&mut self) -> Result<(), WriteError> {
        let mut first = Ok(());
        for file in self.each() {
            first = first.and(file.flush());
        }
        first
    }

    /// Waits until what was written is on the disk. See [`DailyFile::sync`].
    ///
    /// # Errors
    ///
    /// The first file that the disk does not take.
    pub fn sync_all(&mut self) -> Result<(), WriteError> {
        self.each().into_iter().try_for_each(DailyFile::sync)
    }

    /// How long the files are, for a checkpoint. `None` while something is pending, because a
    /// checkpoint would lose it, and before [`Self::roll_over`], because it would not tell what
    /// was there at the start.
    pub fn state(&self) -> Option<Vec<FileLength>> {
        self.day?;
        let mut files = Vec::new();
        for file in self.all() {
            files.extend(file.state()?);
        }
        Some(files)
    }

    /// Goes on after a kill: `checkpoint` is what [`Self::state`] was before the events that are
    /// now judged again. To be called before anything else. See [`DailyFile::resume`].
    pub fn resume(&mut self, checkpoint: &[FileLength]) {
        self.day = None;
        for file in self.each() {
            file.resume(checkpoint);
        }
    }

    /// All events behind the checkpoint have been judged again: flushes, and from now on every
    /// byte is written. The caller then takes a checkpoint. See [`DailyFile::forget_resume`].
    ///
    /// # Errors
    ///
    /// When a file cannot be flushed; call it again.
    pub fn forget_resume(&mut self) -> Result<(), WriteError> {
        let mut first = Ok(());
        for file in self.each() {
            first = first.and(file.forget_resume());
        }
        first
    }

    fn each(&mut self) -> [&mut DailyFile; 6] {
        let Self { alerts, alerts_json, archives, archives_json, firewall, totals, .. } = self;
        [alerts, alerts_json, archives, archives_json, firewall, totals]
    }

    fn all(&self) -> [&DailyFile; 6] {
        let Self { alerts, alerts_json, archives, archives_json, firewall, totals, .. } = self;
        [alerts, alerts_json, archives, archives_json, firewall, totals]
    }
}
