//! How far each file has been read, as text that outlives the process.
//!
//! One line for each file, each with a checksum of its own, so that a damaged line costs one file
//! its position and no more. Names are escaped; numbers are decimal, hashes hexadecimal.

use std::fmt::Write as _;

use model::Timestamp;

use crate::files::disk::FileId;
use crate::files::print::{Fnv, Print};

/// What [`Positions::render`] writes first.
const VERSION: &str = "wachter-positions 1";
/// Lines that are read; of a longer file the rest counts as damaged.
const LINES_MAX: usize = 200_000;

/// Positions as they are saved and read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// Seconds since the epoch at which they were taken.
    pub(crate) taken: i64,
    /// Until when, in seconds since the epoch, time stamps are in doubt because the clock was set.
    pub(crate) doubt: Option<i64>,
    /// The `end` of the newest message that the collector itself has sent.
    pub(crate) own_end: u64,
    /// The configured locations: what is not among them is new.
    pub(crate) locations: Vec<Vec<u8>>,
    /// Of several files with one path, the older first.
    pub(crate) records: Vec<Record>,
    /// Lines that could not be read.
    pub(crate) damaged: usize,
}

/// How far one file has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) path: Vec<u8>,
    pub(crate) file: FileId,
    pub(crate) born: i64,
    /// How many files had this device and inode before.
    pub(crate) generation: u32,
    /// The source of its messages, once its first line is known.
    pub(crate) source: Option<u64>,
    pub(crate) head: Option<Print>,
    /// Some bytes before the offset.
    pub(crate) tail: Option<Print>,
    pub(crate) offset: u64,
    /// When the file was last changed, by its own time stamp.
    pub(crate) modified: i64,
    /// When something was last read from it, in seconds since the epoch.
    pub(crate) read: i64,
    /// Whether it was still followed.
    pub(crate) is_open: bool,
    /// Where the file was, if its path was a link.
    pub(crate) target: Option<Vec<u8>>,
}

impl Positions {
    /// Reads what [`Positions::render`] wrote. What is damaged is left out and counted.
    pub fn parse(text: &[u8]) -> Self {
        let mut positions = Self::default();
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        if lines.next().and_then(checked) != Some(VERSION) {
            positions.damaged = 1;
            return positions;
        }
        for line in lines.by_ref().take(LINES_MAX) {
            if checked(line).and_then(|line| positions.add(line)).is_none() {
                positions.damaged += 1;
            }
        }
        positions.damaged += lines.count();
        positions
    }

    /// The text of these positions.
    pub fn render(&self) -> Vec<u8> {
        let mut out = String::new();
        put(&mut out, VERSION);
        put(&mut out, &format!("taken {}", self.taken));
        if let Some(doubt) = self.doubt {
            put(&mut out, &format!("doubt {doubt}"));
        }
        put(&mut out, &format!("own {}", self.own_end));
        for location in &self.locations {
            put(&mut out, &format!("location {}", escaped(location)));
        }
        for record in &self.records {
            put(&mut out, &record.render());
        }
        out.into_bytes()
    }

    /// When they were taken.
    pub fn taken(&self) -> Timestamp {
        Timestamp::utc(self.taken)
    }

    /// How many files have one.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "taken" => self.taken = rest.parse().ok()?,
            "doubt" => self.doubt = Some(rest.parse().ok()?),
            "own" => self.own_end = rest.parse().ok()?,
            "location" => self.locations.push(unescaped(rest)?),
            "file" => self.records.push(Record::parse(rest)?),
            _ => return None,
        }
        Some(())
    }
}

impl Record {
    /// Whether nothing was read of the file, not even its first line.
    pub(crate) fn is_unread(&self) -> bool {
        self.offset == 0 && self.source.is_none() && self.head.is_none()
    }

    fn render(&self) -> String {
        let hash = |source: u64| format!("{source:016x}");
        let print = |print: Print| format!("{}:{}:{:016x}", print.start, print.length, print.hash);
        format!(
            "file {} {} {} {} {} {} {} {} {} {} {} {} {}",
            if self.is_open { "open" } else { "closed" },
            self.file.device,
            self.file.inode,
            self.born,
            self.generation,
            self.source.map_or_else(nothing, hash),
            self.head.map_or_else(nothing, print),
            self.tail.map_or_else(nothing, print),
            self.offset,
            self.modified,
            self.read,
            escaped(&self.path),
            self.target.as_deref().map_or_else(nothing, |target| format!("={}", escaped(target))),
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        let mut field = || fields.next();
        let is_open = match field()? {
            "open" => true,
            "closed" => false,
            _ => return None,
        };
        let record = Self {
            is_open,
            file: FileId { device: field()?.parse().ok()?, inode: field()?.parse().ok()? },
            born: field()?.parse().ok()?,
            generation: field()?.parse().ok()?,
            source: optional(field()?, |text| u64::from_str_radix(text, 16).ok())?,
            head: optional(field()?, print)?,
            tail: optional(field()?, print)?,
            offset: field()?.parse().ok()?,
            modified: field()?.parse().ok()?,
            read: field()?.parse().ok()?,
            path: unescaped(field()?)?,
            target: optional(field()?, |text| unescaped(text.strip_prefix('=')?))?,
        };
        field().is_none().then_some(record)
    }
}

fn nothing() -> String {
    "-".to_owned()
}

/// A field that may be missing; the outer `None` says that it is damaged.
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { read(text).map(Some) }
}

fn print(text: &str) -> Option<Print> {
    let mut parts = text.split(':');
    let print = Print {
        start: parts.next()?.parse().ok()?,
        length: parts.next()?.parse().ok()?,
        hash: u64::from_str_radix(parts.next()?, 16).ok()?,
    };
    parts.next().is_none().then_some(print)
}

fn put(out: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{:016x} {line}", Fnv::default().with(line.as_bytes()).0);
}

/// A line without its checksum, if that is right.
fn checked(line: &[u8]) -> Option<&str> {
    let (sum, line) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let sum = u64::from_str_radix(sum, 16).ok()?;
    (sum == Fnv::default().with(line.as_bytes()).0).then_some(line)
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            byte if byte.is_ascii_graphic() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix("\\\\") {
            out.push(b'\\');
            rest = after;
        } else {
            let digits = escape.strip_prefix("\\x")?;
            out.push(u8::from_str_radix(digits.get(..2)?, 16).ok()?);
            rest = digits.get(2..)?;
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prints() -> impl Strategy<Value = Option<Print>> {
        proptest::option::of(
            (any::<u64>(), any::<u16>(), any::<u64>()).prop_map(|(start, length, hash)| Print {
                start,
                length,
                hash,
            }),
        )
    }

    prop_compose! {
        fn records()(
            path: Vec<u8>,
            (device, inode, born, generation, source) in any::<(u64, u64, i64, u32, Option<u64>)>(),
            (offset, modified, read, is_open) in any::<(u64, i64, i64, bool)>(),
            (head, tail) in (prints(), prints()),
            target: Option<Vec<u8>>,
        ) -> Record {
            let file = FileId { device, inode };
            Record {
                path, file, born, generation, source, head, tail, offset, modified, read, is_open,
                target,
            }
        }
    }

    prop_compose! {
        fn positions()(
            taken: i64,
            doubt: Option<i64>,
            own_end: u64,
            locations: Vec<Vec<u8>>,
            records in prop::collection::vec(records(), 0..8),
        ) -> Positions {
            Positions { taken, doubt, own_end, locations, records, damaged: 0 }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(positions in positions()) {
            prop_assert_eq!(Positions::parse(&positions.render()), positions);
        }

        #[test]
        fn damage_costs_one_line(
            positions in positions(), at: prop::sample::Index, bit in 0..8u32,
        ) {
            let mut text = positions.render();
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
            let read = Positions::parse(&text);
            let in_first_line = text.iter().position(|&byte| byte == b'\n') >= Some(at);
            if in_first_line {
                prop_assert!((read.damaged > 0 && read.is_empty()) || read == positions);
            } else {
                // The digits of a checksum may be capitals; a line end that is gone costs the line
                // behind it too.
                prop_assert!(read.damaged > 0 || read == positions);
                prop_assert!(read.len() + 2 >= positions.len());
                for record in &read.records {
                    prop_assert!(positions.records.contains(record));
                }
            }
        }

        #[test]
        fn any_bytes_are_read(text: Vec<u8>) {
            prop_assert!(Positions::parse(&text).is_empty());
        }
    }

    #[test]
    fn paths_may_hold_anything() {
        let path = b"/a b\n\\x\xff\t%";
        assert_eq!(escaped(path), "/a\\x20b\\x0a\\\\x\\xff\\x09%");
        assert_eq!(unescaped(&escaped(path)).as_deref(), Some(&path[..]));
        assert_eq!(unescaped("\\q"), None);
        assert_eq!(unescaped("\\x0"), None);
        assert_eq!(unescaped("\\x\u{e9}"), None);
    }
}
