//! Lists in their compiled form, the constant database of D. J. Bernstein.
//!
//! A file is a header of 256 pairs of numbers (place and slots of a hash table), then the records
//! (two lengths, key, value), then the tables (hash and place of a record in each slot). All
//! numbers are 32 bits, little endian.

use crate::lists::List;

/// Why a file is no constant database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CdbError {
    /// The file ends before its header does.
    NoHeader,
    /// A hash table lies outside the file or overlaps the header.
    Table { number: usize },
    /// A record does not end before the hash tables start.
    Record { offset: usize },
    /// The hash tables name another number of records than there are.
    Count { records: usize, slots: usize },
    /// The database to be written is larger than its 32-bit numbers allow.
    TooLarge,
}

impl std::fmt::Display for CdbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoHeader => write!(f, "the file is shorter than {HEADER_BYTES} bytes"),
            Self::Table { number } => write!(f, "hash table {number} is not inside the file"),
            Self::Record { offset } => write!(f, "the record at byte {offset} is cut off"),
            Self::Count { records, slots } => {
                write!(f, "the file has {records} records, but its hash tables name {slots}")
            }
            Self::TooLarge => write!(f, "the list is larger than 4 GiB"),
        }
    }
}

impl std::error::Error for CdbError {}

const TABLES: usize = 256;
const HEADER_BYTES: usize = TABLES * PAIR_BYTES;
/// Two numbers: a header entry, a slot, the lengths of a record.
const PAIR_BYTES: usize = 8;

/// Reads a compiled list. All of it is looked at once, so that later lookups cannot fail.
pub fn read(name: impl Into<String>, file: &[u8]) -> Result<List, CdbError> {
    let layout = read_header(file)?;
    let data = file.get(..layout.data_end).unwrap_or_default();
    let mut pairs = Vec::new();
    let mut at = HEADER_BYTES;
    while at < data.len() {
        let (pair, next) = read_record(data, at).ok_or(CdbError::Record { offset: at })?;
        pairs.push(pair);
        at = next;
    }
    if pairs.len() != layout.slots_used {
        return Err(CdbError::Count { records: pairs.len(), slots: layout.slots_used });
    }
    Ok(List::from_pairs(name, pairs))
}

struct Layout {
    /// Where the records end.
    data_end: usize,
    slots_used: usize,
}

fn read_header(file: &[u8]) -> Result<Layout, CdbError> {
    let header = file.get(..HEADER_BYTES).ok_or(CdbError::NoHeader)?;
    let mut layout = Layout { data_end: file.len(), slots_used: 0 };
    // Tables that overlap would let a small file ask for much work.
    let mut slot_bytes = 0_usize;
    for (number, entry) in header.chunks_exact(PAIR_BYTES).enumerate() {
        let broken = CdbError::Table { number };
        let (start, slots) = read_pair(entry, 0).ok_or(broken)?;
        let length = slots.checked_mul(PAIR_BYTES).ok_or(broken)?;
        let end = start.checked_add(length).ok_or(broken)?;
        let table = file.get(start..end).filter(|_| start >= HEADER_BYTES).ok_or(broken)?;
        slot_bytes = slot_bytes.saturating_add(length);
        if slot_bytes > file.len() {
            return Err(broken);
        }
        layout.data_end = layout.data_end.min(start);
        let places = table.chunks_exact(PAIR_BYTES).filter_map(|slot| read_number(slot, 4));
        layout.slots_used += places.filter(|&place| place != 0).count();
    }
    Ok(layout)
}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// The record at `at`, and where the next one starts.
fn read_record(data: &[u8], at: usize) -> Option<(Pair<'_>, usize)> {
    let (key_length, value_length) = read_pair(data, at)?;
    let key_start = at.checked_add(PAIR_BYTES)?;
    let value_start = key_start.checked_add(key_length)?;
    let end = value_start.checked_add(value_length)?;
    Some(((data.get(key_start..value_start)?, data.get(value_start..end)?), end))
}

fn read_pair(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    Some((read_number(bytes, at)?, read_number(bytes, at.checked_add(4)?)?))
}

fn read_number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

/// Writes a compiled list, byte for byte as OSSEC does. Repeated keys are all written.
pub fn write<'a>(
    pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<Vec<u8>, CdbError> {
    let mut file = vec![0; HEADER_BYTES];
    let mut tables: Vec<Vec<Slot>> = vec![Vec::new(); TABLES];
    for (key, value) in pairs {
        let slot = Slot { hash: hash(key), place: number(file.len())? };
        file.extend_from_slice(&number(key.len())?);
        file.extend_from_slice(&number(value.len())?);
        file.extend_from_slice(key);
        file.extend_from_slice(value);
        if let Some(table) = tables.get_mut(slot.hash as usize % TABLES) {
            table.push(slot);
        }
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    for table in &tables {
        let slots = spread(table);
        header.extend_from_slice(&number(file.len())?);
        header.extend_from_slice(&number(slots.len())?);
        for slot in slots {
            file.extend_from_slice(&slot.map_or([0; 4], |slot| slot.hash.to_le_bytes()));
            file.extend_from_slice(&slot.map_or([0; 4], |slot| slot.place));
        }
    }
    file.splice(..HEADER_BYTES, header);
    number(file.len())?;
    Ok(file)
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    /// As it is written.
    place: [u8; 4],
}

/// A table with twice the slots it needs; a slot that is taken sends on to the next one.
fn spread(records: &[Slot]) -> Vec<Option<Slot>> {
    let length = records.len() * 2;
    let mut slots = vec![None; length];
    for &record in records {
        let home = (record.hash >> 8) as usize % length;
        let (before, from_home) = slots.split_at_mut(home);
        if let Some(free) = from_home.iter_mut().chain(before).find(|slot| slot.is_none()) {
            *free = Some(record);
        }
    }
    slots
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, &byte| hash.wrapping_mul(33) ^ u32::from(byte))
}

fn number(value: usize) -> Result<[u8; 4], CdbError> {
    u32::try_from(value).map(u32::to_le_bytes).map_err(|_| CdbError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::text_pairs;

    const TEXT: &[u8] = b"one:Hello\ntwo:\n1.2.:net\none:again\n:empty";

    fn sample() -> Vec<u8> {
        write(text_pairs(TEXT)).unwrap()
    }

    /// Finds a key the way the format means it.
    fn find<'a>(file: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
        let hash = hash(key);
        let (start, slots) = read_pair(file, (hash as usize % TABLES) * PAIR_BYTES)?;
        (0..slots).find_map(|step| {
            let slot = ((hash >> 8) as usize + step) % slots;
            let (_, place) = read_pair(file, start + slot * PAIR_BYTES)?;
            let ((other, value), _) = read_record(file, place).filter(|_| place != 0)?;
            (other == key).then_some(value)
        })
    }

    #[test]
    fn round_trip() {
        let file = sample();
        let list = read("l", &file).unwrap();
        assert_eq!(list.name, "l");
        assert_eq!(list.len(), 4);
        for key in [b"one".as_slice(), b"two", b"1.2.", b"", b"absent"] {
            assert_eq!(list.lookup(key), find(&file, key));
        }
        assert_eq!(list.lookup(b"one"), Some(b"Hello".as_slice()));
    }

    #[test]
    fn many_keys() {
        let keys: Vec<String> = (0..5000).map(|number| format!("10.{number}")).collect();
        let file = write(keys.iter().map(|key| (key.as_bytes(), &key.as_bytes()[3..]))).unwrap();
        let list = read("l", &file).unwrap();
        assert_eq!(list.len(), keys.len());
        for key in &keys {
            assert_eq!(find(&file, key.as_bytes()), Some(&key.as_bytes()[3..]));
        }
    }

    #[test]
    fn known_bytes() {
        // One record at 2048; its table of two slots lies behind it.
        let file = write([(b"a".as_slice(), b"bc".as_slice())]).unwrap();
        let hash = (5381_u32 * 33) ^ 97;
        assert_eq!(&file[2048..2059], b"\x01\0\0\0\x02\0\0\0abc");
        assert_eq!(file.len(), 2059 + 16);
        let slot = 2059 + (hash as usize >> 8) % 2 * 8;
        assert_eq!(read_pair(&file, slot), Some((hash as usize, 2048)));
        assert_eq!(read_pair(&file, hash as usize % 256 * 8), Some((2059, 2)));
    }

    #[test]
    fn empty_list() {
        let file = write([]).unwrap();
        assert_eq!(file.len(), HEADER_BYTES);
        assert!(read("l", &file).unwrap().is_empty());
        assert_eq!(read("l", &file[1..]).unwrap_err(), CdbError::NoHeader);
    }

    #[test]
    fn cut_anywhere_is_an_error() {
        let file = sample();
        for length in 0..file.len() {
            assert!(read("l", &file[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn broken_files_are_told() {
        let with = |at: usize, value: u32| {
            let mut file = sample();
            file[at..at + 4].copy_from_slice(&value.to_le_bytes());
            read("l", &file).unwrap_err()
        };
        assert_eq!(with(0, 2047), CdbError::Table { number: 0 });
        assert_eq!(with(8, u32::MAX), CdbError::Table { number: 1 });
        assert_eq!(with(12, u32::MAX), CdbError::Table { number: 1 });
        assert_eq!(with(2048, u32::MAX), CdbError::Record { offset: 2048 });
        let used = hash(b"one") as usize % TABLES * PAIR_BYTES;
        assert_eq!(with(used + 4, 0), CdbError::Count { records: 5, slots: 3 });
    }

    #[test]
    fn any_change_gives_an_answer() {
        let file = sample();
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut changed = file.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % changed.len();
                changed[at] = (state >> 24) as u8;
            }
            if let Ok(list) = read("l", &changed) {
                assert!(list.len() <= 5);
            }
        }
    }
}
