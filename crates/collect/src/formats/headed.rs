//! Messages that begin with a dated line and go on until the next one.

use super::joined::Joined;
use super::lines::Line;
use super::{FramerCounts, LineFormat, Out, Waiting};

/// What a line without a date is.
pub(super) enum Undated {
    /// Part of the message before it.
    Continues,
    /// Too short to say anything.
    Empty,
    Foreign,
}

/// A format of this kind.
pub(super) trait Dated: Send {
    fn is_header(&self, line: &[u8]) -> bool;
    fn undated(&self, line: &[u8]) -> Undated;
}

/// Joins by blanks what belongs together.
pub(super) struct Headed<D> {
    dated: D,
    joined: Joined,
    malformed: u64,
}

impl<D> Headed<D> {
    pub(super) fn new(dated: D) -> Self {
        Self { dated, joined: Joined::default(), malformed: 0 }
    }
}

impl<D: Dated> LineFormat for Headed<D> {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        if self.dated.is_header(line.text) {
            self.joined.give(out);
            self.joined.begin(line);
            return;
        }
        match self.dated.undated(line.text) {
            Undated::Continues if self.joined.is_open() => self.joined.append(b" ", line),
            Undated::Empty => {}
            Undated::Continues | Undated::Foreign => self.malformed += 1,
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        self.joined.give(out);
    }

    fn waiting(&self) -> Waiting {
        if self.joined.is_open() { Waiting::Continuation } else { Waiting::Nothing }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

/// Whether a line has `YYYY-MM-DD HH:MM:SS` at `at`, as far as OSSEC looks: the digits of the year,
/// the first of the hour, and the marks between.
pub(super) fn has_date(line: &[u8], at: usize) -> bool {
    let byte = |position: usize| line.get(at + position).copied().unwrap_or_default();
    let digits = [0, 1, 2, 3, 11].iter().all(|&position| byte(position).is_ascii_digit());
    let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    digits && marks.iter().all(|&(position, mark)| byte(position) == mark)
}
