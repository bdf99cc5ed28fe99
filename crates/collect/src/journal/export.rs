//! Journald's export format, as it comes.

use memchr::memchr;

use super::entry::{Entry, Field};
use crate::formats::FramerCounts;

/// Bytes of a field's name. Journald allows 64.
const NAME_BYTES_MAX: usize = 64;
/// Bytes of a field that journald stores (768 MiB); a longer one is no field.
const VALUE_BYTES_MAX: u64 = 768 * 1024 * 1024;
/// Bytes of the length of a value.
const LENGTH_BYTES: usize = 8;

/// Makes entries of a stream of bytes.
#[derive(Debug, Default)]
pub struct ExportReader {
    state: State,
    /// What the state has collected: a name, a length, a value.
    held: Vec<u8>,
    entry: Entry,
    counts: FramerCounts,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// A name, which `=` or a line end closes; an empty one closes the entry.
    #[default]
    Name,
    /// Plain text up to a line end.
    Text(Target),
    /// The eight bytes of a length.
    Length(Target),
    /// As many bytes.
    Bytes(Target, u64),
    /// The line end behind them.
    End,
    /// What is no entry, up to an empty line. Whether the line so far is empty.
    Lost { is_line_empty: bool },
}

/// Where a value goes: nowhere if the field is not asked for, or is there already.
type Target = Option<Field>;

impl ExportReader {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes that follow on those seen so far, and passes on each entry that they end.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Entry)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = self.step(rest, each);
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
    }

    /// Values that were longer than their limits, and entries that were not of the format.
    pub fn counts(&self) -> FramerCounts {
        self.counts
    }

    /// Takes some bytes, at least one, and says how many.
    fn step(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Entry)) -> usize {
        match self.state {
            State::Name => self.name(bytes, each),
            State::Text(target) => match memchr(b'\n', bytes) {
                Some(at) => {
                    self.keep(target, bytes.get(..at).unwrap_or_default());
                    self.store(target);
                    self.state = State::Name;
                    at + 1
                }
                None => {
                    self.keep(target, bytes);
                    bytes.len()
                }
            },
            State::Length(target) => self.length(target, bytes),
            State::Bytes(target, length) => {
                let used = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
                self.keep(target, bytes.get(..used).unwrap_or_default());
                self.bytes_left(target, length - used as u64);
                used
            }
            State::End if bytes.first() == Some(&b'\n') => {
                self.state = State::Name;
                1
            }
            State::End => {
                self.lose();
                1
            }
            State::Lost { is_line_empty } => self.find_entry(is_line_empty, bytes),
        }
    }

    fn name(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Entry)) -> usize {
        let end = bytes.iter().position(|byte| matches!(byte, b'=' | b'\n'));
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        if self.held.len() + part.len() > NAME_BYTES_MAX {
            self.lose();
            return part.len();
        }
        self.held.extend_from_slice(part);
        let Some(end) = end else { return part.len() };
        let is_text = bytes.get(end) == Some(&b'=');
        if self.held.is_empty() {
            if is_text {
                self.lose();
            } else {
                self.finish(each);
            }
            return end + 1;
        }
        let asked = Field::ALL.into_iter().find(|field| field.name() == self.held);
        let target = asked.filter(|&field| !self.entry.has(field));
        self.held.clear();
        self.state = if is_text { State::Text(target) } else { State::Length(target) };
        end + 1
    }

    fn length(&mut self, target: Target, bytes: &[u8]) -> usize {
        let missing = LENGTH_BYTES - self.held.len().min(LENGTH_BYTES);
        let part = bytes.get(..missing).unwrap_or(bytes);
        self.held.extend_from_slice(part);
        if let Ok(length) = <[u8; LENGTH_BYTES]>::try_from(self.held.as_slice()) {
            self.held.clear();
            let length = u64::from_le_bytes(length);
            if length > VALUE_BYTES_MAX {
                self.lose();
            } else {
                self.bytes_left(target, length);
            }
        }
        part.len()
    }

    fn bytes_left(&mut self, target: Target, length: u64) {
        if length > 0 {
            self.state = State::Bytes(target, length);
        } else {
            self.store(target);
            self.state = State::End;
        }
    }

    /// Keeps a part of a value, up to one byte more than its limit, which says that it is cut.
    fn keep(&mut self, target: Target, part: &[u8]) {
        let Some(field) = target else { return };
        let room = (field.bytes_max() + 1).saturating_sub(self.held.len());
        self.held.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// A value is complete. Of a message that is too long the start is kept; any other such value
    /// says nothing if it is cut.
    fn store(&mut self, target: Target) {
        let Some(field) = target else { return };
        let mut value = std::mem::take(&mut self.held);
        if value.len() > field.bytes_max() {
            self.counts.cut += 1;
            if field != Field::Message {
                return;
            }
            value.truncate(field.bytes_max());
        }
        self.entry.set(field, value);
    }

    fn finish(&mut self, each: &mut dyn FnMut(&Entry)) {
        if !self.entry.is_empty() {
            each(&self.entry);
        }
        self.entry.clear();
    }

    /// This is no entry: everything up to the next empty line is skipped.
    fn lose(&mut self) {
        self.counts.malformed += 1;
        self.held.clear();
        self.entry.clear();
        self.state = State::Lost { is_line_empty: false };
    }

    fn find_entry(&mut self, is_line_empty: bool, bytes: &[u8]) -> usize {
        if is_line_empty && bytes.first() == Some(&b'\n') {
            self.state = State::Name;
            return 1;
        }
        let end = memchr(b'\n', bytes);
        self.state = State::Lost { is_line_empty: end.is_some() };
        end.map_or(bytes.len(), |end| end + 1)
    }
}
