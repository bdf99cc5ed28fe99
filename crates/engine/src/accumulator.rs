//! Collects the fields of one matter from events that each tell a part of it.
//!
//! Events whose decoder says `<accumulate />` and that have an id share their fields with those of
//! the same host, decoder and id for a while.
//!
//! Invariant: the store is bounded in entries and in bytes; where it is full, the entry that was
//! used longest ago goes.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use model::{Field, Timestamp};

/// The fields that are shared, in the order of [`Values`].
pub const FIELDS: [Field; 7] = [
    Field::DstUser,
    Field::SrcUser,
    Field::DstIp,
    Field::SrcIp,
    Field::DstPort,
    Field::SrcPort,
    Field::Data,
];

/// Values of [`FIELDS`]; what is empty is not there.
pub type Values<'a> = [Option<&'a [u8]>; FIELDS.len()];

/// Entries kept.
pub const ENTRIES_MAX: usize = 65_536;
/// Seconds an entry lives without being used.
const LIFETIME: i64 = 120;
/// Bytes of host, decoder and id with their blanks.
const KEY_BYTES_MAX: usize = 255;
/// Bytes of a value that is stored.
const VALUE_BYTES_MAX: usize = 80;

/// What an event belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Matter<'a> {
    pub hostname: &'a [u8],
    pub decoder: &'a [u8],
    pub id: &'a [u8],
}

/// The fields collected so far.
#[derive(Clone, Debug)]
pub struct Accumulator {
    entries: HashMap<Box<[u8]>, Entry>,
    /// Keys by the order of their last use.
    order: BTreeMap<u64, Box<[u8]>>,
    next_use: u64,
    entries_max: usize,
    /// Entries that had to go before their time.
    pub dropped: u64,
    key: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    last_use: u64,
    seconds: i64,
    /// In the order of [`FIELDS`]; empty if unknown.
    values: [Vec<u8>; FIELDS.len()],
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::with_limit(ENTRIES_MAX)
    }
}

impl Accumulator {
    /// A store of at most `entries_max` entries.
    pub fn with_limit(entries_max: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            next_use: 0,
            entries_max: entries_max.max(1),
            dropped: 0,
            key: Vec::new(),
        }
    }

    /// Stores what the event tells and returns values for the fields it does not have. `None` if
    /// nothing is kept of such a matter: its names are too long.
    pub fn share(
        &mut self,
        matter: &Matter<'_>,
        event: &Values<'_>,
        now: Timestamp,
    ) -> Option<Values<'_>> {
        self.key.clear();
        for part in [matter.hostname, b" ", matter.decoder, b" ", matter.id] {
            self.key.extend_from_slice(part);
        }
        if self.key.len() > KEY_BYTES_MAX {
            return None;
        }
        let key = std::mem::take(&mut self.key);
        self.forget_expired(now.seconds);
        self.make_entry(&key, now.seconds);
        let entry = self.entries.get_mut(key.as_slice());
        self.key = key;
        let entry = entry?;
        for (stored, told) in entry.values.iter_mut().zip(event) {
            let told = told.unwrap_or_default();
            if stored.is_empty() && told.len() <= VALUE_BYTES_MAX {
                stored.extend_from_slice(told);
            }
        }
        let mut missing = Values::default();
        for ((missing, stored), told) in missing.iter_mut().zip(&entry.values).zip(event) {
            if told.unwrap_or_default().is_empty() && !stored.is_empty() {
                *missing = Some(stored);
            }
        }
        Some(missing)
    }

    /// All entries, the one used longest ago first: key, seconds of the last use, values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], i64, Values<'_>)> {
        self.order.values().filter_map(|key| {
            let entry = self.entries.get(key)?;
            let mut values = Values::default();
            for (value, stored) in values.iter_mut().zip(&entry.values) {
                *value = (!stored.is_empty()).then_some(stored);
            }
            Some((&**key, entry.seconds, values))
        })
    }

    /// Puts an entry of [`Self::iter`] back, in the same order.
    pub fn restore(&mut self, key: &[u8], seconds: i64, values: &Values<'_>) {
        if key.len() > KEY_BYTES_MAX {
            return;
        }
        self.make_entry(key, seconds);
        if let Some(entry) = self.entries.get_mut(key) {
            for (stored, value) in entry.values.iter_mut().zip(values) {
                let value = value.unwrap_or_default();
                stored.clear();
                stored.extend_from_slice(value.get(..VALUE_BYTES_MAX).unwrap_or(value));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes the entry of `key` the one used last, with a new one if there is none.
    fn make_entry(&mut self, key: &[u8], seconds: i64) {
        let last_use = self.next_use;
        self.next_use += 1;
        if let Some(entry) = self.entries.get_mut(key) {
            if let Some(kept) = self.order.remove(&entry.last_use) {
                self.order.insert(last_use, kept);
            }
            if is_expired(entry.seconds, seconds) {
                entry.values.iter_mut().for_each(Vec::clear);
            }
            entry.last_use = last_use;
            entry.seconds = seconds;
            return;
        }
        if self.entries.len() >= self.entries_max {
            self.dropped += 1;
            self.forget_oldest();
        }
        self.order.insert(last_use, key.into());
        self.entries.insert(key.into(), Entry { last_use, seconds, ..Entry::default() });
    }

    fn forget_expired(&mut self, now: i64) {
        while let Some(key) = self.order.first_entry() {
            let expired =
                self.entries.get(key.get()).is_none_or(|entry| is_expired(entry.seconds, now));
            if !expired {
                return;
            }
            self.entries.remove(&key.remove());
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.entries.remove(&key);
        }
    }
}

/// A clock put back does not make entries older.
fn is_expired(last_use: i64, now: i64) -> bool {
    now.saturating_sub(last_use) > LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(id: &str) -> Matter<'_> {
        Matter { hostname: b"h", decoder: b"d", id: id.as_bytes() }
    }

    /// Tells values of the first two fields and returns what is filled in for them.
    fn share(
        store: &mut Accumulator,
        id: &str,
        told: [&str; 2],
        seconds: i64,
    ) -> [Option<String>; 2] {
        let mut event = Values::default();
        event[0] = Some(told[0].as_bytes());
        event[1] = (!told[1].is_empty()).then_some(told[1].as_bytes());
        let found = store.share(&matter(id), &event, Timestamp::utc(seconds)).unwrap();
        [found[0], found[1]].map(|value| Some(String::from_utf8(value?.to_vec()).unwrap()))
    }

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn events_complete_each_other() {
        let mut store = Accumulator::default();
        assert_eq!(share(&mut store, "1", ["root", ""], 0), [None, None]);
        assert_eq!(share(&mut store, "2", ["", "other"], 0), [None, None]);
        assert_eq!(share(&mut store, "1", ["", "joe"], 120), [text("root"), None]);
        assert_eq!(share(&mut store, "1", ["new", ""], 240), [None, text("joe")]);
        assert_eq!(share(&mut store, "1", ["", ""], 241), [text("root"), text("joe")]);
    }

    #[test]
    fn entries_expire() {
        let mut store = Accumulator::default();
        let _told = share(&mut store, "1", ["root", ""], 0);
        assert_eq!(share(&mut store, "1", ["", "joe"], 121), [None, None]);
        assert_eq!(share(&mut store, "1", ["", ""], 122), [None, text("joe")]);
        let _told = share(&mut store, "2", ["x", ""], 500);
        assert_eq!(store.len(), 1);
        assert_eq!(share(&mut store, "2", ["", ""], 100), [text("x"), None]);
    }

    #[test]
    fn limits() {
        let mut store = Accumulator::default();
        let long = "v".repeat(VALUE_BYTES_MAX + 1);
        let _told = share(&mut store, "1", [&long, &long[1..]], 0);
        assert_eq!(share(&mut store, "1", ["", ""], 0), [None, text(&long[1..])]);
        let id = "i".repeat(KEY_BYTES_MAX - 4);
        let now = Timestamp::utc(0);
        assert!(store.share(&matter(&id), &Values::default(), now).is_some());
        assert!(store.share(&matter(&format!("{id}i")), &Values::default(), now).is_none());

        let mut store = Accumulator::with_limit(2);
        for id in ["1", "2", "1", "3"] {
            let _told = share(&mut store, id, [id, ""], 0);
        }
        assert_eq!((store.len(), store.dropped), (2, 1));
        assert_eq!(share(&mut store, "1", ["", ""], 0), [text("1"), None]);
        assert_eq!(share(&mut store, "2", ["", ""], 0), [None, None]);
    }

    /// A store that is taken apart and put together again does as before.
    #[test]
    fn restored() {
        let mut whole = Accumulator::with_limit(20);
        let mut parts = Accumulator::with_limit(20);
        let mut seed = 7_u64;
        for step in 0..3000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = (seed >> 33) % 40;
            let told = if seed >> 60 & 1 == 0 { ["a", ""] } else { ["", "b"] };
            let (id, now) = (id.to_string(), step * 7);
            let expected = share(&mut whole, &id, told, now);
            assert_eq!(share(&mut parts, &id, told, now), expected);
            let mut again = Accumulator::with_limit(20);
            for (key, seconds, values) in parts.iter() {
                again.restore(key, seconds, &values);
            }
            parts = again;
        }
    }
}
