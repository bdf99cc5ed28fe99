//! Moments and lengths of time as a person writes and reads them.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use model::Timestamp;

/// Milliseconds since the epoch of a moment in the local zone.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<i64, String> {
    let now = jiff::Timestamp::from_second(now.seconds).unwrap_or_default();
    in_zone(text.trim(), now, TimeZone::system()).map(jiff::Timestamp::as_millisecond).ok_or_else(
        || {
            let text = text.escape_debug();
            format!("`{text}` is not a time like 10m, 2h, yesterday, 14:30 or 2026-11-24 14:30")
        },
    )
}

fn in_zone(text: &str, now: jiff::Timestamp, zone: TimeZone) -> Option<jiff::Timestamp> {
    if let Some(seconds) = text.strip_prefix('@') {
        return jiff::Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    if let Some(ago) = span(text) {
        return now.checked_sub(ago).ok();
    }
    // With a zone of its own.
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let today = now.to_zoned_datetime(zone.clone()).date();
    let local = match text {
        "today" => today.to_datetime(Time::midnight()),
        "yesterday" => today.yesterday().ok()?.to_datetime(Time::midnight()),
        _ => civil(text, today)?,
    };
    Some(local.to_zoned_datetime(zone).ok()?.timestamp())
}

/// `2026-11-24`, `2026-11-24 14:30:05`, or `14:30` of today.
fn civil(text: &str, today: Date) -> Option<DateTime> {
    // First: a time of four digits would be taken for a year by nobody, but `14:30` is no date.
    match text.contains('-') {
        true => text.parse().ok(),
        false if text.contains(':') => Some(today.to_datetime(text.parse().ok()?)),
        false => None,
    }
}

/// `10m`: a number and its unit.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

/// Seconds, as short as they can be read: `90 s`, `30 min`, `5 h`, `12 d`.
pub(crate) fn length(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let now: jiff::Timestamp = "2026-11-24T22:45:11Z".parse().unwrap();
        for (text, expected) in [
            ("@1795560311", "2026-11-24T22:45:11Z"),
            ("0s", "2026-11-24T22:45:11Z"),
            ("10m", "2026-11-24T22:35:11Z"),
            ("10min", "2026-11-24T22:35:11Z"),
            ("2h", "2026-11-24T20:45:11Z"),
            ("1d", "2026-11-23T22:45:11Z"),
            ("2w", "2026-11-10T22:45:11Z"),
            ("today", "2026-11-23T23:00:00Z"),
            ("yesterday", "2026-11-22T23:00:00Z"),
            ("14:30", "2026-11-24T13:30:00Z"),
            ("14:30:05", "2026-11-24T13:30:05Z"),
            ("2026-11-01", "2026-10-31T23:00:00Z"),
            ("2026-11-01 10:00", "2026-11-01T09:00:00Z"),
            ("2026-11-01T10:00:07", "2026-11-01T09:00:07Z"),
            ("2026-11-01T10:00:07Z", "2026-11-01T10:00:07Z"),
            ("2026-11-01T10:00:07+02:00", "2026-11-01T08:00:07Z"),
        ] {
            let found = in_zone(text, now, zone.clone());
            assert_eq!(found, Some(expected.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "x",
            "10",
            "m",
            "10y",
            "-5m",
            "@",
            "@x",
            "25:00",
            "2026-13-01",
            "99999999999999999999h",
            "18446744073709551615s",
        ] {
            assert_eq!(in_zone(text, now, zone.clone()), None, "{text}");
        }
    }
}
