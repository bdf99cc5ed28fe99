//! A message in the making.

use model::limits::LINE_BYTES_MAX;

use super::lines::Line;
use super::{Message, Out};

/// Lines that become one message of at most [`LINE_BYTES_MAX`] bytes. Once something did not fit,
/// nothing more is added.
#[derive(Default)]
pub(crate) struct Joined {
    text: Vec<u8>,
    is_open: bool,
    is_cut: bool,
    /// Where the last line that belongs to it ends in the stream.
    end: u64,
    cut: u64,
}

impl Joined {
    /// Starts a message with a line; what was there before is forgotten.
    pub(crate) fn begin(&mut self, line: Line<'_>) {
        self.begin_with(line.text, line);
    }

    /// Starts a message with other text that stands for a line.
    pub(crate) fn begin_with(&mut self, text: &[u8], line: Line<'_>) {
        self.clear();
        self.is_open = true;
        self.end = line.end;
        self.add(text);
    }

    /// Adds a line.
    pub(crate) fn append(&mut self, separator: &[u8], line: Line<'_>) {
        self.add(separator);
        self.add(line.text);
        self.end = line.end;
    }

    /// Adds text that is not a whole line.
    pub(crate) fn add(&mut self, text: &[u8]) {
        if self.is_cut {
            return;
        }
        let room = LINE_BYTES_MAX - self.text.len().min(LINE_BYTES_MAX);
        let fits = text.get(..room).unwrap_or(text);
        self.text.extend_from_slice(fits);
        if fits.len() < text.len() {
            self.is_cut = true;
            self.cut += 1;
        }
    }

    /// A line belongs to it without being part of its text.
    pub(crate) fn end_with(&mut self, line: Line<'_>) {
        self.end = line.end;
    }

    /// Gives the message out, if there is one.
    pub(crate) fn give(&mut self, out: Out<'_>) {
        self.give_until(self.end, out);
    }

    /// As [`Joined::give`], where something older is not dealt with yet.
    pub(crate) fn give_until(&mut self, end: u64, out: Out<'_>) {
        if self.is_open {
            out(Message { text: &self.text, end });
        }
        self.clear();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Messages that were cut.
    pub(crate) fn cut(&self) -> u64 {
        self.cut
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.is_open = false;
        self.is_cut = false;
    }
}
