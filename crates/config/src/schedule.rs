//! Times of day and days of the week.

/// A time of day, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    pub hour: u8,
    pub minute: u8,
}

/// Some days of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Sunday comes first.
    pub days: [bool; 7],
}

const NAMES: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const WEEKDAYS: [bool; 7] = [false, true, true, true, true, true, false];
const WEEKENDS: [bool; 7] = [true, false, false, false, false, false, true];

impl TimeOfDay {
    /// Reads `HH[:MM][am|pm]`. Fixed: `12am` is midnight.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(clock), _) => (clock.trim_end(), Some(0)),
            (_, Some(clock)) => (clock.trim_end(), Some(12)),
            (None, None) => (text.as_str(), None),
        };
        let (hour, minute) = clock.split_once(':').unwrap_or((clock, "00"));
        let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
        let hour = match half {
            // What is past noon already may be said to be so.
            Some(12) if (13..24).contains(&hour) => hour,
            Some(half) if hour <= 12 => hour % 12 + half,
            Some(_) => return None,
            None => hour,
        };
        (hour < 24 && minute < 60).then_some(Self { hour, minute })
    }
}

impl Days {
    /// Reads names with `,` or blanks between them; `!` before all of them means the others. An
    /// error is the word that names no day.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (negated, list) = match text.trim_start().strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut days = [false; 7];
        for word in list.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
            let meant = days_of(&word.to_ascii_lowercase()).ok_or(word)?;
            for (day, meant) in days.iter_mut().zip(meant) {
                *day |= meant;
            }
        }
        let named = days != [false; 7];
        let days = days.map(|day| day != negated);
        if named && days != [false; 7] { Ok(Self { days }) } else { Err(text.to_owned()) }
    }
}

fn days_of(word: &str) -> Option<[bool; 7]> {
    match word {
        "weekdays" => Some(WEEKDAYS),
        "weekends" => Some(WEEKENDS),
        _ => NAMES
            .iter()
            .any(|name| *name == word || name.get(..3) == Some(word))
            .then(|| NAMES.map(|name| name == word || name.get(..3) == Some(word))),
    }
}

fn two_digits(text: &str) -> Option<u8> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let table = [
            ("8", Some((8, 0))),
            ("08:30", Some((8, 30))),
            ("8:30 pm", Some((20, 30))),
            ("12am", Some((0, 0))),
            ("12:15PM", Some((12, 15))),
            ("23pm", Some((23, 0))),
            ("0", Some((0, 0))),
            ("24", None),
            ("13am", None),
            ("8:60", None),
            ("8:", None),
            (":30", None),
            ("+8", None),
            ("", None),
            ("noon", None),
        ];
        for (text, expected) in table {
            let time = TimeOfDay::parse(text).map(|time| (time.hour, time.minute));
            assert_eq!(time, expected, "{text}");
        }
    }

    #[test]
    fn days() {
        let table = [
            ("sunday", Ok("1000000")),
            ("Sun, wed sat", Ok("1001001")),
            ("weekdays", Ok("0111110")),
            ("!weekends", Ok("0111110")),
            ("! monday,", Ok("1011111")),
            ("mon, moonday", Err("moonday")),
            ("weekdays,weekends", Ok("1111111")),
            (",", Err(",")),
            ("!", Err("!")),
            ("!weekdays,weekends", Err("!weekdays,weekends")),
        ];
        for (text, expected) in table {
            let bits = |days: Days| days.days.map(|day| if day { '1' } else { '0' });
            let found = Days::parse(text).map(|days| String::from_iter(bits(days)));
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
