//! What one thread needs to search: engines with their caches, a budget, counters.

use regex_automata::{Input, meta};

use crate::set::{Pattern, PatternId};

/// Where the captures of one match lie in the subject.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    spans: Vec<(u32, u32)>,
}

impl Captures {
    /// How many captures are kept.
    pub const MAX: usize = 64;

    /// Start and end of each group that took part.
    pub fn spans(&self) -> &[(u32, u32)] {
        &self.spans
    }

    pub(crate) fn clear(&mut self) {
        self.spans.clear();
    }

    fn push(&mut self, start: usize, end: usize) {
        if self.spans.len() < Self::MAX {
            self.spans.push((start as u32, end as u32));
        }
    }
}

/// How often a search was cut short. Each is a line made to be slow, or a pattern to improve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchCounts {
    /// Searches that ran into PCRE2's limit and were decided by the automaton.
    pub limited: u64,
    /// Searches without an answer, taken as "no match": the pattern needs backtracking and ran
    /// into the limit.
    pub undecided: u64,
    /// Matches whose captures were given up.
    pub captures_lost: u64,
    /// Searches skipped, as "no match", because the event had used up its budget.
    pub out_of_budget: u64,
}

/// The state that searching needs. One per thread and [`crate::PatternSet`].
#[derive(Debug, Default)]
pub struct Scratch {
    searchers: Vec<Searcher>,
    /// Work done for the current event, in bytes scanned.
    spent: usize,
    /// What was cut short, since the scratch was made.
    pub counts: SearchCounts,
}

/// One pattern's engines, made when first needed.
#[derive(Debug, Default)]
struct Searcher {
    backtracker: Option<(pcre2::bytes::Regex, pcre2::bytes::CaptureLocations)>,
    linear: Option<Box<Linear>>,
}

#[derive(Debug)]
struct Linear {
    regex: meta::Regex,
    cache: meta::Cache,
    captures: regex_automata::util::captures::Captures,
}

/// Subjects up to this length go to PCRE2 first; on longer ones its worst cases cost too much.
const BACKTRACK_BYTES_MAX: usize = 512;
/// Longest match whose captures the linear engine looks for: it needs some 100 ns for a byte.
const LINEAR_CAPTURE_BYTES_MAX: usize = 2048;
/// Budget of one event, in bytes scanned by the linear engine (about 1 ns each).
const EVENT_BUDGET: usize = 512 * 1024;
/// What a search costs, in the same unit, that ran into PCRE2's limit.
const LIMITED_COST: usize = 64 * 1024;

impl Scratch {
    /// Starts a new budget. Call it before the first search for an event.
    pub fn begin_event(&mut self) {
        self.spent = 0;
    }

    fn spend(&mut self, cost: usize) -> bool {
        if self.spent > EVENT_BUDGET {
            self.counts.out_of_budget += 1;
            return false;
        }
        self.spent += cost;
        true
    }

    fn searcher(&mut self, id: PatternId) -> &mut Searcher {
        let index = id.0 as usize;
        if index >= self.searchers.len() {
            self.searchers.resize_with(index + 1, Searcher::default);
        }
        &mut self.searchers[index]
    }

    pub(crate) fn is_match(&mut self, id: PatternId, pattern: &Pattern, subject: &[u8]) -> bool {
        if prefers_backtracking(pattern, subject) {
            let found =
                self.searcher(id).backtracker(pattern).map(|(regex, _)| regex.is_match(subject));
            match found {
                Some(Ok(found)) => return found,
                Some(Err(_)) => self.spent += LIMITED_COST,
                None => {}
            }
            return self
                .decide(id, pattern, subject, |linear, input| {
                    linear
                        .regex
                        .search_half_with(&mut linear.cache, &input.earliest(true))
                        .is_some()
                })
                .unwrap_or(false);
        }
        self.linear(id, pattern, subject, |linear, input| {
            linear.regex.search_half_with(&mut linear.cache, &input.earliest(true)).is_some()
        })
        .unwrap_or(false)
    }

    pub(crate) fn find_end(
        &mut self,
        id: PatternId,
        pattern: &Pattern,
        subject: &[u8],
    ) -> Option<usize> {
        let end = |linear: &mut Linear, input: Input<'_>| {
            linear.regex.search_half_with(&mut linear.cache, &input).map(|half| half.offset())
        };
        if !prefers_backtracking(pattern, subject) && !pattern.takes_last_newline(subject) {
            return self.linear(id, pattern, subject, end)?;
        }
        let found =
            self.searcher(id).backtracker(pattern).map(|(regex, _)| regex.find_at(subject, 0));
        match found {
            Some(Ok(found)) => found.map(|found| found.end()),
            Some(Err(_)) => {
                self.spent += LIMITED_COST;
                self.decide(id, pattern, subject, end)?
            }
            None => self.decide(id, pattern, subject, end)?,
        }
    }

    pub(crate) fn captures(
        &mut self,
        id: PatternId,
        pattern: &Pattern,
        subject: &[u8],
        captures: &mut Captures,
    ) -> Option<usize> {
        let short = subject.len() <= BACKTRACK_BYTES_MAX;
        let has_linear = pattern.linear().is_some();
        let backtracks = pattern.takes_last_newline(subject)
            || pattern.captures_by_backtracking
            || (!pattern.needs_linear(subject)
                && (short || !pattern.repeats_a_group || !has_linear));
        // On a long line the automaton says first whether there is a match at all.
        if backtracks && !short && has_linear && self.find_end(id, pattern, subject).is_none() {
            return None;
        }
        if backtracks && let Some((regex, locations)) = self.searcher(id).backtracker(pattern) {
            match regex.captures_read(locations, subject) {
                Ok(found) => {
                    let end = found?.end();
                    for group in 1..locations.len() {
                        if let Some((start, end)) = locations.get(group) {
                            captures.push(start, end);
                        }
                    }
                    return Some(end);
                }
                Err(_) => {
                    self.spent += LIMITED_COST;
                    self.counts.limited += u64::from(has_linear);
                }
            }
        }
        if pattern.captures_by_backtracking {
            self.counts.captures_lost += 1;
            return self.find_end(id, pattern, subject);
        }
        self.linear_captures(id, pattern, subject, captures)
    }

    fn linear_captures(
        &mut self,
        id: PatternId,
        pattern: &Pattern,
        subject: &[u8],
        captures: &mut Captures,
    ) -> Option<usize> {
        let found = self.linear(id, pattern, subject, |linear, input| {
            linear.regex.search_with(&mut linear.cache, &input)
        })??;
        if found.len() > LINEAR_CAPTURE_BYTES_MAX {
            self.counts.captures_lost += 1;
            return Some(found.end());
        }
        let linear = self.searcher(id).linear(pattern)?;
        // Looking from the match's start keeps what lies before it in view of `\b` and `^`.
        let input = Input::new(subject).range(found.start()..found.end());
        let Linear { regex, cache, captures: groups } = linear;
        regex.search_captures_with(cache, &input, groups);
        for group in groups.iter().skip(1).flatten() {
            captures.push(group.start, group.end);
        }
        Some(found.end())
    }

    /// Decides by the automaton what PCRE2 could not.
    fn decide<T>(
        &mut self,
        id: PatternId,
        pattern: &Pattern,
        subject: &[u8],
        search: impl FnOnce(&mut Linear, Input<'_>) -> T,
    ) -> Option<T> {
        if pattern.linear().is_some() {
            self.counts.limited += 1;
        }
        self.linear(id, pattern, subject, search)
    }

    fn linear<T>(
        &mut self,
        id: PatternId,
        pattern: &Pattern,
        subject: &[u8],
        search: impl FnOnce(&mut Linear, Input<'_>) -> T,
    ) -> Option<T> {
        if !self.spend(subject.len()) {
            return None;
        }
        match self.searcher(id).linear(pattern) {
            Some(linear) => Some(search(linear, Input::new(subject))),
            None => {
                self.counts.undecided += 1;
                None
            }
        }
    }
}

/// Whether PCRE2 is the right engine for this subject. It also is when there is no other.
fn prefers_backtracking(pattern: &Pattern, subject: &[u8]) -> bool {
    if pattern.needs_linear(subject) {
        return false;
    }
    subject.len() <= BACKTRACK_BYTES_MAX || pattern.linear().is_none()
}

impl Searcher {
    /// `None` if PCRE2 cannot build the pattern.
    fn backtracker(
        &mut self,
        pattern: &Pattern,
    ) -> Option<&mut (pcre2::bytes::Regex, pcre2::bytes::CaptureLocations)> {
        if self.backtracker.is_none() {
            // A clone of its own gives each thread match data that it need not share.
            let regex = pattern.backtracker()?.clone();
            let locations = regex.capture_locations();
            self.backtracker = Some((regex, locations));
        }
        self.backtracker.as_mut()
    }

    /// `None` if the pattern has no automaton.
    fn linear(&mut self, pattern: &Pattern) -> Option<&mut Linear> {
        if self.linear.is_none() {
            let regex = pattern.linear()?.clone();
            let (cache, captures) = (regex.create_cache(), regex.create_captures());
            self.linear = Some(Box::new(Linear { regex, cache, captures }));
        }
        self.linear.as_deref_mut()
    }
}
