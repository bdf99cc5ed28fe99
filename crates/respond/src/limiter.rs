//! How many are blocked anew in a minute: enough for an attack by many, not for a mistake in a rule
//! or forged addresses.
//!
//! Who comes over the limit waits, and the worst go first as room comes up. Who has waited
//! [`WAIT_MAX`] is let go; if they are still at it, they come again.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// New blocks a minute, if nothing else is said.
pub const PER_MINUTE: u32 = 1000;
/// How many wait.
pub const WAITING_MAX: usize = 10_000;
/// How long they do.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

const MINUTE: u64 = 60_000;

/// How bad somebody is: the highest level first, then how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Badness {
    pub level: u16,
    pub times: u32,
}

/// Lets `T`s through, by the rate and the badness of their `K`.
#[derive(Debug)]
pub struct Limiter<K, T> {
    per_minute: u32,
    /// Room, in milliseconds of a minute for each.
    room: u64,
    at: Duration,
    waiting: HashMap<K, Waiting<T>>,
    order: BTreeSet<(Badness, u64, K)>,
    number: u64,
    over: u64,
    told: Option<Duration>,
}

#[derive(Debug)]
struct Waiting<T> {
    badness: Badness,
    number: u64,
    since: Duration,
    what: T,
}

impl<K: Clone + Eq + Hash + Ord, T> Limiter<K, T> {
    pub fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            room: u64::from(per_minute) * MINUTE,
            at: Duration::ZERO,
            waiting: HashMap::new(),
            order: BTreeSet::new(),
            number: 0,
            over: 0,
            told: None,
        }
    }

    pub fn set_rate(&mut self, per_minute: u32) {
        self.per_minute = per_minute;
        self.room = self.room.min(u64::from(per_minute) * MINUTE);
    }

    /// Gives `what` back if it may go on; else it waits, or somebody less bad is let go for it.
    pub fn admit(&mut self, key: K, level: u16, what: T, now: Duration) -> Option<T> {
        self.refill(now);
        if self.order.is_empty() && self.take() {
            return Some(what);
        }
        let mut badness = Badness { level, times: 1 };
        if let Some(known) = self.waiting.remove(&key) {
            self.order.remove(&(known.badness, known.number, key.clone()));
            badness.level = badness.level.max(known.badness.level);
            badness.times = known.badness.times.saturating_add(1);
        } else {
            self.over += 1;
        }
        self.number += 1;
        // Among the equally bad, whoever came first is the greatest.
        let number = u64::MAX - self.number;
        self.order.insert((badness, number, key.clone()));
        self.waiting.insert(key, Waiting { badness, number, since: now, what });
        if self.order.len() > WAITING_MAX
            && let Some((_, _, key)) = self.order.pop_first()
        {
            self.waiting.remove(&key);
        }
        None
    }

    /// The worst of those who wait, if there is room; to be called until there is nobody.
    pub fn next(&mut self, now: Duration) -> Option<T> {
        self.refill(now);
        while let Some((_, _, key)) = self.order.last() {
            let has_waited = |it: &Waiting<T>| now.saturating_sub(it.since) >= WAIT_MAX;
            if self.waiting.get(key).is_some_and(|it| !has_waited(it)) && !self.take() {
                return None;
            }
            let (_, _, key) = self.order.pop_last()?;
            if let Some(waiting) = self.waiting.remove(&key).filter(|it| !has_waited(it)) {
                return Some(waiting.what);
            }
        }
        None
    }

    /// Lets go of all who wait.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.order.clear();
    }

    /// When to ask for the next one, if somebody waits.
    pub fn wake(&self) -> Option<Duration> {
        let rate = u64::from(self.per_minute.max(1));
        let missing = MINUTE.saturating_sub(self.room);
        let left = Duration::from_millis(missing.div_ceil(rate).min(WAIT_MAX.as_millis() as u64));
        (!self.order.is_empty()).then(|| self.at + left)
    }

    /// How many have come over the limit since this was told, once a minute.
    pub fn take_over(&mut self, now: Duration) -> Option<u64> {
        let recently = |told: Duration| now.saturating_sub(told) < Duration::from_secs(60);
        if self.over == 0 || self.told.is_some_and(recently) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.over))
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_millis() as u64;
        let room = passed.saturating_mul(self.per_minute.into());
        self.room = self.room.saturating_add(room).min(u64::from(self.per_minute) * MINUTE);
        if passed > 0 {
            self.at += Duration::from_millis(passed);
        }
    }

    fn take(&mut self) -> bool {
        let left = self.room.checked_sub(MINUTE);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1000 + seconds)
    }

    #[test]
    fn as_many_as_the_limit_and_then_the_worst() {
        let mut limiter = Limiter::new(60);
        for number in 0..60 {
            assert_eq!(limiter.admit(number, 5, number, at(0)), Some(number));
        }
        for (number, level) in [(60, 5), (61, 12), (62, 5), (63, 12)] {
            assert_eq!(limiter.admit(number, level, number, at(0)), None);
        }
        // Who goes on is worse than who stopped.
        assert_eq!(limiter.admit(62, 5, 62, at(0)), None);
        assert_eq!(limiter.next(at(0)), None);
        assert_eq!(limiter.wake(), Some(at(1)));
        assert_eq!((limiter.next(at(1)), limiter.next(at(1))), (Some(61), None));
        // Room that comes up is for those who wait.
        assert_eq!(limiter.admit(64, 6, 64, at(2)), None);
        let all: Vec<u32> = std::iter::from_fn(|| limiter.next(at(10))).collect();
        assert_eq!(all, [63, 64, 62, 60]);
        assert_eq!(limiter.wake(), None);
        assert_eq!((limiter.take_over(at(10)), limiter.take_over(at(10))), (Some(5), None));
    }

    #[test]
    fn who_waits_too_long_is_let_go() {
        let mut limiter = Limiter::new(1);
        assert_eq!(limiter.admit('a', 5, 'a', at(0)), Some('a'));
        assert_eq!(limiter.admit('b', 9, 'b', at(0)), None);
        assert_eq!(limiter.admit('c', 5, 'c', at(30)), None);
        assert_eq!(limiter.next(at(60)), Some('c'));
        assert_eq!((limiter.next(at(600)), limiter.wake()), (None, None));
    }

    #[test]
    fn nobody_goes_where_the_limit_is_zero_and_not_all_may_wait() {
        let mut limiter = Limiter::new(0);
        for number in 0..WAITING_MAX + 5 {
            assert_eq!(limiter.admit(number, 5, number, at(0)), None);
        }
        assert_eq!(limiter.waiting.len(), WAITING_MAX);
        assert_eq!(limiter.order.len(), WAITING_MAX);
        assert!(limiter.next(at(1)).is_none() && limiter.wake().is_some());
    }
}
