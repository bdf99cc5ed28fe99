//! Text from outside as something that a terminal may be given.

/// Appends text with what is not printable escaped: a tab as `\t`, newline and carriage return as
/// `\n` and `\r`, other control characters and bytes that are not UTF-8 as `\xNN`. Backslashes stay
/// single: ordinary lines stay what they are.
pub(crate) fn push(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\t' => out.extend_from_slice(b"\\t"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                _ if character.is_control() || is_direction(character) => {
                    push_bytes(out, character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        push_bytes(out, chunk.invalid());
    }
}

/// As [`push`], into a text of its own.
pub(crate) fn escaped(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    push(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a character changes the direction of the text after it, and so what a reader sees.
pub(crate) fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_printable() {
        assert_eq!(escaped("a\\b 'ä'".as_bytes()), "a\\b 'ä'");
        assert_eq!(
            escaped(b"\x1b[0m\t\r\n\0\x7f\xff\xc3"),
            "\\x1b[0m\\t\\r\\n\\x00\\x7f\\xff\\xc3"
        );
        assert_eq!(escaped("\u{9b}\u{202e}".as_bytes()), "\\xc2\\x9b\\xe2\\x80\\xae");
    }
}
