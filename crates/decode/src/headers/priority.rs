//! A priority left before the header by the sender: `<34>Dec 29 10:00:01 …`.

use crate::header::Header;
use crate::headers;
use crate::headers::Form;
use crate::headers::Line;
use crate::headers::rfc3339::Rfc3339;

use model::Span;

/// `<34>` before any other form.
pub(super) struct Priority;

impl Form for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn example(&self) -> &'static str {
        "<34>Dec 29 10:00:01 host prog[12]: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let start = end(line.text)?;
        let mut room = [0; headers::HEAD_BYTES];
        let rest = Line::new(line.text.get(start..)?, line.forms, &mut room);
        // Priorities do not nest, so the forms behind one are listed without this one.
        let header = headers::first(headers::OSSEC, rest).or_else(|| Rfc3339.read(rest))?;
        Some(Header {
            hostname: header.hostname.map(|span| later(span, start)),
            program_name: header.program_name.map(|span| later(span, start)),
            log: later(header.log, start),
        })
    }
}

/// The length of the priority that `text` begins with: one to three digits in angle brackets.
pub(super) fn end(text: &[u8]) -> Option<usize> {
    let [b'<', rest @ ..] = text else { return None };
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0 && rest.get(digits) == Some(&b'>')).then_some(digits + 2)
}

fn later(span: Span, by: usize) -> Span {
    let range = span.range();
    Span::new(range.start + by, range.end + by)
}
