//! A rule with the number of one of OSSEC's has its level, parents, counting and groups, and the decoders
//! have its names.

use std::collections::{BTreeMap, BTreeSet};

use rules::ruleset::Rule;

use crate::policy::{self, Loaded};
use crate::tables;

/// Ids by id.
type Links = BTreeMap<u32, BTreeSet<u32>>;

/// What of OSSEC's rules is another here, by rule: the words of the table.
fn differences(ours: &Loaded, theirs: &Loaded) -> BTreeMap<u32, String> {
    let known: BTreeSet<u32> = theirs.policy.ruleset.rules.iter().map(|rule| rule.id).collect();
    let (our_parents, their_parents) = (links(ours, parents), links(theirs, parents));
    let (our_counted, their_counted) = (links(ours, counted), links(theirs, counted));
    let mut differences = BTreeMap::new();
    for their in &theirs.policy.ruleset.rules {
        let id = their.id;
        let Some(our) = ours.policy.ruleset.find(id) else {
            differences.insert(id, "missing".to_owned());
            continue;
        };
        // Rules that OSSEC does not have may be parents, or be counted, by their groups.
        let same = |ours: &Links, theirs: &Links| {
            let of = |links: &Links| links.get(&id).cloned().unwrap_or_default();
            of(ours).intersection(&known).eq(&of(theirs))
        };
        let alike = [
            ("level", our.level == their.level),
            ("parents", same(&our_parents, &their_parents)),
            ("frequency", our.frequency == their.frequency),
            ("timeframe", timeframe(our) == timeframe(their)),
            ("counts", same(&our_counted, &their_counted)),
            ("ignore", our.ignore_seconds == their.ignore_seconds),
            ("noalert", our.noalert == their.noalert),
            ("groups", has_groups_of(our, their)),
        ];
        let words: Vec<&str> =
            alike.iter().filter(|(_, alike)| !alike).map(|(word, _)| *word).collect();
        if !words.is_empty() {
            differences.insert(id, words.join(", "));
        }
    }
    differences
}

fn links(of: &Loaded, link: fn(&Loaded, &Rule) -> Vec<(u32, u32)>) -> Links {
    let mut links = Links::new();
    for (from, to) in of.policy.ruleset.rules.iter().flat_map(|rule| link(of, rule)) {
        links.entry(from).or_default().insert(to);
    }
    links
}

/// The rules below this one, with it.
fn parents(of: &Loaded, rule: &Rule) -> Vec<(u32, u32)> {
    let rules = &of.policy.ruleset;
    rule.children.iter().map(|&child| (rules.rule(child).id, rule.id)).collect()
}

/// The rules that count this one, with it.
fn counted(of: &Loaded, rule: &Rule) -> Vec<(u32, u32)> {
    let rules = &of.policy.ruleset;
    rule.counted_by.iter().map(|&by| (rules.rule(by).id, rule.id)).collect()
}

fn timeframe(rule: &Rule) -> Option<u32> {
    rule.correlation.as_ref().map(|correlation| correlation.timeframe)
}

/// Whether ours has all groups of theirs. Where a comma is missing in OSSEC's files, two names have
/// grown together; then both are wanted.
fn has_groups_of(our: &Rule, their: &Rule) -> bool {
    let ours: Vec<&str> = our.groups.split(',').map(str::trim).collect();
    let has = |name: &str| {
        let is_grown = |pair: &[&str]| name.strip_prefix(pair[0]) == Some(pair[1]);
        ours.contains(&name) || ours.windows(2).any(is_grown)
    };
    their.groups.split(',').map(str::trim).all(has)
}

#[test]
fn rules_of_one_number_are_alike() {
    let Some(theirs) = policy::ossec() else { return };
    let found = differences(policy::ours(), theirs);
    let mut listed = BTreeMap::new();
    for row in tables::rows("Rules that differ") {
        for id in tables::numbers(&row[0]) {
            assert!(!row[3].is_empty(), "{id} has no reason");
            assert_eq!(listed.insert(id, row[1].clone()), None, "{id} is listed twice");
        }
    }
    tables::assert_exact(&listed, &found);
}

/// What local decoders name as their parent, local rules in `decoded_as`, and alerts show.
#[test]
fn every_decoder_that_is_shown_has_its_name() {
    let Some(theirs) = policy::ossec() else { return };
    let shown = |of: &Loaded| -> BTreeSet<String> {
        of.policy.decoders.iter().map(|decoder| decoder.name.clone()).collect()
    };
    let (ours, theirs) = (shown(policy::ours()), shown(theirs));
    let missing: Vec<&String> = theirs.difference(&ours).collect();
    assert!(theirs.len() > 80 && missing.is_empty(), "missing of {}: {missing:?}", theirs.len());
}
