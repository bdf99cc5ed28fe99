//! The part of the work that depends on the event alone, and so may run on many threads.
//!
//! Screening decodes an event, walks the planned rules and leaves the few that are in question:
//! those whose conditions on the event hold. What is remembered of other events decides between
//! them, in [`crate::judge`].

use std::sync::Arc;

use decode::{DecodeScratch, DecodeTrace, Decoded, ProgramKey, Untraced};
use hashbrown::HashMap;
use model::{Category, Event, Field};
use pattern::{Hits, PatternId};
use rules::ruleset::RuleIndex;

use crate::outcome::{Alert, Outcome};
use crate::plan::{Block, Plan, PlanKey, ProgramClass};
use crate::policy::Policy;
use crate::test::holds;

/// An event on its way from screening to judging.
#[derive(Debug, Default)]
pub struct Screened {
    pub(crate) decoded: Box<Decoded>,
    /// Rules in question, each before those below it.
    pub(crate) residue: Vec<Residual>,
    /// Rules could not be looked at yet: something remembered decides what the event says.
    pub(crate) deferred: bool,
}

/// A rule whose conditions on the event hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Residual {
    pub(crate) rule: RuleIndex,
    /// Where the rules below it end.
    pub(crate) end: u32,
    pub(crate) stateful: bool,
    pub(crate) noalert: bool,
}

/// Screens events on one thread.
#[derive(Debug)]
pub struct Screener {
    policy: Arc<Policy>,
    decode: DecodeScratch,
    pub(crate) search: pattern::Scratch,
    classes: Classes,
    plans: HashMap<PlanKey, Plan, foldhash::fast::RandomState>,
    hits: Hits,
    #[expect(clippy::vec_box, reason = "an event moves between its owners by its pointer")]
    spare: Vec<Box<Decoded>>,
    spare_residues: Vec<Vec<Residual>>,
}

/// Plans kept at most; there are few hundred in use.
const PLANS_MAX: usize = 2048;
/// Classes of program names; names that would make more are matched each time.
const CLASSES_MAX: usize = 1024;
/// Emptied events kept for their buffers.
const SPARE_MAX: usize = 1024;

impl Screener {
    pub fn new(policy: Arc<Policy>) -> Self {
        Self {
            policy,
            decode: DecodeScratch::default(),
            search: pattern::Scratch::default(),
            classes: Classes::default(),
            plans: HashMap::default(),
            hits: Hits::default(),
            spare: Vec::new(),
            spare_residues: Vec::new(),
        }
    }

    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What was cut short in searches so far: in decoders and in rules.
    pub fn search_counts(&self) -> (pattern::SearchCounts, pattern::SearchCounts) {
        (self.decode.search.counts, self.search.counts)
    }

    /// Lines cut because of their length.
    pub fn lines_cut(&self) -> u64 {
        self.decode.lines_cut
    }

    /// Decodes an event and finds the rules in question.
    pub fn screen(&mut self, event: Event) -> Screened {
        let mut screened = self.decode(event, &mut Untraced);
        if !screened.deferred && screened.decoded.relayed_rule.is_none() {
            self.walk(&mut screened);
        }
        screened
    }

    /// Decodes an event, telling `trace` which decoders were tried.
    pub(crate) fn decode(&mut self, event: Event, trace: &mut impl DecodeTrace) -> Screened {
        self.search.begin_event();
        self.decode.search.begin_event();
        let spare = self.spare.pop().unwrap_or_default();
        let mut residue = self.spare_residues.pop().unwrap_or_default();
        residue.clear();
        let policy = Arc::clone(&self.policy);
        if event.queue.is_internal() {
            let decoded = policy.decoders.undecoded(event, spare);
            return Screened { decoded, residue, deferred: true };
        }
        let mut decoded = policy.decoders.decode_traced(event, &mut self.decode, spare, trace);
        finish_decoding(&mut decoded, &policy);
        let deferred = accumulates(&decoded, &policy);
        Screened { decoded, residue, deferred }
    }

    /// Takes back the buffers of what became of an event. The event itself comes back empty.
    pub fn reclaim(&mut self, outcome: Outcome) -> Event {
        let mut decoded = match outcome {
            Outcome::Dropped { event, .. } => return emptied(event),
            Outcome::Unmatched(decoded) => decoded,
            Outcome::Silent(matched) | Outcome::Alert(Alert { matched, .. }) => matched.decoded,
        };
        let event = std::mem::take(&mut decoded.event);
        self.reclaim_decoded(decoded);
        emptied(event)
    }

    pub(crate) fn reclaim_decoded(&mut self, decoded: Box<Decoded>) {
        if self.spare.len() < SPARE_MAX {
            self.spare.push(decoded);
        }
    }

    pub(crate) fn reclaim_residue(&mut self, residue: Vec<Residual>) {
        if self.spare_residues.len() < SPARE_MAX {
            self.spare_residues.push(residue);
        }
    }

    /// Finds the rules in question.
    pub(crate) fn walk(&mut self, screened: &mut Screened) {
        let Screened { decoded, residue, .. } = screened;
        residue.clear();
        let policy = Arc::clone(&self.policy);
        let program = self.classes.class(decoded, &policy, &mut self.search);
        let key = PlanKey { category: decoded.category, decoder: decoded.decoder_id, program };
        if !self.plans.contains_key(&key) {
            if self.plans.len() >= PLANS_MAX {
                self.plans.clear();
            }
            let plan = Plan::new(&policy, key, &|pattern| self.classes.fits(program, pattern));
            self.plans.insert(key, plan);
        }
        let Some(plan) = self.plans.get(&key) else { return };
        plan.candidates(decoded, &mut self.hits);
        let mut walk =
            Walk { policy: &policy, plan, hits: &self.hits, decoded, search: &mut self.search };
        walk.block(plan.roots, residue);
    }
}

fn emptied(mut event: Event) -> Event {
    event.line.clear();
    event.location.clear();
    event
}

/// What is added to an event after its decoder is done.
fn finish_decoding(decoded: &mut Decoded, policy: &Policy) {
    if policy.options.normalise_firewall && decoded.category == Category::Firewall {
        decoded.normalise_firewall_action();
    }
    if let Some(relayed) = decoded.relayed
        && policy.ruleset.by_id.contains_key(&relayed.rule)
    {
        decoded.accept_relayed(relayed);
    }
    if let Some(geoip) = &policy.geoip {
        for (address, place) in [(Field::SrcIp, Field::SrcGeoIp), (Field::DstIp, Field::DstGeoIp)] {
            let found = decoded.field(address).and_then(|address| geoip.place(address));
            if let Some(found) = found {
                decoded.fields.assign_text(decode::Name::Static(place), &[found.as_bytes()]);
            }
        }
    }
}

/// Whether the event's decoder fills in fields from earlier events.
fn accumulates(decoded: &Decoded, policy: &Policy) -> bool {
    decoded
        .decoder
        .and_then(|index| policy.decoders.decoder(index))
        .is_some_and(|decoder| decoder.accumulate)
        && decoded.field(Field::Id).is_some()
}

struct Walk<'a> {
    policy: &'a Policy,
    plan: &'a Plan,
    hits: &'a Hits,
    decoded: &'a Decoded,
    search: &'a mut pattern::Scratch,
}

impl Walk<'_> {
    /// Adds the rules of a block that are in question. Returns whether one of them fires for sure,
    /// so that nothing after it matters.
    fn block(&mut self, block: Block, residue: &mut Vec<Residual>) -> bool {
        let mut from = block.start as usize;
        while let Some(at) = self.hits.next(from, block.end as usize) {
            from = at + 1;
            let Some(node) = self.plan.node(at) else { return false };
            let rule = self.policy.ruleset.rule(node.rule);
            let passes = self.plan.checks(node).iter().all(|&check| {
                rule.conditions.get(usize::from(check)).is_some_and(|condition| {
                    holds(condition, self.decoded, self.policy, self.search)
                })
            });
            if !passes {
                continue;
            }
            let position = residue.len();
            residue.push(Residual {
                rule: node.rule,
                end: 0,
                stateful: node.stateful,
                noalert: node.noalert,
            });
            let child_fires = self.block(node.children, residue);
            let end = residue.len() as u32;
            if let Some(residual) = residue.get_mut(position) {
                residual.end = end;
            }
            if !node.stateful && (child_fires || !node.noalert) {
                return true;
            }
        }
        false
    }
}

/// Puts program names into classes by the patterns they fit.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    generation: u32,
    /// Class by the program's number.
    of_program: Vec<Option<u32>>,
    /// The patterns that fit, by class.
    fitting: Vec<Vec<PatternId>>,
}

impl Classes {
    fn class(
        &mut self,
        decoded: &Decoded,
        policy: &Policy,
        search: &mut pattern::Scratch,
    ) -> ProgramClass {
        let Some(name) = decoded.program_name() else { return ProgramClass::None };
        let ProgramKey { generation, number } = decoded.program;
        if number == 0 {
            return ProgramClass::Unresolved;
        }
        if generation != self.generation {
            self.of_program.clear();
            self.generation = generation;
        }
        let number = number as usize;
        if let Some(&Some(class)) = self.of_program.get(number) {
            return ProgramClass::Known(class);
        }
        let fitting: Vec<PatternId> = policy
            .program_patterns
            .iter()
            .copied()
            .filter(|&pattern| policy.ruleset.patterns.is_match(pattern, name, search))
            .collect();
        let known = self.fitting.iter().position(|other| *other == fitting);
        if known.is_none() && self.fitting.len() >= CLASSES_MAX {
            return ProgramClass::Unresolved;
        }
        let class = known.unwrap_or_else(|| {
            self.fitting.push(fitting);
            self.fitting.len() - 1
        }) as u32;
        if number >= self.of_program.len() {
            self.of_program.resize(number + 1, None);
        }
        if let Some(slot) = self.of_program.get_mut(number) {
            *slot = Some(class);
        }
        ProgramClass::Known(class)
    }

    fn fits(&self, class: ProgramClass, pattern: PatternId) -> bool {
        match class {
            ProgramClass::Known(class) => {
                self.fitting.get(class as usize).is_some_and(|fitting| fitting.contains(&pattern))
            }
            ProgramClass::None | ProgramClass::Unresolved => false,
        }
    }
}
