//! Where to start reading, so that the newest alerts that are asked for are shown.

use std::collections::VecDeque;
use std::path::Path;

use store::{Cursor, Error, JournalReader, journal};

use super::arguments::Arguments;
use super::filter::Filter;
use crate::alert_lines::Alert;

/// The place of the first alert to show.
pub(super) fn start(dir: &Path, arguments: &Arguments) -> Result<Cursor, Error> {
    let from = match arguments.filter.since {
        Some(since) => journal::since(dir, since)?,
        None => Cursor::default(),
    };
    match arguments.limit {
        Some(limit) => newest(dir, &arguments.filter, from, limit),
        None => Ok(from),
    }
}

/// The place of the last alert but `limit` of those that pass, not before `from`.
fn newest(dir: &Path, filter: &Filter, from: Cursor, limit: usize) -> Result<Cursor, Error> {
    let end = JournalReader::behind_all(dir)?.cursor();
    if limit == 0 {
        return Ok(end);
    }
    let mut start = end;
    let mut missing = limit;
    let mut next = end.frame;
    // From the last segment backwards, each read once.
    for first in journal::segments(dir)?.into_iter().rev() {
        let places =
            places(dir, filter, Cursor { frame: first, index: 0 }.max(from), next, missing)?;
        missing -= places.len();
        start = places.front().copied().unwrap_or(start);
        next = first;
        if missing == 0 || first <= from.frame {
            break;
        }
    }
    Ok(start)
}

/// The places of the last alerts that pass, from a place up to a frame.
fn places(
    dir: &Path,
    filter: &Filter,
    from: Cursor,
    end: u64,
    limit: usize,
) -> Result<VecDeque<Cursor>, Error> {
    let mut reader = JournalReader::new(dir, from);
    let mut places = VecDeque::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) if record.cursor.frame >= end => return Ok(places),
            Ok(Some(record)) => {
                if filter.passes(Alert::of(record.line).as_ref()) {
                    if places.len() == limit {
                        places.pop_front();
                    }
                    places.push_back(record.cursor);
                }
            }
            Ok(None) => return Ok(places),
            // It is told when it is met again.
            Err(error) if can_go_on(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether reading goes on behind what the error is about.
pub(super) fn can_go_on(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::Gone { .. } | Error::Ahead { .. })
}
