//! The alert journal: a log whose frames are the alerts of one batch of events.
//!
//! ```text
//! source u64 │ { length u32 │ flags u8 │ line of alerts.json without its newline }…
//! ```
//!
//! All numbers are little-endian. The source is the number that the batch has in the event log. A
//! batch that is replayed after a crash has the same number again, and that is how the writer knows
//! that its alerts are here already.

mod reader;
mod since;

use std::path::Path;

use crate::frame::FRAME_BYTES_MAX;
use crate::{Error, Log, Opened, Options, Reader};

pub use reader::{JournalReader, Record};
pub use since::{TIME_KEY, segments, since, time_of};

/// Where the journal lies in an installation.
pub const DIRECTORY: &str = "queue/journal";

/// The flag of alerts that are to be mailed. Others are left to later versions.
const MAIL: u8 = 1;

const SOURCE_BYTES: usize = size_of::<u64>();
/// Bytes of a record before its line.
const RECORD_HEADER_BYTES: usize = size_of::<u32>() + size_of::<u8>();

/// Appends alerts, those of one batch of events at once.
#[derive(Debug)]
pub struct JournalWriter {
    log: Log,
    last_source: u64,
    records: Vec<u8>,
    /// Alerts that found no room in their batch's frame.
    pub not_kept: u64,
    /// Batches whose alerts were here already.
    pub replayed: u64,
}

impl JournalWriter {
    /// Opens the journal in a directory.
    ///
    /// # Errors
    ///
    /// As [`Log::open`].
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Opened), Error> {
        let (log, opened) = Log::open(dir, options)?;
        let last_source = match opened.last.checked_sub(1) {
            Some(before) => source_after(dir, before)?,
            None => 0,
        };
        let records = Vec::new();
        Ok((Self { log, last_source, records, not_kept: 0, replayed: 0 }, opened))
    }

    /// The newest batch that the journal has alerts of; 0 if it has none. Event-log numbers must go
    /// on behind it.
    pub fn last_source(&self) -> u64 {
        self.last_source
    }

    /// Adds an alert to the batch: the line of alerts.json, with or without its newline.
    pub fn push(&mut self, mail: bool, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let bytes = SOURCE_BYTES + self.records.len() + RECORD_HEADER_BYTES + line.len();
        if bytes > FRAME_BYTES_MAX {
            self.not_kept += 1;
            return;
        }
        self.records.extend_from_slice(&(line.len() as u32).to_le_bytes());
        self.records.push(if mail { MAIL } else { 0 });
        self.records.extend_from_slice(line);
    }

    /// Appends the alerts pushed since the last batch, if there are any and the journal has none yet
    /// of the batch `source` or a later one. The number of their frame.
    ///
    /// # Errors
    ///
    /// When the frame cannot be written. The alerts are kept, and the call may be tried again.
    pub fn end_batch(&mut self, source: u64) -> Result<Option<u64>, Error> {
        if self.records.is_empty() {
            return Ok(None);
        }
        if source <= self.last_source {
            self.replayed += 1;
            self.records.clear();
            return Ok(None);
        }
        let number = self.log.append(&[&source.to_le_bytes(), &self.records])?;
        self.last_source = source;
        self.records.clear();
        Ok(Some(number))
    }

    /// Brings to disk all that was appended.
    ///
    /// # Errors
    ///
    /// As [`Log::sync`].
    pub fn sync(&mut self) -> Result<(), Error> {
        self.log.sync()
    }

    /// Removes the oldest alerts while there are more bytes than this; how many segments.
    ///
    /// # Errors
    ///
    /// As [`Log::keep_at_most`].
    pub fn keep_at_most(&mut self, bytes: u64) -> Result<u64, Error> {
        self.log.keep_at_most(bytes)
    }

    /// Bytes of the journal.
    pub fn bytes(&self) -> u64 {
        self.log.bytes()
    }
}

/// The source of the frame after this one.
fn source_after(dir: &Path, before: u64) -> Result<u64, Error> {
    let mut payload = Vec::new();
    let frame = Reader::new(dir, before).next_frame(&mut payload)?;
    Ok(frame.and_then(|frame| split_source(frame.payload)).map_or(0, |(source, _)| source))
}

/// The source of a frame, and its records.
fn split_source(payload: &[u8]) -> Option<(u64, &[u8])> {
    let (source, records) = payload.split_first_chunk()?;
    Some((u64::from_le_bytes(*source), records))
}

/// The first record's flags and line, and the rest.
fn split_record(records: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, rest) = records.split_first_chunk()?;
    let (flags, rest) = rest.split_first()?;
    let (line, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((*flags, line, rest))
}
