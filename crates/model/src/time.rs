//! Time as a value. It enters with an event and is passed along; nobody here reads a clock.

/// A moment, with the local zone's offset at that moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// Seconds to add for local time.
    pub utc_offset: i32,
}

/// A moment in local civil time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// 0 is Sunday.
    pub weekday: u8,
}

/// English month names as OSSEC writes them.
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// English weekday names, Sunday first.
pub const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const DAY: i64 = 86_400;

impl Timestamp {
    /// A moment in a zone without offset.
    pub fn utc(seconds: i64) -> Self {
        Self { seconds, utc_offset: 0 }
    }

    /// The moment of a local date and time; `None` where a part is out of range.
    pub fn from_civil(
        (year, month, day): (i64, u8, u8),
        (hour, minute, second): (u8, u8, u8),
        utc_offset: i32,
    ) -> Option<Self> {
        let known = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (0..=9999).contains(&year)
            && hour < 24
            && minute < 60
            && second < 61;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let seconds = days_from_civil(year, month, day) * DAY + of_day - i64::from(utc_offset);
        known.then_some(Self { seconds, utc_offset })
    }

    /// Local minutes since midnight, 0–1439.
    pub fn minute_of_day(self) -> u16 {
        (self.local().rem_euclid(DAY) / 60) as u16
    }

    /// Local weekday, 0 is Sunday.
    pub fn weekday(self) -> u8 {
        // The first day of the epoch was a Thursday.
        (self.local().div_euclid(DAY) + 4).rem_euclid(7) as u8
    }

    /// Local date and time.
    pub fn civil(self) -> Civil {
        let local = self.local();
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        let of_day = local.rem_euclid(DAY);
        Civil {
            year,
            month,
            day,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            weekday: self.weekday(),
        }
    }

    fn local(self) -> i64 {
        self.seconds.saturating_add(i64::from(self.utc_offset))
    }
}

/// Days since the epoch of a date in the proleptic Gregorian calendar (years counted from March).
fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = ((month_from_march + 2) % 12 + 1) as u8;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_time_goes_both_ways() {
        for seconds in (-5_000_000_000..5_000_000_000).step_by(12_345_677) {
            let civil = Timestamp::utc(seconds).civil();
            let back = Timestamp::from_civil(
                (civil.year, civil.month, civil.day),
                (civil.hour, civil.minute, civil.second),
                0,
            );
            assert_eq!(back, Some(Timestamp::utc(seconds)), "{civil:?}");
        }
    }

    #[test]
    fn known_moment() {
        let civil = Timestamp { seconds: 1_795_560_311, utc_offset: 3600 }.civil();
        assert_eq!((civil.year, civil.month, civil.day), (2026, 11, 24));
        assert_eq!((civil.hour, civil.minute, civil.second), (23, 45, 11));
        assert_eq!(WEEKDAYS[usize::from(civil.weekday)], "Tuesday");
    }
}
