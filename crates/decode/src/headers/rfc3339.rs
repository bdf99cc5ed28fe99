//! RFC 3339 dates that OSSEC does not recognise: zone `Z`, long fractions, short lines.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;
use crate::headers::names;

/// Digits of a second's fraction, at most.
const FRACTION_DIGITS_MAX: usize = 9;

/// `2024-05-06T07:08:09.123456789Z `; the zone may be a number, with or without its colon.
pub(super) struct Rfc3339;

impl Form for Rfc3339 {
    fn name(&self) -> &'static str {
        "rfc3339"
    }

    fn example(&self) -> &'static str {
        "2024-05-06T07:08:09.123456789Z host prog[12]: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let end = date_end(line.text)?;
        (line.text.get(end) == Some(&b' ')).then(|| names::read(line, end + 1))
    }
}

/// The length of the date and time with zone that `text` begins with.
pub(super) fn date_end(text: &[u8]) -> Option<usize> {
    let whole_seconds = text.get(..19)?;
    let fits = whole_seconds.iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        mark => byte == mark,
    });
    if !fits {
        return None;
    }
    let zone = match text.get(19..)? {
        [b'.' | b',', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=FRACTION_DIGITS_MAX).contains(&digits) {
                return None;
            }
            20 + digits
        }
        _ => 19,
    };
    Some(zone + zone_bytes(text.get(zone..)?)?)
}

/// The length of the zone that `text` begins with: `Z`, `+02:00` or `+0200`.
fn zone_bytes(text: &[u8]) -> Option<usize> {
    let (form, len) = match text {
        [b'Z', ..] => return Some(1),
        [b'+' | b'-', _, _, b':', minutes @ ..] => (minutes, 6),
        [b'+' | b'-', _, _, minutes @ ..] => (minutes, 5),
        _ => return None,
    };
    let hours = text.get(1..3)?;
    let minutes = form.get(..2)?;
    hours.iter().chain(minutes).all(u8::is_ascii_digit).then_some(len)
}
