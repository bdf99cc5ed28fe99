//! Characters that do something when they are shown.

/// Whether a character changes the direction of the text after it, and so what a reader sees.
pub fn turns_text(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
