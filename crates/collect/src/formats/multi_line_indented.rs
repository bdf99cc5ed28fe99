//! A line and the indented lines below it.

use config::sections::LogFormat;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// `multi-line_indented`
pub(super) struct MultiLineIndented;

impl Format for MultiLineIndented {
    fn name(&self) -> &'static str {
        "multi-line_indented"
    }

    fn about(&self) -> &'static str {
        "a line and the lines below it that start with a blank or tab"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Indented::default()))
    }
}

#[derive(Default)]
struct Indented {
    joined: Joined,
}

impl LineFormat for Indented {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        match line.text.first() {
            None | Some(b'\r') => {
                self.joined.end_with(line);
                self.joined.give(out);
            }
            // compat: the line keeps its own blanks.
            Some(b' ' | b'\t') if self.joined.is_open() => self.joined.append(b" ", line),
            Some(_) => {
                self.joined.give(out);
                self.joined.begin(line);
            }
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        self.joined.give(out);
    }

    fn waiting(&self) -> Waiting {
        if self.joined.is_open() { Waiting::Continuation } else { Waiting::Nothing }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: 0 }
    }
}
