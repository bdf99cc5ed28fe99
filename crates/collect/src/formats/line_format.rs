//! Formats whose input is made of lines.

use super::lines::{Line, Lines};
use super::{Framer, FramerCounts, Out, Waiting};

/// What a format makes of its lines, one after the other.
pub(crate) trait LineFormat: Send {
    fn line(&mut self, line: Line<'_>, out: Out<'_>);

    /// Nothing more comes for now: gives out what is held.
    fn flush(&mut self, _out: Out<'_>) {}

    fn waiting(&self) -> Waiting {
        Waiting::Nothing
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts::default()
    }
}

/// A framer of a format that is made of lines.
pub(crate) struct LineFramer<F> {
    lines: Lines,
    format: F,
}

impl<F: LineFormat> LineFramer<F> {
    pub(crate) fn new(start: u64, format: F) -> Self {
        Self { lines: Lines::new(start), format }
    }
}

impl<F: LineFormat + 'static> LineFramer<F> {
    pub(crate) fn boxed(start: u64, format: F) -> Box<dyn Framer> {
        Box::new(Self::new(start, format))
    }
}

impl<F: LineFormat> Framer for LineFramer<F> {
    fn push(&mut self, bytes: &[u8], out: Out<'_>) {
        let Self { lines, format } = self;
        lines.push(bytes, |line| format.line(line, out));
    }

    /// A line without an end is taken as it is, then what the format holds is given out.
    fn flush(&mut self, out: Out<'_>) {
        let Self { lines, format } = self;
        lines.flush(|line| format.line(line, out));
        format.flush(out);
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.lines.cut(), malformed: 0 } + self.format.counts()
    }

    fn waiting(&self) -> Waiting {
        if self.lines.is_within_line() { Waiting::LineEnd } else { self.format.waiting() }
    }
}
