//! Reads a log from a given frame on, while another process may be appending to it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::frame::{Hash, Header};
use crate::segment::{self, Segment, Step};
use crate::{Damage, Error};

/// Follows a log. Any number of readers, in any process, may follow the same one.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    place: Place,
    /// The frame that is wanted next; [`OLDEST`] for any.
    next: u64,
}

/// A frame that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub number: u64,
    /// The hash of this frame and of all before it.
    pub hash: Hash,
    pub payload: &'a [u8],
}

#[derive(Debug)]
enum Place {
    /// The segment of the next frame is still to be found.
    Sought,
    /// The segment of frame `first` is being read.
    In { segment: Segment, first: u64 },
    /// The segment of frame `first` was left; with the hash of its last frame where that was read.
    Behind { first: u64, end: Option<Hash> },
}

const OLDEST: u64 = 0;

/// How often the segment to be opened may vanish in one call.
const REMOVALS_MAX: u32 = 100;

impl Reader {
    /// Reads on after frame `after`, which the caller has seen.
    pub fn new(dir: &Path, after: u64) -> Self {
        Self { dir: dir.to_owned(), place: Place::Sought, next: after.saturating_add(1) }
    }

    /// Reads from the oldest frame on that is still there.
    pub fn oldest(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), place: Place::Sought, next: OLDEST }
    }

    /// Reads the next frame into `buffer`. `None` if there is none yet: a later call may find one.
    ///
    /// # Errors
    ///
    /// * [`Error::Gone`] when the next frames were removed, [`Error::Ahead`] when the log ends before
    ///   the frame that the caller has seen. After both, and after [`Error::Damaged`], the next call
    ///   goes on with what can be read.
    /// * When the directory or a file cannot be read.
    pub fn next_frame<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Option<Frame<'b>>, Error> {
        Ok(self.read(buffer)?.map(|header| Frame {
            number: header.number,
            hash: header.hash,
            payload: buffer,
        }))
    }

    /// Bytes behind the last frame that was read, where no frame is whole yet.
    pub(crate) fn rest(&self) -> Result<u64, Error> {
        match &self.place {
            Place::In { segment, .. } => Ok(segment.bytes()?.saturating_sub(segment.offset)),
            Place::Sought | Place::Behind { .. } => Ok(0),
        }
    }

    fn read(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Header>, Error> {
        loop {
            if !matches!(self.place, Place::In { .. }) && !self.enter()? {
                return Ok(None);
            }
            let Place::In { segment, first } = &mut self.place else { return Ok(None) };
            let first = *first;
            let mut step = segment.read(buffer);
            if let Ok(Step::End | Step::Torn) = step {
                if following(&self.dir, first)?.is_none() {
                    return Ok(None);
                }
                // The writer may have finished this segment between the two looks.
                step = segment.read(buffer);
            }
            match step {
                Ok(Step::Frame(header)) => {
                    self.next = header.number.saturating_add(1);
                    return Ok(Some(header));
                }
                Ok(Step::End) => {
                    self.place = Place::Behind { first, end: Some(segment.previous) };
                }
                Ok(Step::Torn) => {
                    let error = segment.damaged(Damage::Incomplete);
                    self.place = Place::Behind { first, end: None };
                    return Err(error);
                }
                Err(error) => {
                    if let Error::Damaged { .. } = error {
                        self.place = Place::Behind { first, end: None };
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Opens the segment to read next; false if it is not there yet.
    fn enter(&mut self) -> Result<bool, Error> {
        let mut removals = 0;
        loop {
            let entered = match self.place {
                Place::Sought => self.seek(),
                Place::Behind { first, end } => self.enter_behind(first, end),
                Place::In { .. } => Ok(true),
            };
            // The writer may remove a segment between our seeing and opening it.
            match entered {
                Err(Error::Io { ref path, ref source, .. })
                    if source.kind() == ErrorKind::NotFound
                        && *path != self.dir
                        && removals < REMOVALS_MAX =>
                {
                    removals += 1;
                }
                entered => return entered,
            }
        }
    }

    fn enter_behind(&mut self, first: u64, end: Option<Hash>) -> Result<bool, Error> {
        let Some(first) = following(&self.dir, first)? else { return Ok(false) };
        let Some(segment) = self.open(first)? else { return Ok(false) };
        let wanted = std::mem::replace(&mut self.next, first);
        let broken = match end {
            // What could not be read was told when it was met.
            None => None,
            Some(_) if wanted < first => Some(self.gone(wanted, first)),
            Some(end) => (end != segment.previous).then(|| segment.damaged(Damage::Chain)),
        };
        self.place = Place::In { segment, first };
        broken.map_or(Ok(true), Err)
    }

    /// Finds the next frame from its number alone.
    fn seek(&mut self) -> Result<bool, Error> {
        let mut firsts = segment::list(&self.dir)?;
        firsts.retain(|&first| is_begun(&self.dir, first));
        let Some(&oldest) = firsts.first() else { return Ok(false) };
        if self.next < oldest {
            let wanted = std::mem::replace(&mut self.next, oldest);
            return if wanted == OLDEST { self.seek() } else { Err(self.gone(wanted, oldest)) };
        }
        let behind = firsts.partition_point(|&first| first <= self.next);
        let Some(&first) = firsts.get(..behind).and_then(<[u64]>::last) else { return Ok(false) };
        let following = firsts.get(behind).copied();
        let Some(mut segment) = self.open(first)? else { return Ok(false) };
        while segment.next < self.next {
            match segment.skip() {
                Ok(Step::Frame(_)) => {}
                Ok(Step::End | Step::Torn) => {
                    return match following {
                        Some(following) => {
                            let wanted = std::mem::replace(&mut self.next, following);
                            Err(self.gone(wanted, following))
                        }
                        None => {
                            let after = self.next.saturating_sub(1);
                            let last = segment.next.saturating_sub(1);
                            self.next = segment.next;
                            Err(Error::Ahead { dir: self.dir.clone(), after, last })
                        }
                    };
                }
                Err(error) => {
                    self.place = Place::Behind { first, end: None };
                    return Err(error);
                }
            }
        }
        self.place = Place::In { segment, first };
        Ok(true)
    }

    /// Opens a segment; `None` if its header is not there yet. One that is damaged is left behind.
    fn open(&mut self, first: u64) -> Result<Option<Segment>, Error> {
        Segment::open(&self.dir, first).inspect_err(|error| {
            if let Error::Damaged { .. } = error {
                self.place = Place::Behind { first, end: None };
            }
        })
    }

    fn gone(&self, wanted: u64, first: u64) -> Error {
        Error::Gone { dir: self.dir.clone(), wanted, first }
    }
}

/// The first frame of the segment after the one that starts with frame `first`.
fn following(dir: &Path, first: u64) -> Result<Option<u64>, Error> {
    let mut later = segment::list(dir)?.into_iter().filter(|&other| other > first);
    Ok(later.find(|&other| is_begun(dir, other)))
}

/// Whether a segment has a whole header. Until then it does not count: its writer may have been
/// killed, and the next one goes on before it.
fn is_begun(dir: &Path, first: u64) -> bool {
    segment::bytes(dir, first).is_ok_and(|bytes| bytes >= segment::HEADER_BYTES as u64)
}
