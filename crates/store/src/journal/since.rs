//! Where in the journal the alerts of a time begin.

use std::path::Path;

use memchr::memmem;

use super::{split_record, split_source};
use crate::{Cursor, Error, Reader, segment};

/// What stands before the milliseconds in a line of alerts.json. Inside a string its quotes would
/// have backslashes.
pub const TIME_KEY: &[u8] = b"\"TimeStamp\":";

/// Digits of a time that are read.
const DIGITS_MAX: usize = 18;

/// The time of an alert in milliseconds since the epoch, from its line of alerts.json.
pub fn time_of(line: &[u8]) -> Option<i64> {
    let start = memmem::find(line, TIME_KEY)? + TIME_KEY.len();
    let rest = line.get(start..)?;
    let (sign, rest) = match rest.strip_prefix(b"-") {
        Some(rest) => (-1, rest),
        None => (1, rest),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = rest.get(..digits).filter(|digits| (1..=DIGITS_MAX).contains(&digits.len()))?;
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(sign * value)
}

/// The first frames of all segments of the journal, in order.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn segments(dir: &Path) -> Result<Vec<u64>, Error> {
    segment::list(dir)
}

/// A place before the first alert of a time, in milliseconds since the epoch, and near it: alerts
/// stand in the order of their batches, so a clock that was set back leaves earlier ones behind it.
///
/// # Errors
///
/// When the directory or a file cannot be read.
pub fn since(dir: &Path, time: i64) -> Result<Cursor, Error> {
    let firsts = segment::list(dir)?;
    // The last segment that starts before that time: a search in halves, over one frame each.
    let (mut start, mut low, mut high) = (0, 0, firsts.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // Where one cannot be read, the one before it tells; nothing must be left out.
        match newest_time(dir, firsts.get(low..=middle).unwrap_or_default())? {
            Some((index, first_time)) if first_time >= time => high = low + index,
            Some((index, _)) => {
                start = low + index;
                low = middle + 1;
            }
            None => low = middle + 1,
        }
    }
    match firsts.get(start) {
        Some(&first) => scan(dir, first, time),
        None => Ok(Cursor::default()),
    }
}

/// The time of the first alert in the last of these segments that can be read, and which it is.
fn newest_time(dir: &Path, firsts: &[u64]) -> Result<Option<(usize, i64)>, Error> {
    for (index, &first) in firsts.iter().enumerate().rev() {
        if let Some(time) = first_time(dir, first)? {
            return Ok(Some((index, time)));
        }
    }
    Ok(None)
}

/// The time of the first alert in a segment.
fn first_time(dir: &Path, first: u64) -> Result<Option<i64>, Error> {
    let mut payload = Vec::new();
    match Reader::new(dir, first.saturating_sub(1)).next_frame(&mut payload) {
        Ok(frame) => Ok(frame.and_then(|frame| frame_time(frame.payload))),
        Err(error) => unless_readable(error).map(|()| None),
    }
}

/// The first frame from this one on whose first alert is not before the time.
fn scan(dir: &Path, first: u64, time: i64) -> Result<Cursor, Error> {
    let mut reader = Reader::new(dir, first.saturating_sub(1));
    let mut payload = Vec::new();
    // The frame before may end with alerts of the time.
    let mut before = first;
    loop {
        match reader.next_frame(&mut payload) {
            Ok(Some(frame)) => {
                if frame_time(frame.payload).is_some_and(|start| start >= time) {
                    break;
                }
                before = frame.number;
            }
            Ok(None) => break,
            Err(error) => unless_readable(error)?,
        }
    }
    Ok(Cursor { frame: before, index: 0 })
}

/// Passes on what keeps the rest from being read too.
fn unless_readable(error: Error) -> Result<(), Error> {
    match error {
        Error::Damaged { .. } | Error::Gone { .. } | Error::Ahead { .. } => Ok(()),
        error => Err(error),
    }
}

fn frame_time(payload: &[u8]) -> Option<i64> {
    let (_, records) = split_source(payload)?;
    let (_, line, _) = split_record(records)?;
    time_of(line)
}
