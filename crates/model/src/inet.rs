//! IPv4 addresses as C's library reads them.

use std::net::Ipv4Addr;

/// The address that a text is, in every form that C's `inet_aton` knows: one to four numbers, the last
/// of which fills what is left, each decimal, octal (`0…`) or hexadecimal (`0x…`).
pub fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let mut address = 0_u64;
    let mut free_bits = 32_u32;
    let mut parts = text.split(|&byte| byte == b'.').peekable();
    while let Some(part) = parts.next() {
        let width = if parts.peek().is_some() { 8 } else { free_bits };
        let number = parse_number(part)?;
        if width == 0 || number >> width != 0 {
            return None;
        }
        address = address << width | number;
        free_bits = free_bits.checked_sub(width)?;
    }
    u32::try_from(address).ok().map(Ipv4Addr::from_bits)
}

/// A number as C writes it, of at most 32 bits.
fn parse_number(text: &[u8]) -> Option<u64> {
    let (digits, radix) = match text {
        [b'0', b'x' | b'X', hexadecimal @ ..] => (hexadecimal, 16),
        [b'0', octal @ ..] if !octal.is_empty() => (octal, 8),
        decimal => (decimal, 10),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        let number = number * u64::from(radix) + u64::from(digit);
        (number <= u64::from(u32::MAX)).then_some(number)
    })
}
