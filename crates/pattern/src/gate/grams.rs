//! Finds needles by pieces of three or four bytes, in a table that the processor need not wait for.

/// Needles by one of their pieces.
#[derive(Debug, Default)]
pub(super) struct Grams {
    /// One bit for each hash value that occurs; `None` without entries.
    bits: Option<Box<[u64; HASH_WORDS]>>,
    /// Entries sorted by gram; `heads` finds the first by hash value.
    entries: Vec<GramEntry>,
    heads: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GramEntry {
    hash: u16,
    gram: u32,
    /// Bytes of the needle before the gram.
    before: u16,
    needle: u32,
}

const LONG_GRAM: usize = 4;
pub(super) const SHORT_GRAM: usize = 3;
/// Needles from this length on are found by long grams at every second position.
pub(super) const LONG_NEEDLE: usize = LONG_GRAM + 1;
const HASH_BITS: u32 = 14;
const HASH_WORDS: usize = (1 << HASH_BITS) / 64;
/// Sets the case bit of letters; other bytes fold onto one another, which costs only comparisons.
const FOLD: u32 = 0x2020_2020;
const FOLD_WORD: u64 = 0x2020_2020_2020_2020;

fn long_gram(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) | FOLD)
}

fn short_gram(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<3>()
        .map(|&[a, b, c]| (u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16) | FOLD)
}

#[inline(always)]
fn may_have(bits: &[u64; HASH_WORDS], gram: u32) -> bool {
    let hash = hash(gram);
    bits[hash / 64] >> (hash % 64) & 1 == 1
}

#[inline(always)]
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

/// Where the rarest five bytes of a needle begin.
fn rarest_window(bytes: &[u8]) -> usize {
    (0..=bytes.len() - LONG_NEEDLE)
        .max_by_key(|&at| {
            let rarities = bytes[at..at + LONG_NEEDLE].iter().map(|&byte| rarity(byte));
            (rarities.sum::<u32>(), std::cmp::Reverse(at))
        })
        .unwrap_or(0)
}

impl Grams {
    /// Files a needle of at least [`LONG_NEEDLE`] bytes.
    pub(super) fn add_long(&mut self, needle: usize, bytes: &[u8]) {
        let rarest = rarest_window(bytes);
        for before in [rarest, rarest + 1] {
            if let Some(gram) = bytes.get(before..).and_then(long_gram) {
                self.add(needle, before, gram);
            }
        }
    }

    /// Files a needle of at least [`SHORT_GRAM`] bytes.
    pub(super) fn add_short(&mut self, needle: usize, bytes: &[u8]) {
        if let Some(gram) = short_gram(bytes) {
            self.add(needle, 0, gram);
        }
    }

    fn add(&mut self, needle: usize, before: usize, gram: u32) {
        // A hash has `HASH_BITS` bits, and a needle is no longer than a pattern text.
        let short = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        let (hash, before, needle) = (short(hash(gram)), short(before), needle as u32);
        self.entries.push(GramEntry { hash, gram, before, needle });
    }

    /// Makes what was filed findable.
    pub(super) fn index(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        self.entries.sort_unstable();
        let mut bits = Box::new([0; HASH_WORDS]);
        // A head per 64 hash values: short walks, a table that stays in the cache.
        self.heads = vec![0; HASH_WORDS + 1];
        for entry in &self.entries {
            let hash = usize::from(entry.hash);
            bits[hash / 64] |= 1 << (hash % 64);
        }
        self.bits = Some(bits);
        for (word, head) in self.heads.iter_mut().enumerate() {
            let first = self.entries.partition_point(|entry| usize::from(entry.hash) / 64 < word);
            *head = first as u32;
        }
    }

    /// Calls `found` with every filed needle that may stand in `subject`, and where.
    ///
    /// Looks at every second position; one load of eight bytes serves three of them.
    pub(super) fn find_long(&self, subject: &[u8], found: &mut impl FnMut(u32, usize)) {
        let Some(bits) = &self.bits else { return };
        let mut rest = subject;
        while let Some(bytes) = rest.first_chunk::<8>() {
            let word = u64::from_le_bytes(*bytes) | FOLD_WORD;
            let grams = [word as u32, (word >> 16) as u32, (word >> 32) as u32];
            for (offset, gram) in [0, 2, 4].into_iter().zip(grams) {
                if may_have(bits, gram) {
                    self.found(gram, subject.len() - rest.len() + offset, found);
                }
            }
            rest = &rest[6..];
        }
        while let Some(gram) = long_gram(rest) {
            if may_have(bits, gram) {
                self.found(gram, subject.len() - rest.len(), found);
            }
            rest = &rest[2..];
        }
    }

    /// The same for needles that were filed as short ones, at every position.
    pub(super) fn find_short(&self, subject: &[u8], found: &mut impl FnMut(u32, usize)) {
        let Some(bits) = &self.bits else { return };
        for (at, window) in subject.windows(SHORT_GRAM).enumerate() {
            if let Some(gram) = short_gram(window)
                && may_have(bits, gram)
            {
                self.found(gram, at, found);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn found(&self, gram: u32, at: usize, found: &mut impl FnMut(u32, usize)) {
        let word = hash(gram) / 64;
        let from = self.heads.get(word).map_or(0, |&head| head as usize);
        let to = self.heads.get(word + 1).map_or(0, |&head| head as usize);
        for entry in self.entries.get(from..to).unwrap_or_default() {
            if entry.gram == gram
                && let Some(start) = at.checked_sub(usize::from(entry.before))
            {
                found(entry.needle, start);
            }
        }
    }
}
