//! Following the journal, from where it was left.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use collect::journal::{ExportReader, LOCATION, Written};
use config::sections::{LocalFile, LogFormat};
use model::{Queue, Timestamp};
use rustix::fs::{OFlags, fcntl_setfl};
use sys::channel::{Channel, Sent};
use sys::log;
use wire::note::Note;

use super::ready::{Ready, ReadyQueue, source_named};
use super::sender::Kind;
use crate::roles::JOURNAL_SINCE;

/// The token of the request for the journal.
pub(super) const TOKEN: u32 = 1;
/// Below the home: the cursor that analysis has stored.
const CURSOR_FILE: &str = "queue/logcollector/journal";
/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;
/// How long to wait before the journal is asked for again.
const RETRY_WAIT: Duration = Duration::from_secs(5);
const CURSOR_BYTES_MAX: u64 = 512;
/// How often what was there is read: an end that is none, because journalctl was killed, is not
/// taken for one.
const PASSES: u8 = 2;
/// A request that is not answered in this time is given up.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be asked for at this time.
    Due(Duration),
    /// To be asked for again at this time, if there is no answer.
    Asked(Duration),
    /// What came while nothing was running, which may be of earlier boots, is read first:
    /// journalctl follows entries of this boot only.
    CatchingUp,
    Following,
}

/// One reader of the journal for all sections that ask for it.
pub(super) struct Journal {
    /// Identifiers whose entries are wanted; none: the journal is not followed.
    locations: Vec<Vec<u8>>,
    state: State,
    /// How often what was there is still to be read before the rest is followed.
    passes: u8,
    output: Option<std::fs::File>,
    reader: ExportReader,
    /// Behind the last entry that was read; before there was one, [`JOURNAL_SINCE`]
    /// and when following began.
    cursor: Vec<u8>,
    file: PathBuf,
    messages: u64,
    failures: u64,
}

impl Journal {
    pub(super) fn new(localfiles: &[LocalFile], home: &Path, now: Timestamp) -> Self {
        let file = home.join(CURSOR_FILE);
        let mut cursor = Vec::new();
        if let Ok(saved) = std::fs::File::open(&file) {
            let _ = saved.take(CURSOR_BYTES_MAX).read_to_end(&mut cursor);
        }
        let mut journal = Self {
            locations: locations(localfiles),
            state: State::Due(Duration::ZERO),
            passes: PASSES,
            output: None,
            reader: ExportReader::new(),
            cursor: cursor.trim_ascii().to_vec(),
            file,
            messages: 0,
            failures: 0,
        };
        journal.begin(now);
        journal
    }

    /// Keeps from when on entries are wanted, so that a restart before the first one loses none.
    fn begin(&mut self, now: Timestamp) {
        if self.is_wanted() && self.cursor.is_empty() {
            self.cursor = format!("{JOURNAL_SINCE}{}", now.seconds).into_bytes();
            self.save(&self.cursor);
        }
    }

    pub(super) fn replace(&mut self, localfiles: &[LocalFile], now: Timestamp) {
        self.locations = locations(localfiles);
        self.begin(now);
        if self.locations.is_empty() {
            self.output = None;
            self.passes = PASSES;
            self.cursor.clear();
            self.state = State::Due(Duration::ZERO);
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.locations.is_empty()
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    pub(super) fn output(&self) -> Option<BorrowedFd<'_>> {
        self.output.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        match self.state {
            State::Due(due) | State::Asked(due) if self.is_wanted() => Some(due),
            State::Due(_) | State::Asked(_) | State::CatchingUp | State::Following => None,
        }
    }

    /// Asks for the journal if it is due.
    pub(super) fn ask(&mut self, now: Duration, channel: &Channel) -> Result<()> {
        if self.next_due().is_some_and(|due| due <= now) {
            let (token, cursor) = (TOKEN, self.cursor.clone());
            let note = match self.passes {
                0 => Note::FollowJournal { token, cursor },
                _ => Note::ReadJournal { token, cursor },
            };
            if channel.send(&note.write()).context("asking for the journal")? == Sent::Yes {
                self.state = State::Asked(now + ANSWER_WAIT);
            }
        }
        Ok(())
    }

    pub(super) fn started(&mut self, output: OwnedFd) -> Result<()> {
        fcntl_setfl(&output, OFlags::NONBLOCK).context("reading the journal")?;
        self.output = Some(output.into());
        self.reader = ExportReader::new();
        self.state = if self.passes == 0 { State::Following } else { State::CatchingUp };
        if self.failures == 0 && self.state == State::Following {
            log::write(log::Level::Info, 1951, "Analyzing journald log: 'journald'.");
        }
        Ok(())
    }

    pub(super) fn failed(&mut self, why: &[u8], now: Duration) {
        if self.failures == 0 {
            log::error(format_args!(
                "the journal cannot be followed: {}; it is tried again",
                String::from_utf8_lossy(why)
            ));
        }
        self.failures += 1;
        self.retry(now);
    }

    fn retry(&mut self, now: Duration) {
        self.output = None;
        self.passes = PASSES;
        self.state = State::Due(now + RETRY_WAIT);
    }

    /// Reads what is there, a limited amount.
    pub(super) fn read(&mut self, now: Duration, ready: &mut ReadyQueue) {
        let Some(file) = &mut self.output else { return };
        let mut buffer = vec![0; READ_BYTES];
        let count = match file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => 0,
        };
        if count == 0 && self.state == State::CatchingUp {
            self.output = None;
            self.passes -= 1;
            self.state = State::Due(now);
            return;
        }
        if count == 0 {
            self.failed(b"journalctl has ended", now);
            return;
        }
        let Self { locations, reader, cursor, messages, failures, .. } = self;
        let bytes = buffer.get(..count).unwrap_or_default();
        reader.push(bytes, &mut |entry| {
            *failures = 0;
            let Some(at) = entry.cursor() else { return };
            cursor.clear();
            cursor.extend_from_slice(at);
            if !locations.iter().any(|location| entry.matches(location)) {
                return;
            }
            let mut text = Vec::new();
            if entry.line(&crate::host::utc_offset, &mut text) == Written::Nothing {
                return;
            }
            *messages += 1;
            let stream = [b"journal ", entry.seqnum_id().unwrap_or_default()].concat();
            ready.push(Ready {
                source: source_named(&stream),
                // Either grows within the stream and is the same when it is read again.
                end: entry.seqnum().or(entry.realtime().map(i64::unsigned_abs)).unwrap_or(0),
                queue: Queue::LocalFile,
                location: LOCATION.to_vec(),
                text,
                kind: Kind::Journal(at.to_vec()),
            });
        });
    }

    /// Keeps the cursor that analysis has stored.
    pub(super) fn save(&self, cursor: &[u8]) {
        if let Err(error) = store::atomic_write(&self.file, cursor) {
            log::error(format_args!("the journal's cursor cannot be saved: {error}"));
        }
    }
}

fn locations(localfiles: &[LocalFile]) -> Vec<Vec<u8>> {
    let journal = localfiles.iter().filter(|it| it.format == LogFormat::Journald);
    journal
        .flat_map(|it| &it.locations)
        .map(|location| location.text.clone().into_bytes())
        .collect()
}
