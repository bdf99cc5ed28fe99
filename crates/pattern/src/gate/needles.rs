//! The needles of a gate, laid out so that telling them apart touches little memory.

use super::{Hits, Slot};
use crate::literal::{End, Literal};

/// Needles by number.
#[derive(Debug, Default)]
pub(super) struct NeedleTable {
    needles: Vec<Needle>,
    /// Words behind the first one, needle by needle.
    words: Vec<Word>,
    /// Slots, needle by needle.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Needle {
    first: Word,
    length: u32,
    at_end: End,
    /// The needle's slot, if it has just one.
    only_slot: Option<Slot>,
    /// Ranges in the table's lists.
    words: (u32, u32),
    slots: (u32, u32),
}

/// Up to eight bytes of a needle, and the bits that count: all but the case of letters.
#[derive(Clone, Copy, Debug)]
struct Word {
    bits: u64,
    mask: u64,
}

impl Word {
    fn new(bytes: &[u8]) -> Self {
        let (mut bits, mut mask) = ([0; 8], [0; 8]);
        for ((bits, mask), &byte) in bits.iter_mut().zip(&mut mask).zip(bytes) {
            *bits = byte;
            *mask = if byte.is_ascii_lowercase() { !0x20 } else { !0 };
        }
        Self { bits: u64::from_le_bytes(bits), mask: u64::from_le_bytes(mask) }
    }

    fn fits(self, text: u64) -> bool {
        (text ^ self.bits) & self.mask == 0
    }
}

/// The eight bytes from `at` on, zeros where the text has ended.
fn load(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            for (place, &byte) in bytes.iter_mut().zip(rest) {
                *place = byte;
            }
            u64::from_le_bytes(bytes)
        }
    }
}

impl NeedleTable {
    /// Adds a needle with all its slots.
    pub(super) fn push(&mut self, literal: &Literal, slots: &[Slot]) {
        let bytes = &literal.bytes;
        let (words_start, slots_start) = (self.words.len() as u32, self.slots.len() as u32);
        // The last word reaches back, so that every word but a short needle's only one is full.
        let last = bytes.len().saturating_sub(8);
        let starts = (8..bytes.len()).step_by(8).map(|start| start.min(last));
        self.words.extend(starts.map(|start| Word::new(&bytes[start..])));
        self.slots.extend_from_slice(slots);
        self.needles.push(Needle {
            first: Word::new(bytes),
            length: bytes.len() as u32,
            at_end: literal.at_end,
            only_slot: if let [slot] = slots { Some(*slot) } else { None },
            words: (words_start, self.words.len() as u32),
            slots: (slots_start, self.slots.len() as u32),
        });
    }

    /// How many bytes a needle has.
    pub(super) fn length(&self, number: u32) -> Option<usize> {
        self.needles.get(number as usize).map(|needle| needle.length as usize)
    }

    /// Hits the needle's slots if it stands in `subject` at `start`.
    pub(super) fn hit_at(&self, number: u32, subject: &[u8], start: usize, hits: &mut Hits) {
        let Some(needle) = self.needles.get(number as usize) else { return };
        // A line may repeat a needle thousands of times.
        if needle.only_slot.is_some_and(|slot| hits.contains(slot))
            || !needle.first.fits(load(subject, start))
        {
            return;
        }
        let end = start + needle.length as usize;
        let fits = end <= subject.len() && needle.at_end.fits(end, subject);
        if fits && self.rest_fits(needle, subject, start) {
            let (from, to) = needle.slots;
            for &slot in self.slots.get(from as usize..to as usize).unwrap_or_default() {
                hits.insert(slot);
            }
        }
    }

    fn rest_fits(&self, needle: &Needle, subject: &[u8], start: usize) -> bool {
        let (from, to) = needle.words;
        let last = (needle.length as usize).saturating_sub(8);
        self.words
            .get(from as usize..to as usize)
            .unwrap_or_default()
            .iter()
            .enumerate()
            .all(|(index, word)| word.fits(load(subject, start + ((index + 1) * 8).min(last))))
    }
}
