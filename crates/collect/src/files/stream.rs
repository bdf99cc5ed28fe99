//! One file that is being read: what it is, how far it has been read, and what is framed of it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;

use super::disk::{self, Facts, FileId, Opened};
use super::packed::{Packed, Unpacked};
use super::print::{HEAD_BYTES_MAX, Print, TAIL_BYTES_MAX};
use crate::formats::{Framer, FramerCounts, Message, Waiting};
use crate::positions::Record;

/// Bytes read at once.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;
/// What a buffer for [`Stream::advance`] must hold.
pub(crate) const BUFFER_BYTES: usize = CHUNK_BYTES + TAIL_BYTES_MAX;
/// How long a rotated file is kept open after its last byte: its writer may not know yet.
pub(crate) const LINGER: Duration = Duration::from_secs(300);
/// The same where nobody is left who could write.
pub(crate) const LINGER_DELETED: Duration = Duration::from_secs(10);
/// Places remembered between what is acknowledged and what is read.
const MARKS_MAX: usize = 8;
const RETRY_DELAY_MIN: Duration = Duration::from_secs(1);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);

/// A file, from the offset at which its reading began.
pub(crate) struct Stream {
    /// The file that is open.
    pub(crate) file: FileId,
    pub(crate) born: i64,
    pub(crate) generation: u32,
    /// Known once the first line is, which comes before the first message.
    pub(crate) source: Option<u64>,
    pub(crate) head: Option<Print>,
    /// The turn in which the source became known. No message is given out in that turn, so that
    /// the positions can be saved before.
    pub(crate) named_in: u64,
    pub(crate) place: Place,
    pub(crate) watch: Option<i32>,
    /// Where the file is, if its path is a link.
    pub(crate) target: Option<Vec<u8>>,
    /// How much of a lost content there is a copy of.
    copied: Option<u64>,
    /// Known to hold something else than what was read.
    is_overwritten: bool,
    /// Whether it has been read to its end.
    pub(crate) is_drained: bool,
    /// Whether it once had been: then newer files need not wait for it any more.
    pub(crate) was_drained: bool,
    /// When the file was last changed, by its own time stamp, as far as known.
    pub(crate) modified: i64,
    /// Wall time of the last bytes read.
    pub(crate) read: i64,
    body: Body,
    framer: Box<dyn Framer>,
    /// Counts of framers that were replaced.
    counts_before: FramerCounts,
    offset: u64,
    /// The bytes before the offset. They are read again with those behind it: if they differ, what
    /// was read so far is not there any more.
    tail: Option<Print>,
    marks: Marks,
    /// Up to where messages have been given out, and acknowledged.
    given: u64,
    acknowledged: u64,
    /// When bytes last came.
    fresh: Duration,
    /// When it was last at its path.
    rotated: Duration,
    /// When an incomplete first line was first seen.
    head_since: Option<Duration>,
    failure: Option<Failure>,
}

/// With what a stream begins.
struct Start {
    facts: Facts,
    generation: u32,
    offset: u64,
    tail: Option<Print>,
}

/// Where the file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At its path.
    Current,
    /// It was there. How long it stays open when nothing more comes.
    Rotated(Duration),
}

enum Body {
    Plain(OwnedFd),
    Packed(Box<Packed>),
    /// The content was overwritten. A shorter copy of it is kept open, so that its number stays its
    /// own.
    Gone(
        #[expect(dead_code, reason = "held, not used: no other file gets its number meanwhile")]
        Option<OwnedFd>,
    ),
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    until: Duration,
    delay: Duration,
}

/// Places in a file, by which it is known again once they are acknowledged.
#[derive(Debug, Default)]
struct Marks {
    unacknowledged: VecDeque<Print>,
    safe: Option<Print>,
}

/// How long an incomplete line, and a group that may be complete, are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub(crate) line: Duration,
    pub(crate) group: Duration,
}

/// What came of reading a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read(usize),
    End,
    /// There is more behind the limit.
    Limit,
    /// What was read before is not there any more.
    Changed,
    /// On the way to the offset in a packed file.
    Passing,
    /// A packed file that cannot be read.
    Unusable,
    Failed(Errno),
}

/// What is known of the first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Known(Print),
    Empty,
    Incomplete,
}

impl Stream {
    /// A file read from `offset` on.
    pub(crate) fn begin(
        opened: Opened,
        generation: u32,
        offset: u64,
        framer: Box<dyn Framer>,
        now: Duration,
    ) -> Self {
        let tail = disk::print_before(opened.fd.as_fd(), offset).unwrap_or_default();
        let Opened { fd, facts } = opened;
        let start = Start { facts, generation, offset, tail };
        Self::new(Body::Plain(fd), start, framer, now)
    }

    /// A packed file read from its start. It has no head if it is empty.
    pub(crate) fn begin_packed(
        opened: Opened,
        head: Option<Print>,
        framer: Box<dyn Framer>,
        now: Duration,
    ) -> Self {
        let Opened { fd, facts } = opened;
        let start = Start { facts, generation: 0, offset: 0, tail: None };
        let body = Body::Packed(Box::new(Packed::new(fd, 0, None)));
        Self { head, ..Self::new(body, start, framer, now) }
    }

    /// A file read on from where a record says. Its source stays what it was.
    pub(crate) fn resume(
        rest: Rest,
        record: &Record,
        framer: Box<dyn Framer>,
        now: Duration,
    ) -> Self {
        let (body, facts, tail) = match rest {
            Rest::Plain(Opened { fd, facts }) => {
                let tail = disk::print_before(fd.as_fd(), record.offset).unwrap_or_default();
                (Body::Plain(fd), facts, tail)
            }
            Rest::Packed(Opened { fd, facts }) => {
                let packed = Packed::new(fd, record.offset, record.tail);
                (Body::Packed(Box::new(packed)), facts, record.tail)
            }
        };
        let generation = record.generation;
        let start = Start { facts, generation, offset: record.offset, tail };
        Self {
            born: record.born,
            source: record.source,
            head: record.head,
            modified: record.modified,
            read: record.read,
            ..Self::new(body, start, framer, now)
        }
    }

    fn new(body: Body, start: Start, framer: Box<dyn Framer>, now: Duration) -> Self {
        let Start { facts, generation, offset, tail } = start;
        Self {
            file: facts.id,
            born: facts.born,
            generation,
            source: None,
            head: None,
            named_in: 0,
            place: Place::Current,
            watch: None,
            target: None,
            copied: None,
            is_overwritten: false,
            is_drained: false,
            was_drained: false,
            modified: facts.modified,
            read: 0,
            body,
            framer,
            counts_before: FramerCounts::default(),
            offset,
            tail,
            marks: Marks { unacknowledged: VecDeque::new(), safe: tail },
            given: offset,
            acknowledged: offset,
            fresh: now,
            rotated: now,
            head_since: None,
            failure: None,
        }
    }

    /// Reads on in another file with the same content: a copy, perhaps packed.
    pub(crate) fn move_to(&mut self, rest: Rest) {
        let facts = match rest {
            Rest::Plain(Opened { fd, facts }) => {
                self.tail = disk::print_before(fd.as_fd(), self.offset).unwrap_or_default();
                self.body = Body::Plain(fd);
                facts
            }
            Rest::Packed(Opened { fd, facts }) => {
                self.body = Body::Packed(Box::new(Packed::new(fd, self.offset, self.tail)));
                facts
            }
        };
        self.file = facts.id;
        (self.is_drained, self.is_overwritten) = (false, false);
    }

    /// The content is not there any more.
    pub(crate) fn lose(&mut self) {
        self.body = Body::Gone(None);
        self.end();
    }

    /// The content is not there any more, but for a copy of its first bytes.
    pub(crate) fn lose_to(&mut self, copy: Opened) {
        self.lose();
        self.file = copy.facts.id;
        self.copied = Some(copy.facts.size);
        self.body = Body::Gone(Some(copy.fd));
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.body, Body::Gone(_))
    }

    /// How far it need not be read again.
    pub(crate) fn record(&self, path: &[u8]) -> Record {
        let offset = self.position();
        let tail = if offset == self.offset { self.tail } else { self.marks.safe };
        self.record_at(path, offset, tail)
    }

    /// What to remember once it is closed.
    pub(crate) fn last_record(&self, path: &[u8]) -> Record {
        let record = Record { is_open: false, ..self.record(path) };
        match self.copied {
            // What else comes into the copy is its own.
            Some(size) => Record {
                offset: size.min(record.offset),
                tail: None,
                source: None,
                generation: 0,
                ..record
            },
            None => record,
        }
    }

    /// How far it has been read.
    pub(crate) fn record_of_read(&self, path: &[u8]) -> Record {
        self.record_at(path, self.offset, self.tail)
    }

    fn record_at(&self, path: &[u8], offset: u64, tail: Option<Print>) -> Record {
        Record {
            path: path.to_vec(),
            file: self.file,
            born: self.born,
            generation: self.generation,
            source: self.source,
            head: self.head,
            tail,
            offset,
            modified: self.modified,
            read: self.read,
            is_open: true,
            target: self.target.clone(),
        }
    }

    /// Up to where nothing needs to be read again.
    pub(crate) fn position(&self) -> u64 {
        let is_done = self.is_acknowledged() && !self.framer.holds();
        if is_done { self.offset } else { self.acknowledged }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn counts(&self) -> FramerCounts {
        self.counts_before + self.framer.counts()
    }

    pub(crate) fn facts(&self) -> Option<Facts> {
        let Body::Plain(fd) = &self.body else { return None };
        disk::look_at(fd.as_fd()).ok()
    }

    /// A path that leads to this very file, whatever it is called now.
    pub(crate) fn own_path(&self) -> Option<Vec<u8>> {
        let Body::Plain(fd) = &self.body else { return None };
        Some(format!("/proc/self/fd/{}", fd.as_raw_fd()).into_bytes())
    }

    /// Whether what others write to it is not reported.
    pub(crate) fn is_remote(&self) -> bool {
        match &self.body {
            Body::Plain(fd) => disk::is_remote(fd.as_fd()),
            Body::Packed(_) | Body::Gone(_) => false,
        }
    }

    /// Another handle on the same file.
    pub(crate) fn duplicate(&self) -> Result<Opened, Errno> {
        let Body::Plain(fd) = &self.body else { return Err(Errno::BADF) };
        let fd = rustix::io::fcntl_dupfd_cloexec(fd, 0)?;
        let facts = disk::look_at(fd.as_fd())?;
        Ok(Opened { fd, facts })
    }

    pub(crate) fn acknowledge(&mut self, end: u64) {
        self.acknowledged = self.acknowledged.max(end.min(self.given));
        while let Some(mark) = self.marks.unacknowledged.front().copied()
            && mark.end() <= self.acknowledged
        {
            self.marks.safe = Some(mark);
            self.marks.unacknowledged.pop_front();
        }
    }

    fn is_acknowledged(&self) -> bool {
        self.acknowledged >= self.given
    }

    /// Whether it can be closed without losing anything that is known now.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_drained && self.is_acknowledged() && !self.framer.holds()
    }

    /// Whether reading must go back for what was given out and not acknowledged.
    pub(crate) fn has_unacknowledged(&self) -> bool {
        !self.is_acknowledged()
    }

    /// Goes back to what is acknowledged.
    pub(crate) fn rewind(&mut self, framer: impl FnOnce(u64) -> Option<Box<dyn Framer>>) {
        let offset = self.acknowledged;
        let Some(framer) = framer(offset) else { return };
        let tail = match &mut self.body {
            Body::Plain(fd) => {
                let mut prints = [self.head, self.marks.safe].into_iter().flatten();
                let is_there = |print| disk::has_print(fd.as_fd(), print).unwrap_or(false);
                self.is_overwritten |= !prints.all(is_there);
                match self.is_overwritten {
                    true => self.marks.safe,
                    false => disk::print_before(fd.as_fd(), offset).unwrap_or_default(),
                }
            }
            Body::Packed(packed) => {
                if packed.restart(offset).is_err() {
                    return;
                }
                self.marks.safe
            }
            Body::Gone(_) => return,
        };
        self.counts_before = self.counts();
        self.framer = framer;
        (self.offset, self.tail, self.given) = (offset, tail, offset);
        self.marks.unacknowledged.clear();
        self.is_drained = false;
    }

    /// Starts a file anew of which nothing was ever given out.
    pub(crate) fn start_over(&mut self, framer: Box<dyn Framer>) {
        (self.offset, self.given, self.acknowledged) = (0, 0, 0);
        (self.tail, self.head, self.head_since) = (None, None, None);
        self.marks = Marks::default();
        self.framer = framer;
        self.is_drained = false;
    }

    /// Whether the file still begins as it did, and is not shorter than what was read.
    pub(crate) fn is_unchanged(&self) -> Result<bool, Errno> {
        let Body::Plain(fd) = &self.body else { return Ok(true) };
        match self.head {
            _ if self.is_overwritten => Ok(false),
            Some(head) => disk::has_print(fd.as_fd(), head),
            None => Ok(disk::look_at(fd.as_fd())?.size >= self.offset),
        }
    }

    pub(crate) fn identify(&mut self, now: Duration, wait: Duration) -> Result<Identity, Errno> {
        if let Some(head) = self.head {
            return Ok(Identity::Known(head));
        }
        let Body::Plain(fd) = &self.body else {
            self.end();
            return Ok(Identity::Empty);
        };
        let mut buffer = [0; HEAD_BYTES_MAX];
        let read = disk::read_at(fd.as_fd(), &mut buffer, 0)?;
        let start = buffer.get(..read).unwrap_or_default();
        if start.is_empty() {
            self.end();
            return Ok(Identity::Empty);
        }
        self.is_drained = false;
        let since = *self.head_since.get_or_insert(now);
        let is_late = now >= since + wait;
        let head = Print::of_head(start).or_else(|| is_late.then(|| Print::of(0, start)));
        Ok(head.map_or(Identity::Incomplete, Identity::Known))
    }

    /// Reads a chunk and frames it. With a `limit`, nothing behind that offset is read.
    pub(crate) fn advance(
        &mut self,
        buffer: &mut [u8],
        limit: Option<u64>,
        (now, wall): (Duration, i64),
        out: &mut dyn FnMut(Message<'_>),
    ) -> Step {
        let bytes = match self.read(buffer, limit, now) {
            Ok(bytes) => bytes,
            Err(step) => return step,
        };
        self.offset += bytes.len() as u64;
        (self.fresh, self.read) = (now, wall);
        let given = &mut self.given;
        self.framer.push(bytes, &mut |message| {
            *given = (*given).max(message.end);
            out(message);
        });
        self.marks.add(self.tail);
        Step::Read(bytes.len())
    }

    /// Gives out what has been waited for long enough.
    pub(crate) fn flush_idle(
        &mut self,
        now: Duration,
        waits: Waits,
        out: &mut dyn FnMut(Message<'_>),
    ) {
        let is_idle = self.flush_due(waits).is_some_and(|due| due <= now);
        if self.is_drained && (is_idle || self.is_lost()) {
            let given = &mut self.given;
            self.framer.flush(&mut |message| {
                *given = (*given).max(message.end);
                out(message);
            });
        }
    }

    /// When something should happen to it without the file changing.
    pub(crate) fn due(&self, waits: Waits) -> Option<Duration> {
        let close = match self.place {
            Place::Current => None,
            Place::Rotated(linger) => Some(self.quiet_since() + linger),
        };
        let identify = match self.head {
            Some(_) => None,
            None => self.head_since.map(|since| since + waits.line),
        };
        let retry = self.failure.map(|failure| failure.until);
        [close, identify, retry, self.flush_due(waits)].into_iter().flatten().min()
    }

    /// It is not at its path any more.
    pub(crate) fn rotate(&mut self, linger: Duration, now: Duration) {
        self.place = Place::Rotated(linger);
        self.rotated = now;
    }

    fn quiet_since(&self) -> Duration {
        self.fresh.max(self.rotated)
    }

    /// Whether a rotated file has been quiet long enough.
    pub(crate) fn is_expired(&self, now: Duration) -> bool {
        match self.place {
            Place::Current => false,
            Place::Rotated(linger) => self.is_lost() || now >= self.quiet_since() + linger,
        }
    }

    /// Whether reading failed and is not tried again yet.
    pub(crate) fn is_failing(&self, now: Duration) -> bool {
        self.failure.is_some_and(|failure| now < failure.until)
    }

    pub(crate) fn fail(&mut self, error: Errno, now: Duration) -> Step {
        let delay = self.failure.map_or(RETRY_DELAY_MIN, |failure| failure.delay * 2);
        let delay = delay.min(RETRY_DELAY_MAX);
        self.failure = Some(Failure { until: now + delay, delay });
        Step::Failed(error)
    }

    /// Whether the last attempt to read failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The next bytes, at least one.
    fn read<'b>(
        &mut self,
        buffer: &'b mut [u8],
        limit: Option<u64>,
        now: Duration,
    ) -> Result<&'b [u8], Step> {
        match &mut self.body {
            Body::Gone(_) => Err(self.end()),
            Body::Packed(packed) => {
                let room = buffer.get_mut(..CHUNK_BYTES).unwrap_or_default();
                match packed.read(room) {
                    Unpacked::Bytes(read) => {
                        let bytes = room.get(..read).unwrap_or_default();
                        self.tail = Print::of_tail(self.offset + read as u64, bytes);
                        self.is_drained = false;
                        Ok(bytes)
                    }
                    Unpacked::End => Err(self.end()),
                    Unpacked::Passing => Err(Step::Passing),
                    Unpacked::Unusable => Err(Step::Unusable),
                }
            }
            Body::Plain(_) if self.is_overwritten => Err(Step::Changed),
            Body::Plain(fd) => {
                let before = self.tail.map_or(0, |tail| usize::from(tail.length));
                let most = limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.offset));
                let most = usize::try_from(most).unwrap_or(usize::MAX).min(CHUNK_BYTES);
                let room = buffer.get_mut(..before + most).unwrap_or_default();
                let read = match disk::read_at(fd.as_fd(), room, self.offset - before as u64) {
                    Ok(read) => read,
                    Err(error) => return Err(self.fail(error, now)),
                };
                let wanted = room.len();
                let bytes = buffer.get(..read).unwrap_or_default();
                if read < before || self.tail.is_some_and(|tail| !tail.fits(bytes)) {
                    return Err(Step::Changed);
                }
                self.failure = None;
                if most == 0 {
                    return Err(self.look_behind_limit());
                }
                self.is_drained = read < wanted;
                self.was_drained |= self.is_drained;
                if read == before {
                    return Err(Step::End);
                }
                self.tail = Print::of_tail(self.offset + (read - before) as u64, bytes);
                Ok(bytes.get(before..).unwrap_or_default())
            }
        }
    }

    fn look_behind_limit(&mut self) -> Step {
        self.is_drained = self.facts().is_none_or(|facts| facts.size <= self.offset);
        self.was_drained |= self.is_drained;
        if self.is_drained { Step::End } else { Step::Limit }
    }

    fn end(&mut self) -> Step {
        (self.is_drained, self.was_drained) = (true, true);
        Step::End
    }

    fn flush_due(&self, waits: Waits) -> Option<Duration> {
        match self.framer.waiting() {
            Waiting::Nothing => None,
            Waiting::LineEnd => Some(self.fresh + waits.line),
            Waiting::Continuation => Some(self.fresh + waits.group),
        }
    }
}

/// Where the rest of a file is found.
#[derive(Debug)]
pub(crate) enum Rest {
    Plain(Opened),
    Packed(Opened),
}

impl Marks {
    fn add(&mut self, mark: Option<Print>) {
        let Some(mark) = mark else { return };
        if self.unacknowledged.len() == MARKS_MAX {
            self.unacknowledged.pop_back();
        }
        self.unacknowledged.push_back(mark);
    }
}
