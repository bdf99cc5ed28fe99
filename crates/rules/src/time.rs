//! Times of day and weekdays: the values of `time` and `weekday`.

use crate::value::{ValueError, shown};
use model::diagnostic::nearest;
use model::time::WEEKDAYS;

/// A part of the day, by the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Minutes since midnight, as written.
    from: u16,
    to: u16,
    negated: bool,
}

const NOON: u16 = 12 * 60;

impl TimeWindow {
    /// Reads `[!]TIME-TIME`, where a time is `H`, `HH` or `HH:MM`, with or without `am` or `pm`.
    pub fn parse(text: &[u8]) -> Result<Self, ValueError> {
        let trimmed = text.trim_ascii();
        let (negated, range) = match trimmed.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let mut times = range.split(|&byte| byte == b'-');
        match (times.next(), times.next(), times.next()) {
            (Some(from), Some(to), None) => {
                Ok(Self { from: parse_time(from)?, to: parse_time(to)?, negated })
            }
            (_, _, _) => Err(ValueError::new(
                format!("`{}` is no range of times", shown(trimmed)),
                "write two times with a `-` between, for example `6 pm - 8:30 am`",
            )),
        }
    }

    /// Whether a minute of the day (0–1439) is in it.
    pub fn contains(self, minute_of_day: u16) -> bool {
        let contains = if self.from <= self.to {
            (self.from..=self.to).contains(&minute_of_day)
        } else {
            // compat: over midnight neither end belongs to it.
            !(self.to..=self.from).contains(&minute_of_day)
        };
        contains != self.negated
    }
}

/// The minute of the day of one time.
fn parse_time(text: &[u8]) -> Result<u16, ValueError> {
    let text = text.trim_ascii();
    let wrong = |hint| ValueError::new(format!("`{}` is no time of day", shown(text)), hint);
    let (clock, half) = match text.split_last_chunk::<2>() {
        Some((clock, half)) if half.eq_ignore_ascii_case(b"am") => (clock, Some(0)),
        Some((clock, half)) if half.eq_ignore_ascii_case(b"pm") => (clock, Some(NOON)),
        Some(_) | None => (text, None),
    };
    let mut numbers = clock.trim_ascii_end().split(|&byte| byte == b':');
    let (hour, minute) = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(hour), None, None) => (hour, b"00".as_slice()),
        (Some(hour), Some(minute), None) => (hour, minute),
        (_, _, _) => return Err(wrong("write `HH:MM` without seconds")),
    };
    let Some(hour) = parse_digits(hour, 1).filter(|&hour| hour < 24) else {
        return Err(wrong("an hour is 0 to 23, for example `8`, `08:30` or `8:30 pm`"));
    };
    let Some(minute) = parse_digits(minute, 2).filter(|&minute| minute < 60) else {
        return Err(wrong("minutes are two digits, 00 to 59"));
    };
    match half {
        None => Ok(hour * 60 + minute),
        Some(_) if hour > 12 => Err(wrong("hours after 12 have no `am` or `pm`")),
        // The hour of twelve is the first one of its half.
        Some(half) => Ok(half + hour % 12 * 60 + minute),
    }
}

/// A number of at least `digits_min` and at most two digits.
fn parse_digits(text: &[u8], digits_min: usize) -> Option<u16> {
    let known = (digits_min..=2).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    known.then(|| text.iter().fold(0, |number, &digit| number * 10 + u16::from(digit - b'0')))
}

/// A set of weekdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays {
    /// Bit 0 is Sunday.
    days: u8,
}

const EVERY_DAY: u8 = 0b111_1111;
/// What is not the name of a day or its first three letters.
const GROUPS: [(&str, u8); 2] = [("weekdays", 0b011_1110), ("weekends", 0b100_0001)];

impl Weekdays {
    /// Reads names with blanks or commas between; a `!` before all of them means the other days.
    pub fn parse(text: &[u8]) -> Result<Self, ValueError> {
        let trimmed = text.trim_ascii();
        let (negated, names) = match trimmed.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let separator = |&byte: &u8| byte == b',' || byte.is_ascii_whitespace();
        let mut days = 0;
        for name in names.split(separator).filter(|name| !name.is_empty()) {
            days |= parse_day(name)?;
        }
        if days == 0 {
            return Err(ValueError::new(
                "no weekday is given",
                "write days with commas between, for example `mon,tue`, or `weekends`",
            ));
        }
        Ok(Self { days: if negated { !days & EVERY_DAY } else { days } })
    }

    /// Whether a weekday (0 is Sunday) is in it.
    pub fn contains(self, weekday: u8) -> bool {
        weekday < 7 && self.days & (1 << weekday) != 0
    }
}

fn day_words() -> impl Iterator<Item = (&'static str, u8)> {
    let days = WEEKDAYS.iter().enumerate().flat_map(|(number, &name)| {
        let short = name.get(..3).unwrap_or(name);
        [(name, 1 << number), (short, 1 << number)]
    });
    days.chain(GROUPS)
}

fn parse_day(name: &[u8]) -> Result<u8, ValueError> {
    if let Some((_, days)) =
        day_words().find(|(word, _)| name.eq_ignore_ascii_case(word.as_bytes()))
    {
        return Ok(days);
    }
    let text = shown(name);
    let hint = if name.contains(&b'!') {
        "write one `!` before all days".to_owned()
    } else if name.contains(&b'-') {
        "a range is not supported: write each day, for example `mon,tue,wed`".to_owned()
    } else {
        match nearest(&text, day_words().map(|(word, _)| word)) {
            Some(word) => format!("did you mean `{}`?", word.to_ascii_lowercase()),
            None => "days are `sunday` or `sun` and so on, `weekdays` and `weekends`".to_owned(),
        }
    };
    Err(ValueError::new(format!("`{text}` is no weekday"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(hour: u16, minute: u16) -> u16 {
        hour * 60 + minute
    }

    #[test]
    fn windows() {
        // The first and the last minute of the part that is wanted.
        let table = [
            ("22:57-22:57", at(22, 57), at(22, 57)),
            ("6 pm - 8:30 am", at(18, 1), at(8, 29)),
            ("6pm-8:30AM", at(18, 1), at(8, 29)),
            (" 8 - 17:05 ", at(8, 0), at(17, 5)),
            ("12 am - 6 am", at(0, 0), at(6, 0)),
            ("12:30am-1am", at(0, 30), at(1, 0)),
            ("12 pm - 1 pm", at(12, 0), at(13, 0)),
            ("0-23:59", at(0, 0), at(23, 59)),
            ("23:59-0", 1440, 1440),
            ("!8-17", at(17, 1), at(7, 59)),
            ("! 6 pm - 8:30 am", at(8, 30), at(18, 0)),
            ("0 am - 0 pm", at(0, 0), at(12, 0)),
        ];
        for (text, first, last) in table {
            let window = TimeWindow::parse(text.as_bytes()).unwrap();
            for minute in 0..1440 {
                let expected = match first <= last {
                    true => (first..=last).contains(&minute),
                    false => minute >= first || minute <= last,
                };
                assert_eq!(window.contains(minute), expected, "{text} at {minute}");
            }
        }
    }

    #[test]
    fn negated_is_the_opposite() {
        for text in ["8-17", "6 pm - 8:30 am", "3-3", "23:59-0"] {
            let plain = TimeWindow::parse(text.as_bytes()).unwrap();
            let negated = TimeWindow::parse(format!("!{text}").as_bytes()).unwrap();
            assert!((0..1440).all(|minute| plain.contains(minute) != negated.contains(minute)));
        }
    }

    #[test]
    fn times_that_are_none() {
        let table = [
            ("", "two times"),
            ("8", "two times"),
            ("8-9-10", "two times"),
            ("8-", "an hour"),
            ("24-8", "an hour"),
            ("008-9", "an hour"),
            ("+8-9", "an hour"),
            ("am-9", "an hour"),
            ("8:60-9", "00 to 59"),
            ("8:5-9", "00 to 59"),
            ("8:-9", "00 to 59"),
            ("8:00:00-9", "without seconds"),
            ("13 pm-9", "after 12"),
            ("8 \u{ff}m-9", "an hour"),
        ];
        for (text, hint) in table {
            let error = TimeWindow::parse(text.as_bytes()).unwrap_err();
            assert!(error.hint.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn weekdays() {
        let table = [
            ("sunday", "0"),
            ("Sun", "0"),
            ("MON, tue\twed", "123"),
            ("thursday,friday", "45"),
            ("sat sat", "6"),
            ("weekdays", "12345"),
            ("weekends", "06"),
            ("weekends mon", "016"),
            ("!weekends", "12345"),
            ("! sat,sun", "12345"),
            ("\n!monday\n", "023456"),
            ("!weekdays,weekends", ""),
        ];
        for (text, expected) in table {
            let days = Weekdays::parse(text.as_bytes()).unwrap();
            let shown: String =
                (0..=255_u8).filter(|&day| days.contains(day)).map(|day| day.to_string()).collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn weekdays_that_are_none() {
        let table = [
            ("", "with commas"),
            (" , ", "with commas"),
            ("!", "with commas"),
            ("mon-fri", "a range"),
            ("mon,!tue", "one `!`"),
            ("tues", "`tue`"),
            ("weekend", "`weekends`"),
            ("holiday-time!", "one `!`"),
            ("someday", "`sunday`"),
            ("always", "`weekdays` and"),
        ];
        for (text, hint) in table {
            let error = Weekdays::parse(text.as_bytes()).unwrap_err();
            assert!(error.hint.contains(hint), "{text}: {error}");
        }
    }
}
