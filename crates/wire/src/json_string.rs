//! JSON strings, appended without allocating.

use crate::digits::hex;
use crate::scan::json_plain_length;

/// As [`push_string`], but nothing for an empty value.
pub(crate) fn push_some(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    if !value.is_empty() {
        push_string(out, key, value);
    }
}

/// Appends `key`, which ends in an opening quote, and the string's rest.
pub(crate) fn push_string(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(key);
    push_escaped(out, value);
    out.push(b'"');
}

pub(crate) fn push_quoted(out: &mut Vec<u8>, value: &[u8]) {
    push_string(out, b"\"", value);
}

/// Appends the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(json_plain_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { return };
        if byte.is_ascii() {
            push_escape(out, byte);
            rest = after;
        } else {
            // No sequence goes on behind an ASCII byte, so the run can be checked by itself.
            let length = special.iter().position(u8::is_ascii).unwrap_or(special.len());
            let (run, after) = special.split_at(length);
            push_utf8(out, run);
            rest = after;
        }
    }
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[hex(byte >> 4), hex(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn push_utf8(out: &mut Vec<u8>, run: &[u8]) {
    for chunk in run.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (text, expected) in [
            (
                &b"a\"\\/\x08\x0c\n\r\t\x00\x1f\x7f"[..],
                "a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f",
            ),
            ("gr\u{fc}n \u{1f600}".as_bytes(), "gr\u{fc}n \u{1f600}"),
            (b"\xff\xc3(\xe2\x82", "\u{fffd}\u{fffd}(\u{fffd}"),
        ] {
            let mut out = Vec::new();
            push_escaped(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
