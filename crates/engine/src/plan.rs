//! Which rules can fit an event of a certain decoder and program, worked out once.
//!
//! A plan is the rule tree without the rules that ask for another decoder, another category or
//! another program, together with one literal gate for the patterns of all that is left. It is made
//! when the first such event comes and kept.

use std::collections::VecDeque;

use decode::Decoded;
use hashbrown::HashMap;
use model::{Category, DecoderId, Field};
use pattern::{Gate, GateBuilder, Hit, Hits, Slot};
use rules::ruleset::{Condition, RuleIndex, Subject};

use crate::policy::Policy;

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlanKey {
    pub(crate) category: Category,
    pub(crate) decoder: Option<DecoderId>,
    pub(crate) program: ProgramClass,
}

/// All program names that the same patterns fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ProgramClass {
    /// Events without a program name.
    None,
    /// The names that fit just the patterns of [`crate::screen::Classes`] under this number.
    Known(u32),
    /// Names that are not remembered; patterns are tried each time.
    Unresolved,
}

/// Rules in the order of trying. Those below one rule stand side by side: a [`Block`].
#[derive(Debug)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    checks: Vec<u16>,
    pub(crate) roots: Block,
    log_gate: Gate,
    url_gate: Gate,
    /// Nodes that no gate decides.
    ungated: Hits,
}

/// Nodes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// One rule below one parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) rule: RuleIndex,
    pub(crate) children: Block,
    /// Range in [`Plan::checks`].
    checks: (u32, u32),
    /// What the rule says depends on what is remembered.
    pub(crate) stateful: bool,
    pub(crate) noalert: bool,
}

impl Plan {
    /// `fits` tells whether the class's program names fit a program-name pattern.
    pub(crate) fn new(
        policy: &Policy,
        key: PlanKey,
        fits: &dyn Fn(pattern::PatternId) -> bool,
    ) -> Self {
        let mut planner = Planner { policy, key, fits, nodes: Vec::new(), checks: Vec::new() };
        let ruleset = &policy.ruleset;
        let roots: Vec<RuleIndex> = ruleset
            .roots
            .iter()
            .copied()
            .filter(|&root| ruleset.rule(root).category == key.category)
            .collect();
        let mut gates = Gates::default();
        let mut blocks: HashMap<RuleIndex, Block> = HashMap::new();
        let roots = planner.block(&roots, &mut gates);
        let mut open: VecDeque<RuleIndex> = planner.rules(roots).collect();
        while let Some(rule) = open.pop_front() {
            if !blocks.contains_key(&rule) {
                let block = planner.block(&ruleset.rule(rule).children, &mut gates);
                blocks.insert(rule, block);
                open.extend(planner.rules(block));
            }
        }
        for node in &mut planner.nodes {
            node.children = blocks.get(&node.rule).copied().unwrap_or_default();
        }
        let mut ungated = Hits::default();
        ungated.clear(planner.nodes.len());
        for slot in gates.ungated {
            ungated.insert(slot);
        }
        Self {
            nodes: planner.nodes,
            checks: planner.checks,
            roots,
            log_gate: gates.log.build(),
            url_gate: gates.url.build(),
            ungated,
        }
    }

    pub(crate) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The conditions that are left to test of a node's rule, as positions among its conditions.
    pub(crate) fn checks(&self, node: &Node) -> &[u16] {
        let (from, to) = node.checks;
        self.checks.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Which nodes the event's texts leave in question.
    pub(crate) fn candidates(&self, decoded: &Decoded, hits: &mut Hits) {
        hits.copy_from(&self.ungated);
        self.log_gate.scan(decoded.log(), hits);
        if let Some(url) = decoded.field(Field::Url) {
            self.url_gate.scan(url, hits);
        }
    }
}

#[derive(Default)]
struct Gates {
    log: GateBuilder,
    url: GateBuilder,
    ungated: Vec<Slot>,
}

struct Planner<'a> {
    policy: &'a Policy,
    key: PlanKey,
    fits: &'a dyn Fn(pattern::PatternId) -> bool,
    nodes: Vec<Node>,
    checks: Vec<u16>,
}

/// Nodes that may be gated: slots are 16 bits wide.
const GATED_MAX: usize = 60_000;

impl Planner<'_> {
    fn rules(&self, block: Block) -> impl Iterator<Item = RuleIndex> {
        self.nodes[block.start as usize..block.end as usize].iter().map(|node| node.rule)
    }

    /// Adds the rules of one level that can fit.
    fn block(&mut self, rules: &[RuleIndex], gates: &mut Gates) -> Block {
        let start = self.nodes.len() as u32;
        for &rule in rules {
            self.node(rule, gates);
        }
        Block { start, end: self.nodes.len() as u32 }
    }

    fn node(&mut self, index: RuleIndex, gates: &mut Gates) {
        let rule = self.policy.ruleset.rule(index);
        let first_check = self.checks.len();
        for (position, condition) in rule.conditions.iter().enumerate() {
            match self.decided(condition) {
                Some(false) => {
                    self.checks.truncate(first_check);
                    return;
                }
                Some(true) => {}
                None => self.checks.push(position as u16),
            }
        }
        self.gate(index, first_check, gates);
        self.nodes.push(Node {
            rule: index,
            children: Block::default(),
            checks: (first_check as u32, self.checks.len() as u32),
            stateful: rule.correlation.is_some()
                || rule.conditions.iter().any(Condition::is_stateful),
            noalert: rule.noalert,
        });
    }

    /// The answer to a condition, as far as the plan's key gives it.
    fn decided(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::DecodedAs(id) => Some(self.key.decoder == Some(*id)),
            Condition::Text { subject: Subject::ProgramName, pattern } => match self.key.program {
                ProgramClass::None => Some(false),
                ProgramClass::Known(_) => Some((self.fits)(*pattern)),
                ProgramClass::Unresolved => None,
            },
            Condition::Dynamic { name, .. } => {
                let known = self.policy.dynamic_fields.contains_key(name.as_slice());
                if known { None } else { Some(false) }
            }
            Condition::Text { .. }
            | Condition::Action(_)
            | Condition::SrcIp(_)
            | Condition::DstIp(_)
            | Condition::Compiled(_)
            | Condition::SizeAtLeast(_)
            | Condition::TimeOfDay(_)
            | Condition::Weekday(_)
            | Condition::Changed
            | Condition::FirstSeen
            | Condition::List(_) => None,
        }
    }

    /// Puts the most telling pattern of a rule into a gate. Where the gate's answer is the whole
    /// answer, there is nothing left to check.
    fn gate(&mut self, index: RuleIndex, first_check: usize, gates: &mut Gates) {
        let slot = self.nodes.len();
        let rule = self.policy.ruleset.rule(index);
        let patterns = &self.policy.ruleset.patterns;
        let best = self.checks[first_check..]
            .iter()
            .enumerate()
            .filter_map(|(position, &check)| match rule.conditions.get(usize::from(check))? {
                Condition::Text { subject, pattern }
                    if matches!(subject, Subject::Log | Subject::Url) =>
                {
                    let exact = patterns.needles(*pattern).is_some_and(|needles| needles.exact);
                    Some((position, *subject, *pattern, exact))
                }
                _ => None,
            })
            .max_by_key(|&(.., exact)| exact);
        match best {
            Some((position, subject, pattern, _)) if slot < GATED_MAX => {
                let builder = if subject == Subject::Url { &mut gates.url } else { &mut gates.log };
                if builder.add(slot as Slot, patterns, pattern) == Hit::Match {
                    self.checks.remove(first_check + position);
                }
            }
            _ => gates.ungated.push(Slot::try_from(slot).unwrap_or(Slot::MAX)),
        }
    }
}
