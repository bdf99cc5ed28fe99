//! Numbers and dates as text, appended without allocating.

use model::Timestamp;
use model::time::MONTHS;

/// Digits of the largest `u64`.
const DIGITS_MAX: usize = 20;

pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; DIGITS_MAX];
    let mut left = number;
    let mut start = DIGITS_MAX;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        start -= 1;
        if left == 0 {
            break;
        }
    }
    let (_, text) = digits.split_at(start);
    out.extend_from_slice(text);
}

pub(crate) fn push_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_number(out, number.unsigned_abs());
}

/// `2026 Nov 24 22:45:11`, local time.
pub(crate) fn push_date_time(out: &mut Vec<u8>, at: Timestamp) {
    let civil = at.civil();
    let month = MONTHS.get(usize::from(civil.month.wrapping_sub(1))).unwrap_or(&MONTHS[0]);
    push_signed(out, civil.year);
    out.push(b' ');
    out.extend_from_slice(month.as_bytes());
    for (before, number) in
        [(b' ', civil.day), (b' ', civil.hour), (b':', civil.minute), (b':', civil.second)]
    {
        out.extend_from_slice(&[before, b'0' + number / 10, b'0' + number % 10]);
    }
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
