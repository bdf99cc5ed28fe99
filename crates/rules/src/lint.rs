//! Warnings about rules that load but do not do what they look like.
//!
//! Each finding is a fact, not a taste: a rule named here cannot match, or text in it has no
//! effect. Facts that show in a single option are reported while it is read; those that need the
//! whole tree are found here.

use crate::load::DecoderFacts;
use crate::messages;
use crate::ruleset::{Condition, CorrelationOver, Rule, RuleIndex, Ruleset};
use hashbrown::HashMap;
use model::{Category, DecoderId, Diagnostic};
use pattern::Language;

/// Sets of decoders or categories up to this size are followed through the tree.
const FOLLOWED_MAX: usize = 16;
/// Siblings up to this number are compared with one another.
const SIBLINGS_COMPARED_MAX: usize = 2000;

/// Looks for rules that cannot match and for rules that tell nothing. `decoder_ids` and `decoders`
/// are those the rules were loaded with; without facts about decoders their checks are left out.
pub fn lint(
    ruleset: &Ruleset,
    decoder_ids: &dyn Fn(&[u8]) -> Option<DecoderId>,
    decoders: &[DecoderFacts<'_>],
) -> Vec<Diagnostic> {
    let mut decoders_by_id: HashMap<DecoderId, Vec<&DecoderFacts<'_>>> = HashMap::new();
    for facts in decoders {
        if let Some(id) = decoder_ids(facts.name.as_bytes()) {
            decoders_by_id.entry(id).or_default().push(facts);
        }
    }
    let mut lint = Lint {
        ruleset,
        parents: parents(ruleset),
        decoders: decoders_by_id,
        dead: vec![false; ruleset.rules.len()],
        findings: Vec::new(),
    };
    lint.follow_tree();
    lint.find_shadowed();
    lint.find_silent();
    lint.findings.sort_by_key(|finding| finding.at);
    lint.findings
}

/// The greedy catch-all that a pattern begins with before something else.
pub(crate) fn leading_catch_all(language: Language, text: &[u8]) -> Option<&'static str> {
    let (starts, lazy): (&[&'static str], &[u8]) = match language {
        Language::Match => return None,
        Language::Regex => (&["\\.*", "\\.+"], b""),
        Language::Pcre2 => (&[".*", ".+"], b"?+|"),
    };
    starts.iter().copied().find(|start| {
        let rest = text.strip_prefix(start.as_bytes());
        rest.and_then(<[u8]>::first).is_some_and(|next| !lazy.contains(next) && *next != b'|')
    })
}

struct Lint<'a> {
    ruleset: &'a Ruleset,
    parents: Vec<Vec<RuleIndex>>,
    decoders: HashMap<DecoderId, Vec<&'a DecoderFacts<'a>>>,
    /// Rules found to match never, and the rules that hang below such rules only.
    dead: Vec<bool>,
    findings: Vec<Diagnostic>,
}

/// What the events can be that reach a rule.
#[derive(Clone, Debug, PartialEq)]
enum Reach<T> {
    All,
    Some(Vec<T>),
}

impl<T: Clone + PartialEq> Reach<T> {
    fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Some(these), Self::Some(those)) => {
                for value in those {
                    if !these.contains(value) {
                        these.push(value.clone());
                    }
                }
                if these.len() > FOLLOWED_MAX {
                    *self = Self::All;
                }
            }
        }
    }

    fn allows(&self, value: &T) -> bool {
        match self {
            Self::All => true,
            Self::Some(values) => values.contains(value),
        }
    }
}

struct Reached {
    decoders: Reach<DecoderId>,
    categories: Reach<Category>,
    actions: Reach<Vec<u8>>,
}

impl Lint<'_> {
    fn report(&mut self, rule: &Rule, finding: Diagnostic) {
        let (source, span) = rule.at;
        self.findings.push(finding.at(source, span));
    }

    fn kill(&mut self, index: RuleIndex, finding: Diagnostic) {
        let ruleset = self.ruleset;
        self.dead[index.0 as usize] = true;
        self.report(ruleset.rule(index), finding);
    }

    /// Follows what can reach each rule from the templates down. Parents come before children.
    fn follow_tree(&mut self) {
        let mut reached: Vec<Reached> = Vec::with_capacity(self.ruleset.rules.len());
        for (position, rule) in self.ruleset.rules.iter().enumerate() {
            let index = RuleIndex(position as u32);
            let parents = std::mem::take(&mut self.parents[position]);
            let living: Vec<&RuleIndex> =
                parents.iter().filter(|parent| !self.dead[parent.0 as usize]).collect();
            let mut reach = if parents.is_empty() {
                Reached {
                    decoders: Reach::All,
                    categories: Reach::Some(vec![rule.category]),
                    actions: Reach::All,
                }
            } else {
                let mut reach = Reached {
                    decoders: Reach::Some(Vec::new()),
                    categories: Reach::Some(Vec::new()),
                    actions: Reach::Some(Vec::new()),
                };
                for parent in &living {
                    let above = &reached[parent.0 as usize];
                    reach.decoders.join(&above.decoders);
                    reach.categories.join(&above.categories);
                    reach.actions.join(&above.actions);
                }
                reach
            };
            if !parents.is_empty() && living.is_empty() {
                // Its parents were reported; one finding for a branch is enough.
                self.dead[position] = true;
            } else if let Some(finding) = self.contradiction(rule, &mut reach) {
                self.kill(index, finding);
            } else if let Some(finding) = self.counts_nothing(rule) {
                self.kill(index, finding);
            }
            self.parents[position] = parents;
            reached.push(reach);
        }
    }

    /// Narrows what reaches a rule by its own conditions, until nothing is left.
    fn contradiction(&self, rule: &Rule, reach: &mut Reached) -> Option<Diagnostic> {
        for condition in &rule.conditions {
            match condition {
                Condition::DecodedAs(decoder) => {
                    if let Some(finding) = self.unreported(rule, *decoder, reach) {
                        return Some(finding);
                    }
                    if !reach.decoders.allows(decoder) {
                        return Some(messages::contradicts_parents(rule.id, "decoder"));
                    }
                    reach.decoders = Reach::Some(vec![*decoder]);
                }
                Condition::Action(action) => {
                    if !reach.actions.allows(action) {
                        return Some(messages::contradicts_parents(rule.id, "action"));
                    }
                    reach.actions = Reach::Some(vec![action.clone()]);
                }
                Condition::Text { .. }
                | Condition::Dynamic { .. }
                | Condition::SrcIp(_)
                | Condition::DstIp(_)
                | Condition::Compiled(_)
                | Condition::SizeAtLeast(_)
                | Condition::TimeOfDay(_)
                | Condition::Weekday(_)
                | Condition::Changed
                | Condition::FirstSeen
                | Condition::List(_) => {}
            }
        }
        None
    }

    /// Whether no event that reaches the rule can carry this decoder.
    fn unreported(&self, rule: &Rule, decoder: DecoderId, reach: &Reached) -> Option<Diagnostic> {
        let facts = self.decoders.get(&decoder)?;
        let first = facts.first()?;
        if !facts.iter().any(|facts| facts.reported) {
            return Some(messages::decoder_not_reported(rule.id, first.name));
        }
        let Reach::Some(categories) = &reach.categories else {
            return None;
        };
        let known = facts.iter().all(|facts| !facts.categories.is_empty());
        let made = |category| facts.iter().any(|facts| facts.categories.contains(category));
        match categories.as_slice() {
            [category] if known && !made(category) => {
                Some(messages::decoder_of_other_category(rule.id, first.name, *category))
            }
            _ => None,
        }
    }

    /// Whether the events a rule counts are never remembered: those of level 0 are not.
    fn counts_nothing(&self, rule: &Rule) -> Option<Diagnostic> {
        match rule.correlation.as_ref()?.over {
            CorrelationOver::Sid(target) => {
                let target = self.ruleset.rule(target);
                (target.level == 0).then(|| {
                    let what = format!("rule {} has level 0 and", target.id);
                    messages::counts_nothing(rule.id, &what)
                })
            }
            CorrelationOver::Group | CorrelationOver::Text(_) => None,
        }
    }

    /// Finds rules whose elder siblings leave them nothing, wherever they hang.
    fn find_shadowed(&mut self) {
        let ruleset = self.ruleset;
        let mut shadowed_in = vec![0_usize; ruleset.rules.len()];
        let mut shadowed_by: HashMap<RuleIndex, RuleIndex> = HashMap::new();
        for parent in &ruleset.rules {
            if parent.children.len() > SIBLINGS_COMPARED_MAX {
                continue;
            }
            let mut greedy: Vec<RuleIndex> = Vec::new();
            for &child in &parent.children {
                let rule = ruleset.rule(child);
                let by = greedy
                    .iter()
                    .find(|elder| wants_no_more(&ruleset.rule(**elder).conditions, rule, parent));
                match by {
                    Some(&elder) => {
                        shadowed_in[child.0 as usize] += 1;
                        shadowed_by.insert(child, elder);
                    }
                    None if keeps_events(rule) && !self.dead[child.0 as usize] => {
                        greedy.push(child);
                    }
                    None => {}
                }
            }
        }
        for (position, rule) in ruleset.rules.iter().enumerate() {
            let index = RuleIndex(position as u32);
            let everywhere = shadowed_in[position] == self.parents[position].len();
            if let Some(by) = shadowed_by.get(&index).filter(|_| everywhere)
                && !self.dead[position]
            {
                self.kill(index, messages::shadowed(rule.id, ruleset.rule(*by).id));
            }
        }
    }

    /// Finds rules that nobody will hear of.
    fn find_silent(&mut self) {
        let ruleset = self.ruleset;
        for (position, rule) in ruleset.rules.iter().enumerate() {
            let is_root = self.parents[position].is_empty();
            if rule.noalert && rule.children.is_empty() && !is_root && !self.dead[position] {
                self.report(rule, messages::noalert_leaf(rule.id));
            }
            if rule.description.trim().is_empty() {
                self.report(rule, messages::no_description(rule.id));
            }
        }
    }
}

/// Whether an event that meets the conditions of `rule` and of `parent` above it meets these too.
fn wants_no_more(conditions: &[Condition], rule: &Rule, parent: &Rule) -> bool {
    conditions.iter().all(|wanted| {
        rule.conditions.iter().chain(&parent.conditions).any(|given| implies(given, wanted))
    })
}

fn implies(given: &Condition, wanted: &Condition) -> bool {
    match (given, wanted) {
        (Condition::SizeAtLeast(given), Condition::SizeAtLeast(wanted)) => given >= wanted,
        (given, wanted) => given == wanted,
    }
}

/// Whether no younger sibling sees an event that meets the rule's conditions.
fn keeps_events(rule: &Rule) -> bool {
    !rule.noalert
        && rule.correlation.is_none()
        && !rule.conditions.iter().any(Condition::is_stateful)
}

fn parents(ruleset: &Ruleset) -> Vec<Vec<RuleIndex>> {
    let mut parents = vec![Vec::new(); ruleset.rules.len()];
    for (position, rule) in ruleset.rules.iter().enumerate() {
        for child in &rule.children {
            parents[child.0 as usize].push(RuleIndex(position as u32));
        }
    }
    parents
}
