//! The literal gate: one pass over a subject tells which of many patterns can match at all.
//!
//! A needle of five bytes or more is entered into a table under two of its four-byte pieces (*grams*) that lie
//! one byte apart, so that a look at every second position of the subject meets one of them. Shorter needles are found by their three-byte
//! pieces at every position, anchored ones by a look at the start alone. Nothing depends on the
//! position before, unlike in an automaton, so the processor looks at several positions at once:
//! see ARCHITECTURE.md, "Fast path", for what that is worth.

use crate::literal::{End, Literal, Needles};

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

    /// Adds all slots of `other`.
    pub fn insert_all(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
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

/// Collects needles for a [`Gate`].
#[derive(Debug, Default)]
pub struct GateBuilder {
    needles: Vec<(Literal, Slot)>,
    non_ascii: Vec<Slot>,
    slots: usize,
}

impl GateBuilder {
    /// Whether `needles` are worth a gate: long enough to be found quickly.
    pub fn takes(needles: &Needles) -> bool {
        !needles.literals.is_empty()
            && needles.literals.iter().all(|literal| {
                literal.at_start || literal.bytes.len() >= SHORT_GRAM
            })
    }

    /// Asks that any of `needles` sets `slot`.
    pub fn add(&mut self, slot: Slot, needles: &Needles) {
        self.slots = self.slots.max(usize::from(slot) + 1);
        self.needles.extend(needles.literals.iter().map(|literal| (literal.clone(), slot)));
        if needles.ascii_only {
            self.non_ascii.push(slot);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    pub fn build(mut self) -> Gate {
        self.needles.sort();
        let mut gate = Gate { non_ascii: self.non_ascii, ..Gate::default() };
        for (literal, slot) in self.needles {
            match gate.needles.last_mut() {
                Some(last) if last.literal == literal => last.slots.push(slot),
                _ => gate.needles.push(Needle { literal, slots: vec![slot] }),
            }
        }
        gate.index();
        gate
    }
}

/// Finds which of its needles occur in a subject.
#[derive(Debug, Default)]
pub struct Gate {
    needles: Vec<Needle>,
    /// Needles that must be at the start, by their first byte (lower case): a range of `starts`.
    starts: Vec<u16>,
    starts_of: Vec<(u16, u16)>,
    long: Grams,
    short: Grams,
    /// Slots that a subject with non-ASCII bytes always hits.
    non_ascii: Vec<Slot>,
}

#[derive(Debug)]
struct Needle {
    literal: Literal,
    slots: Vec<Slot>,
}

/// Needles by one of their pieces.
#[derive(Debug, Default)]
struct Grams {
    /// One bit for each hash value that occurs.
    bits: Vec<u64>,
    /// Entries sorted by gram; `heads` finds the first by hash value.
    entries: Vec<GramEntry>,
    heads: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GramEntry {
    hash: u16,
    gram: u32,
    /// Bytes of the needle before the gram.
    before: u16,
    needle: u16,
}

const LONG_GRAM: usize = 4;
const SHORT_GRAM: usize = 3;
/// Needles from this length on are found by long grams at every second position.
const LONG_NEEDLE: usize = LONG_GRAM + 1;
const HASH_BITS: u32 = 14;
/// Sets the case bit of letters; other bytes fold onto one another, which costs only comparisons.
const FOLD: u32 = 0x2020_2020;

fn long_gram(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) | FOLD)
}

fn short_gram(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<3>()
        .map(|&[a, b, c]| (u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16) | FOLD)
}

fn hash(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
}

/// How rare a byte is in logs, roughly.
fn rarity(byte: u8) -> u32 {
    match byte {
        b' ' | b'0'..=b'9' => 0,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'd' | b'.' | b':' => 1,
        b'l' | b'c' | b'u' | b'm' | b'p' | b'f' | b'/' | b'-' | b'=' | b'(' | b')' => 2,
        b'a'..=b'z' => 3,
        _ => 4,
    }
}

impl Grams {
    fn add(&mut self, needle: usize, before: usize, gram: u32) {
        let clamp = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        let hash = clamp(hash(gram));
        self.entries.push(GramEntry { hash, gram, before: clamp(before), needle: clamp(needle) });
    }

    fn index(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        self.entries.sort_unstable();
        self.bits = vec![0; (1 << HASH_BITS) / 64];
        // A head per 64 hash values: short walks, a table that stays in the cache.
        self.heads = vec![0; self.bits.len() + 1];
        for entry in &self.entries {
            let hash = usize::from(entry.hash);
            self.bits[hash / 64] |= 1 << (hash % 64);
        }
        for (word, head) in self.heads.iter_mut().enumerate() {
            let first = self.entries.partition_point(|entry| usize::from(entry.hash) / 64 < word);
            *head = u16::try_from(first).unwrap_or(u16::MAX);
        }
    }

    #[inline(always)]
    fn may_have(&self, gram: u32) -> bool {
        let hash = hash(gram);
        self.bits.get(hash / 64).is_some_and(|word| word >> (hash % 64) & 1 == 1)
    }

    fn entries_of(&self, gram: u32) -> impl Iterator<Item = &GramEntry> {
        let word = hash(gram) / 64;
        let from = self.heads.get(word).map_or(0, |&head| usize::from(head));
        let to = self.heads.get(word + 1).map_or(0, |&head| usize::from(head));
        self.entries
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .filter(move |entry| entry.gram == gram)
    }
}

impl Gate {
    fn index(&mut self) {
        let mut starts = Vec::new();
        for (index, needle) in self.needles.iter().enumerate() {
            let bytes = &needle.literal.bytes;
            if needle.literal.at_start {
                starts.push((bytes[0], index as u16));
            } else if bytes.len() >= LONG_NEEDLE {
                let rarest = (0..=bytes.len() - LONG_NEEDLE)
                    .max_by_key(|&at| {
                        let window = &bytes[at..at + LONG_NEEDLE];
                        let rarities = window.iter().map(|&byte| rarity(byte));
                        (rarities.sum::<u32>(), std::cmp::Reverse(at))
                    })
                    .unwrap_or(0);
                for before in [rarest, rarest + 1] {
                    if let Some(gram) = long_gram(&bytes[before..]) {
                        self.long.add(index, before, gram);
                    }
                }
            } else if let Some(gram) = short_gram(bytes) {
                self.short.add(index, 0, gram);
            }
        }
        starts.sort_unstable();
        self.starts_of = (0..=255u8)
            .map(|byte| {
                let bound = |limit: u8, inclusive: bool| {
                    starts.partition_point(|&(b, _)| b < limit || (inclusive && b == limit)) as u16
                };
                (bound(byte, false), bound(byte, true))
            })
            .collect();
        if starts.is_empty() {
            self.starts_of.clear();
        }
        self.starts = starts.into_iter().map(|(_, index)| index).collect();
        self.long.index();
        self.short.index();
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// Adds to `hits` the slots of all needles that occur in `subject`.
    pub fn scan(&self, subject: &[u8], hits: &mut Hits) {
        if !self.non_ascii.is_empty() && !subject.is_ascii() {
            for &slot in &self.non_ascii {
                hits.insert(slot);
            }
        }
        self.scan_start(subject, hits);
        if !self.long.entries.is_empty() {
            let mut at = 0;
            while let Some(gram) = subject.get(at..).and_then(long_gram) {
                if self.long.may_have(gram) {
                    self.confirm(&self.long, gram, subject, at, hits);
                }
                at += 2;
            }
        }
        if !self.short.entries.is_empty() {
            for (at, window) in subject.windows(SHORT_GRAM).enumerate() {
                if let Some(gram) = short_gram(window)
                    && self.short.may_have(gram)
                {
                    self.confirm(&self.short, gram, subject, at, hits);
                }
            }
        }
    }

    fn scan_start(&self, subject: &[u8], hits: &mut Hits) {
        let Some(first) = subject.first() else { return };
        let Some(&(from, to)) = self.starts_of.get(usize::from(first.to_ascii_lowercase())) else {
            return;
        };
        for &index in self.starts.get(usize::from(from)..usize::from(to)).unwrap_or_default() {
            self.hit_at(index, subject, 0, hits);
        }
    }

    #[cold]
    #[inline(never)]
    fn confirm(&self, grams: &Grams, gram: u32, subject: &[u8], at: usize, hits: &mut Hits) {
        for entry in grams.entries_of(gram) {
            if let Some(start) = at.checked_sub(usize::from(entry.before)) {
                self.hit_at(entry.needle, subject, start, hits);
            }
        }
    }

    fn hit_at(&self, index: u16, subject: &[u8], start: usize, hits: &mut Hits) {
        let Some(needle) = self.needles.get(usize::from(index)) else { return };
        if needle.slots.iter().all(|&slot| hits.contains(slot)) {
            return;
        }
        let end = start + needle.literal.bytes.len();
        let fits = match needle.literal.at_end {
            End::Anywhere => true,
            End::Subject => end == subject.len(),
            End::SubjectOrLastNewline => {
                end == subject.len() || (end + 1 == subject.len() && subject.ends_with(b"\n"))
            }
        };
        let found = subject.get(start..end);
        if fits && found.is_some_and(|text| text.eq_ignore_ascii_case(&needle.literal.bytes)) {
            for &slot in &needle.slots {
                hits.insert(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(literals: &[(&str, bool, End)]) -> Needles {
        Needles {
            literals: literals
                .iter()
                .map(|&(text, at_start, at_end)| Literal::new(text.as_bytes(), at_start, at_end))
                .collect(),
            exact: true,
            ascii_only: false,
        }
    }

    fn hits(gate: &Gate, slots: usize, subject: &str) -> Vec<usize> {
        let mut hits = Hits::default();
        hits.clear(slots);
        gate.scan(subject.as_bytes(), &mut hits);
        (0..slots).filter(|&slot| hits.contains(slot as Slot)).collect()
    }

    #[test]
    fn finds_every_kind_of_needle_at_every_position() {
        let mut builder = GateBuilder::default();
        builder.add(0, &needles(&[("failed password", false, End::Anywhere)]));
        builder.add(1, &needles(&[("error", false, End::Anywhere)]));
        builder.add(2, &needles(&[("bad", false, End::Anywhere)]));
        builder.add(3, &needles(&[("accepted", true, End::Anywhere), ("x", true, End::Anywhere)]));
        builder.add(4, &needles(&[("denied", false, End::Subject)]));
        builder.add(70, &needles(&[("error", false, End::Anywhere), ("fatal", true, End::Subject)]));
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
