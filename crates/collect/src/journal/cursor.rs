//! The text that names a place in the journal: `s=ID;i=NUMBER;b=…;m=…;t=…;x=…`.

/// The value of the item with this letter.
pub(super) fn item(cursor: &[u8], letter: u8) -> Option<&[u8]> {
    let mut items = cursor.split(|&byte| byte == b';');
    items.find_map(|item| item.strip_prefix(&[letter, b'=']))
}

/// The value of an item that is a hexadecimal number.
pub(super) fn number(cursor: &[u8], letter: u8) -> Option<u64> {
    let digits = item(cursor, letter)?;
    // `from_str_radix` would take a sign.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
