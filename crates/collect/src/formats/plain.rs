//! One message a line.

use config::sections::LogFormat;

use super::lines::Line;
use super::{Format, Framer, FramerContext, LineFormat, LineFramer, Message, Out};

/// `syslog` and the other words for lines as they are.
pub(super) struct Plain;

impl Format for Plain {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn about(&self) -> &'static str {
        "one message a line; also generic, apache, iis, squid, snort-fast, syslog-pipe"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, AsItIs))
    }
}

struct AsItIs;

impl LineFormat for AsItIs {
    #[inline]
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        // compat: an empty line is an empty message.
        out(Message { text: line.text, end: line.end });
    }
}
