//! Bytes as text that a person can read and edit, and back.

/// Escapes what an editor or a reader would lose: control characters, bytes that are not UTF-8,
/// backslashes, blanks at an end, and a blank that follows another. An empty value is `""`.
pub(super) fn escape(bytes: &[u8]) -> String {
    match bytes {
        b"" => return "\"\"".to_owned(),
        b"\"\"" => return "\\x22\"".to_owned(),
        _ => {}
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_character(&mut text, character);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if text.ends_with(' ') {
        text.pop();
        text.push_str("\\x20");
    }
    text
}

fn push_character(text: &mut String, character: char) {
    match character {
        '\\' => text.push_str("\\\\"),
        '\t' => text.push_str("\\t"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        ' ' if text.is_empty() || text.ends_with(' ') => text.push_str("\\x20"),
        _ if character.is_control() => {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
        _ => text.push(character),
    }
}

/// The bytes of an escaped text; the mistake if it is not one.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let mut after = escaped.chars();
        rest = match after.next() {
            Some('x') => {
                let digits = escaped.get(1..3).filter(|text| !text.starts_with('+'));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(byte.ok_or("\\x must be followed by two hexadecimal digits")?);
                &escaped[3..]
            }
            Some(letter) => {
                bytes.push(match letter {
                    't' => b'\t',
                    'n' => b'\n',
                    'r' => b'\r',
                    '\\' => b'\\',
                    _ => return Err(format!("unknown escape \\{letter}")),
                });
                after.as_str()
            }
            None => return Err("a backslash at the end; write \\\\".to_owned()),
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// The bytes of an escaped value, where `""` is the empty one.
pub(super) fn unescape_value(text: &str) -> Result<Vec<u8>, String> {
    if text == "\"\"" { Ok(Vec::new()) } else { unescape(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_both_ways() {
        for (bytes, text) in [
            (&b""[..], "\"\""),
            (b"\"\"", "\\x22\""),
            (b"plain text", "plain text"),
            (b"C:\\a\tb\r\n", "C:\\\\a\\tb\\r\\n"),
            (b" a  b ", "\\x20a \\x20b\\x20"),
            (b" ", "\\x20"),
            (b"\x00\x1b\x7f\xff", "\\x00\\x1b\\x7f\\xff"),
            ("gr\u{fc}n\u{85}".as_bytes(), "gr\u{fc}n\\xc2\\x85"),
        ] {
            assert_eq!(escape(bytes), text);
            assert_eq!(unescape_value(text).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn mistakes() {
        for text in ["\\", "\\q", "\\x", "\\x1", "\\x+1", "\\xg0", "\\x1\u{fc}"] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }
}
