//! Are there more events than usual at this hour?
//!
//! Events are counted by the hour. At the end of a day the counts go into two averages: one for
//! each hour of the day, one for each hour of the week. [`Statistics::count`] says when an hour has
//! far more events than its average.
//!
//! Averages outlive a restart in [`Memory`]; the counts of the day in [`Today`].

use std::fmt;

use model::time::WEEKDAYS;
use model::{Memory, Table, Timestamp};

const HOURS: usize = 24;
const SECONDS_OF_DAY: i64 = 86_400;
/// Days after which an average counts.
const DAYS_MIN: u64 = 3;
/// Days that an average weighs, at most.
const DAYS_WEIGHT_MAX: u64 = 7;
/// Findings of a day, at most; a day with so many weighs more in the averages.
const EXCESSES_MAX: u8 = 3;

/// How far a count must be above its average. The defaults are those of `internal_options.conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// Part of the average (`analysisd.stats_percent_diff`).
    pub percent: u64,
    /// At least so many events (`analysisd.stats_mindiff`).
    pub min: u64,
    /// At most so many events (`analysisd.stats_maxdiff`).
    pub max: u64,
}

impl Default for Margin {
    fn default() -> Self {
        Self { percent: 150, min: 1250, max: 999_000 }
    }
}

/// An hour with more events than usual. Its text is the log of the event that tells about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    pub hour: u8,
    /// Set if the hour of the week is meant: 0 is Sunday.
    pub weekday: Option<u8>,
    pub average: u64,
    pub count: u64,
}

impl fmt::Display for Excess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hour, weekday, average, count } = *self;
        write!(out, "The average number of logs between {hour}:00 and {}:00", u16::from(hour) + 1)?;
        if let Some(day) = weekday.and_then(|day| WEEKDAYS.get(usize::from(day))) {
            write!(out, " on {day}")?;
        }
        write!(out, " is {average}. We reached {count}.")
    }
}

/// What was counted on the current day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Days since the epoch in local time; `None` before the first event.
    pub day: Option<i64>,
    pub counts: [u64; HOURS],
    /// What was found so far.
    pub excesses: u8,
    /// The last hour that was found to have too many events.
    pub hour_found: Option<u8>,
}

/// Averages for the hours of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Averages {
    hours: [u64; HOURS],
    /// How many days went into them.
    days: u64,
}

/// Counts events and compares the counts with what is usual.
#[derive(Clone, Debug)]
pub struct Statistics {
    margin: Margin,
    daily: Averages,
    weekly: [Averages; 7],
    today: Today,
    /// The last event's time, and its day, hour and weekday: they seldom change from one to the
    /// next.
    last: (Timestamp, i64, u8, u8),
}

impl Statistics {
    /// Reads the averages. Values that make no sense count as absent.
    pub fn load(margin: Margin, memory: &mut dyn Memory) -> Self {
        let daily = Averages::load("hourly-average", memory);
        let mut weekly = [Averages::default(); 7];
        for (weekday, averages) in weekly.iter_mut().enumerate() {
            *averages = Averages::load(&format!("weekly-average/{weekday}"), memory);
        }
        let last = (Timestamp::utc(i64::MIN), 0, 0, 0);
        Self { margin, daily, weekly, today: Today::default(), last }
    }

    /// Counts an event. The first one of a new day brings the averages up to date.
    pub fn count(&mut self, now: Timestamp, memory: &mut dyn Memory) -> Option<Excess> {
        if self.last.0 != now {
            let local = now.seconds.saturating_add(i64::from(now.utc_offset));
            let hour = (now.minute_of_day() / 60) as u8;
            self.last = (now, local.div_euclid(SECONDS_OF_DAY), hour, now.weekday());
        }
        let (_, day, hour, weekday) = self.last;
        match self.today.day {
            Some(today) if today == day => {}
            // A clock put back a little at midnight does not end the day again.
            Some(today) if today == day.saturating_add(1) => {}
            Some(today) if today < day => {
                self.end_day(today, memory);
                self.today = Today { day: Some(day), ..Today::default() };
            }
            Some(_) | None => self.today = Today { day: Some(day), ..Today::default() },
        }
        let count = self.today.counts.get_mut(usize::from(hour))?;
        *count = count.saturating_add(1);
        let count = *count;
        self.excess(hour, weekday, count)
    }

    /// What a restart must not forget.
    pub fn today(&self) -> &Today {
        &self.today
    }

    /// Goes on with the day of an earlier run.
    pub fn resume(&mut self, today: Today) {
        self.today = today;
    }

    fn excess(&mut self, hour: u8, weekday: u8, count: u64) -> Option<Excess> {
        if self.today.hour_found == Some(hour) || self.today.excesses >= EXCESSES_MAX {
            return None;
        }
        let found = if let Some(average) = self.daily.exceeded(hour, count, self.margin) {
            Excess { hour, weekday: None, average, count }
        } else {
            let averages = self.weekly.get(usize::from(weekday))?;
            let average = averages.exceeded(hour, count, self.margin)?;
            Excess { hour, weekday: Some(weekday), average, count }
        };
        self.today.hour_found = Some(hour);
        self.today.excesses += 1;
        Some(found)
    }

    fn end_day(&mut self, day: i64, memory: &mut dyn Memory) {
        let Today { counts, excesses, .. } = self.today;
        let unusual = excesses >= EXCESSES_MAX;
        self.daily.add_day(&counts, unusual);
        self.daily.save("hourly-average", memory);
        // The first day of the epoch was a Thursday.
        let weekday = day.saturating_add(4).rem_euclid(7) as usize;
        if let Some(averages) = self.weekly.get_mut(weekday) {
            // Fixed: OSSEC does not keep this number of days, so that it never finds anything.
            averages.add_day(&counts, unusual);
            averages.save(&format!("weekly-average/{weekday}"), memory);
        }
    }
}

impl Averages {
    /// Entry `24` is the number of days, as in OSSEC's folders.
    fn load(folder: &str, memory: &mut dyn Memory) -> Self {
        let mut text = Vec::new();
        let mut read = |entry: usize| {
            memory.get(Table::Statistics, format!("{folder}/{entry}").as_bytes(), &mut text);
            let number = std::str::from_utf8(&text).ok().map(str::trim);
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Self { hours: std::array::from_fn(&mut read), days: read(HOURS) }
    }

    fn save(&self, folder: &str, memory: &mut dyn Memory) {
        for (entry, value) in self.hours.iter().chain([&self.days]).enumerate() {
            let key = format!("{folder}/{entry}");
            memory.put(Table::Statistics, key.as_bytes(), value.to_string().as_bytes());
        }
    }

    fn add_day(&mut self, counts: &[u64; HOURS], unusual: bool) {
        let weight = self.days.min(DAYS_WEIGHT_MAX);
        // After an unusual day the averages follow faster.
        let (day_weight, extra) = if unusual { (3, 25) } else { (1, 5) };
        for (average, &count) in self.hours.iter_mut().zip(counts) {
            if count == 0 {
                continue;
            }
            *average = if *average == 0 {
                count.saturating_add(20)
            } else {
                let sum =
                    count.saturating_mul(day_weight).saturating_add(average.saturating_mul(weight));
                (sum / (weight + day_weight)).saturating_add(extra)
            };
        }
        self.days = self.days.saturating_add(1);
    }

    /// The average of an hour, if `count` is too far above it.
    fn exceeded(&self, hour: u8, count: u64, margin: Margin) -> Option<u64> {
        if self.days < DAYS_MIN {
            return None;
        }
        let average = *self.hours.get(usize::from(hour))?;
        let part = (average.saturating_mul(margin.percent) / 100).saturating_add(1);
        let margin = part.max(margin.min).min(margin.max);
        (count > average.saturating_add(margin)).then_some(average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use model::RamMemory;

    const MARGIN: Margin = Margin { percent: 150, min: 10, max: 1000 };

    /// Hour `hour` of day `day` after a Sunday.
    fn at(day: i64, hour: i64) -> Timestamp {
        Timestamp::utc((day + 3) * SECONDS_OF_DAY + hour * 3600)
    }

    fn feed(
        statistics: &mut Statistics,
        memory: &mut RamMemory,
        now: Timestamp,
        events: u64,
    ) -> Vec<String> {
        (0..events).filter_map(|_| statistics.count(now, memory)).map(|e| e.to_string()).collect()
    }

    #[test]
    fn averages_of_days() {
        let (usual, unusual) = (false, true);
        let mut averages = Averages::default();
        let mut counts = [0; HOURS];
        for (count, kind, average) in [
            (100, usual, 120),
            (60, usual, (60 + 120) / 2 + 5),
            (0, usual, 95),
            (500, unusual, (1500 + 3 * 95) / 6 + 25),
        ] {
            counts[7] = count;
            averages.add_day(&counts, kind);
            assert_eq!(averages.hours[7], average);
        }
        assert_eq!((averages.days, averages.hours[8]), (4, 0));
        averages.days = 100;
        averages.hours[7] = 100;
        counts[7] = 20;
        averages.add_day(&counts, usual);
        assert_eq!(averages.hours[7], (20 + 7 * 100) / 8 + 5);
    }

    #[test]
    fn an_hour_is_found_once_and_three_a_day() {
        let mut memory = RamMemory::default();
        let mut statistics = Statistics::load(MARGIN, &mut memory);
        for day in 0..3 {
            assert!(feed(&mut statistics, &mut memory, at(day, 5), 200).is_empty());
            for hour in [6, 7, 8] {
                assert!(feed(&mut statistics, &mut memory, at(day, hour), 2).is_empty());
            }
        }
        // Averages: hour 5 has 200+20, then (200+220)/2+5, then (200+2*215)/3+5.
        let found = feed(&mut statistics, &mut memory, at(3, 5), 1000);
        let text = "The average number of logs between 5:00 and 6:00 is 215. We reached 539.";
        assert_eq!(found, [text]);
        assert_eq!(feed(&mut statistics, &mut memory, at(3, 6), 100).len(), 1);
        assert_eq!(feed(&mut statistics, &mut memory, at(3, 7), 100).len(), 1);
        assert_eq!(feed(&mut statistics, &mut memory, at(3, 8), 100).len(), 0);
        assert_eq!(statistics.today().excesses, 3);
    }

    #[test]
    fn hours_of_the_week() {
        let mut memory = RamMemory::default();
        let mut statistics = Statistics::load(MARGIN, &mut memory);
        // Sundays are quiet, Mondays are not.
        for week in 0..5 {
            let _quiet = feed(&mut statistics, &mut memory, at(week * 7, 23), 1);
            let _busy = feed(&mut statistics, &mut memory, at(week * 7 + 1, 23), 900);
        }
        let found = feed(&mut statistics, &mut memory, at(35, 23), 200);
        let average = statistics.weekly[0].hours[23];
        let reached = average + (average * 150 / 100 + 1).max(10) + 1;
        let text = format!(
            "The average number of logs between 23:00 and 24:00 on Sunday is {average}. \
             We reached {reached}."
        );
        assert_eq!(found, [text]);
    }

    #[test]
    fn nothing_is_lost_by_a_restart() {
        let mut memory = RamMemory::default();
        let mut whole = Statistics::load(MARGIN, &mut memory);
        let mut other_memory = RamMemory::default();
        let mut parts = Statistics::load(MARGIN, &mut other_memory);
        for step in 0..400 {
            let now = at(step / 10, step % 24);
            let expected = feed(&mut whole, &mut memory, now, 30);
            assert_eq!(feed(&mut parts, &mut other_memory, now, 30), expected);
            let today = *parts.today();
            parts = Statistics::load(MARGIN, &mut other_memory);
            parts.resume(today);
        }
    }

    #[test]
    fn clock_jumps() {
        let mut memory = RamMemory::default();
        let mut statistics = Statistics::load(MARGIN, &mut memory);
        let _counted = feed(&mut statistics, &mut memory, at(1, 0), 5);
        let _counted = feed(&mut statistics, &mut memory, at(0, 23), 5);
        assert_eq!(statistics.daily.days, 0);
        assert_eq!(statistics.today().day, Some(4));
        let _counted = feed(&mut statistics, &mut memory, at(-400, 1), 5);
        assert_eq!((statistics.daily.days, statistics.today().counts[0]), (0, 0));
        for seconds in [i64::MIN, i64::MAX, 0] {
            let now = Timestamp { seconds, utc_offset: i32::MAX };
            let _counted = feed(&mut statistics, &mut memory, now, 1);
        }
    }

    #[test]
    fn damaged_averages_count_as_absent() {
        let mut memory = RamMemory::default();
        for (key, value) in [("5", "12\n"), ("6", "-3"), ("7", "\u{ff}"), ("24", "9")] {
            let key = format!("hourly-average/{key}");
            memory.put(Table::Statistics, key.as_bytes(), value.as_bytes());
        }
        let statistics = Statistics::load(MARGIN, &mut memory);
        assert_eq!(statistics.daily.hours[5..8], [12, 0, 0]);
        assert_eq!(statistics.daily.days, 9);
    }
}
