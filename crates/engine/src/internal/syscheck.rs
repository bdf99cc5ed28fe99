//! File integrity: what became of a file since it was reported last.
//!
//! Start with [`decode()`]; `sum.rs` compares attributes, `text.rs` writes the event.

mod sum;
mod text;

use memchr::{memchr, memmem};
use model::{Memory, Table};

use super::{Finding, Internal, Message, Outcome, push_clean};
use sum::Sum;

/// Settings for one message.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Stop reporting a file after three changes.
    pub auto_ignore: bool,
    /// Report files that were not known.
    pub alert_new_files: bool,
    /// Prefixes of names that are not looked at, whatever their case.
    pub ignore: &'a [Vec<u8>],
    /// Changes are expected: remember them, tell nobody.
    pub maintenance: bool,
}

/// Bytes of a file's name.
const NAME_BYTES_MAX: usize = 4096;
/// Bytes of a file's attributes.
const SUM_BYTES_MAX: usize = 1024;
/// Sent once the sensor has reported every file.
const COMPLETED: &[u8] = b"syscheck-db-completed";
/// Stands for the attributes of a file that is not there.
const DELETED: &[u8] = b"-1";

/// Decodes `SUM NAME`, a line end and a difference possibly following. The record of a file is three
/// flags, its sum, ` !` and the seconds since the epoch.
// Fixed: the line end before the difference is kept, so that it does not become part of the name.
pub fn decode(
    message: &Message<'_>,
    options: &Options<'_>,
    memory: &mut dyn Memory,
    out: &mut Finding,
) -> Outcome {
    out.clear();
    let (head, difference) = match memchr(b'\n', message.text) {
        Some(end) => {
            let (head, rest) = message.text.split_at_checked(end).unwrap_or_default();
            (head, rest.get(1..))
        }
        None => (message.text, None),
    };
    let Some((new, name)) = split_head(head) else {
        let completed = head.trim_ascii_end() == COMPLETED;
        return if completed { Outcome::ScanCompleted } else { Outcome::Malformed };
    };
    let mut filename = std::mem::take(&mut out.filename);
    push_clean(&mut filename, name);
    out.filename = filename;
    if out.filename.is_empty() {
        return Outcome::Malformed;
    }
    if is_ignored(&out.filename, options.ignore) {
        return Outcome::Silent;
    }
    let name = std::mem::take(&mut out.filename);
    out.set_key(message.location, &name);
    out.filename = name;

    let mut record = std::mem::take(&mut out.stored);
    let known = memory.get(Table::Syscheck, &out.key, &mut record);
    let change = match Record::parse(&record).filter(|_| known) {
        Some(old) => change(&old, new, options),
        None => first_sight(new, options),
    };
    if let Some((flags, sum)) = &change.store {
        let mut value = Vec::with_capacity(sum.len() + 20);
        value.extend_from_slice(flags);
        value.extend_from_slice(sum);
        value.extend_from_slice(format!(" !{}", message.received.seconds).as_bytes());
        memory.put(Table::Syscheck, &out.key, &value);
    }
    let outcome = match change.event {
        None => Outcome::Silent,
        Some((event, kind)) => {
            let old = Record::parse(&record).map(|record| record.sum).unwrap_or_default();
            text::write(kind, &Sum::parse(old), &Sum::parse(new), difference, out);
            Outcome::Event(event)
        }
    };
    out.stored = record;
    outcome
}

/// Sum and name.
fn split_head(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sum, name) = head.split_at_checked(memchr(b' ', head)?)?;
    let name = name.get(1..)?;
    let sane = (1..=SUM_BYTES_MAX).contains(&sum.len())
        && (1..=NAME_BYTES_MAX).contains(&name.len())
        && !sum.iter().any(u8::is_ascii_control);
    sane.then_some((sum, name))
}

fn is_ignored(name: &[u8], prefixes: &[Vec<u8>]) -> bool {
    prefixes.iter().any(|prefix| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// What is known of a file.
struct Record<'a> {
    /// Changes so far, as far as they are counted: 0 to 4.
    changes: usize,
    flags: [u8; 3],
    sum: &'a [u8],
}

impl<'a> Record<'a> {
    fn parse(record: &'a [u8]) -> Option<Self> {
        let (&flags, rest) = record.split_first_chunk::<3>()?;
        let sum = rest.get(..memmem::rfind(rest, b" !")?)?;
        let changes = match &flags {
            b"!!?" => 4,
            _ => flags.iter().take_while(|&&flag| flag == b'!').count(),
        };
        Some(Self { changes, flags, sum })
    }
}

/// What follows from a message.
struct Change {
    /// Flags and sum of the new record, if there is one.
    store: Option<([u8; 3], Vec<u8>)>,
    event: Option<(Internal, Kind)>,
}

/// What the event's text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Changed,
    Added,
    Deleted,
    /// Deleted before, and back.
    Returned,
}

/// The flags of a file that never changed.
const UNCHANGED: [u8; 3] = *b"+++";

fn first_sight(new: &[u8], options: &Options<'_>) -> Change {
    let report = options.alert_new_files && !options.maintenance;
    let event = if new == DELETED {
        // Fixed: OSSEC calls a file new that it learns of by its deletion.
        (Internal::Deleted, Kind::Deleted)
    } else {
        (Internal::NewEntry, Kind::Added)
    };
    Change { store: Some((UNCHANGED, new.to_vec())), event: report.then_some(event) }
}

fn change(old: &Record<'_>, new: &[u8], options: &Options<'_>) -> Change {
    if old.sum == new {
        return Change { store: None, event: None };
    }
    if let Some(known) = sum::without_real_change(old.sum, new) {
        let store = if known == old.sum && old.flags == UNCHANGED {
            None
        } else {
            Some((UNCHANGED, known))
        };
        return Change { store, event: None };
    }
    if options.maintenance {
        return Change { store: Some((UNCHANGED, new.to_vec())), event: None };
    }
    if options.auto_ignore && old.changes >= 3 {
        return Change { store: None, event: None };
    }
    let (flags, changed) = match old.changes {
        0 => (*b"!++", Internal::IntegrityChanged),
        1 => (*b"!!+", Internal::IntegrityChangedSecond),
        2 => (*b"!!!", Internal::IntegrityChangedThird),
        _ => (*b"!!?", Internal::IntegrityChanged),
    };
    let event = if new == DELETED {
        (Internal::Deleted, Kind::Deleted)
    } else if old.sum == DELETED {
        (Internal::NewEntry, Kind::Returned)
    } else if options.auto_ignore {
        (changed, Kind::Changed)
    } else {
        (Internal::IntegrityChanged, Kind::Changed)
    };
    Change { store: Some((flags, new.to_vec())), event: Some(event) }
}

#[cfg(test)]
mod tests;
