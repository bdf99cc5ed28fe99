//! Finds the bytes of a text that cannot be copied as they are, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// How many leading bytes of `text` a JSON string may hold as they are.
pub(crate) fn json_plain_length(text: &[u8]) -> usize {
    plain_length(text, |word| {
        (below_blank(word) | equal(word, b'"') | equal(word, b'\\') | word) & HIGH_BITS
    })
}

/// How many leading bytes of `text` are no control characters.
pub(crate) fn printable_length(text: &[u8]) -> usize {
    plain_length(text, |word| (below_blank(word) | equal(word, 0x7f)) & HIGH_BITS)
}

/// The bytes before the first one that `special` marks. A mark is a byte's high bit; a wrong one
/// may stand only behind a right one, as the carry of the subtractions below leaves them. `a` is
/// never marked.
fn plain_length(text: &[u8], special: impl Fn(u64) -> u64) -> usize {
    let first_marked = |marks: u64| marks.trailing_zeros() as usize / 8;
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            return index * 8 + first_marked(marks);
        }
    }
    let mut last = [b'a'; 8];
    for (slot, &byte) in last.iter_mut().zip(tail) {
        *slot = byte;
    }
    words.len() * 8 + first_marked(special(u64::from_le_bytes(last))).min(tail.len())
}

/// Marks the bytes below 0x20.
fn below_blank(word: u64) -> u64 {
    word.wrapping_sub(0x20 * ONES) & !word
}

/// Marks the bytes equal to `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (u64::from(byte) * ONES);
    difference.wrapping_sub(ONES) & !difference
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bulk_and_single_steps_agree(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let plain = |byte: &u8| (0x20..0x80).contains(byte) && !b"\"\\".contains(byte);
            let expected = text.iter().take_while(|byte| plain(byte)).count();
            prop_assert_eq!(json_plain_length(&text), expected);
            let expected = text.iter().take_while(|byte| !byte.is_ascii_control()).count();
            prop_assert_eq!(printable_length(&text), expected);
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                let mut text = *b"plain text of twenty";
                text[place] = byte;
                let plain = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
                let expected = if plain { text.len() } else { place };
                assert_eq!(json_plain_length(&text), expected, "{byte:#x} at {place}");
                let expected = if byte.is_ascii_control() { place } else { text.len() };
                assert_eq!(printable_length(&text), expected, "{byte:#x} at {place}");
            }
        }
    }
}
