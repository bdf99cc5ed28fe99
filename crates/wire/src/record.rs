//! What the records of text files share: the escape, and when and where.
//!
//! Values from outside are escaped: a tab as `\t`, newline and carriage return as `\n` and `\r`,
//! other bytes of 0x00–0x1F and 0x7F as `\xNN`. Backslashes stay single, so that ordinary lines
//! stay what they are, and an escaped text is not changed by a second escape; it is for reading,
//! not for going back.
// compat: OSSEC removes control characters before decoding; here they are kept and shown.

use memchr::memchr;

use crate::EventView;
use crate::digits::hex;
use crate::digits::push_date_time;
use crate::scan::printable_length;

/// `2026 Nov 24 22:45:11 web1->/var/log/auth.log`, without an end.
pub(crate) fn push_time_and_place(out: &mut Vec<u8>, event: &EventView<'_>) {
    push_date_time(out, event.at);
    out.push(b' ');
    // compat: OSSEC 4 prints the host of an agent's file-integrity event twice.
    if !event.hostname_is_location {
        push_escaped(out, event.hostname);
        out.extend_from_slice(b"->");
    }
    push_escaped(out, event.location);
}

/// Appends a text that has lines of its own. A line that `starts_record` has its first byte
/// written as `\xNN`: nobody begins a record inside another one.
pub(crate) fn push_lines(out: &mut Vec<u8>, text: &[u8], starts_record: fn(&[u8]) -> bool) {
    let mut rest = text;
    loop {
        let end = memchr(b'\n', rest);
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        match line.split_first() {
            Some((&first, line_rest)) if starts_record(line) => {
                push_hex(out, first);
                push_escaped(out, line_rest);
            }
            _ => push_escaped(out, line),
        }
        let Some((newline, after)) = after.split_first() else { return };
        out.push(*newline);
        rest = after;
    }
}

pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(printable_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { return };
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => push_hex(out, byte),
        }
        rest = after;
    }
}

fn push_hex(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_escaped(&mut out, text);
        out
    }

    proptest! {
        #[test]
        fn a_second_escape_changes_nothing(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let once = escaped(&text);
            prop_assert!(!once.iter().any(u8::is_ascii_control));
            prop_assert_eq!(escaped(&once), once);
        }
    }

    #[test]
    fn lines_that_would_start_a_record() {
        let mut out = Vec::new();
        push_lines(&mut out, b"a\n#b\n\n\x1b#\n#", |line| line.starts_with(b"#"));
        assert_eq!(out, b"a\n\\x23b\n\n\\x1b#\n\\x23");
    }
}
