//! Reads alerts from a cursor on.

use std::path::{Path, PathBuf};

use super::{MAIL, split_record, split_source};
use crate::{Cursor, Damage, Error, Reader, segment};

/// Follows the journal, record by record.
#[derive(Debug)]
pub struct JournalReader {
    dir: PathBuf,
    reader: Reader,
    /// The frame whose records are being read.
    payload: Vec<u8>,
    /// Where in it the next record starts; its end if there is none.
    offset: usize,
    cursor: Cursor,
}

/// An alert in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place.
    pub cursor: Cursor,
    /// Whether it is to be mailed.
    pub mail: bool,
    /// The line of alerts.json, without its newline.
    pub line: &'a [u8],
}

impl JournalReader {
    /// Reads from a place on, which is where another reader's [`JournalReader::cursor`] was.
    pub fn new(dir: &Path, cursor: Cursor) -> Self {
        let reader = match cursor.frame.checked_sub(1) {
            Some(after) => Reader::new(dir, after),
            None => Reader::oldest(dir),
        };
        Self { dir: dir.to_owned(), reader, payload: Vec::new(), offset: 0, cursor }
    }

    /// Reads behind all alerts that are there now.
    ///
    /// # Errors
    ///
    /// When the directory or a file cannot be read.
    pub fn behind_all(dir: &Path) -> Result<Self, Error> {
        let mut frame = 0;
        if let Some(&first) = segment::list(dir)?.last() {
            let mut reader = Reader::new(dir, first.saturating_sub(1));
            let mut payload = Vec::new();
            frame = first;
            loop {
                match reader.next_frame(&mut payload) {
                    Ok(Some(found)) => frame = found.number.saturating_add(1),
                    Ok(None) => break,
                    Err(Error::Damaged { .. } | Error::Gone { .. } | Error::Ahead { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Self::new(dir, Cursor { frame, index: 0 }))
    }

    /// Where the next record is, or will be. Kept by the caller, it is where to go on.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The next alert; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// As [`Reader::next_frame`]; the next call goes on with what can be read.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Error> {
        while self.offset >= self.payload.len() {
            if !self.load_frame()? {
                return Ok(None);
            }
        }
        let cursor = self.cursor;
        let records = self.payload.get(self.offset..).unwrap_or_default();
        let Some((flags, line, rest)) = split_record(records) else { return Ok(None) };
        self.offset = self.payload.len() - rest.len();
        self.cursor.index = self.cursor.index.saturating_add(1);
        if rest.is_empty() {
            // So that it still means something when this frame is removed.
            self.cursor = Cursor { frame: cursor.frame.saturating_add(1), index: 0 };
        }
        Ok(Some(Record { cursor, mail: flags & MAIL != 0, line }))
    }

    /// Reads the next frame and passes over the records that the cursor is behind.
    fn load_frame(&mut self) -> Result<bool, Error> {
        let wanted = self.cursor;
        let found = match self.reader.next_frame(&mut self.payload) {
            Ok(frame) => frame.map(|frame| frame.number),
            Err(error) => {
                self.leave_frame();
                self.cursor = match error {
                    Error::Gone { first, .. } => Cursor { frame: first, index: 0 },
                    Error::Ahead { last, .. } => Cursor { frame: last.saturating_add(1), index: 0 },
                    _ => wanted,
                };
                return Err(error);
            }
        };
        let Some(number) = found else {
            self.leave_frame();
            return Ok(false);
        };
        let Some(mut records) = records_of(&self.payload) else {
            self.leave_frame();
            self.cursor = Cursor { frame: number.saturating_add(1), index: 0 };
            return Err(self.damaged(number));
        };
        let passed = if number == wanted.frame { wanted.index } else { 0 };
        for _ in 0..passed {
            let Some((_, _, rest)) = split_record(records) else { break };
            records = rest;
        }
        self.offset = self.payload.len() - records.len();
        self.cursor = match records.is_empty() {
            true => Cursor { frame: number.saturating_add(1), index: 0 },
            false => Cursor { frame: number, index: passed },
        };
        Ok(true)
    }

    fn leave_frame(&mut self) {
        self.payload.clear();
        self.offset = 0;
    }

    /// The frame is as it was written, but not by a journal.
    fn damaged(&self, frame: u64) -> Error {
        let segments = segment::list(&self.dir).unwrap_or_default();
        let first = segments.into_iter().rfind(|&first| first <= frame).unwrap_or(frame);
        let segment = segment::path(&self.dir, first);
        Error::Damaged { segment, offset: 0, damage: Damage::Records }
    }
}

/// The records of a frame, if all of them are whole.
fn records_of(payload: &[u8]) -> Option<&[u8]> {
    let (_, records) = split_source(payload)?;
    let mut rest = records;
    while !rest.is_empty() {
        (_, _, rest) = split_record(rest)?;
    }
    Some(records)
}
