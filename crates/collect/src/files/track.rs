//! One followed path: the file that is there now, and those that were there before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use config::sections::LogFormat;
use model::{Queue, Timestamp};

use super::disk::{Facts, FileId};
use super::notice::Outage;
use super::pace::Pace;
use super::report::SourceState;
use super::siblings::Sibling;
use super::stream::{LINGER, LINGER_DELETED, Place, Stream, Waits};
use crate::formats::FramerCounts;

/// Files of one path that are open at once.
pub(crate) const STREAMS_MAX: usize = 8;

pub(crate) struct Track {
    pub(crate) number: u64,
    pub(crate) path: Arc<[u8]>,
    /// The entry that leads to it.
    pub(crate) entry: usize,
    pub(crate) format: LogFormat,
    pub(crate) queue: Queue,
    /// Whether the configuration leads here now. What is not wanted is read to its end.
    pub(crate) is_wanted: bool,
    /// Whether its absence is worth a word: it is configured by this very name.
    pub(crate) is_named: bool,
    pub(crate) first: First,
    pub(crate) state: SourceState,
    /// Oldest first; the one at the path, if it is read here, is the last.
    pub(crate) streams: Vec<Stream>,
    /// Rotated files that are read after the streams but before the last one, as there is room.
    pub(crate) backlog: VecDeque<Sibling>,
    /// What was last seen at the path.
    pub(crate) since: Option<Since>,
    /// The path is to be looked at.
    pub(crate) to_check: bool,
    pub(crate) is_queued: bool,
    pub(crate) due: Option<Duration>,
    /// The watch on a file that is not read here.
    pub(crate) watch: Option<i32>,
    pub(crate) is_polled: bool,
    pub(crate) pace: Pace,
    pub(crate) said: Said,
    pub(crate) lines: u64,
    pub(crate) rotations: u64,
    pub(crate) last_message: Option<Timestamp>,
    /// Of files that were closed.
    pub(crate) counts: FramerCounts,
}

/// What tells new files beside a path from older ones: they were changed and made after this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    /// The time stamp of the file that was at the path, or of the directory when none was.
    pub(crate) modified: i64,
    /// When the last file at the path was made; 0 if that is not known.
    pub(crate) born: i64,
}

/// Where the reading of the first file found at a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// It was there before anybody asked for it.
    AtEnd,
    AtStart,
}

/// What has been said, so that it is not said again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub(crate) analyzing: bool,
    pub(crate) duplicated: bool,
    pub(crate) same_file: bool,
    pub(crate) polled: bool,
    pub(crate) failing: bool,
    pub(crate) outage: Option<Outage>,
}

impl Since {
    /// Whether a file was changed and made after this, as its time stamps say. Those that are ahead
    /// of `now`, in seconds since the epoch, say nothing.
    pub(crate) fn is_before(self, facts: &Facts, now: i64) -> bool {
        let is_ahead = |time: i64| time.div_euclid(1_000_000_000) > now;
        let is_older = facts.born != 0 && facts.born < self.born && !is_ahead(self.born);
        let is_newer =
            facts.modified >= self.modified || (is_ahead(self.modified) && facts.born != 0);
        is_newer && !is_older
    }
}

impl Track {
    /// The file at the path.
    pub(crate) fn current(&self) -> Option<&Stream> {
        self.streams.last().filter(|stream| stream.place == Place::Current)
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut Stream> {
        self.streams.last_mut().filter(|stream| stream.place == Place::Current)
    }

    /// Whether no more files can be opened.
    pub(crate) fn is_crowded(&self) -> bool {
        self.streams.len() >= STREAMS_MAX
    }

    /// Puts a file in behind the older ones and before the current one.
    pub(crate) fn insert_old(&mut self, stream: Stream) {
        let at = self.streams.len() - usize::from(self.current().is_some());
        self.streams.insert(at, stream);
    }

    /// The file at the path is not there any more.
    pub(crate) fn retire_current(&mut self, now: Duration) {
        if let Some(current) = self.current_mut() {
            current.rotate(LINGER, now);
            self.note_deleted();
        }
    }

    /// Files without a name have no writers that reopen them: they are closed sooner.
    pub(crate) fn note_deleted(&mut self) {
        for stream in &mut self.streams {
            if stream.place == Place::Rotated(LINGER)
                && stream.facts().is_some_and(|facts| facts.links == 0)
            {
                stream.place = Place::Rotated(LINGER_DELETED);
            }
        }
    }

    /// A file that was at the path before is there again.
    pub(crate) fn bring_back(&mut self, file: FileId, now: Duration) -> bool {
        let is_it = |stream: &Stream| stream.file == file && !stream.is_lost();
        let Some(at) = self.streams.iter().rposition(is_it) else { return false };
        self.retire_current(now);
        let mut stream = self.streams.remove(at);
        stream.place = Place::Current;
        self.streams.push(stream);
        true
    }

    /// A file was at the path, changed at `modified` and made at `born`.
    pub(crate) fn saw(&mut self, modified: i64, born: i64) {
        let before = self.since.map_or(modified, |since| since.modified);
        self.since = Some(Since { modified: before.max(modified), born });
    }

    /// No file was at the path, and the directory had last changed at `modified`.
    pub(crate) fn saw_none(&mut self, modified: i64) {
        self.saw(modified, self.since.map_or(0, |since| since.born));
    }

    pub(crate) fn next_due(&self, waits: Waits) -> Option<Duration> {
        let streams = self.streams.iter().filter_map(|stream| stream.due(waits));
        streams.chain(self.pace.rest_until).min()
    }

    pub(crate) fn all_counts(&self) -> FramerCounts {
        self.streams.iter().fold(self.counts, |sum, stream| sum + stream.counts())
    }
}
