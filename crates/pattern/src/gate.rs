//! The literal gate: one pass over a subject tells which of many patterns can match at all.
//!
//! A needle of five bytes or more is entered into a table under two of its four-byte pieces
//! (*grams*) that lie one byte apart, so that a look at every second position of the subject meets
//! one of them. Shorter needles are found by their three-byte pieces at every position, anchored
//! ones by a look at the start or end alone, and patterns without a telling literal, if they are
//! anchored, by the subject's first byte. Nothing depends on the position before, unlike in an
//! automaton, so the processor looks at several positions at once: see ARCHITECTURE.md, "Fast path",
//! for what that is worth.

mod grams;
mod needles;

use crate::head::ByteSet;
use crate::literal::{End, Literal, Needles};
use crate::set::{PatternId, PatternSet};
use grams::{Grams, LONG_NEEDLE, SHORT_GRAM};
use needles::NeedleTable;

/// What a needle's finding is recorded as: the position of a bit in [`Hits`].
pub type Slot = u16;

/// The slots that were hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    words: Vec<u64>,
}

impl Hits {
    /// No hits, with room for `slots`.
    pub fn clear(&mut self, slots: usize) {
        self.words.clear();
        self.words.resize(slots.div_ceil(64), 0);
    }

    pub fn insert(&mut self, slot: Slot) {
        if let Some(word) = self.words.get_mut(usize::from(slot) / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    pub fn contains(&self, slot: Slot) -> bool {
        self.words.get(usize::from(slot) / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The same hits as `other`, in the room that is there.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clear();
        self.words.extend_from_slice(&other.words);
    }

    /// The first slot from `from` on, below `to`.
    pub fn next(&self, from: usize, to: usize) -> Option<usize> {
        let mut index = from / 64;
        let mut word = self.words.get(index)? & (u64::MAX << (from % 64));
        loop {
            if word != 0 {
                let slot = index * 64 + word.trailing_zeros() as usize;
                return (slot < to).then_some(slot);
            }
            index += 1;
            if index * 64 >= to {
                return None;
            }
            word = *self.words.get(index)?;
        }
    }
}

/// Collects patterns for a [`Gate`].
#[derive(Clone, Debug, Default)]
pub struct GateBuilder {
    needles: Vec<(Literal, Slot)>,
    /// Slots whose patterns have too short needles, with these needles.
    short: Vec<(Slot, Vec<Literal>)>,
    /// Slots by the bytes that the subject may begin with.
    firsts: Vec<(u32, ByteSet)>,
    always: Vec<Slot>,
    non_ascii: Vec<Slot>,
    /// Whether a few patterns are better tried than searched for.
    for_trying: bool,
    /// Slots whose needles are searched for, if `for_trying`.
    searched: Vec<(Slot, Vec<Literal>)>,
}

/// What a hit says about a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The pattern matches.
    Match,
    /// The pattern may match. Without a hit it does not.
    Candidate,
}

/// Short needles cost a look at every position; for fewer patterns than this that is too much, and
/// they are candidates always.
const SHORT_PATTERNS_MIN: usize = 8;

/// Searching for needles costs about as much as trying so many patterns.
const SEARCHED_PATTERNS_MIN: usize = 3;

impl GateBuilder {
    /// A builder for patterns that are tried one after the other anyway, so that searching for a few
    /// of them would not pay. Every hit means a candidate.
    pub fn for_trying() -> Self {
        Self { for_trying: true, ..Self::default() }
    }

    /// Asks that `slot` is hit where the pattern can match. Says what a hit will mean.
    pub fn add(&mut self, slot: Slot, patterns: &PatternSet, id: PatternId) -> Hit {
        let needles = patterns.needles(id);
        if let Some(needles) = needles
            && needles.literals.iter().all(is_found_quickly)
        {
            let is_searched =
                |literal: &Literal| !literal.at_start && literal.at_end == End::Anywhere;
            if self.for_trying && needles.literals.iter().any(is_searched) {
                if needles.ascii_only {
                    self.non_ascii.push(slot);
                }
                self.searched.push((slot, needles.literals.clone()));
                return Hit::Candidate;
            }
            self.add_needles(slot, needles);
            let exact = needles.exact && !self.for_trying;
            return if exact { Hit::Match } else { Hit::Candidate };
        }
        match (patterns.first_bytes(id), needles) {
            (Some(bytes), _) => self.firsts.push((slot.into(), *bytes)),
            (None, Some(needles)) if needles.shortest() >= SHORT_GRAM => {
                if needles.ascii_only {
                    self.non_ascii.push(slot);
                }
                self.short.push((slot, needles.literals.clone()));
            }
            (None, _) => self.always.push(slot),
        }
        Hit::Candidate
    }

    /// Asks that `slot` is always hit.
    pub fn add_always(&mut self, slot: Slot) {
        self.always.push(slot);
    }

    fn add_needles(&mut self, slot: Slot, needles: &Needles) {
        self.needles.extend(needles.literals.iter().map(|literal| (literal.clone(), slot)));
        if needles.ascii_only {
            self.non_ascii.push(slot);
        }
    }

    pub fn build(mut self) -> Gate {
        let groups = [
            (std::mem::take(&mut self.short), SHORT_PATTERNS_MIN),
            (std::mem::take(&mut self.searched), SEARCHED_PATTERNS_MIN),
        ];
        for (patterns, patterns_min) in groups {
            let pays = patterns.len() >= patterns_min;
            for (slot, literals) in patterns {
                if pays {
                    self.needles.extend(literals.into_iter().map(|literal| (literal, slot)));
                } else {
                    self.always.push(slot);
                }
            }
        }
        self.needles.sort();
        let mut literals: Vec<(Literal, Vec<Slot>)> = Vec::new();
        for (literal, slot) in self.needles {
            match literals.last_mut() {
                Some((last, slots)) if *last == literal => slots.push(slot),
                _ => literals.push((literal, vec![slot])),
            }
        }
        let mut gate = Gate { non_ascii: self.non_ascii, always: self.always, ..Gate::default() };
        gate.index(&literals);
        gate.firsts = ByByte::new(&self.firsts);
        gate
    }
}

/// Whether a literal is found by a look at one place, or at every second one.
fn is_found_quickly(literal: &Literal) -> bool {
    literal.at_start || literal.at_end != End::Anywhere || literal.bytes.len() >= LONG_NEEDLE
}

/// Finds which of its patterns can match a subject.
#[derive(Debug, Default)]
pub struct Gate {
    needles: NeedleTable,
    /// Needles that must be at the start, by their first byte (lower case).
    starts: ByByte,
    /// Needles that must be at the end only, by their last byte (lower case).
    ends: ByByte,
    long: Grams,
    short: Grams,
    /// Slots of patterns that need a certain first byte.
    firsts: ByByte,
    always: Vec<Slot>,
    /// Slots that a subject with non-ASCII bytes always hits.
    non_ascii: Vec<Slot>,
}

/// Numbers filed under bytes.
#[derive(Debug, Default)]
struct ByByte {
    /// Where each byte's numbers begin; empty if there are none at all.
    begins: Vec<u32>,
    numbers: Vec<u32>,
}

impl ByByte {
    fn new(filed: &[(u32, ByteSet)]) -> Self {
        if filed.is_empty() {
            return Self::default();
        }
        let (mut begins, mut numbers) = (vec![0], Vec::new());
        for byte in 0..=255 {
            let fitting = filed.iter().filter(|(_, bytes)| bytes.contains(byte));
            numbers.extend(fitting.map(|(number, _)| *number));
            begins.push(numbers.len() as u32);
        }
        Self { begins, numbers }
    }

    fn of(&self, byte: Option<&u8>) -> &[u32] {
        let Some(&byte) = byte else { return &[] };
        let byte = usize::from(byte);
        match (self.begins.get(byte), self.begins.get(byte + 1)) {
            (Some(&from), Some(&to)) => {
                self.numbers.get(from as usize..to as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

impl Gate {
    fn index(&mut self, literals: &[(Literal, Vec<Slot>)]) {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for (index, (literal, slots)) in literals.iter().enumerate() {
            self.needles.push(literal, slots);
            let number = index as u32;
            let bytes = &literal.bytes;
            let of = |byte: Option<&u8>| byte.map_or_else(ByteSet::default, ByteSet::caseless);
            if literal.at_start {
                starts.push((number, of(bytes.first())));
            } else if literal.at_end != End::Anywhere {
                ends.push((number, of(bytes.last())));
            } else if bytes.len() >= LONG_NEEDLE {
                self.long.add_long(index, bytes);
            } else {
                self.short.add_short(index, bytes);
            }
        }
        self.starts = ByByte::new(&starts);
        self.ends = ByByte::new(&ends);
        self.long.index();
        self.short.index();
    }

    /// Adds to `hits` the slots of all patterns that can match in `subject`.
    pub fn scan(&self, subject: &[u8], hits: &mut Hits) {
        if !self.non_ascii.is_empty() && !subject.is_ascii() {
            for &slot in &self.non_ascii {
                hits.insert(slot);
            }
        }
        for &slot in &self.always {
            hits.insert(slot);
        }
        for &slot in self.firsts.of(subject.first()) {
            hits.insert(slot as Slot);
        }
        for &number in self.starts.of(subject.first()) {
            self.needles.hit_at(number, subject, 0, hits);
        }
        self.scan_end(subject, hits);
        let mut found = |needle, start| self.needles.hit_at(needle, subject, start, hits);
        self.long.find_long(subject, &mut found);
        self.short.find_short(subject, &mut found);
    }

    fn scan_end(&self, subject: &[u8], hits: &mut Hits) {
        let line = subject.strip_suffix(b"\n");
        for text in [Some(subject), line].into_iter().flatten() {
            for &number in self.ends.of(text.last()) {
                let length = self.needles.length(number);
                if let Some(start) = length.and_then(|length| text.len().checked_sub(length)) {
                    self.needles.hit_at(number, subject, start, hits);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Language;

    fn hits(gate: &Gate, slots: usize, subject: &str) -> Vec<usize> {
        let mut hits = Hits::default();
        hits.clear(slots);
        gate.scan(subject.as_bytes(), &mut hits);
        (0..slots).filter(|&slot| hits.contains(slot as Slot)).collect()
    }

    #[test]
    fn finds_every_kind_of_needle_at_every_position() {
        let mut patterns = PatternSet::default();
        let mut builder = GateBuilder::default();
        for (slot, text) in [
            (0, "failed password"),
            (1, "error"),
            (2, "bad"),
            (3, "^accepted|^x"),
            (4, "denied$"),
            (70, "error|^fatal$"),
        ] {
            let id = patterns.compile(Language::Match, text.as_bytes()).unwrap();
            builder.add(slot, &patterns, id);
        }
        // Enough short ones that they are looked for.
        for slot in 80..90 {
            let text = format!("-{slot}");
            let id = patterns.compile(Language::Pcre2, text.as_bytes()).unwrap();
            assert_eq!(builder.add(slot, &patterns, id), Hit::Candidate);
        }
        let gate = builder.build();
        for pad in 0..9 {
            let pad = "_".repeat(pad);
            assert_eq!(hits(&gate, 71, &format!("{pad}Failed Password{pad}")), [0]);
            assert_eq!(hits(&gate, 71, &format!("{pad}ERROR")), [1, 70]);
            assert_eq!(hits(&gate, 71, &format!("{pad}bad{pad}")), [2]);
            assert_eq!(hits(&gate, 71, &format!("{pad}denied")), [4]);
        }
        assert_eq!(hits(&gate, 71, "Accepted"), [3]);
        assert_eq!(hits(&gate, 71, "X"), [3]);
        assert_eq!(hits(&gate, 71, "fatal"), [70]);
        assert_eq!(hits(&gate, 71, "fatal denied."), []);
        assert_eq!(hits(&gate, 71, ""), []);
    }

    #[test]
    fn next_walks_over_words() {
        let mut hits = Hits::default();
        hits.clear(200);
        for slot in [3, 64, 130] {
            hits.insert(slot);
        }
        assert_eq!(hits.next(0, 200), Some(3));
        assert_eq!(hits.next(4, 200), Some(64));
        assert_eq!(hits.next(65, 130), None);
        assert_eq!(hits.next(65, 131), Some(130));
        assert_eq!(hits.next(131, 200), None);
    }
}
