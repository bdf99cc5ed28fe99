//! Whether a source is silent for longer than it ever is.

use std::collections::HashMap;

/// Messages seen before anything is said of a source.
const MESSAGES_MIN: u64 = 20;
/// A silence shorter than this is never unusual, in seconds.
const SILENCE_MIN: i64 = 3600;
/// How many times its longest gap a source may be silent.
const FACTOR: i64 = 3;
/// The longest gap counts in full for so many seconds; then half of it is forgotten.
const MEMORY: i64 = 7 * 24 * 3600;

/// The gaps between a source's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    messages: u64,
    last: i64,
    longest_gap: i64,
    /// When the longest gap ended, or was halved.
    since: i64,
}

impl Habit {
    /// Messages came since this was asked last, the newest at `last`.
    pub(super) fn seen(&mut self, messages: u64, last: i64) {
        if messages <= self.messages && self.messages > 0 {
            return;
        }
        let gap = if self.messages == 0 { 0 } else { last.saturating_sub(self.last) };
        if gap >= self.longest_gap {
            (self.longest_gap, self.since) = (gap, last);
        } else if last.saturating_sub(self.since) > MEMORY {
            (self.longest_gap, self.since) = (self.longest_gap / 2, last);
        }
        (self.messages, self.last) = (messages, last);
    }

    pub(super) fn is_silent(&self, now: i64) -> bool {
        let usual = self.longest_gap.saturating_mul(FACTOR).max(SILENCE_MIN);
        self.messages >= MESSAGES_MIN && now.saturating_sub(self.last) > usual
    }
}

/// The habits of all sources, by name.
#[derive(Debug, Default)]
pub(super) struct Habits {
    known: HashMap<String, Habit>,
}

impl Habits {
    /// Takes note of a source and says whether it is unusually silent.
    pub(super) fn is_silent(&mut self, name: &str, messages: u64, last: i64, now: i64) -> bool {
        if messages == 0 {
            return false;
        }
        let habit = self.known.entry(name.to_owned()).or_default();
        habit.seen(messages, last);
        habit.is_silent(now)
    }

    /// Forgets sources that are not there any more.
    pub(super) fn keep(&mut self, is_there: impl Fn(&str) -> bool) {
        self.known.retain(|name, _| is_there(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    #[test]
    fn a_source_that_stops_is_silent() {
        let mut habit = Habit::default();
        for message in 1..=30 {
            habit.seen(message, message as i64 * 60);
            assert!(!habit.is_silent(message as i64 * 60 + 59));
        }
        assert!(!habit.is_silent(30 * 60 + HOUR));
        assert!(habit.is_silent(30 * 60 + HOUR + 1));
        habit.seen(31, 40 * 60 + HOUR);
        assert!(!habit.is_silent(40 * 60 + 2 * HOUR));
    }

    #[test]
    fn a_source_that_is_silent_every_night_is_not() {
        let mut habits = Habits::default();
        let mut now = 0;
        let mut messages = 0;
        for _day in 0..5 {
            for _hour in 0..12 {
                now += HOUR;
                messages += 1;
                habits.is_silent("a", messages, now, now);
            }
            now += 12 * HOUR;
        }
        let last = now - 12 * HOUR;
        assert!(!habits.is_silent("a", messages, last, last + 30 * HOUR));
        assert!(habits.is_silent("a", messages, last, last + 50 * HOUR));
        habits.keep(|name| name != "a");
        assert!(!habits.is_silent("a", 1, last, last + 50 * HOUR));
    }
}
