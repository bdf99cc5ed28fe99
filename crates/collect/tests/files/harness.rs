//! A host with log files, a collector that follows them, and an analysis that takes the messages.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use collect::files::{
    FileEntry, Files, FilesSettings, Flow, Found, Moment, Notice, Progress, SourceReport,
};
use collect::positions::Positions;
use config::sections::LogFormat;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::Timestamp;
use tempfile::TempDir;

pub(crate) const LINE_WAIT: Duration = Duration::from_secs(5);
pub(crate) const GROUP_WAIT: Duration = Duration::from_secs(1);
/// A Tuesday, 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_795_521_600;

/// What analysis keeps: each message by source and end, so that a repeated one is recognised.
type Stored = BTreeMap<(u64, u64), (String, String)>;

pub(crate) struct Host {
    root: TempDir,
    pub(crate) entries: Vec<FileEntry>,
    pub(crate) files: Option<Files>,
    pub(crate) now: Moment,
    pub(crate) settings: FilesSettings,
    pub(crate) stored: Stored,
    /// Messages in the order they came, repeated ones left out.
    pub(crate) order: Vec<(u64, u64)>,
    unacknowledged: Vec<(u64, u64)>,
    /// How many messages the analysis takes before it is full.
    pub(crate) room: usize,
    pub(crate) saved: Vec<u8>,
    pub(crate) notices: Vec<Notice>,
}

impl Host {
    /// The locations are below the host's directory.
    pub(crate) fn new(locations: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let settings = FilesSettings {
            from_start: false,
            first_start: true,
            line_wait: LINE_WAIT,
            group_wait: GROUP_WAIT,
            hostname: b"host.example".to_vec(),
        };
        let wall = Timestamp::utc(NOON);
        let mut host = Self {
            root,
            entries: Vec::new(),
            files: None,
            now: Moment { wall, monotonic: Duration::from_secs(1000) },
            settings,
            stored: Stored::new(),
            order: Vec::new(),
            unacknowledged: Vec::new(),
            room: usize::MAX,
            saved: Vec::new(),
            notices: Vec::new(),
        };
        host.entries = host.entries(locations);
        host
    }

    /// A host whose collector runs already, before there is any file.
    pub(crate) fn following(locations: &[&str]) -> Self {
        let mut host = Self::new(locations);
        host.start();
        host.settle();
        host
    }

    pub(crate) fn entries(&self, locations: &[&str]) -> Vec<FileEntry> {
        let entry = |location: &&str| FileEntry {
            location: self.at(location).to_str().unwrap().to_owned(),
            format: LogFormat::Line,
        };
        locations.iter().map(entry).collect()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        append(&self.at(name), text);
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.at(name)).unwrap();
    }

    pub(crate) fn copy_and_truncate(&self, from: &str, to: &str) {
        fs::copy(self.at(from), self.at(to)).unwrap();
        truncate(&self.at(from));
    }

    pub(crate) fn gzip(&self, name: &str) {
        gzip(&self.at(name));
    }

    /// Starts the collector with the saved positions.
    pub(crate) fn start(&mut self) {
        let saved = Positions::parse(&self.saved);
        let saved = if self.saved.is_empty() { Positions::default() } else { saved };
        self.settings.first_start = self.saved.is_empty();
        let settings = self.settings.clone();
        self.files = Some(Files::new(&self.entries, &saved, settings, self.now).unwrap());
    }

    pub(crate) fn crash(&mut self) {
        self.files = None;
        self.unacknowledged.clear();
    }

    pub(crate) fn restart(&mut self) {
        self.crash();
        self.start();
        self.settle();
    }

    pub(crate) fn save(&mut self) {
        self.saved = self.running().positions().render();
    }

    pub(crate) fn running(&mut self) -> &mut Files {
        self.files.as_mut().expect("the collector runs")
    }

    /// Reads once.
    pub(crate) fn turn(&mut self) -> Progress {
        let Self { files, now, stored, order, unacknowledged, room, .. } = self;
        let files = files.as_mut().expect("the collector runs");
        let mut take = |found: Found<'_>| {
            if *room == 0 {
                return Flow::Full;
            }
            *room -= 1;
            let text = String::from_utf8_lossy(found.text).into_owned();
            let location = String::from_utf8_lossy(found.location).into_owned();
            let id = (found.source, found.end);
            let message = (location, text);
            match stored.get(&id) {
                Some(before) => assert_eq!(before.1, message.1, "{id:?} is another message"),
                None => {
                    stored.insert(id, message);
                    order.push(id);
                }
            }
            unacknowledged.push(id);
            Flow::Go
        };
        let progress = files.read(*now, &mut take);
        if progress.save {
            self.save();
        }
        progress
    }

    /// Lets the collector take in and read all there is, as far as the analysis has room.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let now = self.now;
            self.running().notice(now);
            let progress = self.turn();
            if !progress.more || self.room == 0 {
                let notices = self.running().take_notices();
                self.notices.extend(notices);
                return;
            }
        }
        panic!("there is no end to it");
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall.seconds += i64::try_from(time.as_secs()).unwrap();
    }

    /// Acknowledges the first messages of those given out.
    pub(crate) fn acknowledge(&mut self, count: usize) {
        let count = count.min(self.unacknowledged.len());
        for (source, end) in self.unacknowledged.drain(..count).collect::<Vec<_>>() {
            self.running().acknowledge(source, end);
        }
    }

    pub(crate) fn acknowledge_all(&mut self) {
        self.acknowledge(usize::MAX);
    }

    /// The analysis dies and forgets what it has not acknowledged.
    pub(crate) fn lose_unacknowledged(&mut self) {
        for id in self.unacknowledged.drain(..) {
            self.stored.remove(&id);
            self.order.retain(|other| *other != id);
        }
        let now = self.now;
        self.running().rewind(now);
    }

    /// Texts of the log messages, in the order they came.
    pub(crate) fn lines(&self) -> Vec<&str> {
        let messages = self.order.iter().filter_map(|id| self.stored.get(id));
        let logs = messages.filter(|(location, _)| location != "ossec-logcollector");
        logs.map(|(_, text)| text.as_str()).collect()
    }

    /// Texts of the collector's own messages, with paths from the host's directory on.
    pub(crate) fn own(&self) -> Vec<String> {
        let messages = self.order.iter().filter_map(|id| self.stored.get(id));
        let own = messages.filter(|(location, _)| location == "ossec-logcollector");
        let root = format!("{}/", self.root.path().to_str().unwrap());
        own.map(|(_, text)| text.replace(&root, "")).collect()
    }

    /// Settles and takes the lines that came since the last time.
    pub(crate) fn new_lines(&mut self) -> Vec<String> {
        let before = self.lines().len();
        self.settle();
        self.lines()[before..].iter().map(|line| (*line).to_owned()).collect()
    }

    pub(crate) fn report(&mut self, name: &str) -> Option<SourceReport> {
        let path = self.at(name);
        let reports = self.running().report();
        reports.into_iter().find(|report| report.path == path.as_os_str().as_encoded_bytes())
    }

    /// Whether inotify has something to say.
    pub(crate) fn is_woken(&mut self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let files = self.files.as_ref().expect("the collector runs");
        let fd = files.fd();
        let mut polled = [PollFd::new(&fd, PollFlags::IN)];
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&none)).unwrap() > 0
    }
}

pub(crate) fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) fn truncate(path: &Path) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
}

/// As gzip(1): the packed file has the time stamp of the plain one, which goes.
pub(crate) fn gzip(path: &Path) {
    let content = fs::read(path).unwrap();
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let mut encoder = GzEncoder::new(File::create(&name).unwrap(), Compression::fast());
    encoder.write_all(&content).unwrap();
    let file = encoder.finish().unwrap();
    file.set_modified(modified).unwrap();
    fs::remove_file(path).unwrap();
}

/// Allows as many open files as the system lets a process have.
pub(crate) fn raise_open_files() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit.current.unwrap_or(u64::MAX)
}

/// Whether this process may read everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
