//! Recognises the header of a line: host, program, where the log starts.
//!
//! The forms themselves live in [`crate::headers`], one file for each group of like ones.

use crate::headers;
use crate::headers::Line;

use model::Span;

/// What the header of a line says. All spans are into the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub hostname: Option<Span>,
    /// May be empty; that counts as having a program name.
    pub program_name: Option<Span>,
    pub log: Span,
}

/// Which forms of headers are recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Forms {
    /// OSSEC's, and those that came into use after it: RFC 3339, RFC 5424, `<PRI>`, IPv6 hosts.
    /// Whatever OSSEC recognises keeps OSSEC's answer.
    #[default]
    Extended,
    /// OSSEC's alone.
    Strict,
}

/// Reads the header of a cleaned line. A line without a known header is all log.
pub fn parse(line: &[u8], forms: Forms) -> Header {
    let mut room = [0; headers::HEAD_BYTES];
    let line = Line::new(line, forms, &mut room);
    let found = match forms {
        Forms::Strict => headers::first(headers::OSSEC, line),
        Forms::Extended => {
            headers::first(headers::OSSEC, line).or_else(|| headers::first(headers::NEWER, line))
        }
    };
    found.unwrap_or_else(|| line.log_from(0))
}
