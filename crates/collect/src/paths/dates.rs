//! Names with dates: `%Y%m%d`, `%H` and the other conversions of strftime(3).

use jiff::fmt::strtime::{BrokenDownTime, Config};
use jiff::tz::{Offset, TimeZone};
use model::Timestamp;

/// A location with conversions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatedName {
    text: String,
    /// Seconds after which the name may be another one.
    step: i64,
}

/// Names between two moments that are looked at; of more, the newest.
const NAMES_MAX: i64 = 1000;

/// The longest time between two looks at a name. Clocks of all zones change at quarters of an
/// hour, so that a name is not late even in a night when they do.
const STEP_MAX: i64 = 900;

impl DatedName {
    /// `None` if the name is always the same.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.contains('%').then(|| Self { text: text.to_owned(), step: step(text) })
    }

    /// The name at a moment. What is no conversion stays as it stands, as with strftime(3).
    pub(crate) fn at(&self, moment: Timestamp) -> String {
        let broken_down = Offset::from_seconds(moment.utc_offset).and_then(|offset| {
            let instant = jiff::Timestamp::from_second(moment.seconds)?;
            Ok(BrokenDownTime::from(&instant.to_zoned_datetime(TimeZone::fixed(offset))))
        });
        let config = Config::new().lenient(true);
        broken_down
            .and_then(|time| time.to_string_with_config(&config, &self.text))
            .unwrap_or_else(|_| self.text.clone())
    }

    /// The seconds since the epoch at which the name may change next.
    pub(crate) fn next_change(&self, moment: Timestamp) -> i64 {
        let local = moment.seconds.saturating_add(i64::from(moment.utc_offset));
        moment.seconds.saturating_add(self.step - local.rem_euclid(self.step))
    }

    /// The names it had from `from` on and before `to`, oldest first, without the one at `to`.
    pub(crate) fn between(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let last = self.at(to);
        let earliest = to.seconds.saturating_sub(self.step.saturating_mul(NAMES_MAX));
        let mut moment = Timestamp { seconds: from.seconds.max(earliest), ..to };
        let mut names: Vec<String> = Vec::new();
        while moment.seconds < to.seconds {
            let name = self.at(moment);
            if name != last && !names.contains(&name) {
                names.push(name);
            }
            moment.seconds = self.next_change(moment);
        }
        names
    }

    /// A glob that all its names fit.
    pub(crate) fn cover(&self) -> String {
        let is_glob = super::component::is_wild(self.text.as_bytes());
        let mut out = String::with_capacity(self.text.len());
        let mut rest = self.text.chars();
        while let Some(char) = rest.next() {
            match char {
                '%' => {
                    // Flags, width and modifiers belong to the conversion.
                    let is_conversion = |char: &char| char.is_ascii_alphabetic() || *char == '%';
                    while rest
                        .next()
                        .is_some_and(|next| !is_conversion(&next) || matches!(next, 'E' | 'O'))
                    {
                    }
                    out.push('*');
                }
                '\\' if !is_glob => out.push_str("\\\\"),
                char => out.push(char),
            }
        }
        out
    }
}

fn step(text: &str) -> i64 {
    let mut step = STEP_MAX;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            continue;
        }
        let conversion = chars.by_ref().find(|char| {
            !matches!(char, 'E' | 'O') && (char.is_ascii_alphabetic() || *char == '%')
        });
        match conversion {
            Some('c' | 'f' | 'N' | 'r' | 's' | 'S' | 'T' | 'X') => return 1,
            Some('M' | 'R') => step = 60,
            _ => {}
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str, utc_offset: i32) -> Timestamp {
        let civil: jiff::civil::DateTime = text.parse().unwrap();
        let offset = Offset::from_seconds(utc_offset).unwrap();
        Timestamp { seconds: offset.to_timestamp(civil).unwrap().as_second(), utc_offset }
    }

    fn dated(text: &str) -> DatedName {
        DatedName::parse(text).unwrap()
    }

    #[test]
    fn names() {
        let at = moment("2026-11-24T23:05:09", 3600);
        for (text, name) in [
            ("/l/a-%Y%m%d.log", "/l/a-20261124.log"),
            ("/l/%y/%j/%H", "/l/26/328/23"),
            ("/l/%F.%H%M", "/l/2026-11-24.2305"),
            ("/l/%b-%d", "/l/Nov-24"),
            ("/l/100%%", "/l/100%"),
            ("/l/*/%d.log", "/l/*/24.log"),
            ("/l/50%", "/l/50%"),
        ] {
            assert_eq!(dated(text).at(at), name);
        }
        assert_eq!(DatedName::parse("/l/a"), None);
    }

    #[test]
    fn names_change_at_borders() {
        let at = moment("2026-11-24T23:05:09", 3600);
        for (text, seconds) in [
            ("%Y", 591),
            ("%d", 591),
            ("%H", 591),
            ("%H%M", 51),
            ("%R", 51),
            ("%H%M%S", 1),
            ("%s", 1),
        ] {
            assert_eq!(dated(text).next_change(at) - at.seconds, seconds, "{text}");
        }
    }

    #[test]
    fn names_between() {
        let from = moment("2026-11-22T10:00:00", 0);
        let to = moment("2026-11-25T10:00:00", 0);
        assert_eq!(dated("%d").between(from, to), ["22", "23", "24"]);
        assert_eq!(dated("%Y").between(from, to), [""; 0]);
        assert_eq!(dated("%d").between(to, from), [""; 0]);
        let near = Timestamp { seconds: to.seconds - 60, ..to };
        assert_eq!(dated("%H").between(near, to), ["09"]);
        let long_ago = Timestamp::utc(0);
        assert!(dated("%s").between(long_ago, to).len() <= NAMES_MAX as usize);
    }

    #[test]
    fn covers() {
        for (text, cover) in [
            ("/l/a-%Y%m%d.log", "/l/a-***.log"),
            ("/l/%-d.log", "/l/*.log"),
            ("/l/%Ey\\", "/l/*\\\\"),
            ("/l/?\\%", "/l/?\\*"),
        ] {
            assert_eq!(dated(text).cover(), cover);
        }
    }
}
