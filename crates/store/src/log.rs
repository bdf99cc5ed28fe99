//! The writer of a log: frames are appended to segments, and old segments are removed.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::Doing;
use crate::files::{dir_of, sync_dir};
use crate::frame::{self, FRAME_BYTES_MAX, Hash, Header};
use crate::segment::{self, Segment, Step};
use crate::tail::Tail;

/// The mode of a log's directory, where it has to be made.
const DIR_MODE: u32 = 0o750;

/// Bytes of the buffer that are kept between frames.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A segment that would grow beyond this is followed by another one.
    pub segment_bytes: u64,
    /// The next frame gets at least this number. Whoever has kept the number of a frame passes one
    /// more, so that it still means the same after files were lost.
    pub number_min: u64,
}

/// A log that one process appends to. Others read it with a [`crate::Reader`].
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    /// Locked as long as the log is open.
    dir_file: File,
    segment_bytes: u64,
    /// Segments that are not written any more, oldest first.
    closed: VecDeque<Extent>,
    /// The last segment; `None` if the next frame begins a new one.
    tail: Option<Tail>,
    next: u64,
    /// Hash of the last frame.
    previous: Hash,
    buffer: Vec<u8>,
    is_dir_synced: bool,
    has_sync_failed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Extent {
    first: u64,
    bytes: u64,
}

/// What was found when a log was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// The last frame that can be read; 0 if there is none.
    pub last: u64,
    /// What was cut off at the end, because its writer did not come to finish it.
    pub torn: Option<Torn>,
    /// What is wrong at the end. It stays as it is; numbers go on behind all that the segment may
    /// have held.
    pub damaged: Option<Error>,
}

/// The rest of a frame that was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    pub segment: PathBuf,
    pub offset: u64,
    pub bytes: u64,
}

impl Log {
    /// Opens the log in a directory, which is made if its parent exists.
    ///
    /// # Errors
    ///
    /// When another process appends to it, or a file cannot be read, cut or is of a later version.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Opened), Error> {
        let dir_file = open_dir(dir)?;
        let mut log = Self {
            dir: dir.to_owned(),
            dir_file,
            segment_bytes: options.segment_bytes,
            closed: extents(dir)?,
            tail: None,
            next: 1,
            previous: Hash::START,
            buffer: Vec::new(),
            // Who made the segments may not have come to it.
            is_dir_synced: false,
            has_sync_failed: false,
        };
        let opened = log.find_end()?;
        log.number_from(options.number_min)?;
        Ok((log, opened))
    }

    /// Appends a frame whose payload is the parts one after the other; its number. It outlives this
    /// process, and after [`Log::sync`] a power failure.
    ///
    /// # Errors
    ///
    /// When the frame is too long or cannot be written. Nothing of it is left then, and the call may
    /// be tried again.
    pub fn append(&mut self, parts: &[&[u8]]) -> Result<u64, Error> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > FRAME_BYTES_MAX {
            return Err(Error::TooLong { bytes: length });
        }
        let header = self.fill_buffer(parts);
        let mut tail = match self.tail.take() {
            Some(tail) if tail.has_room(header.frame_bytes(), self.segment_bytes) => tail,
            full => self.begin_segment(full)?,
        };
        let appended = tail.append(&self.buffer);
        self.tail = Some(tail);
        appended?;
        self.next = header.number.saturating_add(1);
        self.previous = header.hash;
        Ok(header.number)
    }

    /// Brings to disk all that was appended.
    ///
    /// # Errors
    ///
    /// When the disk refuses. From then on it always fails: what the system could not write it may
    /// have forgotten.
    pub fn sync(&mut self) -> Result<(), Error> {
        if self.has_sync_failed {
            return Err(Error::SyncFailed { dir: self.dir.clone() });
        }
        let synced = self.sync_all();
        self.has_sync_failed = synced.is_err();
        synced
    }

    /// Removes the segments that hold only frames before `number`. The last segment always stays.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn remove_before(&mut self, number: u64) -> Result<(), Error> {
        while self.has_more_than_one() && self.end_of_oldest() <= number {
            self.remove_oldest()?;
        }
        Ok(())
    }

    /// Removes the oldest segments while there are more bytes than this; how many segments. The last
    /// segment always stays.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn keep_at_most(&mut self, bytes: u64) -> Result<u64, Error> {
        let mut removed = 0;
        while self.has_more_than_one() && self.bytes() > bytes {
            self.remove_oldest()?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|extent| extent.bytes).sum();
        closed + self.tail.as_ref().map_or(0, |tail| tail.end)
    }

    /// The number that the next frame will have.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Finds where to go on: behind the last whole frame of the last segment that has a header.
    fn find_end(&mut self) -> Result<Opened, Error> {
        let mut opened = Opened::default();
        for index in (0..self.closed.len()).rev() {
            let Some(&Extent { first, bytes }) = self.closed.get(index) else { break };
            match Segment::open(&self.dir, first) {
                Ok(Some(segment)) => {
                    self.go_on_behind(segment, &mut opened)?;
                    if opened.last == 0 {
                        opened.last = last_frame(&self.dir, first)?;
                    }
                    break;
                }
                // Its writer did not come to write anything into it.
                Ok(None) => {
                    let path = segment::path(&self.dir, first);
                    fs::remove_file(&path).doing("removing", &path)?;
                    self.closed.remove(index);
                    self.number_from(first)?;
                }
                Err(error @ Error::Damaged { .. }) => {
                    self.number_from(first.saturating_add(frames_max(bytes)))?;
                    opened.damaged.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(opened)
    }

    fn go_on_behind(&mut self, mut segment: Segment, opened: &mut Opened) -> Result<(), Error> {
        let first = segment.next;
        let damage = read_to_end(&mut segment)?;
        self.previous = segment.previous;
        opened.last = if segment.next > first { segment.next - 1 } else { 0 };
        let rest = segment.bytes()?.saturating_sub(segment.offset);
        if let Some(error) = damage {
            opened.damaged.get_or_insert(error);
            return self.number_from(segment.next.saturating_add(frames_max(rest)));
        }
        let is_last = self.closed.back().is_some_and(|extent| extent.first == first);
        if is_last && segment.next >= self.next {
            let tail = Tail::reopen(&self.dir, first, segment.offset)?;
            self.closed.pop_back();
            let torn = Torn { segment: tail.path.clone(), offset: segment.offset, bytes: rest };
            opened.torn = (rest > 0).then_some(torn);
            self.tail = Some(tail);
        }
        self.next = self.next.max(segment.next);
        Ok(())
    }

    /// Leaves out the numbers before this one.
    fn number_from(&mut self, number_min: u64) -> Result<(), Error> {
        if self.next >= number_min {
            return Ok(());
        }
        self.next = number_min;
        if let Some(mut tail) = self.tail.take() {
            tail.sync()?;
            self.closed.push_back(Extent { first: tail.first, bytes: tail.end });
        }
        Ok(())
    }

    /// The segment for the next frame, in place of one that is full.
    fn begin_segment(&mut self, mut full: Option<Tail>) -> Result<Tail, Error> {
        // What comes later must not be on disk before what came earlier.
        let closed = full.as_mut().map_or(Ok(()), Tail::close);
        self.has_sync_failed |= closed.is_err();
        match closed.and_then(|()| Tail::create(&self.dir, self.next, &self.previous)) {
            Ok(tail) => {
                self.is_dir_synced = false;
                let extent = full.map(|full| Extent { first: full.first, bytes: full.end });
                self.closed.extend(extent);
                Ok(tail)
            }
            Err(error) => {
                self.tail = full;
                Err(error)
            }
        }
    }

    /// Puts the next frame into the buffer.
    fn fill_buffer(&mut self, parts: &[&[u8]]) -> Header {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        self.buffer.resize(frame::HEADER_BYTES, 0);
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        let (place, payload) = self.buffer.split_at_mut(frame::HEADER_BYTES);
        let header = Header::new(&self.previous, self.next, payload);
        place.copy_from_slice(&header.encode(&self.previous));
        header
    }

    fn sync_all(&mut self) -> Result<(), Error> {
        if let Some(tail) = &mut self.tail {
            tail.sync()?;
        }
        if !self.is_dir_synced {
            self.dir_file.sync_all().doing("syncing", &self.dir)?;
            self.is_dir_synced = true;
        }
        Ok(())
    }

    /// Whether the oldest segment is not the last one too, which says where numbers go on.
    fn has_more_than_one(&self) -> bool {
        self.closed.len() + usize::from(self.tail.is_some()) > 1
    }

    /// Before which number all frames of the oldest segment lie.
    fn end_of_oldest(&self) -> u64 {
        let tail_first = self.tail.as_ref().map_or(self.next, |tail| tail.first);
        self.closed.get(1).map_or(tail_first, |second| second.first)
    }

    fn remove_oldest(&mut self) -> Result<(), Error> {
        let Some(extent) = self.closed.front() else { return Ok(()) };
        let path = segment::path(&self.dir, extent.first);
        match fs::remove_file(&path) {
            // Somebody made room by hand.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.doing("removing", &path)?,
        }
        self.closed.pop_front();
        Ok(())
    }
}

/// Opens the directory, made if need be, for nobody else to append.
fn open_dir(dir: &Path) -> Result<File, Error> {
    match DirBuilder::new().mode(DIR_MODE).create(dir) {
        Ok(()) => sync_dir(dir_of(dir)).doing("syncing", dir_of(dir))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.doing("making", dir)?,
    }
    let file = File::open(dir).doing("opening", dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(error).doing("locking", dir),
    }
}

fn extents(dir: &Path) -> Result<VecDeque<Extent>, Error> {
    let mut extents = VecDeque::new();
    for first in segment::list(dir)? {
        extents.push_back(Extent { first, bytes: segment::bytes(dir, first)? });
    }
    Ok(extents)
}

/// Reads all frames; what is wrong with the one where it stops.
fn read_to_end(segment: &mut Segment) -> Result<Option<Error>, Error> {
    let mut payload = Vec::new();
    loop {
        match segment.read(&mut payload) {
            Ok(Step::Frame(_)) => {}
            Ok(Step::End | Step::Torn) => return Ok(None),
            Err(error @ Error::Damaged { .. }) => return Ok(Some(error)),
            Err(error) => return Err(error),
        }
    }
}

/// The last frame that can be read before the segment of frame `first`; 0 if there is none.
fn last_frame(dir: &Path, first: u64) -> Result<u64, Error> {
    for first in segment::list(dir)?.into_iter().rev().filter(|&earlier| earlier < first) {
        match Segment::open(dir, first) {
            Ok(Some(mut segment)) => {
                read_to_end(&mut segment)?;
                if segment.next > first {
                    return Ok(segment.next - 1);
                }
            }
            Ok(None) | Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

/// More frames than so many bytes can hold.
fn frames_max(bytes: u64) -> u64 {
    bytes / frame::HEADER_BYTES as u64 + 1
}
