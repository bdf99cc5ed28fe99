//! Syslog as RFC 5424 defines it.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;
use crate::headers::priority;
use crate::headers::rfc3339;

use memchr::memchr;
use model::Span;

/// `<34>1 2024-05-06T07:08:09Z host prog 12 ID47 [a b="c"] text`, or the same without priority.
pub(super) struct Rfc5424;

/// The byte order mark that may stand before text in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Form for Rfc5424 {
    fn name(&self) -> &'static str {
        "rfc5424"
    }

    fn example(&self) -> &'static str {
        "<34>1 2024-05-06T07:08:09Z host prog 12 ID47 [a b=\"c\"] text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let mut words = Words { text: line.text, at: 0 };
        let priority = priority::end(line.text);
        words.at = priority.unwrap_or(0);
        if words.text.get(words.next()?.range())? != b"1" {
            return None;
        }
        let date = words.text.get(words.next()?.range())?;
        // Without a priority, only the date tells that this is a header.
        let nil = priority.is_some() && date == b"-";
        if !nil && rfc3339::date_end(date) != Some(date.len()) {
            return None;
        }
        let hostname = words.next_value()?;
        let program_name = words.next_value()?;
        let _process = words.next()?;
        let _message_id = words.next()?;
        let data_end = structured_data_end(line.text, words.at)?;
        let log = match line.text.get(data_end..)? {
            [] => data_end,
            [b' ', rest @ ..] if rest.starts_with(&BYTE_ORDER_MARK) => {
                data_end + 1 + BYTE_ORDER_MARK.len()
            }
            [b' ', ..] => data_end + 1,
            _ => return None,
        };
        Some(Header { hostname, program_name, ..line.log_from(log) })
    }
}

/// The words of a header, each followed by one blank.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Span> {
        let start = self.at;
        let len = memchr(b' ', self.text.get(start..)?)?;
        self.at = start + len + 1;
        (len > 0).then(|| Span::new(start, start + len))
    }

    /// The next word; inner `None` where it is `-`, which means nothing.
    fn next_value(&mut self) -> Option<Option<Span>> {
        let word = self.next()?;
        Some((self.text.get(word.range()) != Some(b"-")).then_some(word))
    }
}

/// The end of `-` or of `[id name="value"]…` at `start`.
fn structured_data_end(text: &[u8], start: usize) -> Option<usize> {
    if text.get(start) == Some(&b'-') {
        return Some(start + 1);
    }
    let mut at = start;
    while text.get(at) == Some(&b'[') {
        at = element_end(text, at + 1)?;
    }
    (at > start).then_some(at)
}

/// The position behind the `]` that ends an element. In quotes, a backslash takes a quote, a
/// bracket or another backslash as it is.
fn element_end(text: &[u8], start: usize) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}
