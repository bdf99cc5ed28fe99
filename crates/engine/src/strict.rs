//! Correlation as OSSEC has it, for `compat strict`: lists that are walked from the newest event,
//! with marks on the events that all rules share.
//!
//! compat: a rule that fires uses up the older events for itself and for every rule of its level or
//! below, whatever source they came from. See docs/compatibility.md, "correlation".

use std::collections::VecDeque;

use decode::Decoded;
use foldhash::quality::FixedState;
use model::Category;
use model::limits::ALERT_LINE_BYTES_MAX;
use rules::ruleset::{
    Correlation, CorrelationKey, CorrelationKeys, CorrelationOver, RuleIndex, Ruleset,
};
use std::hash::BuildHasher;

use crate::history::value;
use crate::outcome::Context;

/// All alerting events, newest last, and who counts them.
#[derive(Debug)]
pub(crate) struct StrictHistory {
    pub(crate) seed: u64,
    pub(crate) events: VecDeque<Remembered>,
    /// How many events have left the front of `events`.
    pub(crate) gone: u64,
    /// By correlating rule: the numbers of the events it counts.
    pub(crate) lists: Vec<VecDeque<u64>>,
    pub(crate) events_max: usize,
    sid_events_max: usize,
    /// The mark of the current event.
    mark: u16,
}

/// One remembered event.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) at: i64,
    /// The level of the last rule that used it up.
    pub(crate) mark: u16,
    pub(crate) category: Category,
    /// Hashes of the compared values, in the order of the keys.
    pub(crate) values: [Option<u64>; CorrelationKeys::ORDER.len()],
    pub(crate) text: Vec<u8>,
    /// The part of the text that patterns look at.
    pub(crate) log: Vec<u8>,
}

impl StrictHistory {
    pub(crate) fn new(rules: usize, events_max: usize, sid_events_max: usize, seed: u64) -> Self {
        Self {
            seed,
            events: VecDeque::new(),
            gone: 0,
            lists: vec![VecDeque::new(); rules],
            events_max,
            sid_events_max,
            mark: 0,
        }
    }

    pub(crate) fn begin_event(&mut self) {
        self.mark = 0;
    }

    /// The walk of OSSEC: see §"correlation" of docs/compatibility.md.
    pub(crate) fn check(
        &mut self,
        rule: RuleIndex,
        level: u16,
        correlation: &Correlation,
        now: &Decoded,
        context: &mut Context,
        fits_text: &mut dyn FnMut(pattern::PatternId, &[u8]) -> bool,
    ) -> bool {
        let values = self.values(now);
        let seconds = now.event.received.seconds;
        let general: VecDeque<u64>;
        let list = match correlation.over {
            CorrelationOver::Text(_) => {
                general = (self.gone..self.gone + self.events.len() as u64).collect();
                &general
            }
            CorrelationOver::Sid(_) | CorrelationOver::Group => {
                let Some(list) = self.lists.get(rule.0 as usize) else { return false };
                list
            }
        };
        let lines = crate::history::context_lines(correlation);
        let mut shown = Vec::with_capacity(lines);
        let mut newest = None;
        let mut counted = 0;
        let mut last = None;
        for &number in list.iter().rev() {
            let Some(event) = number
                .checked_sub(self.gone)
                .and_then(|position| self.events.get(position as usize))
            else {
                return false;
            };
            if let CorrelationOver::Text(pattern) = correlation.over
                && (event.category != now.category || !fits_text(pattern, &event.log))
            {
                continue;
            }
            newest.get_or_insert(number);
            if seconds.saturating_sub(event.at) > i64::from(correlation.timeframe)
                || event.mark >= level.max(1)
            {
                return false;
            }
            if !comparable(correlation, &event.values, &values) {
                continue;
            }
            if shown.len() < lines {
                shown.push(number);
            }
            if counted < correlation.frequency {
                counted += 1;
                continue;
            }
            last = Some(number);
            break;
        }
        let Some(last) = last else { return false };
        context.clear();
        for number in shown {
            let position = number.saturating_sub(self.gone) as usize;
            context.push(self.events.get(position).map_or(b"", |event| &event.text));
        }
        self.mark = level;
        for number in [Some(last), newest].into_iter().flatten() {
            let position = number.saturating_sub(self.gone) as usize;
            if let Some(event) = self.events.get_mut(position) {
                event.mark = level;
            }
        }
        true
    }

    pub(crate) fn remember(&mut self, of: RuleIndex, now: &Decoded, ruleset: &Ruleset) {
        let number = self.gone + self.events.len() as u64;
        let cut = |text: &[u8]| text.get(..ALERT_LINE_BYTES_MAX).unwrap_or(text).to_vec();
        self.events.push_back(Remembered {
            at: now.event.received.seconds,
            mark: self.mark,
            category: now.category,
            values: self.values(now),
            text: cut(now.full_log()),
            log: now.log().to_vec(),
        });
        for &index in &ruleset.rule(of).counted_by {
            let Some(list) = self.lists.get_mut(index.0 as usize) else { continue };
            list.push_back(number);
            let over = ruleset.rule(index).correlation.as_ref().map(|correlation| correlation.over);
            let limit = match over {
                Some(CorrelationOver::Sid(_)) => self.sid_events_max,
                _ => self.events_max,
            };
            if list.len() > limit {
                list.pop_front();
            }
        }
        if self.events.len() > self.events_max {
            self.events.pop_front();
            self.gone += 1;
        }
    }

    /// Moves the lists to the positions of a new rule set.
    pub(crate) fn relink(&mut self, new: &Ruleset, old: &Ruleset) {
        let mut lists = vec![VecDeque::new(); new.rules.len()];
        for (index, list) in std::mem::take(&mut self.lists).into_iter().enumerate() {
            let place = old
                .rules
                .get(index)
                .and_then(|rule| new.by_id.get(&rule.id))
                .and_then(|position| lists.get_mut(position.0 as usize));
            if let Some(place) = place {
                *place = list;
            }
        }
        self.lists = lists;
    }

    fn values(&self, now: &Decoded) -> [Option<u64>; CorrelationKeys::ORDER.len()] {
        let state = FixedState::with_seed(self.seed);
        CorrelationKeys::ORDER.map(|key| value(key, now).map(|value| state.hash_one(value)))
    }
}

/// Whether the same_ and different_ tests pass between an earlier event and the current one.
fn comparable(
    correlation: &Correlation,
    earlier: &[Option<u64>; CorrelationKeys::ORDER.len()],
    now: &[Option<u64>; CorrelationKeys::ORDER.len()],
) -> bool {
    // compat: over texts, ports and location are not compared.
    let compared = |key: &CorrelationKey| match correlation.over {
        CorrelationOver::Sid(_) | CorrelationOver::Group => true,
        CorrelationOver::Text(_) => match key {
            CorrelationKey::SrcIp
            | CorrelationKey::User
            | CorrelationKey::Id
            | CorrelationKey::Url
            | CorrelationKey::SrcGeoIp => true,
            CorrelationKey::SrcPort | CorrelationKey::DstPort | CorrelationKey::Location => false,
        },
    };
    let pairs = CorrelationKeys::ORDER.into_iter().zip(earlier.iter().zip(now));
    pairs.filter(|(key, _)| compared(key)).all(|(key, pair)| {
        let both = match pair {
            (Some(earlier), Some(now)) => Some(earlier == now),
            _ => None,
        };
        (!correlation.same.contains(key) || both == Some(true))
            && (!correlation.different.contains(key) || both == Some(false))
    })
}
