//! Rules that keep quiet: for a while after an alert, or about what somebody chose to ignore.

use decode::Decoded;
use hashbrown::{HashMap, HashSet};
use model::{Field, Memory, Table};
use rules::ruleset::{KeyFields, Rule};

use crate::history::same_key;
use crate::key::write_joined;

/// Periods remembered at once; the ones that have passed make room.
const PERIODS_MAX: usize = 65_536;
/// Ignore entries kept in RAM.
const ENTRIES_MAX: usize = 262_144;

/// What is silent at the moment.
#[derive(Debug)]
pub(crate) struct Silence {
    /// When a rule last alerted about one combination of the values that it compares.
    pub(crate) periods: HashMap<(u32, u64), Period, foldhash::fast::RandomState>,
    entries: HashSet<Box<[u8]>, foldhash::fast::RandomState>,
    key: Vec<u8>,
}

/// A period of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// Seconds since the epoch.
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Silence {
    pub(crate) fn new(memory: &mut dyn Memory) -> Self {
        let mut entries = HashSet::default();
        memory.scan(Table::Ignored, b"", &mut |key, _| {
            if entries.len() < ENTRIES_MAX {
                entries.insert(Box::from(key));
            }
        });
        Self { periods: HashMap::default(), entries, key: Vec::new() }
    }

    /// Whether the rule has alerted less than its ignore time ago; if not, the time starts now.
    ///
    /// The time runs for each combination of the values that the rule compares, so that one
    /// attacker's alert does not hide the next attacker. In strict mode it runs for the rule.
    pub(crate) fn holds(&mut self, rule: &Rule, now: &Decoded, strict: bool, seed: u64) -> bool {
        if rule.ignore_seconds == 0 {
            return false;
        }
        let key = rule
            .correlation
            .as_ref()
            .filter(|_| !strict)
            .and_then(|correlation| same_key(seed, correlation.same, None, now))
            .unwrap_or(0);
        let start = now.event.received.seconds;
        let period = Period { start, end: start.saturating_add(i64::from(rule.ignore_seconds)) };
        if let Some(running) = self.periods.get(&(rule.id, key))
            && start < running.end
        {
            return true;
        }
        if self.periods.len() >= PERIODS_MAX {
            self.periods.retain(|_, period| period.end > start);
            if self.periods.len() >= PERIODS_MAX {
                self.periods.clear();
            }
        }
        self.periods.insert((rule.id, key), period);
        false
    }

    /// Whether the event's values are among the entries that `rule` checks.
    pub(crate) fn is_ignored(&mut self, rule: &Rule, decoder: &str, now: &Decoded) -> bool {
        if rule.check_if_ignored.is_empty() || self.entries.is_empty() {
            return false;
        }
        write_key(&mut self.key, rule.check_if_ignored, decoder, now);
        self.entries.contains(self.key.as_slice())
    }

    /// Adds the entry that `rule` asks for.
    pub(crate) fn add(
        &mut self,
        rule: &Rule,
        decoder: &str,
        now: &Decoded,
        memory: &mut dyn Memory,
    ) {
        if rule.ignore.is_empty() {
            return;
        }
        write_key(&mut self.key, rule.ignore, decoder, now);
        if self.entries.len() < ENTRIES_MAX && !self.entries.contains(self.key.as_slice()) {
            self.entries.insert(self.key.as_slice().into());
            memory.put(Table::Ignored, &self.key, b"");
        }
    }
}

/// Writes `NAME ID DSTUSER SRCIP DSTIP DATA SYSTEMNAME LOCATION`, with nothing for what is not
/// selected.
fn write_key(key: &mut Vec<u8>, fields: KeyFields, decoder: &str, now: &Decoded) {
    let field = |selected, field| {
        now.field(field).filter(|_| fields.contains(selected)).unwrap_or_default()
    };
    let location =
        if fields.contains(KeyFields::LOCATION) { now.event.location.as_slice() } else { b"" };
    let parts = [
        decoder.as_bytes(),
        field(KeyFields::ID, Field::Id),
        field(KeyFields::USER, Field::DstUser),
        field(KeyFields::SRCIP, Field::SrcIp),
        field(KeyFields::DSTIP, Field::DstIp),
        field(KeyFields::DATA, Field::Data),
        field(KeyFields::NAME, Field::SystemName),
        location,
    ];
    write_joined(key, &parts);
}
