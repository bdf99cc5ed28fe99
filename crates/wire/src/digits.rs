//! Numbers and dates as text, appended without allocating.

use model::Timestamp;
use model::time::MONTHS;

/// Digits of the largest `u64`.
const DIGITS_MAX: usize = 20;

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

fn pair(number: u64) -> [u8; 2] {
    PAIRS.get((number % 100) as usize).copied().unwrap_or_default()
}

pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [[b'0'; 2]; DIGITS_MAX / 2];
    let mut left = number;
    let mut pairs = 0;
    for slot in digits.iter_mut().rev() {
        *slot = pair(left);
        left /= 100;
        pairs += 1;
        if left == 0 {
            break;
        }
    }
    let text = digits.as_flattened();
    let start = text.len() - 2 * pairs;
    // A first pair below ten has a zero too many.
    let start = start + usize::from(text.get(start) == Some(&b'0'));
    out.extend_from_slice(text.get(start..).unwrap_or(b"0"));
}

pub(crate) fn push_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_number(out, number.unsigned_abs());
}

/// The hexadecimal digit of a half byte.
pub(crate) fn hex(half: u8) -> u8 {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    DIGITS[usize::from(half & 15)]
}

/// `2026 Nov 24 22:45:11`, local time.
pub(crate) fn push_date_time(out: &mut Vec<u8>, at: Timestamp) {
    let civil = at.civil();
    let month = MONTHS.get(usize::from(civil.month.wrapping_sub(1))).unwrap_or(&MONTHS[0]);
    push_signed(out, civil.year);
    let [d1, d2] = pair(civil.day.into());
    let [h1, h2] = pair(civil.hour.into());
    let [m1, m2] = pair(civil.minute.into());
    let [s1, s2] = pair(civil.second.into());
    out.push(b' ');
    out.extend_from_slice(month.as_bytes());
    out.extend_from_slice(&[b' ', d1, d2, b' ', h1, h2, b':', m1, m2, b':', s1, s2]);
}

/// `EPOCH.ID`, the name of an alert.
pub(crate) fn push_alert_id(out: &mut Vec<u8>, at: Timestamp, id: u64) {
    push_signed(out, at.seconds);
    out.push(b'.');
    push_number(out, id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        for number in [0, 9, 10, 99, 1_795_560_311, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
        let mut out = Vec::new();
        push_signed(&mut out, i64::MIN);
        assert_eq!(out, i64::MIN.to_string().as_bytes());
    }

    #[test]
    fn date_has_two_digits_everywhere() {
        let mut out = Vec::new();
        push_date_time(&mut out, Timestamp { seconds: 1_767_225_603, utc_offset: 3600 });
        assert_eq!(out, b"2026 Jan 01 01:00:03");
    }
}
