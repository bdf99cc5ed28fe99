//! The same answer as screening and judging give, found step by step and told to somebody.
//!
//! Every rule is tried in its place, without plan or gate, so this is also what the fast path is
//! tested against.

use std::sync::Arc;

use decode::{DecodeTrace, Decoded};
use model::Event;
use rules::ruleset::{Rule, RuleIndex};

use crate::judge::Judge;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::screen::Screener;
use crate::test::holds;

/// Who is told what is tried.
pub trait Trace: DecodeTrace {
    /// All that could be decoded is known; rules come next.
    fn decoded(&mut self, decoded: &Decoded, policy: &Policy);
    /// A rule was tried.
    fn rule(&mut self, rule: &Rule, tried: Tried);
    /// The rules below a rule that matched are tried next.
    fn children(&mut self, rule: &Rule);
}

/// What came of trying a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Matched,
    /// The condition at this position among the rule's does not hold.
    Fails(usize),
    /// Something remembered stands against it: too few events counted, nothing new.
    FailsByHistory,
}

impl Judge {
    /// Says what an event means and tells `trace` how that was found.
    pub fn explain(
        &mut self,
        event: Event,
        screener: &mut Screener,
        trace: &mut impl Trace,
    ) -> Outcome {
        let screened = screener.decode(event, trace);
        let policy = Arc::clone(&self.policy);
        let screened = match self.before_rules(screened, screener) {
            Ok(screened) => screened,
            Err(outcome) => return outcome,
        };
        trace.decoded(&screened.decoded, &policy);
        let rule = match screened.decoded.relayed_rule {
            Some(id) => policy.ruleset.by_id.get(&id).copied(),
            None => policy.ruleset.roots.iter().copied().find_map(|root| {
                if policy.ruleset.rule(root).category != screened.decoded.category {
                    return None;
                }
                self.try_rule(root, &screened.decoded, screener, trace)
            }),
        };
        self.conclude(screened, rule, screener)
    }

    fn try_rule(
        &mut self,
        index: RuleIndex,
        decoded: &Decoded,
        screener: &mut Screener,
        trace: &mut impl Trace,
    ) -> Option<RuleIndex> {
        let policy = Arc::clone(&self.policy);
        let rule = policy.ruleset.rule(index);
        let fails = rule
            .conditions
            .iter()
            .position(|condition| !holds(condition, decoded, &policy, &mut screener.search));
        if let Some(position) = fails {
            trace.rule(rule, Tried::Fails(position));
            return None;
        }
        if !self.stateful_tests(index, decoded, screener) {
            trace.rule(rule, Tried::FailsByHistory);
            return None;
        }
        trace.rule(rule, Tried::Matched);
        if !rule.children.is_empty() {
            trace.children(rule);
        }
        rule.children
            .iter()
            .find_map(|&child| self.try_rule(child, decoded, screener, trace))
            .or((!rule.noalert).then_some(index))
    }
}
