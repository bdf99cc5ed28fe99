//! A file that is begun anew each day.
//!
//! Records are appended to a buffer and written by [`DailyFile::flush`], by large writes. The
//! record's own time says which day's file it goes to. When the day changes, the file of the new
//! day is opened (and appended to, if it is there), the fixed name is led to it, and the old file is
//! removed if it stayed empty. A day that goes backwards, because the clock was set or because two
//! sensors disagree at midnight, is a change like any other: the earlier file is opened again, and
//! the fixed name follows it.
//!
//! # After a kill
//!
//! [`DailyFile::state`] tells how long the files are; the caller keeps that with its checkpoint.
//! [`DailyFile::resume`] takes it back; then the caller produces again what came after the
//! checkpoint, and what the files have of it is skipped, byte by byte: a record that was cut by the
//! kill is completed by its other half. This holds as long as the same bytes come out. If they
//! would not (other rules, another host name), call [`DailyFile::forget_resume`] at once: some
//! records are then there twice, but none is torn.
//!
//! When everything has been produced again, [`DailyFile::forget_resume`] ends it. Bytes that are
//! still to be skipped then are records whose events could not be had again, since their source
//! does not keep them. They stay. The last may be torn; before the next record is written, its end
//! is put behind it. The caller then takes a checkpoint, because the old one does not fit any more.
//!
//! The end of a record is also put where a file without checkpoint, or one that somebody cut, does
//! not end in one.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use model::Timestamp;
use rustix::fs::fdatasync;
use rustix::io::{Errno, pread, retry_on_intr, write};

use crate::day::Day;
use crate::error::WriteError;
use crate::pending::Pending;
use crate::place::{DatedFile, FileName, length_and_name, measure};
use crate::replay::{FileLength, Replay};

/// Files of other days whose length is told besides that of the open one, for records that come
/// late around midnight.
const EARLIER_FILES_MAX: usize = 3;

/// Files of other days that are kept open until they are on the disk.
const CLOSED_FILES_MAX: usize = 2;

/// How a record ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// With its line.
    Line,
    /// With an empty line.
    EmptyLine,
}

/// When the file of a new day is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// When the day has come.
    Daily,
    /// When there is something to write.
    OnRecord,
}

/// A dated file for each day, and a fixed name for the one that is written to.
#[derive(Debug)]
pub struct DailyFile {
    home: Arc<OwnedFd>,
    name: &'static FileName,
    creation: Creation,
    record_end: RecordEnd,
    pending: Pending,
    open: Option<Open>,
    /// Files that may not be on the disk yet.
    closed: Vec<(Day, OwnedFd)>,
    /// Lengths of files that are not open, oldest day first; without what is to be skipped.
    earlier: Vec<(Day, u64)>,
    replay: Option<Replay>,
}

#[derive(Debug)]
struct Open {
    day: Day,
    dated: DatedFile,
    /// Whether it is not known that the file ends with a whole record.
    may_be_torn: bool,
}

impl DailyFile {
    /// Nothing is opened before the first flush. All paths start at `home`.
    pub fn new(
        home: Arc<OwnedFd>,
        name: &'static FileName,
        creation: Creation,
        record_end: RecordEnd,
    ) -> Self {
        Self {
            home,
            name,
            creation,
            record_end,
            pending: Pending::default(),
            open: None,
            closed: Vec::new(),
            earlier: Vec::new(),
            replay: None,
        }
    }

    /// Appends a record, its end included, to what is pending.
    pub fn append(&mut self, at: Timestamp, record: &[u8]) {
        self.pending.push(Day::of(at), record);
    }

    /// Says that the day of `at` has come, so that its file is there although nothing is written.
    pub fn begin_day(&mut self, at: Timestamp) {
        self.pending.push(Day::of(at), b"");
    }

    pub fn set_creation(&mut self, creation: Creation) {
        self.creation = creation;
    }

    pub fn set_record_end(&mut self, record_end: RecordEnd) {
        self.record_end = record_end;
    }

    /// Bytes that are appended and not written.
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Writes everything that is pending.
    ///
    /// # Errors
    ///
    /// What could not be written stays pending, from the very byte on; flush again.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        let result = self.write_pending();
        if result.is_err() {
            self.pending.compact();
        }
        result
    }

    /// Waits until what was written is on the disk. A checkpoint that is to outlive a loss of power
    /// needs this before it; one that is to outlive a kill does not.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        while let Some((day, file)) = self.closed.pop() {
            self.sync_file(day, &file)?;
        }
        self.open.as_ref().map_or(Ok(()), |open| self.sync_file(open.day, &open.dated.file))
    }

    /// How long the files are, the open one last; `None` while something is pending, because a
    /// checkpoint with these lengths would lose it.
    pub fn state(&self) -> Option<Vec<FileLength>> {
        if !self.pending.is_settled() {
            return None;
        }
        let open =
            self.open.as_ref().map(|open| (open.day, self.settled(open.day, open.dated.length)));
        let earlier = self.earlier.iter().filter(|(day, _)| open.is_none_or(|open| open.0 != *day));
        let files = earlier.copied().chain(open);
        Some(files.map(|(day, length)| FileLength { path: self.name.path(day), length }).collect())
    }

    /// Goes on after a kill: `checkpoint` is what the states of all files were, together, before
    /// the events that are now judged again. To be called before anything is appended.
    pub fn resume(&mut self, checkpoint: &[FileLength]) {
        let own = checkpoint.iter().filter_map(|file| {
            let day = Day::of_path(&file.path)?;
            (self.name.path(day) == file.path).then_some((day, file.length))
        });
        let lengths: Vec<(Day, u64)> = own.collect();
        self.open = None;
        // The file that was open then is opened now: it may be empty, and then it goes.
        if let Some((day, _)) = lengths.last() {
            self.pending.push(*day, b"");
        }
        self.earlier.clear();
        for &(day, length) in &lengths {
            self.remember(day, length);
        }
        self.replay = Some(Replay::new(lengths, checkpoint));
    }

    /// Ends what [`Self::resume`] began: from now on every byte is written.
    ///
    /// # Errors
    ///
    /// When what is pending cannot be written. Then nothing is forgotten.
    pub fn forget_resume(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        if let (Some(replay), Some(open)) = (self.replay.take(), &mut self.open) {
            open.may_be_torn |= replay.left(open.day) > 0;
        }
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), WriteError> {
        while let Some((day, bytes)) = self.pending.front() {
            if bytes.is_empty() && self.creation == Creation::OnRecord {
                self.look_at(day);
            } else {
                self.turn_to(day)?;
                self.skip(day);
                self.write_front()?;
            }
            self.pending.pop();
        }
        Ok(())
    }

    /// Learns how long the file of a day is that is not to be made.
    fn look_at(&mut self, day: Day) {
        if self.open.as_ref().is_none_or(|open| open.day != day) {
            self.close();
            self.measure(day.before());
            self.measure(day);
        }
    }

    /// A file must be known before it is written to: else the checkpoint before that tells nothing
    /// of it.
    fn measure(&mut self, day: Day) {
        let is_open = self.open.as_ref().is_some_and(|open| open.day == day);
        if is_open || self.earlier.iter().any(|(known, _)| *known == day) {
            return;
        }
        // What cannot be looked at is not known; perhaps nothing is ever written there.
        if let Ok(length) = measure(&self.home, self.name, day) {
            if let Some(replay) = &mut self.replay {
                replay.look_at(day, length);
            }
            self.remember(day, self.settled(day, length));
        }
    }

    /// Makes the file of a day the open one.
    fn turn_to(&mut self, day: Day) -> Result<(), WriteError> {
        if let Some(open) = self.open.as_mut().filter(|open| open.day == day) {
            let path = self.name.path(day);
            let (length, has_name) = length_and_name(&open.dated.file, &path)?;
            if has_name {
                // Somebody may have cut it.
                open.dated.length = length;
                return Ok(());
            }
            // Somebody removed it, and with it what was to be skipped.
            if let Some(replay) = &mut self.replay {
                replay.take(day, usize::MAX);
            }
        }
        // Records of the day before may come late.
        self.measure(day.before());
        let dated = DatedFile::create(&self.home, self.name, day)?;
        dated.link(self.name, day)?;
        if self.open.as_ref().is_some_and(|open| open.day != day) {
            self.close();
        }
        if let Some(replay) = &mut self.replay {
            replay.look_at(day, dated.length);
        }
        let may_be_torn = self.replay.as_ref().is_none_or(|replay| replay.left(day) == 0);
        self.open = Some(Open { day, dated, may_be_torn });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(Open { day, dated, .. }) = self.open.take() {
            self.remember(day, self.settled(day, dated.length));
            dated.remove_if_empty(self.name, day);
            self.closed.push((day, dated.file));
            if self.closed.len() > CLOSED_FILES_MAX {
                // The system writes it in its own time.
                self.closed.remove(0);
            }
        }
    }

    fn sync_file(&self, day: Day, file: &OwnedFd) -> Result<(), WriteError> {
        retry_on_intr(|| fdatasync(file)).map_err(|source| WriteError::System {
            action: "write to disk",
            path: self.name.path(day),
            source,
        })
    }

    /// Leaves out what the file has already.
    fn skip(&mut self, day: Day) {
        if let (Some(replay), Some((_, bytes))) = (&mut self.replay, self.pending.front()) {
            let skipped = replay.take(day, bytes.len());
            self.pending.advance(skipped);
        }
    }

    fn write_front(&mut self) -> Result<(), WriteError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        while let Some((day, bytes)) = self.pending.front()
            && !bytes.is_empty()
        {
            let system =
                |source| WriteError::System { action: "write", path: self.name.path(day), source };
            open.mend(self.record_end).map_err(system)?;
            let written = open.write(bytes).map_err(system)?;
            self.pending.advance(written);
        }
        Ok(())
    }

    /// The length of a file without what is to be produced again.
    fn settled(&self, day: Day, length: u64) -> u64 {
        length - self.replay.as_ref().map_or(0, |replay| replay.left(day)).min(length)
    }

    fn remember(&mut self, day: Day, length: u64) {
        self.earlier.retain(|(known, _)| *known != day);
        self.earlier.push((day, length));
        self.earlier.sort_unstable();
        if self.earlier.len() > EARLIER_FILES_MAX {
            self.earlier.remove(0);
        }
    }
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        match retry_on_intr(|| write(&self.dated.file, bytes))? {
            0 => Err(Errno::IO),
            written => {
                self.dated.length += written as u64;
                Ok(written)
            }
        }
    }

    /// Puts the end behind a torn record.
    fn mend(&mut self, end: RecordEnd) -> Result<(), Errno> {
        while self.may_be_torn {
            let ends = match end {
                RecordEnd::Line => 1,
                RecordEnd::EmptyLine => 2,
            };
            let mut tail = [0; 2];
            let start = self.dated.length.saturating_sub(tail.len() as u64);
            let read = retry_on_intr(|| pread(&self.dated.file, &mut tail, start))?;
            let tail = tail.get(..read).unwrap_or_default();
            let found = tail.iter().rev().take_while(|byte| **byte == b'\n').count();
            if tail.is_empty() || found >= ends {
                self.may_be_torn = false;
            } else {
                self.write(b"\n")?;
            }
        }
        Ok(())
    }
}
