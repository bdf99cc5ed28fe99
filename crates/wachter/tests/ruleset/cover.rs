//! Each rule has a line in a case that fires it, and a near miss: a line that has at least half its
//! words in common with one that fires it, and does not. For a rule that counts it is a line that is
//! counted and not the last one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use engine::Options;
use model::Queue;
use rules::ruleset::Rule;
use testkit::case::{Case, Setting, Step};

use crate::policy::{self, Loaded};
use crate::tables;

/// Ids from here on are rules, below are the roots of the tree.
const RULES_FROM: u32 = 10;

/// Rules that lack something, and why.
const EXCEPTIONS: &[(&[u32], &str, &str)] = &[
    (&[1003], "near miss", "its line is a single long word"),
    (&[4330, 4331, 4332], "line", "4333 below them takes all"),
    (&[4700], "line", "each severity of IOS has a rule below it"),
    (&[11310], "line", "uploads and downloads have rules below it, and there is nothing else"),
    (
        &[18128],
        "line",
        "OSSEC has it among the rules for lines of syslog, which are not of Windows",
    ),
    (&[18143, 18144], "line", "18114 above them asks for other numbers"),
    (&[18155], "line", "it counts 18102, which has level 0 and is never counted"),
    (&[31401, 31404], "line", "31410 below them takes all"),
    (&[31402, 31405], "line", "31420 below them takes all"),
    (&[31403, 31406], "line", "31430 below them takes all"),
];

/// The words of a log, as sorted numbers.
type Words = Vec<usize>;

/// A line of a case and its final rule.
struct Line {
    words: Words,
    rule: Option<u32>,
}

/// The lines of all cases, in their order.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    numbers: HashMap<Vec<u8>, usize>,
}

impl Lines {
    fn read() -> Self {
        let mut lines = Self::default();
        let entries = fs::read_dir(policy::dir().join("cases")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            lines.add(&Case::read(&path).unwrap());
        }
        lines
    }

    fn add(&mut self, case: &Case) {
        assert!(case.rules.is_empty() && case.decoders.is_empty(), "rules beside the rule set");
        let loaded = match case.settings[..] {
            [] => policy::ours(),
            [Setting::NoFirewallActions] => {
                let usual = policy::logtest_options();
                &policy::load_ours(Options { normalise_firewall: false, ..usual })
            }
            _ => panic!("unexpected {:?}", case.settings),
        };
        let mut engine = loaded.engine();
        for input in case.steps.iter().flat_map(Step::inputs) {
            // What is told of a file is not what came.
            let is_of_file = input.event.queue == Queue::Syscheck;
            let line = input.event.line.clone();
            let outcome = engine.process(input.event);
            let log = outcome.decoded().filter(|_| !is_of_file).map(|decoded| decoded.log());
            let words = self.words(log.unwrap_or(&line));
            let rule = policy::rule(&outcome, &loaded.policy).map(|(id, _)| id);
            self.lines.push(Line { words, rule });
        }
    }

    fn words(&mut self, log: &[u8]) -> Words {
        let log = log.to_ascii_lowercase();
        let words = log.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
        let mut numbers = Words::new();
        for word in words.filter(|word| !word.is_empty()) {
            let next = self.numbers.len();
            numbers.push(*self.numbers.entry(word.to_owned()).or_insert(next));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// What a rule lacks.
    fn lacks(&self, rule: &Rule, family: &BTreeSet<u32>, counted: &BTreeSet<u32>) -> Option<&str> {
        let fires = |line: &&Line| line.rule == Some(rule.id);
        let mut fired = self.lines.iter().filter(fires).peekable();
        if fired.peek().is_none() {
            return Some("line");
        }
        let is_of =
            |line: &Line, ids: &BTreeSet<u32>| line.rule.is_some_and(|id| ids.contains(&id));
        let is_near_miss = |line: &Line, fired: &Line| {
            !is_of(line, family) && (is_of(line, counted) || are_near(&line.words, &fired.words))
        };
        let has = fired.any(|fired| self.lines.iter().any(|line| is_near_miss(line, fired)));
        (!has).then_some("near miss")
    }
}

/// Whether at least half of the words of the longer one are common.
fn are_near(left: &[usize], right: &[usize]) -> bool {
    let common = left.iter().filter(|word| right.binary_search(word).is_ok()).count();
    common * 2 >= left.len().max(right.len())
}

/// A rule and all below it.
fn family(of: &Loaded, rule: &Rule) -> BTreeSet<u32> {
    let mut ids = BTreeSet::from([rule.id]);
    let mut open = vec![rule];
    while let Some(rule) = open.pop() {
        for &child in &rule.children {
            let child = of.policy.ruleset.rule(child);
            if ids.insert(child.id) {
                open.push(child);
            }
        }
    }
    ids
}

/// The rules whose events each rule counts.
fn counted(of: &Loaded) -> BTreeMap<u32, BTreeSet<u32>> {
    let rules = &of.policy.ruleset;
    let mut counted: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for rule in &rules.rules {
        for &by in &rule.counted_by {
            counted.entry(rules.rule(by).id).or_default().insert(rule.id);
        }
    }
    counted
}

#[test]
fn every_rule_has_a_line_and_a_near_miss() {
    let ours = policy::ours();
    let (lines, counted, none) = (Lines::read(), counted(ours), BTreeSet::new());
    let mut found = BTreeMap::new();
    for rule in ours.policy.ruleset.rules.iter().filter(|rule| rule.id >= RULES_FROM) {
        // What only groups the rules below it never fires.
        if rule.noalert {
            continue;
        }
        let counted = counted.get(&rule.id).unwrap_or(&none);
        if let Some(lacking) = lines.lacks(rule, &family(ours, rule), counted) {
            found.insert(rule.id, lacking);
        }
    }
    let mut listed = BTreeMap::new();
    for (ids, lacking, _) in EXCEPTIONS {
        listed.extend(ids.iter().map(|&id| (id, *lacking)));
    }
    tables::assert_exact(&listed, &found);
}
