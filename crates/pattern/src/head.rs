//! What the first bytes of a subject must be, for patterns that only match at its start.
//!
//! Most patterns that are tried fail on their first few bytes. Looking at them here costs a few
//! nanoseconds, calling an engine some fifty.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The bytes that may stand at each of the first positions.
#[derive(Debug, Default)]
pub(crate) struct Head {
    positions: Vec<ByteSet>,
}

/// Positions looked at.
const POSITIONS_MAX: usize = 4;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte) / 64] |= 1 << (byte % 64);
    }

    fn insert_caseless(&mut self, byte: u8) {
        self.insert(byte.to_ascii_lowercase());
        self.insert(byte.to_ascii_uppercase());
    }

    /// A letter in both cases, or the byte itself.
    pub(crate) fn caseless(byte: &u8) -> Self {
        let mut set = Self::default();
        set.insert_caseless(*byte);
        set
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte) / 64] >> (byte % 64) & 1 == 1
    }

    fn union(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }
}

impl Head {
    /// The head of a pattern that is parsed with its case and matched without. Empty where the
    /// pattern may match anywhere.
    pub(crate) fn new(hir: &Hir) -> Self {
        if !hir.properties().look_set_prefix().contains(Look::Start) {
            return Self::default();
        }
        let (mut positions, _) = leading(hir);
        positions.truncate(POSITIONS_MAX);
        Self { positions }
    }

    /// The bytes a subject may begin with, where that is known.
    pub(crate) fn first(&self) -> Option<&ByteSet> {
        self.positions.first()
    }

    /// Whether a match is possible.
    #[inline]
    pub(crate) fn fits(&self, subject: &[u8]) -> bool {
        self.positions.len() <= subject.len()
            && self.positions.iter().zip(subject).all(|(set, &byte)| set.contains(byte))
    }
}

/// The bytes possible at each position from the start of a match on, as far as known, and whether
/// these positions are the whole match.
fn leading(hir: &Hir) -> (Vec<ByteSet>, bool) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (Vec::new(), true),
        HirKind::Literal(literal) => {
            let sets = literal.0.iter().take(POSITIONS_MAX).map(|&byte| {
                let mut set = ByteSet::default();
                set.insert_caseless(byte);
                set
            });
            (sets.collect(), literal.0.len() <= POSITIONS_MAX)
        }
        HirKind::Class(class) => match class_set(class) {
            Some(set) => (vec![set], true),
            None => (Vec::new(), false),
        },
        HirKind::Capture(capture) => leading(&capture.sub),
        HirKind::Concat(parts) => concat(parts.iter().map(leading)),
        HirKind::Repetition(repetition) => {
            let times = repetition.min.min(POSITIONS_MAX as u32);
            let exact = repetition.max == Some(times);
            let one = leading(&repetition.sub);
            let (sets, whole) = concat((0..times).map(|_| one.clone()));
            (sets, whole && exact)
        }
        HirKind::Alternation(branches) => {
            let mut union: Option<(Vec<ByteSet>, bool)> = None;
            for branch in branches {
                let (sets, whole) = leading(branch);
                union = Some(match union {
                    None => (sets, whole),
                    Some((mut all, all_whole)) => {
                        let alike = all.len() == sets.len();
                        all.truncate(sets.len());
                        for (set, more) in all.iter_mut().zip(&sets) {
                            set.union(more);
                        }
                        (all, all_whole && whole && alike)
                    }
                });
            }
            union.unwrap_or_default()
        }
    }
}

fn concat(parts: impl Iterator<Item = (Vec<ByteSet>, bool)>) -> (Vec<ByteSet>, bool) {
    let mut all = Vec::new();
    for (sets, whole) in parts {
        all.extend(sets);
        if !whole || all.len() > POSITIONS_MAX {
            return (all, false);
        }
    }
    (all, true)
}

/// The bytes of a class that stands for one byte.
fn class_set(class: &Class) -> Option<ByteSet> {
    let mut set = ByteSet::default();
    let mut add = |from: u8, to: u8| (from..=to).for_each(|byte| set.insert_caseless(byte));
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                add(range.start(), range.end());
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                let end = u8::try_from(u32::from(range.end())).ok().filter(u8::is_ascii)?;
                add(u8::try_from(u32::from(range.start())).ok()?, end);
            }
        }
    }
    Some(set)
}
