//! A fixed number of lines a message.

use config::sections::LogFormat;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// `multi-line: N`: each N lines are one message, joined by blanks.
pub(super) struct MultiLine;

impl Format for MultiLine {
    fn name(&self) -> &'static str {
        "multi-line"
    }

    fn about(&self) -> &'static str {
        "multi-line: N joins each N lines; 0 and 1 are one message a line"
    }

    fn framer(
        &self,
        format: LogFormat,
        start: u64,
        _: &FramerContext<'_>,
    ) -> Option<Box<dyn Framer>> {
        let LogFormat::MultiLine(lines_max) = format else { return None };
        Some(LineFramer::boxed(start, Groups { lines_max, lines: 0, joined: Joined::default() }))
    }
}

// Fixed: OSSEC counts only once, and loses a group that is not complete when it looks.
struct Groups {
    lines_max: u32,
    /// Lines in `joined`.
    lines: u32,
    joined: Joined,
}

impl LineFormat for Groups {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        if self.lines == 0 {
            self.joined.begin(line);
        } else {
            self.joined.append(b" ", line);
        }
        self.lines += 1;
        if self.lines >= self.lines_max {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        self.lines = 0;
        self.joined.give(out);
    }

    fn waiting(&self) -> Waiting {
        if self.joined.is_open() { Waiting::Continuation } else { Waiting::Nothing }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: 0 }
    }
}
