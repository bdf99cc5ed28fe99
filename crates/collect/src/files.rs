//! Follows log files: whatever happens to a file, each line comes out once.
//!
//! Goes in: the configured locations, the positions of the last run, moments in time, and what
//! inotify says. Comes out: messages, each with its source and the position behind it.
//!
//! A *track* is one path that is followed. It has *streams*: the file at the path and those that
//! were there before, each read to its end, the older first. A stream's *source* is a hash of what
//! tells its file from all others, so that the same bytes have the same source and position in
//! every run: whoever has stored a message can drop it when it comes again.
//!
//! # Invariants
//!
//! * No message of a source is given out before the caller could save positions that name the
//!   source ([`Progress::save`]).
//! * Positions never pass what is acknowledged.
//! * A file is read by one track, however many paths lead to it.
//! * Everything is bounded: files, handles, rotated files, watches, what is held and what waits.
//! * No clock is asked, and without something to do nothing is done.
//!
//! Start reading at [`Files::read`] and [`Files::notice`]. `turn` reads streams, `change` finds out
//! what became of a path, `past` and `packs` look for rotated files, `identity` tells files apart, `spread`
//! makes tracks of locations (`entry`), `clock` notices when time stamps cannot be trusted.
//! docs/collection.md says what is guaranteed.

mod change;
mod clock;
pub(crate) mod disk;
mod entry;
mod identity;
mod ledger;
mod notice;
mod outlet;
mod pace;
mod packed;
mod packs;
mod past;
pub(crate) mod print;
mod report;
mod siblings;
mod spread;
mod stream;
mod track;
mod tree;
mod turn;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use config::sections::LogFormat;
use model::{Queue, Timestamp};

use crate::formats::{self, Framer, FramerContext};
use crate::positions::{Positions, Record};
use crate::watch::{Noticed, Watches};
use clock::WallClock;
use disk::FileId;
use entry::Entry;
use ledger::Ledger;
use notice::Notices;
use outlet::{OwnMessages, Pending};
use stream::Waits;
use track::Track;
use tree::Tree;

pub use notice::{Notice, Outage};
pub use report::{SourceReport, SourceState};

/// Paths that are followed; what else matches is counted and said.
pub const FILES_MAX: usize = 16_384;
/// How often what the system does not report is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How often everything is looked at, in case something was missed.
const RESCAN_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest time until something that could not be done is tried again.
const AGAIN_INTERVAL: Duration = Duration::from_secs(1);

/// A message of a file as it goes to analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Names the file, the same in every run.
    pub source: u64,
    /// The position behind the message. It grows within a source.
    pub end: u64,
    pub queue: Queue,
    pub location: &'a [u8],
    pub text: &'a [u8],
}

/// Whether there is room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Go,
    /// This message was not taken. It and all behind it are offered again.
    Full,
}

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub wall: Timestamp,
    pub monotonic: Duration,
}

/// One `<location>` of a `<localfile>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    pub location: String,
    pub format: LogFormat,
}

/// How files are followed.
#[derive(Clone, Debug)]
pub struct FilesSettings {
    /// Read files from their start even if they were there before anybody asked for them.
    pub from_start: bool,
    /// Whether there are no saved positions because there was no earlier run.
    pub first_start: bool,
    /// How long the end of a line is waited for.
    pub line_wait: Duration,
    /// How long more lines of a group are waited for.
    pub group_wait: Duration,
    pub hostname: Vec<u8>,
}

/// What came of a turn of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Something can still be read: call again at once, unless there was no room.
    pub more: bool,
    /// There are new sources: save [`Files::positions`] before the next call, which gives out their
    /// first messages.
    pub save: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("cannot watch files: {0}")]
    Inotify(rustix::io::Errno),
}

/// All log files that are followed.
pub struct Files {
    settings: FilesSettings,
    entries: Vec<Entry>,
    tracks: HashMap<u64, Track>,
    by_path: BTreeMap<Vec<u8>, u64>,
    last_track: u64,
    /// Which track reads a file.
    owners: HashMap<FileId, u64>,
    /// Which track has a source.
    sources: HashMap<u64, u64>,
    /// Tracks whose file another one reads.
    waiting: HashMap<FileId, Vec<u64>>,
    ledger: Ledger,
    watches: Watches,
    tree: Tree,
    noticed: Vec<Noticed>,
    /// Tracks with something to do.
    ready: VecDeque<u64>,
    timers: BTreeSet<(Duration, u64)>,
    polled: BTreeSet<u64>,
    poll_due: Option<Duration>,
    rescan_due: Duration,
    pending: Pending,
    own: OwnMessages,
    notices: Notices,
    buffer: Vec<u8>,
    turn: u64,
    is_full: bool,
    now: Moment,
    clock: WallClock,
    /// Positions are to be saved though no source is new.
    save_asked: bool,
    /// Paths that match and are not followed for want of room.
    refused: u64,
}

impl Files {
    /// Finds the files and looks up how far they have been read. Nothing is read yet.
    pub fn new(
        entries: &[FileEntry],
        saved: &Positions,
        settings: FilesSettings,
        now: Moment,
    ) -> Result<Self, FilesError> {
        let mut files = Self {
            settings,
            entries: Vec::new(),
            tracks: HashMap::new(),
            by_path: BTreeMap::new(),
            last_track: 0,
            owners: HashMap::new(),
            sources: HashMap::new(),
            waiting: HashMap::new(),
            ledger: Ledger::of(&saved.records),
            watches: Watches::new().map_err(FilesError::Inotify)?,
            tree: Tree::default(),
            noticed: Vec::new(),
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            polled: BTreeSet::new(),
            poll_due: None,
            rescan_due: now.monotonic + RESCAN_INTERVAL,
            pending: Pending::default(),
            own: OwnMessages::after(saved.own_end),
            notices: Notices::default(),
            buffer: vec![0; stream::BUFFER_BYTES],
            turn: 0,
            is_full: false,
            now,
            clock: WallClock::after(saved.doubt, saved.taken, now),
            save_asked: false,
            refused: 0,
        };
        if saved.damaged > 0 {
            files.notices.push(Notice::PositionsDamaged(saved.damaged));
        }
        files.start(entries, saved);
        Ok(files)
    }

    /// Follows other locations from now on. What stays keeps its handles and positions.
    pub fn replace(&mut self, entries: &[FileEntry], now: Moment) {
        self.now = now;
        self.spread_anew(entries);
    }

    /// Becomes readable when [`Files::notice`] should be called.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.watches.fd()
    }

    /// Takes in what inotify has to say.
    pub fn notice(&mut self, now: Moment) {
        self.now = now;
        self.watch_clock();
        let mut noticed = std::mem::take(&mut self.noticed);
        self.watches.read(&mut noticed);
        for event in noticed.drain(..) {
            self.happened(event);
        }
        self.noticed = noticed;
        self.tick();
    }

    /// The monotonic time at which [`Files::read`] should be called even if nothing happens.
    pub fn next_due(&self) -> Option<Duration> {
        let poll = self.poll_due.filter(|_| self.has_polled());
        let dates = self.dates_due();
        let regular = [Some(self.rescan_due), poll, dates].into_iter().flatten();
        if self.is_full {
            return regular.min();
        }
        let is_waiting = !self.ready.is_empty() || self.own.are_waiting();
        let now = is_waiting.then_some(self.now.monotonic);
        let timer = self.timers.first().map(|(due, _)| *due);
        regular.chain(now).chain(timer).min()
    }

    /// Messages up to `end` are stored and need never be read again.
    pub fn acknowledge(&mut self, source: u64, end: u64) {
        if source == outlet::own_source() {
            self.own.acknowledge(end);
            return;
        }
        let Some(number) = self.sources.get(&source).copied() else { return };
        let Some(track) = self.tracks.get_mut(&number) else { return };
        for stream in &mut track.streams {
            if stream.source == Some(source) {
                stream.acknowledge(end);
            }
        }
        if track.is_crowded() {
            // There may be room now for what waits.
            self.queue(number);
        }
    }

    /// What was given out and not acknowledged is lost: it is read again.
    pub fn rewind(&mut self, now: Moment) {
        self.now = now;
        self.pending.clear();
        self.own.rewind();
        self.is_full = false;
        for number in self.numbers() {
            self.with_track(number, |files, track| files.rewind_track(track));
            self.queue(number);
        }
    }

    /// How far everything is acknowledged, and what is known of files that are gone.
    pub fn positions(&self) -> Positions {
        let mut records: Vec<Record> = self.ledger.iter().cloned().collect();
        for number in self.by_path.values() {
            if let Some(track) = self.tracks.get(number) {
                records.extend(past::records(track));
            }
        }
        Positions {
            taken: self.now.wall.seconds,
            doubt: self.clock.doubt,
            own_end: self.own.end,
            locations: self.entries.iter().map(|entry| entry.location.clone().into()).collect(),
            records,
            damaged: 0,
        }
    }

    /// What there is to know of each path, in their order.
    pub fn report(&self) -> Vec<SourceReport> {
        let tracks = self.by_path.values().filter_map(|number| self.tracks.get(number));
        tracks.map(turn::report).collect()
    }

    /// Paths that match and are not followed, because there are [`FILES_MAX`] others.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Things that could not be kept in mind for want of room: notices, messages of the collector
    /// itself, and files that are no longer followed.
    pub fn forgotten(&self) -> u64 {
        self.notices.dropped + self.own.dropped + self.ledger.forgotten
    }

    /// What is to be said in ossec.log.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    /// Paths of the configuration that are pipes, which are not read here.
    pub fn pipes(&self) -> Vec<PathBuf> {
        let tracks = self.by_path.values().filter_map(|number| self.tracks.get(number));
        let pipes = tracks.filter(|track| track.state == SourceState::Pipe);
        pipes.map(|track| PathBuf::from(OsString::from_vec(track.path.to_vec()))).collect()
    }

    fn waits(&self) -> Waits {
        Waits { line: self.settings.line_wait, group: self.settings.group_wait }
    }

    fn framer(&self, track: &Track, start: u64) -> Option<Box<dyn Framer>> {
        let context = FramerContext { path: &track.path, hostname: &self.settings.hostname };
        formats::framer(track.format, start, &context)
    }

    fn numbers(&self) -> Vec<u64> {
        self.by_path.values().copied().collect()
    }

    fn queue(&mut self, number: u64) {
        if let Some(track) = self.tracks.get_mut(&number)
            && !track.is_queued
        {
            track.is_queued = true;
            self.ready.push_back(number);
        }
    }

    fn queue_check(&mut self, number: u64) {
        if let Some(track) = self.tracks.get_mut(&number) {
            track.to_check = true;
            self.queue(number);
        }
    }

    /// Lends out a track together with everything else. It is back afterwards, or gone if nothing
    /// is left to do for it.
    fn with_track<T>(
        &mut self,
        number: u64,
        work: impl FnOnce(&mut Self, &mut Track) -> T,
    ) -> Option<T> {
        let mut track = self.tracks.remove(&number)?;
        let result = work(self, &mut track);
        if track.is_wanted || !track.streams.is_empty() || !track.backlog.is_empty() {
            self.set_timer(&mut track);
            self.tracks.insert(number, track);
        } else {
            self.forget_track(&mut track);
        }
        Some(result)
    }

    fn set_timer(&mut self, track: &mut Track) {
        // What is due and could not be done must not keep the process awake.
        let soonest = self.now.monotonic + AGAIN_INTERVAL;
        let due = track.next_due(self.waits()).map(|due| match due > self.now.monotonic {
            true => due,
            false => soonest,
        });
        if track.due != due {
            if let Some(old) = track.due {
                self.timers.remove(&(old, track.number));
            }
            self.timers.extend(due.map(|due| (due, track.number)));
            track.due = due;
        }
    }

    fn has_polled(&self) -> bool {
        !self.polled.is_empty() || self.tree.is_polled()
    }
}
