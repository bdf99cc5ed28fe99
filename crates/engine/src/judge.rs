//! The part of the work that depends on earlier events. It runs on one thread, in order.

use std::sync::Arc;

use decode::{Decoded, Name, ProgramKey};
use model::{Category, Field, Memory, Queue, Table};
use rules::ruleset::{Condition, CorrelationOver, RuleIndex};

use crate::accumulator::{self, Accumulator, Matter};
use crate::first_seen::FirstSeen;
use crate::history::History;
use crate::internal::{self, Finding, Internal, Message};
use crate::outcome::{Alert, Context, DropReason, FileChange, Matched, Outcome};
use crate::policy::Policy;
use crate::screen::{Residual, Screened, Screener};
use crate::silence::Silence;
use crate::statistics::{Excess, Statistics};
use crate::strict::StrictHistory;

/// Decides between the rules in question, and remembers.
pub struct Judge {
    pub(crate) policy: Arc<Policy>,
    pub(crate) memory: Box<dyn Memory>,
    pub(crate) correlation: CorrelationHistory,
    pub(crate) silence: Silence,
    pub(crate) first_seen: FirstSeen,
    /// Matches by rule.
    pub(crate) fired: Vec<u64>,
    pub(crate) alerts: u64,
    pub(crate) seed: u64,
    pub(crate) repeated: Repeated,
    context: Context,
    spare_contexts: Vec<Context>,
    pub(crate) accumulator: Accumulator,
    pub(crate) statistics: Statistics,
    excesses: Vec<Excess>,
    finding: Finding,
    file_change: Option<Box<FileChange>>,
    /// Whether the current event's first-time-seen key is new, once asked.
    is_new: Option<bool>,
    buffer: Vec<u8>,
}

/// Correlation as we have it, or as OSSEC has it.
#[derive(Debug)]
pub(crate) enum CorrelationHistory {
    Keyed(History),
    Strict(StrictHistory),
}

/// The last three syslog events.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    pub(crate) texts: [Vec<u8>; 3],
    pub(crate) next: usize,
}

impl Repeated {
    fn contains_or_add(&mut self, text: &[u8]) -> bool {
        if self.texts.iter().any(|known| !known.is_empty() && known == text) {
            return true;
        }
        if let Some(oldest) = self.texts.get_mut(self.next) {
            oldest.clear();
            oldest.extend_from_slice(text);
        }
        self.next = (self.next + 1) % self.texts.len();
        false
    }
}

impl Judge {
    /// `seed` keeps hashes of compared values from being foreseen; any number will do.
    pub fn new(policy: Arc<Policy>, mut memory: Box<dyn Memory>, seed: u64) -> Self {
        let options = &policy.options;
        let rules = policy.ruleset.rules.len();
        let correlation = if options.strict {
            CorrelationHistory::Strict(StrictHistory::new(
                rules,
                options.history_events_max.min(8192),
                options.sid_events_max,
                seed,
            ))
        } else {
            CorrelationHistory::Keyed(History::new(rules, options.history_events_max, seed))
        };
        Self {
            silence: Silence::new(&mut *memory),
            first_seen: FirstSeen::new(options.fts_list_size, options.fts_prefix_min, &mut *memory),
            fired: vec![0; rules],
            alerts: 0,
            seed,
            repeated: Repeated::default(),
            context: Context::default(),
            spare_contexts: Vec::new(),
            accumulator: Accumulator::default(),
            statistics: Statistics::load(options.statistics_margin, &mut *memory),
            excesses: Vec::new(),
            finding: Finding::default(),
            file_change: None,
            is_new: None,
            buffer: Vec::new(),
            correlation,
            memory,
            policy,
        }
    }

    /// Says what a screened event means. Events must come in their order.
    pub fn judge(&mut self, screened: Screened, screener: &mut Screener) -> Outcome {
        match self.before_rules(screened, screener) {
            Ok(screened) => {
                let rule = match screened.decoded.relayed_rule {
                    Some(id) => self.policy.ruleset.by_id.get(&id).copied(),
                    None => self.resolve(&screened.decoded, &screened.residue, 0, screener),
                };
                self.conclude(screened, rule, screener)
            }
            Err(outcome) => outcome,
        }
    }

    pub(crate) fn begin_event(&mut self) {
        self.is_new = None;
        self.file_change = None;
        self.context.clear();
        match &mut self.correlation {
            CorrelationHistory::Keyed(history) => history.begin_event(),
            CorrelationHistory::Strict(history) => history.begin_event(),
        }
    }

    /// What comes before rules are asked: repeated events, internal decoders, the accumulator.
    pub(crate) fn before_rules(
        &mut self,
        mut screened: Screened,
        screener: &mut Screener,
    ) -> Result<Screened, Outcome> {
        self.begin_event();
        // Whatever screened the event: judging has a budget of its own.
        screener.search.begin_event();
        let policy = Arc::clone(&self.policy);
        let is_internal = screened.decoded.event.queue.is_internal();
        if policy.options.drop_repeated
            && screened.decoded.category == Category::Syslog
            && !is_internal
            && self.repeated.contains_or_add(screened.decoded.full_log())
        {
            return Err(self.drop(screened, DropReason::Repeated, screener));
        }
        if screened.deferred {
            let decoded = &mut *screened.decoded;
            // The number is that of the screener that decoded; this may be another one.
            decoded.program = ProgramKey::default();
            match decoded.event.queue {
                Queue::Syscheck | Queue::Rootcheck | Queue::HostInfo => {
                    if let Err(why) = self.decode_internal(decoded, &policy) {
                        return Err(self.drop(screened, why, screener));
                    }
                }
                Queue::LocalFile | Queue::Syslog | Queue::Other(_) => {
                    self.accumulate(decoded, &policy);
                }
            }
            screener.walk(&mut screened);
        }
        if policy.options.statistics_level > 0 {
            let now = screened.decoded.event.received;
            self.excesses.extend(self.statistics.count(now, &mut *self.memory));
        }
        Ok(screened)
    }

    /// Looks up what the product's own sensors report.
    fn decode_internal(
        &mut self,
        decoded: &mut Decoded,
        policy: &Policy,
    ) -> Result<(), DropReason> {
        let Self { finding, memory, .. } = self;
        let message = Message {
            location: &decoded.event.location,
            text: &decoded.event.line,
            received: decoded.event.received,
        };
        let outcome = match decoded.event.queue {
            Queue::Rootcheck => internal::rootcheck::decode(&message, &mut **memory, finding),
            Queue::HostInfo => internal::hostinfo::decode(&message, &mut **memory, finding),
            Queue::Syscheck | Queue::LocalFile | Queue::Syslog | Queue::Other(_) => {
                let options = internal::syscheck::Options {
                    auto_ignore: policy.options.auto_ignore,
                    alert_new_files: policy.options.alert_new_files,
                    ignore: &policy.options.syscheck_ignore,
                    maintenance: false,
                };
                internal::syscheck::decode(&message, &options, &mut **memory, finding)
            }
        };
        let internal = match outcome {
            internal::Outcome::Event(internal) => internal,
            internal::Outcome::Silent | internal::Outcome::ScanCompleted => {
                return Err(DropReason::NothingNew);
            }
            internal::Outcome::Malformed => return Err(DropReason::Malformed),
        };
        if internal == Internal::Rootcheck {
            self.is_new = Some(finding.is_new);
        }
        let id = policy.decoders.id(internal.name().as_bytes());
        decoded.accept_internal(id, internal.shown_name(), &finding.log, &finding.filename);
        if !finding.filename.is_empty() {
            let (before, after) =
                (std::mem::take(&mut finding.before), std::mem::take(&mut finding.after));
            self.file_change = Some(Box::new(FileChange { before, after }));
        }
        Ok(())
    }

    /// Fills fields that the event lacks from earlier events of the same matter.
    fn accumulate(&mut self, decoded: &mut Decoded, policy: &Policy) {
        let decoder = decoded.decoder.and_then(|index| policy.decoders.decoder(index));
        let (Some(decoder), Some(id)) = (decoder, decoded.field(Field::Id)) else { return };
        let matter = Matter { hostname: decoded.hostname(), decoder: decoder.name.as_bytes(), id };
        let told = accumulator::FIELDS.map(|field| decoded.field(field));
        let now = decoded.event.received;
        let missing = self.accumulator.share(&matter, &told, now).unwrap_or_default();
        for (field, value) in accumulator::FIELDS.into_iter().zip(missing) {
            if let Some(value) = value {
                decoded.fields.assign_text(Name::Static(field), &[value]);
            }
        }
    }

    /// The hours found to have unusually many events, since this was asked last.
    pub fn take_excesses(&mut self) -> Vec<Excess> {
        std::mem::take(&mut self.excesses)
    }

    /// As [`Self::take_excesses`], each with the number of the alert that tells of it.
    pub fn take_excess_alerts(&mut self) -> Vec<(u64, Excess)> {
        let excesses = self.take_excesses();
        let numbered = excesses.into_iter().map(|excess| {
            self.alerts += 1;
            (self.alerts, excess)
        });
        numbered.collect()
    }

    fn drop(&mut self, screened: Screened, why: DropReason, screener: &mut Screener) -> Outcome {
        let Screened { mut decoded, residue, .. } = screened;
        let event = std::mem::take(&mut decoded.event);
        screener.reclaim_decoded(decoded);
        screener.reclaim_residue(residue);
        Outcome::Dropped { event, why }
    }

    /// The rule that the event matches in the end, among `residue` from `from` on.
    fn resolve(
        &mut self,
        decoded: &Decoded,
        residue: &[Residual],
        from: usize,
        screener: &mut Screener,
    ) -> Option<RuleIndex> {
        let mut at = from;
        while let Some(&residual) = residue.get(at) {
            let end = (residual.end as usize).max(at + 1);
            if !residual.stateful || self.stateful_tests(residual.rule, decoded, screener) {
                let below = residue.get(..end).unwrap_or_default();
                if let Some(child) = self.resolve(decoded, below, at + 1, screener) {
                    return Some(child);
                }
                if !residual.noalert {
                    return Some(residual.rule);
                }
            }
            at = end;
        }
        None
    }

    /// The tests of a rule that read and change what is remembered, in their order.
    pub(crate) fn stateful_tests(
        &mut self,
        index: RuleIndex,
        decoded: &Decoded,
        screener: &mut Screener,
    ) -> bool {
        let policy = Arc::clone(&self.policy);
        let rule = policy.ruleset.rule(index);
        for condition in rule.conditions.iter().filter(|condition| condition.is_stateful()) {
            let passes = match condition {
                Condition::Changed => self.has_changed(rule.id, decoded),
                Condition::FirstSeen => self.is_first_seen(decoded),
                _ => true,
            };
            if !passes {
                return false;
            }
        }
        let Some(correlation) = &rule.correlation else { return true };
        match &mut self.correlation {
            CorrelationHistory::Keyed(history) => {
                history.check(index, correlation, decoded, &mut self.context)
            }
            CorrelationHistory::Strict(history) => history.check(
                index,
                rule.level,
                correlation,
                decoded,
                &mut self.context,
                &mut |pattern, log| {
                    policy.ruleset.patterns.is_match(pattern, log, &mut screener.search)
                },
            ),
        }
    }

    fn is_first_seen(&mut self, decoded: &Decoded) -> bool {
        if let Some(known) = self.is_new {
            return known;
        }
        let decoder = decoded.decoder.and_then(|index| self.policy.decoders.decoder(index));
        let is_new = decoder
            .is_some_and(|decoder| self.first_seen.is_new(decoder, decoded, &mut *self.memory));
        self.is_new = Some(is_new);
        is_new
    }

    /// Whether the log differs from the last one of this host and rule.
    fn has_changed(&mut self, rule: u32, decoded: &Decoded) -> bool {
        let host = decoded.hostname();
        let host = match host.strip_prefix(b"(") {
            Some(agent) => agent.split(|&byte| byte == b')').next().unwrap_or(agent),
            None => host,
        };
        let mut key = host.to_vec();
        key.extend_from_slice(format!("/{rule}").as_bytes());
        let known = self.memory.get(Table::Diff, &key, &mut self.buffer);
        if known && self.buffer == decoded.log() {
            return false;
        }
        self.memory.put(Table::Diff, &key, decoded.log());
        if known {
            self.context.clear();
            self.context.push(b"Previous output:");
            self.context.push(&self.buffer);
        }
        known
    }

    /// What follows from the rule that matched: silence, alert, remembering.
    pub(crate) fn conclude(
        &mut self,
        screened: Screened,
        rule: Option<RuleIndex>,
        screener: &mut Screener,
    ) -> Outcome {
        let Screened { decoded, residue, .. } = screened;
        screener.reclaim_residue(residue);
        let Some(index) = rule else { return Outcome::Unmatched(decoded) };
        let policy = Arc::clone(&self.policy);
        let rule = policy.ruleset.rule(index);
        let fired_times = match self.fired.get_mut(index.0 as usize) {
            Some(fired) => {
                *fired += 1;
                *fired
            }
            None => 0,
        };
        let mut context = self.spare_contexts.pop().unwrap_or_default();
        std::mem::swap(&mut context, &mut self.context);
        let file_change = self.file_change.take();
        let mut matched =
            Matched { decoded, rule: index, fired_times, responds: false, file_change, context };
        let decoded = &matched.decoded;
        let decoder = decoded
            .decoder
            .and_then(|index| policy.decoders.decoder(index))
            .map_or(decoded.internal.unwrap_or(""), |decoder| decoder.name.as_str());
        if rule.level == 0
            || self.silence.holds(rule, decoded, policy.options.strict, self.seed)
            || self.silence.is_ignored(rule, decoder, decoded)
        {
            return Outcome::Silent(matched);
        }
        self.silence.add(rule, decoder, decoded, &mut *self.memory);
        match &mut self.correlation {
            CorrelationHistory::Keyed(history) => {
                history.remember(index, decoded, &policy.ruleset, &mut |pattern| {
                    let log = decoded.log();
                    policy.ruleset.patterns.is_match(pattern, log, &mut screener.search)
                });
            }
            CorrelationHistory::Strict(history) => {
                history.remember(index, decoded, &policy.ruleset);
            }
        }
        matched.responds = rule.active_response;
        if !rule.log {
            return Outcome::Silent(matched);
        }
        self.alerts += 1;
        let at = matched.decoded.event.received;
        Outcome::Alert(Alert { id: self.alerts, matched, at })
    }

    /// Takes back the buffers that an outcome had from here.
    pub(crate) fn reclaim(&mut self, outcome: &mut Outcome) {
        let context = match outcome {
            Outcome::Dropped { .. } | Outcome::Unmatched(_) => return,
            Outcome::Silent(matched) => &mut matched.context,
            Outcome::Alert(alert) => &mut alert.matched.context,
        };
        let mut context = std::mem::take(context);
        context.clear();
        self.spare_contexts.push(context);
    }

    /// Goes by another policy from now on, keeping what is remembered of rules that stay.
    pub fn replace(&mut self, policy: Arc<Policy>) {
        let old = std::mem::replace(&mut self.policy, policy);
        let new = &self.policy.ruleset;
        let position = |index: usize| {
            let id = old.ruleset.rules.get(index)?.id;
            new.by_id.get(&id).map(|index| index.0 as usize)
        };
        let mut fired = vec![0; new.rules.len()];
        for (index, count) in self.fired.iter().enumerate() {
            if let Some(fired) = position(index).and_then(|index| fired.get_mut(index)) {
                *fired = *count;
            }
        }
        self.fired = fired;
        match &mut self.correlation {
            CorrelationHistory::Keyed(history) => history.relink(new, &old.ruleset),
            CorrelationHistory::Strict(history) => history.relink(new, &old.ruleset),
        }
    }

    /// Events remembered for correlation, and how many had to be forgotten for want of room.
    pub fn remembered(&self) -> (usize, u64) {
        match &self.correlation {
            CorrelationHistory::Keyed(history) => (history.events.len(), history.forgotten),
            CorrelationHistory::Strict(history) => (history.events.len(), history.gone),
        }
    }
}

/// Whether two correlations count the same events, so that a count may go on after a reload.
pub(crate) fn counts_alike(
    old: &rules::ruleset::Correlation,
    new: &rules::ruleset::Correlation,
) -> bool {
    let kind = |over| match over {
        CorrelationOver::Sid(_) => 0,
        CorrelationOver::Group => 1,
        CorrelationOver::Text(_) => 2,
    };
    old.same == new.same && old.different == new.different && kind(old.over) == kind(new.over)
}
