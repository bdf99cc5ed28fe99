//! Why the text of an option is no value.

/// What is wrong with a value and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// Lower case, no full stop.
    pub message: String,
    pub hint: String,
}

impl ValueError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl std::fmt::Display for ValueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.hint)
    }
}

impl std::error::Error for ValueError {}

/// Bytes of a value that are shown in a message.
const SHOWN_BYTES_MAX: usize = 60;

/// A value as something that can be printed: short, one line, no control characters.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
    let mut text: String = String::from_utf8_lossy(head)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if head.len() < bytes.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_values_are_short_and_printable() {
        assert_eq!(shown(b"a\x1b[1m\n"), "a\u{fffd}[1m\u{fffd}");
        assert_eq!(shown(&[b'x'; SHOWN_BYTES_MAX]), "x".repeat(SHOWN_BYTES_MAX));
        assert_eq!(shown(&[b'x'; 99]), "x".repeat(SHOWN_BYTES_MAX) + "…");
    }
}
