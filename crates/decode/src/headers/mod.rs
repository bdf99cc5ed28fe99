//! The forms a header may have.
//!
//! A form looks at fixed positions of a line and says what the header contains, or that the line
//! is not of its kind. The first form that fits wins, so the order of the lists matters. To add a
//! form, write its file and add it to [`NEWER`].
//!
//! Invariants: nothing is allocated, and a form reads bytes only through checked access: the line
//! is hostile.

mod apache;
mod asl;
mod names;
mod priority;
mod rfc3339;
mod rfc5424;
mod snort;
mod squid;
mod syslog;
mod xferlog;
mod year_first;

use crate::header::Forms;
use crate::header::Header;

use model::Span;

/// One form of header.
pub trait Form: Sync {
    /// Its name in documentation.
    fn name(&self) -> &'static str;
    /// A line that has it.
    fn example(&self) -> &'static str;
    /// What the header says, if the line has this form.
    fn read(&self, line: Line<'_>) -> Option<Header>;
}

/// The forms OSSEC knows, in its order.
pub const OSSEC: &[&dyn Form] = &[
    &syslog::Syslog,
    &year_first::DateAndMilliseconds,
    &year_first::Iso,
    &year_first::IsoWithFraction,
    &year_first::SyslogWithYear,
    &year_first::Colons,
    &xferlog::Xferlog,
    &snort::Snort,
    &snort::Suricata,
    &apache::ApacheError,
    &asl::AppleSystemLog,
    &squid::Squid,
];

/// The forms that are tried where OSSEC recognises nothing.
pub const NEWER: &[&dyn Form] = &[&rfc5424::Rfc5424, &rfc3339::Rfc3339, &priority::Priority];

/// How many bytes from the start of a line the tests of OSSEC's forms look at, at most.
pub const HEAD_BYTES: usize = 32;

/// A line on its way through the forms.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The line itself. Spans count from its start.
    pub text: &'a [u8],
    pub forms: Forms,
    /// What the tests look at; differs from `text` only for [`AE`].
    head: &'a [u8],
}

/// The `ä` of German `Mär`, which OSSEC reads as one byte so that the date keeps its shape.
const AE: [u8; 2] = [0xC3, 0xA4];

impl<'a> Line<'a> {
    /// A line; `room` is needed where what is tested is not what is there.
    pub fn new(text: &'a [u8], forms: Forms, room: &'a mut [u8; HEAD_BYTES]) -> Self {
        if text.get(1..3) != Some(&AE) {
            return Self { text, forms, head: text };
        }
        // compat: only the tests see the shorter text. Offsets stay those of the original, so the
        // log begins one byte early, at a blank that is skipped.
        let rest = text.get(3..).unwrap_or_default();
        let shortened = b"Ma".iter().chain(rest);
        let mut len = 0;
        for (to, from) in room.iter_mut().zip(shortened) {
            *to = *from;
            len += 1;
        }
        Self { text, forms, head: room.get(..len).unwrap_or_default() }
    }

    /// Whether all of `positions` hold `byte`.
    #[inline]
    fn has(&self, byte: u8, positions: &[usize]) -> bool {
        positions.iter().all(|&at| self.head.get(at) == Some(&byte))
    }

    /// Whether all of `positions` hold digits.
    #[inline]
    fn has_digits(&self, positions: &[usize]) -> bool {
        positions.iter().all(|&at| self.head.get(at).is_some_and(u8::is_ascii_digit))
    }

    /// The span from `start` to the end of the line.
    fn rest(&self, start: usize) -> Span {
        Span::new(start.min(self.text.len()), self.text.len())
    }

    /// A header that tells nothing but where the log starts.
    pub fn log_from(&self, start: usize) -> Header {
        Header { hostname: None, program_name: None, log: self.rest(start) }
    }
}

/// What the first fitting form says.
pub fn first(forms: &[&dyn Form], line: Line<'_>) -> Option<Header> {
    forms.iter().find_map(|form| form.read(line))
}

#[cfg(test)]
mod tests;
