//! The days by which files are named.

use model::Timestamp;
use model::time::MONTHS;

const SECONDS_OF_DAY: i64 = 86_400;

/// Days since the epoch, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(at: Timestamp) -> Self {
        let local = at.seconds.saturating_add(i64::from(at.utc_offset));
        Self(local.div_euclid(SECONDS_OF_DAY))
    }

    pub(crate) fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Year, English month and day of the month.
    pub(crate) fn date(self) -> (i64, &'static str, u8) {
        let civil = Timestamp::utc(self.0.saturating_mul(SECONDS_OF_DAY)).civil();
        let month = usize::from(civil.month).wrapping_sub(1);
        (civil.year, MONTHS.get(month).copied().unwrap_or(MONTHS[0]), civil.day)
    }

    /// The day that a path ends in: `…/2026/Nov/ossec-alerts-24.log`.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let (file, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.iter().position(|name| *name == month)?;
        let (stem, _) = file.rsplit_once('.')?;
        let (_, day) = stem.rsplit_once('-')?;
        let date = (year.parse().ok()?, u8::try_from(month + 1).ok()?, day.parse().ok()?);
        Timestamp::from_civil(date, (0, 0, 0), 0).map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let midnight = Timestamp::from_civil((2026, 11, 24), (0, 0, 0), 0).unwrap().seconds;
        for utc_offset in [-43_200, -3600, 0, 3600, 20_700, 50_400] {
            let at = |second| Timestamp {
                seconds: midnight - i64::from(utc_offset) + second,
                utc_offset,
            };
            assert_eq!(Day::of(at(-1)).date(), (2026, "Nov", 23));
            assert_eq!(Day::of(at(0)).date(), (2026, "Nov", 24));
            assert_eq!(Day::of(at(86_399)).date(), (2026, "Nov", 24));
            assert_eq!(Day::of(at(86_400)).date(), (2026, "Nov", 25));
        }
    }

    #[test]
    fn days_of_paths() {
        for (path, date) in [
            ("logs/alerts/2026/Nov/ossec-alerts-24.log", Some((2026, "Nov", 24))),
            ("2024/Feb/a-29.json", Some((2024, "Feb", 29))),
            ("logs/alerts/2026/nov/ossec-alerts-24.log", None),
            ("logs/alerts/2026/Nov/ossec-alerts-x.log", None),
            ("logs/alerts/2026/Nov/ossec-alerts-24", None),
            ("logs/alerts/alerts.log", None),
            ("", None),
        ] {
            assert_eq!(Day::of_path(path).map(Day::date), date, "{path}");
        }
    }
}
