//! What correlation remembers of earlier events.
//!
//! Each correlating rule keeps, for each combination of the values it compares, the newest events
//! that count for it: no more than it needs to fire. Looking is one table access, whatever else goes
//! on, and no rule or source can use up another's events.
//!
//! OSSEC keeps lists that all rules share and walks them; `strict.rs` does that, where asked for.

use std::collections::VecDeque;

use decode::Decoded;
use foldhash::quality::FixedState;
use hashbrown::HashMap;
use model::limits::{ALERT_LINE_BYTES_MAX, CONTEXT_LINES_MAX};
use model::{Category, Field};
use rules::ruleset::{
    Correlation, CorrelationKey, CorrelationKeys, CorrelationOver, RuleIndex, Ruleset,
};
use std::hash::{BuildHasher, Hasher};

use crate::judge::counts_alike;
use crate::outcome::Context;

/// The events remembered, by correlating rule.
#[derive(Debug)]
pub(crate) struct History {
    /// Makes the hashes of compared values differ from one installation to the next.
    pub(crate) seed: u64,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) events: Events,
    pub(crate) events_max: usize,
    /// Rules that fired on the current event: it does not count for them.
    fired: Vec<RuleIndex>,
    rings: Vec<VecDeque<Entry>>,
    /// Counted events that had to be forgotten early, for want of room.
    pub(crate) forgotten: u64,
}

/// What one rule has counted, by the values it compares.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rings: HashMap<u64, VecDeque<Entry>, foldhash::fast::RandomState>,
}

/// One counted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Seconds since the epoch.
    pub(crate) at: i64,
    pub(crate) event: EventSlot,
    /// Hashes of the values that must differ, in the order of the keys.
    pub(crate) others: [u32; OTHERS_MAX],
}

/// Keys that one rule may ask to differ.
pub(crate) const OTHERS_MAX: usize = 4;

/// Where a remembered event is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventSlot(pub(crate) u32);

/// Remembered texts, each kept once however many rules count it.
#[derive(Debug, Default)]
pub(crate) struct Events {
    slots: Vec<Remembered>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Remembered {
    uses: u32,
    text: Vec<u8>,
}

impl Events {
    pub(crate) fn add(&mut self, text: &[u8]) -> EventSlot {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Remembered::default());
            (self.slots.len() - 1) as u32
        });
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.uses = 0;
            slot.text.clear();
            slot.text.extend_from_slice(text.get(..ALERT_LINE_BYTES_MAX).unwrap_or(text));
        }
        EventSlot(number)
    }

    pub(crate) fn text(&self, event: EventSlot) -> &[u8] {
        self.slots.get(event.0 as usize).map(|slot| slot.text.as_slice()).unwrap_or_default()
    }

    pub(crate) fn used(&mut self, event: EventSlot) {
        if let Some(slot) = self.slots.get_mut(event.0 as usize) {
            slot.uses += 1;
        }
    }

    pub(crate) fn unused(&mut self, event: EventSlot) {
        if let Some(slot) = self.slots.get_mut(event.0 as usize) {
            slot.uses = slot.uses.saturating_sub(1);
            if slot.uses == 0 {
                self.free.push(event.0);
            }
        }
    }

    /// How many events are kept.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl History {
    pub(crate) fn new(rules: usize, events_max: usize, seed: u64) -> Self {
        let mut tallies = Vec::new();
        tallies.resize_with(rules, Tally::default);
        Self {
            seed,
            tallies,
            events: Events::default(),
            events_max,
            fired: Vec::new(),
            rings: Vec::new(),
            forgotten: 0,
        }
    }

    pub(crate) fn begin_event(&mut self) {
        self.fired.clear();
    }

    /// Whether enough events have been counted for `rule`. If so its counting starts anew, and the
    /// counted events are written to `context`.
    pub(crate) fn check(
        &mut self,
        rule: RuleIndex,
        correlation: &Correlation,
        now: &Decoded,
        context: &mut Context,
    ) -> bool {
        let Some((key, others)) = self.keys(correlation, now) else { return false };
        let Some(tally) = self.tallies.get_mut(rule.0 as usize) else { return false };
        let Some(ring) = tally.rings.get_mut(&key) else { return false };
        let oldest = now.event.received.seconds.saturating_sub(i64::from(correlation.timeframe));
        let frequency = correlation.frequency as usize;
        let differs = |entry: &&Entry| {
            correlation.different.is_empty() || all_differ(correlation, entry, &others)
        };
        // Of the events that count, the one that would make the number full.
        let last = if correlation.different.is_empty() {
            ring.len().checked_sub(frequency + 1).and_then(|position| ring.get(position))
        } else {
            ring.iter().rev().filter(differs).nth(frequency)
        };
        if last.is_none_or(|last| last.at < oldest) {
            return false;
        }
        context.clear();
        let lines = context_lines(correlation);
        for entry in ring.iter().rev().filter(differs).take(lines) {
            context.push(self.events.text(entry.event));
        }
        if let Some(mut ring) = tally.rings.remove(&key) {
            for entry in ring.drain(..) {
                self.events.unused(entry.event);
            }
            self.rings.push(ring);
        }
        self.fired.push(rule);
        true
    }

    /// Counts an event whose final rule is `of` for the rules that want it.
    pub(crate) fn remember(
        &mut self,
        of: RuleIndex,
        now: &Decoded,
        ruleset: &Ruleset,
        fits_text: &mut dyn FnMut(pattern::PatternId) -> bool,
    ) {
        let by_text = ruleset.counted_by_text.iter().filter(|&&index| {
            match ruleset.rule(index).correlation.as_ref().map(|correlation| correlation.over) {
                Some(CorrelationOver::Text(pattern)) => fits_text(pattern),
                _ => false,
            }
        });
        let mut event = None;
        for &index in ruleset.rule(of).counted_by.iter().chain(by_text) {
            if self.fired.contains(&index) {
                continue;
            }
            let Some(correlation) = &ruleset.rule(index).correlation else { continue };
            let Some((key, others)) = self.keys(correlation, now) else { continue };
            let slot = *event.get_or_insert_with(|| self.events.add(now.full_log()));
            let at = now.event.received.seconds;
            self.count(index, correlation, key, Entry { at, event: slot, others });
        }
        if self.events.len() > self.events_max {
            self.make_room(ruleset, now.event.received.seconds);
        }
    }

    pub(crate) fn count(
        &mut self,
        rule: RuleIndex,
        correlation: &Correlation,
        key: u64,
        entry: Entry,
    ) {
        let Some(tally) = self.tallies.get_mut(rule.0 as usize) else { return };
        let spare = &mut self.rings;
        let ring = tally.rings.entry(key).or_insert_with(|| spare.pop().unwrap_or_default());
        self.events.used(entry.event);
        ring.push_back(entry);
        let needed = correlation.frequency as usize + 1;
        let surplus = if correlation.different.is_empty() {
            (ring.len() > needed).then_some(0)
        } else {
            surplus_of_different(ring, &entry, needed)
        };
        if let Some(surplus) = surplus.and_then(|position| ring.remove(position)) {
            self.events.unused(surplus.event);
        }
    }

    /// Forgets what no rule can count any more; if that is too little, the oldest quarter.
    fn make_room(&mut self, ruleset: &Ruleset, now: i64) {
        let timeframe = |rule: usize| {
            ruleset
                .rules
                .get(rule)
                .and_then(|rule| rule.correlation.as_ref())
                .map_or(0, |correlation| i64::from(correlation.timeframe))
        };
        self.forget(|rule, at| at < now.saturating_sub(timeframe(rule)));
        if self.events.len() > self.events_max / 4 * 3 {
            let mut ages: Vec<i64> = self
                .tallies
                .iter()
                .flat_map(|tally| tally.rings.values())
                .flat_map(|ring| ring.iter().map(|entry| entry.at))
                .collect();
            if ages.is_empty() {
                return;
            }
            let quarter = ages.len() / 4;
            let (_, &mut limit, _) = ages.select_nth_unstable(quarter);
            let before = self.events.len();
            self.forget(|_, at| at < limit);
            // All of one second: time does not tell them apart, so the rest goes by table order.
            if self.events.len() > self.events_max {
                self.forget(|_, at| at <= limit);
            }
            self.forgotten += (before - self.events.len()) as u64;
        }
    }

    /// Moves what is counted to the positions of a new rule set.
    pub(crate) fn relink(&mut self, new: &Ruleset, old: &Ruleset) {
        let mut tallies = Vec::new();
        tallies.resize_with(new.rules.len(), Tally::default);
        for (index, tally) in std::mem::take(&mut self.tallies).into_iter().enumerate() {
            let place = old
                .rules
                .get(index)
                .and_then(|old_rule| {
                    let position = new.by_id.get(&old_rule.id)?;
                    let new_rule = new.rule(*position).correlation.as_ref()?;
                    counts_alike(old_rule.correlation.as_ref()?, new_rule).then_some(position)
                })
                .and_then(|position| tallies.get_mut(position.0 as usize));
            match place {
                Some(place) => *place = tally,
                None => {
                    for entry in tally.rings.into_values().flatten() {
                        self.events.unused(entry.event);
                    }
                }
            }
        }
        self.tallies = tallies;
    }

    fn forget(&mut self, is_past: impl Fn(usize, i64) -> bool) {
        let Self { tallies, events, rings, .. } = self;
        for (rule, tally) in tallies.iter_mut().enumerate() {
            tally.rings.retain(|_, ring| {
                while let Some(first) = ring.front().filter(|first| is_past(rule, first.at)) {
                    events.unused(first.event);
                    ring.pop_front();
                }
                if ring.is_empty() {
                    rings.push(std::mem::take(ring));
                    return false;
                }
                true
            });
        }
    }

    /// The hash of the values that must be equal, and those of the values that must differ; `None`
    /// if the event lacks one of them.
    fn keys(&self, correlation: &Correlation, now: &Decoded) -> Option<(u64, [u32; OTHERS_MAX])> {
        let category = match correlation.over {
            CorrelationOver::Text(_) => Some(now.category),
            CorrelationOver::Sid(_) | CorrelationOver::Group => None,
        };
        let key = same_key(self.seed, correlation.same, category, now)?;
        let mut others = [0; OTHERS_MAX];
        for (other, part) in others.iter_mut().zip(correlation.different.iter()) {
            let hash = FixedState::with_seed(self.seed).hash_one(value(part, now)?);
            *other = hash as u32;
        }
        Some((key, others))
    }
}

/// Whether every value that must differ does.
fn all_differ(correlation: &Correlation, entry: &Entry, others: &[u32; OTHERS_MAX]) -> bool {
    let pairs = entry.others.iter().zip(others);
    correlation.different.iter().zip(pairs).all(|(_, (theirs, ours))| theirs != ours)
}

/// Which entry to drop of a ring whose events must differ, so that for any value enough others
/// stay.
fn surplus_of_different(ring: &VecDeque<Entry>, newest: &Entry, needed: usize) -> Option<usize> {
    let alike = ring.iter().filter(|entry| entry.others == newest.others).count();
    if alike > needed {
        return ring.iter().position(|entry| entry.others == newest.others);
    }
    (ring.len() > 4 * (needed + 1)).then_some(0)
}

/// How many earlier events are printed with the alert.
pub(crate) fn context_lines(correlation: &Correlation) -> usize {
    let frequency = correlation.frequency as usize;
    let lines = match correlation.over {
        CorrelationOver::Sid(_) => frequency + 1,
        CorrelationOver::Group | CorrelationOver::Text(_) => frequency,
    };
    lines.min(CONTEXT_LINES_MAX)
}

/// The hash of the values of `keys`; `None` if one is missing.
pub(crate) fn same_key(
    seed: u64,
    keys: CorrelationKeys,
    category: Option<Category>,
    now: &Decoded,
) -> Option<u64> {
    if keys.is_empty() && category.is_none() {
        return Some(0);
    }
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    if let Some(category) = category {
        hasher.write_u8(category as u8);
    }
    for key in keys.iter() {
        let value = value(key, now)?;
        hasher.write_usize(value.len());
        hasher.write(value);
    }
    Some(hasher.finish())
}

/// The value that a key compares.
pub(crate) fn value(key: CorrelationKey, now: &Decoded) -> Option<&[u8]> {
    match key {
        CorrelationKey::SrcIp => now.field(Field::SrcIp),
        CorrelationKey::SrcPort => now.field(Field::SrcPort),
        CorrelationKey::DstPort => now.field(Field::DstPort),
        CorrelationKey::User => now.field(Field::DstUser),
        CorrelationKey::Location => Some(now.hostname()),
        CorrelationKey::Id => now.field(Field::Id),
        CorrelationKey::Url => now.field(Field::Url),
        CorrelationKey::SrcGeoIp => now.field(Field::SrcGeoIp),
    }
}
