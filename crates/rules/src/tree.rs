//! Links drafts into a tree.
//!
//! Rules are inserted one by one in load order. Where a rule hangs depends on the rules loaded
//! before it, so nothing here looks ahead except to explain an error.

use crate::draft::{Counting, CountingOver, Draft, Place, Rank};
use crate::findings::Findings;
use crate::messages;
use crate::ruleset::{Correlation, CorrelationOver, Rule, RuleIndex, Ruleset};
use hashbrown::HashMap;
use model::limits::{DIAGNOSTICS_MAX, RULE_DEPTH_MAX};
use model::{Category, Diagnostic, SourceId, Sources, Span};
use pattern::{PatternSet, Scratch};

/// Places in the tree that one rule may have: a rule below several others counts once for each of
/// their places. It bounds the work of walking the tree.
pub const RULE_PLACES_MAX: u64 = 1 << 20;

/// What an overwrite calls itself where options have names.
const OVERWRITE: &str = "overwrite";

/// Ids below this are templates.
const TEMPLATE_IDS_END: u32 = 10;

/// Links drafts. `complete` tells whether all files could be read to their ends.
pub(crate) fn link(
    drafts: Vec<Draft>,
    complete: bool,
    sources: &Sources,
    patterns: &PatternSet,
    findings: &mut Findings,
) -> Ruleset {
    let mut tree = Tree {
        ruleset: Ruleset::default(),
        nodes: Vec::new(),
        reordered: false,
        left_out: HashMap::new(),
        templates_missed: Vec::new(),
        written: drafts.iter().rev().map(|draft| (draft.rule.id, draft.rule.at)).collect(),
        complete,
        sources,
        patterns,
        scratch: Scratch::default(),
        findings,
    };
    for draft in drafts {
        tree.insert(draft);
    }
    tree.finish()
}

struct Tree<'a> {
    ruleset: Ruleset,
    /// What is known about each rule beyond the rule; same positions.
    nodes: Vec<Node>,
    /// Whether an overwrite changed a rank, so that siblings may be out of order.
    reordered: bool,
    /// Rules that are left out because of an error, with their groups.
    left_out: HashMap<u32, String>,
    /// Categories whose missing template was reported.
    templates_missed: Vec<Category>,
    /// Where each id is written first, in all files.
    written: HashMap<u32, (SourceId, Span)>,
    complete: bool,
    sources: &'a Sources,
    patterns: &'a PatternSet,
    scratch: Scratch,
    findings: &'a mut Findings,
}

struct Node {
    rank: Rank,
    depth: usize,
    places: u64,
    parents: Vec<RuleIndex>,
    /// The rules that a correlation over groups counts.
    counted: Vec<RuleIndex>,
}

/// The rule cannot be used. Why has been reported.
struct LeftOut;

impl Tree<'_> {
    fn insert(&mut self, draft: Draft) {
        let id = draft.rule.id;
        let groups = draft.rule.groups.clone();
        let known = self.ruleset.by_id.contains_key(&id);
        let inserted = if !draft.sound {
            Err(LeftOut)
        } else if draft.overwrite {
            self.overwrite(draft)
        } else if known {
            let first = self.ruleset.find(id).map(|rule| rule.at);
            let finding = messages::duplicate_rule(id, first.and_then(|at| self.place_text(at)));
            self.report(finding, draft.rule.at.0, draft.id_at);
            Err(LeftOut)
        } else {
            self.add(draft)
        };
        if inserted.is_err() && !known {
            self.left_out.insert(id, groups);
        }
    }

    fn add(&mut self, draft: Draft) -> Result<(), LeftOut> {
        let index = RuleIndex(u32::try_from(self.ruleset.rules.len()).unwrap_or(u32::MAX));
        let Draft { mut rule, rank, place, counting, id_at, .. } = draft;
        let source = rule.at.0;
        let template = rule.id < TEMPLATE_IDS_END;
        let parents =
            if template { Vec::new() } else { self.parents(&mut rule, &place, counting.as_ref())? };
        let depth = parents.iter().map(|&parent| self.node(parent).depth).max().unwrap_or(0) + 1;
        let places = parents.iter().map(|&parent| self.node(parent).places);
        let places = places.fold(u64::from(template), u64::saturating_add);
        if depth > RULE_DEPTH_MAX {
            self.report(messages::too_deep(rule.id, RULE_DEPTH_MAX), source, id_at);
            return Err(LeftOut);
        }
        if places > RULE_PLACES_MAX {
            self.report(messages::too_many_places(rule.id, RULE_PLACES_MAX), source, id_at);
            return Err(LeftOut);
        }
        let (correlation, counted) = self.correlation(&rule, index, counting)?;
        rule.correlation = correlation;
        if template {
            self.ruleset.roots.push(index);
        }
        self.ruleset.by_id.insert(rule.id, index);
        self.ruleset.rules.push(rule);
        for &parent in &parents {
            self.hang(parent, index, rank);
        }
        self.nodes.push(Node { rank, depth, places, parents, counted });
        Ok(())
    }

    /// Puts a child behind its siblings of the same or a higher rank.
    fn hang(&mut self, parent: RuleIndex, child: RuleIndex, rank: Rank) {
        let siblings = &self.ruleset.rules[parent.0 as usize].children;
        let goes_before = |sibling: &RuleIndex| self.nodes[sibling.0 as usize].rank >= rank;
        let at = if self.reordered {
            let behind = siblings.iter().position(|sibling| !goes_before(sibling));
            behind.unwrap_or(siblings.len())
        } else {
            siblings.partition_point(goes_before)
        };
        self.ruleset.rules[parent.0 as usize].children.insert(at, child);
    }

    /// Puts new contents into a rule that stays where it is.
    fn overwrite(&mut self, draft: Draft) -> Result<(), LeftOut> {
        let Draft { mut rule, rank, place, counting, id_at, .. } = draft;
        let source = rule.at.0;
        let Some(&index) = self.ruleset.by_id.get(&rule.id) else {
            let finding = if self.left_out.contains_key(&rule.id) {
                messages::overwrite_left_out(rule.id)
            } else {
                self.unknown(OVERWRITE, &rule, rule.id)
            };
            self.report(finding, source, id_at);
            return Err(LeftOut);
        };
        self.check_overwrite_place(&rule, &place, index);
        let (correlation, counted) = self.correlation(&rule, index, counting)?;
        let old = &mut self.ruleset.rules[index.0 as usize];
        rule.correlation = correlation;
        rule.children = std::mem::take(&mut old.children);
        rule.category = old.category;
        *old = rule;
        let node = &mut self.nodes[index.0 as usize];
        self.reordered |= node.rank != rank;
        node.rank = rank;
        node.counted = counted;
        Ok(())
    }

    /// An overwrite that repeats the parents is fine; one that names others is told so.
    fn check_overwrite_place(&mut self, rule: &Rule, place: &Place, index: RuleIndex) {
        let source = rule.at.0;
        let parents: Vec<u32> =
            self.node(index).parents.iter().map(|&parent| self.ruleset.rule(parent).id).collect();
        let same = |ids: &[(u32, Span)]| {
            ids.len() == parents.len() && ids.iter().all(|(id, _)| parents.contains(id))
        };
        if let Some(&(_, at)) = place.if_sid.first()
            && !same(&place.if_sid)
        {
            self.report(messages::overwrite_keeps_place("if_sid", rule.id), source, at);
        }
        if let Some((category, at)) = place.category
            && category != self.ruleset.rule(index).category
        {
            self.report(messages::overwrite_keeps_place("category", rule.id), source, at);
        }
    }

    /// The rules a new rule hangs below. The category is that of the last one listed.
    fn parents(
        &mut self,
        rule: &mut Rule,
        place: &Place,
        counting: Option<&Counting>,
    ) -> Result<Vec<RuleIndex>, LeftOut> {
        let source = rule.at.0;
        let counted = counting.map(|counting| (&counting.over, counting.at));
        let placed = !place.if_sid.is_empty() || place.if_group.is_some();
        // Without if_sid and if_group, what is counted tells the parent.
        match counted {
            Some((CountingOver::Sid(id), at)) if !placed => {
                return self.below_rules(rule, place, "if_matched_sid", &[(*id, at)]);
            }
            _ if !place.if_sid.is_empty() => {
                return self.below_rules(rule, place, "if_sid", &place.if_sid);
            }
            Some(_) | None => {}
        }
        if let Some((level, at)) = place.if_level {
            return self.below_level(level, source, at);
        }
        if let Some((pattern, at)) = &place.if_group {
            return self.below_group(rule, "if_group", pattern, *at);
        }
        if let Some((CountingOver::Group { text, .. }, at)) = counted {
            return self.below_group(rule, "if_matched_group", text, at);
        }
        self.below_template(rule, place)
    }

    fn below_rules(
        &mut self,
        rule: &mut Rule,
        place: &Place,
        option: &'static str,
        ids: &[(u32, Span)],
    ) -> Result<Vec<RuleIndex>, LeftOut> {
        let source = rule.at.0;
        let mut parents = Vec::new();
        let mut failed = false;
        let mut missed = Vec::new();
        for &(id, at) in ids {
            if let Some(&parent) = self.ruleset.by_id.get(&id) {
                parents.push(parent);
            } else if self.left_out.contains_key(&id) {
                missed.push((id, at));
            } else {
                failed = true;
                let finding = self.unknown(option, rule, id);
                self.report(finding, source, at);
            }
        }
        failed |= parents.is_empty();
        for (id, at) in missed {
            let finding = if failed {
                messages::left_out_with(rule.id, id)
            } else {
                messages::parent_left_out(rule.id, id)
            };
            self.report(finding, source, at);
        }
        let Some(&last) = parents.last().filter(|_| !failed) else {
            return Err(LeftOut);
        };
        rule.category = self.ruleset.rule(last).category;
        if let Some((written, at)) = place.category
            && written != rule.category
        {
            let parent = self.ruleset.rule(last).id;
            let finding = messages::category_ignored(written, parent, rule.category);
            self.report(finding, source, at);
        }
        Ok(parents)
    }

    fn below_level(
        &mut self,
        level: u32,
        source: SourceId,
        at: Span,
    ) -> Result<Vec<RuleIndex>, LeftOut> {
        if level == 0 {
            // compat: the rule is dropped and loading goes on.
            self.report(messages::if_level_zero(), source, at);
            return Err(LeftOut);
        }
        // compat: rules of level 0 count as of the highest level, templates included.
        let parents = self.select(|rule| rule.level == 0 || u32::from(rule.level) >= level);
        if parents.is_empty() {
            self.report(messages::no_rule_of_level(level), source, at);
            return Err(LeftOut);
        }
        Ok(parents)
    }

    fn below_group(
        &mut self,
        rule: &Rule,
        option: &str,
        pattern: &[u8],
        at: Span,
    ) -> Result<Vec<RuleIndex>, LeftOut> {
        let fits = |groups: &str| pattern::word_match(pattern, groups.as_bytes());
        let parents = self.select(|other| fits(&other.groups));
        if !parents.is_empty() {
            return Ok(parents);
        }
        let finding = if self.left_out.values().any(|groups| fits(groups)) {
            messages::left_out_group(rule.id, pattern)
        } else {
            let readable = if self.has_room_for_hints() { self.ruleset.rules.len() } else { 0 };
            let rules = self.ruleset.rules.iter().take(readable);
            let known = rules.flat_map(|other| other.groups.split(','));
            messages::no_rule_in_group(option, pattern, known)
        };
        self.report(finding, rule.at.0, at);
        Err(LeftOut)
    }

    fn below_template(&mut self, rule: &Rule, place: &Place) -> Result<Vec<RuleIndex>, LeftOut> {
        let mut roots = self.ruleset.roots.iter().copied();
        if let Some(root) = roots.find(|&root| self.ruleset.rule(root).category == rule.category) {
            return Ok(vec![root]);
        }
        // Said once: without its templates a rule set has this error at every rule.
        if !self.templates_missed.contains(&rule.category) {
            self.templates_missed.push(rule.category);
            let at = place.category.map_or(rule.at.1, |(_, at)| at);
            self.report(messages::no_template(rule.category), rule.at.0, at);
        }
        Err(LeftOut)
    }

    fn select(&self, wanted: impl Fn(&Rule) -> bool) -> Vec<RuleIndex> {
        let rules = (0..).map(RuleIndex).zip(&self.ruleset.rules);
        rules.filter(|(_, rule)| wanted(rule)).map(|(index, _)| index).collect()
    }

    /// Resolves what a rule counts. For groups also finds the rules: those loaded so far and the
    /// rule itself.
    fn correlation(
        &mut self,
        rule: &Rule,
        index: RuleIndex,
        counting: Option<Counting>,
    ) -> Result<(Option<Correlation>, Vec<RuleIndex>), LeftOut> {
        let Some(counting) = counting else {
            return Ok((None, Vec::new()));
        };
        let mut counted = Vec::new();
        let over = match counting.over {
            CountingOver::Sid(id) if id == rule.id => CorrelationOver::Sid(index),
            CountingOver::Sid(id) => match self.ruleset.by_id.get(&id) {
                Some(&target) => CorrelationOver::Sid(target),
                None => {
                    let finding = if self.left_out.contains_key(&id) {
                        messages::left_out_with(rule.id, id)
                    } else {
                        self.unknown("if_matched_sid", rule, id)
                    };
                    self.report(finding, rule.at.0, counting.at);
                    return Err(LeftOut);
                }
            },
            CountingOver::Group { pattern, .. } => {
                let loaded = (0..).map(RuleIndex).zip(&self.ruleset.rules);
                let others = loaded.filter(|(other, _)| *other != index);
                for (other, groups) in others
                    .map(|(other, rule)| (other, &rule.groups))
                    .chain(std::iter::once((index, &rule.groups)))
                {
                    self.scratch.begin_event();
                    if self.patterns.is_match(pattern, groups.as_bytes(), &mut self.scratch) {
                        counted.push(other);
                    }
                }
                CorrelationOver::Group
            }
            CountingOver::Text(pattern) => CorrelationOver::Text(pattern),
        };
        let correlation = Correlation {
            over,
            frequency: rule.frequency,
            timeframe: counting.timeframe,
            same: counting.same,
            different: counting.different,
        };
        Ok((Some(correlation), counted))
    }

    /// Ties each rule to the rules that count it.
    fn finish(self) -> Ruleset {
        let Self { mut ruleset, nodes, .. } = self;
        let mut is_sid_target = vec![false; ruleset.rules.len()];
        for rule in &ruleset.rules {
            if let Some(Correlation { over: CorrelationOver::Sid(target), .. }) = rule.correlation {
                is_sid_target[target.0 as usize] = true;
            }
        }
        for (position, node) in nodes.iter().enumerate() {
            let index = RuleIndex(position as u32);
            match ruleset.rules[position].correlation.as_ref().map(|correlation| correlation.over) {
                Some(CorrelationOver::Sid(target)) => {
                    ruleset.rules[target.0 as usize].counted_by.push(index);
                }
                Some(CorrelationOver::Group) => {
                    // compat: a rule that some rule counts by id is not counted by its groups.
                    for &other in node.counted.iter().filter(|at| !is_sid_target[at.0 as usize]) {
                        ruleset.rules[other.0 as usize].counted_by.push(index);
                    }
                }
                Some(CorrelationOver::Text(_)) => ruleset.counted_by_text.push(index),
                None => {}
            }
        }
        ruleset
    }

    fn node(&self, index: RuleIndex) -> &Node {
        &self.nodes[index.0 as usize]
    }

    /// Why an id is not among the rules loaded so far.
    fn unknown(&self, option: &str, rule: &Rule, wanted: u32) -> Diagnostic {
        match self.written.get(&wanted) {
            _ if option == OVERWRITE && !self.complete => {
                messages::left_out_unread(rule.id, wanted)
            }
            _ if option == OVERWRITE => {
                messages::overwrites_nothing(wanted, self.similar_id(wanted))
            }
            Some(_) if wanted == rule.id => messages::names_itself(option, wanted),
            Some(&at) => messages::rule_comes_later(option, wanted, self.place_text(at)),
            None if !self.complete => messages::left_out_unread(rule.id, wanted),
            None => messages::unknown_rule(option, wanted, self.similar_id(wanted)),
        }
    }

    /// The only written id that differs in one digit, if there is just one.
    fn similar_id(&self, id: u32) -> Option<u32> {
        let mut similar = (0..6).map(|place| 10_u32.pow(place)).flat_map(|unit| {
            let without = id - (id / unit % 10) * unit;
            (0..10).map(move |digit| without.saturating_add(digit * unit))
        });
        let mut known =
            similar.by_ref().filter(|other| *other != id && self.written.contains_key(other));
        known.next().filter(|_| known.next().is_none())
    }

    /// `file:line` of a place.
    fn place_text(&self, (source, span): (SourceId, Span)) -> Option<String> {
        if !self.has_room_for_hints() {
            return None;
        }
        let file = self.sources.get(source)?;
        Some(format!("{}:{}", file.name, file.position(span.start).0))
    }

    /// Hints that look at everything are given to those who are going to read them.
    fn has_room_for_hints(&self) -> bool {
        self.findings.errors() < DIAGNOSTICS_MAX
    }

    fn report(&mut self, finding: Diagnostic, source: SourceId, span: Span) {
        self.findings.add(finding.at(source, span));
    }
}
