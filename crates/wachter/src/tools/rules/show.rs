//! Rules for a person who looks at a terminal.

use std::fmt::Write;

use rules::ruleset::{Correlation, CorrelationOver, Rule};

use super::examples::Examples;
use super::{Filter, Loaded, groups, technique, techniques};

/// One line for each rule.
pub(super) fn list(loaded: &Loaded, filter: &Filter) -> String {
    let line = |rule: &Rule| format!("{:>6}  {:>2}  {}\n", rule.id, rule.level, rule.description);
    loaded.rules(filter).map(line).collect()
}

/// All about one rule.
pub(super) fn one(rule: &Rule, loaded: &Loaded, examples: &Examples) -> String {
    let rules = &loaded.policy.ruleset;
    let place = loaded.sources.get(rule.at.0).map_or_else(String::new, |source| {
        format!("{}:{}", source.name, source.position(rule.at.1.start).0)
    });
    let parents = rules
        .rules
        .iter()
        .filter(|parent| parent.children.iter().any(|&child| rules.rule(child).id == rule.id));
    let names = groups(rule).filter(|group| technique(group).is_none());
    let mut out = format!("rule {}, level {}: {}\n", rule.id, rule.level, rule.description);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            // A text in memory can always be written to.
            let _ = writeln!(out, "  {name:<10}{value}");
        }
    };
    row("file", place);
    row("groups", names.collect::<Vec<_>>().join(", "));
    row("MITRE", techniques(rule));
    row("below", ids(parents));
    row("above", ids(rule.children.iter().map(|&child| rules.rule(child))));
    row("fires", rule.correlation.as_ref().map_or_else(String::new, |it| counting(it, loaded)));
    if rule.ignore_seconds > 0 {
        row("silent", format!("for {} seconds after an alert", rule.ignore_seconds));
    }
    if rule.noalert {
        row("alert", "never; it only groups the rules above it".to_owned());
    }
    for line in examples.of(rule.id) {
        row("line", line.clone());
    }
    out
}

/// What a counting rule waits for: `on event 8 of rule 5716 within 120 seconds`.
pub(super) fn counting(correlation: &Correlation, loaded: &Loaded) -> String {
    let of = match correlation.over {
        CorrelationOver::Sid(rule) => format!("rule {}", loaded.policy.ruleset.rule(rule).id),
        CorrelationOver::Group => "a group".to_owned(),
        CorrelationOver::Text(_) => "a text".to_owned(),
    };
    let number = u64::from(correlation.frequency) + 2;
    format!("on event {number} of {of} within {} seconds", correlation.timeframe)
}

fn ids<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    rules.map(|rule| rule.id.to_string()).collect::<Vec<_>>().join(", ")
}
