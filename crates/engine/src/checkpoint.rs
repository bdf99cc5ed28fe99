//! What a judge remembers in RAM, as bytes that survive a restart.
//!
//! The caller stores a checkpoint together with the positions of its sources, so that the events
//! after it can be read again and give the same outcomes. Rules are known by id: a checkpoint may be
//! resumed under a changed rule set. The bytes are private to this program; a reader of another
//! version starts with an empty history and says so.

pub(crate) mod bytes;

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use model::{Category, Memory};
use rules::ruleset::{CorrelationKeys, RuleIndex};

use crate::accumulator::Values;
use crate::history::{Entry, EventSlot, History, OTHERS_MAX};
use crate::judge::{CorrelationHistory, Judge};
use crate::policy::Policy;
use crate::silence::Period;
use crate::statistics::Today;
use crate::strict::{Remembered, StrictHistory};
use bytes::{Reader, Writer};

/// First bytes of a checkpoint; the last is the version of the layout.
const MAGIC: &[u8; 8] = b"wachter\x02";

/// Why bytes are not a checkpoint to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    #[error("written by another version of the program")]
    OtherVersion,
    #[error("damaged: it ends too early or holds impossible values")]
    Damaged,
    #[error("written with the other kind of correlation (compat strict)")]
    OtherKind,
}

impl Judge {
    /// What is remembered in RAM. What lies in [`Memory`] is not part of it.
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.u64(self.seed);
        out.u64(self.alerts);
        let fired = self.policy.ruleset.rules.iter().zip(&self.fired).filter(|(_, n)| **n > 0);
        out.list(fired, |out, (rule, count)| {
            out.u32(rule.id);
            out.u64(*count);
        });
        out.list(self.repeated.texts.iter(), |out, text| out.bytes(text));
        out.u32(self.repeated.next as u32);
        out.list(self.silence.periods.iter(), |out, (&(rule, key), period)| {
            out.u32(rule);
            out.u64(key);
            out.i64(period.start);
            out.i64(period.end);
        });
        self.first_seen.save(&mut out);
        save_today(self.statistics.today(), &mut out);
        out.list(self.accumulator.iter(), |out, (key, seconds, values)| {
            out.bytes(key);
            out.i64(seconds);
            for value in values {
                out.bytes(value.unwrap_or_default());
            }
        });
        match &self.correlation {
            CorrelationHistory::Keyed(history) => {
                out.u8(0);
                save_keyed(history, &self.policy, &mut out);
            }
            CorrelationHistory::Strict(history) => {
                out.u8(1);
                save_strict(history, &self.policy, &mut out);
            }
        }
        let mut out = out.finish();
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// A judge that goes on where `checkpoint` was taken.
    ///
    /// # Errors
    ///
    /// When the bytes do not fit this program; then start with [`Judge::new`].
    pub fn resume(
        policy: Arc<Policy>,
        memory: Box<dyn Memory>,
        checkpoint: &[u8],
    ) -> Result<Self, BadCheckpoint> {
        if !checkpoint.starts_with(MAGIC) {
            return Err(BadCheckpoint::OtherVersion);
        }
        let (body, sum) = checkpoint.split_last_chunk().ok_or(BadCheckpoint::Damaged)?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(BadCheckpoint::Damaged);
        }
        let mut input = Reader::new(body.get(MAGIC.len()..).unwrap_or_default());
        let seed = input.u64().ok_or(BadCheckpoint::Damaged)?;
        let mut judge = Self::new(policy, memory, seed);
        match judge.restore(&mut input) {
            Some(true) => Ok(judge),
            Some(false) => Err(BadCheckpoint::OtherKind),
            None => Err(BadCheckpoint::Damaged),
        }
    }

    /// `None` if the bytes are damaged, `Some(false)` if they are of the other kind.
    fn restore(&mut self, input: &mut Reader<'_>) -> Option<bool> {
        let policy = Arc::clone(&self.policy);
        self.alerts = input.u64()?;
        for _ in 0..input.length()? {
            let (id, count) = (input.u32()?, input.u64()?);
            let place = policy
                .ruleset
                .by_id
                .get(&id)
                .and_then(|index| self.fired.get_mut(index.0 as usize));
            if let Some(fired) = place {
                *fired = count;
            }
        }
        let texts = input.length()?;
        for index in 0..texts {
            let text = input.bytes()?;
            self.repeated.texts.get_mut(index)?.extend_from_slice(text);
        }
        self.repeated.next = input.u32()? as usize % self.repeated.texts.len();
        for _ in 0..input.length()? {
            let key = (input.u32()?, input.u64()?);
            let period = Period { start: input.i64()?, end: input.i64()? };
            self.silence.periods.insert(key, period);
        }
        self.first_seen.load(input)?;
        self.statistics.resume(load_today(input)?);
        for _ in 0..input.length()? {
            let (key, seconds) = (input.bytes()?, input.i64()?);
            let mut values = Values::default();
            for value in &mut values {
                *value = Some(input.bytes()?);
            }
            self.accumulator.restore(key, seconds, &values);
        }
        let kind = input.u8()?;
        match (&mut self.correlation, kind) {
            (CorrelationHistory::Keyed(history), 0) => load_keyed(history, &policy, input)?,
            (CorrelationHistory::Strict(history), 1) => load_strict(history, &policy, input)?,
            _ => return Some(false),
        }
        Some(true)
    }
}

/// Tells damage by accident. Whoever may write checkpoints needs no forgery.
fn checksum(bytes: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(bytes)
}

fn save_today(today: &Today, out: &mut Writer) {
    out.u8(u8::from(today.day.is_some()));
    out.i64(today.day.unwrap_or(0));
    for &count in &today.counts {
        out.u64(count);
    }
    out.u8(today.excesses);
    out.u8(today.hour_found.unwrap_or(u8::MAX));
}

fn load_today(input: &mut Reader<'_>) -> Option<Today> {
    let (is_set, day) = (input.u8()? == 1, input.i64()?);
    let mut today = Today { day: is_set.then_some(day), ..Today::default() };
    for count in &mut today.counts {
        *count = input.u64()?;
    }
    today.excesses = input.u8()?;
    today.hour_found = Some(input.u8()?).filter(|&hour| hour < 24);
    Some(today)
}

fn save_keyed(history: &History, policy: &Policy, out: &mut Writer) {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut texts = Vec::new();
    let entries = history.tallies.iter().flat_map(|tally| tally.rings.values()).flatten();
    for entry in entries {
        numbers.entry(entry.event.0).or_insert_with(|| {
            texts.push(history.events.text(entry.event));
            (texts.len() - 1) as u32
        });
    }
    out.list(texts.into_iter(), |out, text| out.bytes(text));
    let tallies = policy.ruleset.rules.iter().zip(&history.tallies);
    out.list(tallies.filter(|(_, tally)| !tally.rings.is_empty()), |out, (rule, tally)| {
        out.u32(rule.id);
        out.list(tally.rings.iter(), |out, (&key, ring)| {
            out.u64(key);
            out.list(ring.iter(), |out, entry| {
                out.i64(entry.at);
                out.u32(numbers.get(&entry.event.0).copied().unwrap_or(0));
                for &other in &entry.others {
                    out.u32(other);
                }
            });
        });
    });
}

fn load_keyed(history: &mut History, policy: &Policy, input: &mut Reader<'_>) -> Option<()> {
    let mut events: Vec<EventSlot> = Vec::new();
    for _ in 0..input.length()? {
        events.push(history.events.add(input.bytes()?));
    }
    for &event in &events {
        history.events.used(event);
    }
    for _ in 0..input.length()? {
        let index = policy.ruleset.by_id.get(&input.u32()?).copied();
        for _ in 0..input.length()? {
            let key = input.u64()?;
            for _ in 0..input.length()? {
                let at = input.i64()?;
                let event = *events.get(input.u32()? as usize)?;
                let mut others = [0; OTHERS_MAX];
                for other in &mut others {
                    *other = input.u32()?;
                }
                let correlation = index.and_then(|index| {
                    Some((index, policy.ruleset.rule(index).correlation.as_ref()?))
                });
                if let Some((index, correlation)) = correlation {
                    history.count(index, correlation, key, Entry { at, event, others });
                }
            }
        }
    }
    for event in events {
        history.events.unused(event);
    }
    Some(())
}

fn save_strict(history: &StrictHistory, policy: &Policy, out: &mut Writer) {
    out.u64(history.gone);
    out.list(history.events.iter(), |out, event| {
        out.i64(event.at);
        out.u32(u32::from(event.mark));
        out.u8(event.category as u8);
        for value in event.values {
            out.u8(u8::from(value.is_some()));
            out.u64(value.unwrap_or(0));
        }
        out.bytes(&event.text);
        out.bytes(&event.log);
    });
    let lists = policy.ruleset.rules.iter().zip(&history.lists);
    out.list(lists.filter(|(_, list)| !list.is_empty()), |out, (rule, list)| {
        out.u32(rule.id);
        out.list(list.iter(), |out, &number| out.u64(number));
    });
}

fn load_strict(history: &mut StrictHistory, policy: &Policy, input: &mut Reader<'_>) -> Option<()> {
    history.gone = input.u64()?;
    for _ in 0..input.length()? {
        let at = input.i64()?;
        let mark = u16::try_from(input.u32()?).ok()?;
        let category = input.u8()?;
        let category = Category::ALL.into_iter().find(|known| *known as u8 == category)?;
        let mut values = [None; CorrelationKeys::ORDER.len()];
        for value in &mut values {
            let (is_set, hash) = (input.u8()? == 1, input.u64()?);
            *value = is_set.then_some(hash);
        }
        let (text, log) = (input.bytes()?.to_vec(), input.bytes()?.to_vec());
        history.events.push_back(Remembered { at, mark, category, values, text, log });
    }
    for _ in 0..input.length()? {
        let index: Option<RuleIndex> = policy.ruleset.by_id.get(&input.u32()?).copied();
        for _ in 0..input.length()? {
            let number = input.u64()?;
            if let Some(list) = index.and_then(|index| history.lists.get_mut(index.0 as usize)) {
                list.push_back(number);
            }
        }
    }
    Some(())
}
