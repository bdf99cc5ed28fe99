//! Text from outside as something that a terminal may be given.

use model::text::turns_text;

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
                _ if character.is_control() || turns_text(character) => {
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

/// JSON with escapes for what a terminal would act on. It stands in strings alone, so that it means
/// the same to whoever reads it.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns_text(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
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

    #[test]
    fn json_that_a_terminal_may_be_given() {
        let text = "\u{1b}\u{7f}\u{9b}2J\u{202e}\"ä\n";
        let shown = json(&serde_json::to_string(text).unwrap());
        assert_eq!(shown, r#""\u001b\u007f\u009b2J\u202e\"ä\n""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
