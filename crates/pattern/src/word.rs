//! Word match, the small language of `if_group`.

/// Whether a group pattern fits a group string.
///
/// `|` separates pieces. A piece that starts with `^` asks for a prefix, any other is searched
/// anywhere, both ignoring ASCII case. An empty piece fits anything, an empty pattern nothing.
pub fn word_match(pattern: &[u8], text: &[u8]) -> bool {
    !pattern.is_empty()
        && pattern.split(|&byte| byte == b'|').any(|piece| match piece.strip_prefix(b"^") {
            Some(prefix) => starts_with_ignoring_case(text, prefix),
            None => piece.is_empty() || find_ignoring_case(text, piece).is_some(),
        })
}

/// Whether `text` starts with `prefix`, ignoring ASCII case.
pub(crate) fn starts_with_ignoring_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Where `needle` (not empty) first occurs in `text`, ignoring ASCII case.
pub(crate) fn find_ignoring_case(text: &[u8], needle: &[u8]) -> Option<usize> {
    let (&first, rest) = needle.split_first()?;
    let last = text.len().checked_sub(needle.len())?;
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let mut from = 0;
    while from <= last {
        let at = from + memchr::memchr2(lower, upper, &text[from..=last])?;
        if text[at + 1..at + needle.len()].eq_ignore_ascii_case(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (pattern, text, expected) in [
            ("abc", "xABCx", true),
            ("^abc", "abcd", true),
            ("^abc", "xabc", false),
            ("a|", "zz", true),
            ("|a", "zz", true),
            ("a||b", "zz", true),
            ("abc$", "abc", false),
            ("", "abc", false),
            ("g", "syslog", true),
        ] {
            assert_eq!(word_match(pattern.as_bytes(), text.as_bytes()), expected, "{pattern}");
        }
    }
}
