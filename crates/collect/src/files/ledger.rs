//! What is known of files that are not open now.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::disk::{Facts, FileId, Opened};
use super::identity::is_same;
use crate::paths::rotated::{family_prefix, is_of_family};
use crate::positions::Record;

/// Records kept; of more, those that were read longest ago are forgotten.
const RECORDS_MAX: usize = 32_768;
/// Records kept of files with one number.
const RECORDS_OF_NUMBER_MAX: usize = 8;
/// Seconds for which files that are no longer followed are remembered.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// Records of files that are not open: those left by the last run and not found yet ("open"), and
/// those read to their end ("closed"), so that a file that is met again is not read twice.
///
/// The number of a file that was removed is soon given to another: there may be several records
/// with one number.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: BTreeMap<u64, Record>,
    by_file: HashMap<FileId, Vec<u64>>,
    by_path: BTreeMap<Vec<u8>, Vec<u64>>,
    last: u64,
    /// Records forgotten for want of room.
    pub(crate) forgotten: u64,
}

impl Ledger {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut ledger = Self::default();
        for record in records {
            ledger.insert(record.clone());
        }
        ledger
    }

    pub(crate) fn insert(&mut self, record: Record) {
        self.take(&record);
        let of_number = self.by_file.get(&record.file).map(Vec::as_slice).unwrap_or_default();
        if of_number.len() >= RECORDS_OF_NUMBER_MAX
            && let Some(oldest) = of_number.first().copied()
        {
            self.remove(oldest);
            self.forgotten += 1;
        }
        self.last += 1;
        self.by_path.entry(record.path.clone()).or_default().push(self.last);
        self.by_file.entry(record.file).or_default().push(self.last);
        self.records.insert(self.last, record);
        if self.records.len() > RECORDS_MAX {
            self.make_room();
        }
    }

    /// The record of an open file.
    pub(crate) fn find(&self, opened: &Opened) -> Option<&Record> {
        self.of_file(opened.facts.id).find(|record| is_same(record, opened))
    }

    /// Whether a file was read before, as far as can be told without opening it.
    pub(crate) fn is_read(&self, facts: &Facts) -> bool {
        self.of_file(facts.id).any(|record| !record.is_open && record.born == facts.born)
    }

    /// The records of files with a number, older ones first.
    pub(crate) fn of_file(&self, file: FileId) -> impl Iterator<Item = &Record> {
        let numbers = self.by_file.get(&file).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.records.get(number))
    }

    /// Takes out what is known of the file of a record.
    pub(crate) fn take(&mut self, record: &Record) -> Option<Record> {
        self.number_of(record).and_then(|number| self.remove(number))
    }

    /// The records with a path, older ones first.
    pub(crate) fn at(&self, path: &[u8]) -> impl Iterator<Item = &Record> {
        let numbers = self.by_path.get(path).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.records.get(number))
    }

    /// The records of a log and of all that have the name of one of its rotated files.
    pub(crate) fn family(&self, log: &[u8]) -> impl Iterator<Item = &Record> {
        let from = family_prefix(log);
        let range = self.by_path.range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
        range
            .take_while(move |(path, _)| path.starts_with(from))
            .filter(move |(path, _)| is_of_family(path, log))
            .flat_map(|(_, numbers)| numbers)
            .filter_map(|number| self.records.get(number))
    }

    /// Those that were being read and have not been found again.
    pub(crate) fn open_at(&self, path: &[u8]) -> Vec<Record> {
        self.at(path).filter(|record| record.is_open).cloned().collect()
    }

    /// Gives up looking for the rest of a file.
    pub(crate) fn close(&mut self, record: &Record) {
        let number = self.number_of(record);
        if let Some(known) = number.and_then(|number| self.records.get_mut(&number)) {
            known.is_open = false;
        }
    }

    pub(crate) fn open_paths(&self) -> Vec<Vec<u8>> {
        let open = self.records.values().filter(|record| record.is_open);
        let mut paths: Vec<Vec<u8>> = open.map(|record| record.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// All records, older ones first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Forgets what was read too long before `now`, in seconds since the epoch.
    pub(crate) fn expire(&mut self, now: i64) {
        let oldest = now.saturating_sub(KEPT_SECONDS);
        let old = self.records.iter().filter(|(_, record)| record.read < oldest);
        for number in old.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.remove(number);
        }
    }

    fn number_of(&self, record: &Record) -> Option<u64> {
        let key = |record: &Record| (record.born, record.generation, record.source);
        let numbers = self.by_file.get(&record.file)?;
        let is_it =
            |number: &&u64| self.records.get(number).is_some_and(|known| key(known) == key(record));
        numbers.iter().find(is_it).copied()
    }

    fn remove(&mut self, number: u64) -> Option<Record> {
        let record = self.records.remove(&number)?;
        if let Some(numbers) = self.by_path.get_mut(&record.path) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_path.remove(&record.path);
            }
        }
        if let Some(numbers) = self.by_file.get_mut(&record.file) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_file.remove(&record.file);
            }
        }
        Some(record)
    }

    fn make_room(&mut self) {
        let records = self.records.iter();
        let mut ages: Vec<(bool, i64, u64)> =
            records.map(|(number, record)| (record.is_open, record.read, *number)).collect();
        ages.sort_unstable();
        for (_, _, number) in ages.into_iter().take(RECORDS_MAX / 8) {
            self.remove(number);
            self.forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(inode: u64, path: &str, read: i64, is_open: bool) -> Record {
        Record {
            path: path.into(),
            file: FileId { device: 1, inode },
            born: 0,
            generation: 0,
            source: None,
            head: None,
            tail: None,
            offset: 0,
            modified: 0,
            read,
            is_open,
            target: None,
        }
    }

    #[test]
    fn records_are_found_by_file_and_by_path() {
        let mut ledger = Ledger::of(&[record(1, "/a", 0, true), record(2, "/a", 0, false)]);
        let inodes = |ledger: &Ledger| ledger.at(b"/a").map(|r| r.file.inode).collect::<Vec<_>>();
        assert_eq!(inodes(&ledger), [1, 2]);
        assert_eq!(ledger.open_at(b"/a").len(), 1);
        ledger.insert(record(1, "/a", 5, true));
        assert_eq!(inodes(&ledger), [2, 1]);
        ledger.close(&record(1, "/a", 0, true));
        assert_eq!(ledger.open_at(b"/a"), []);
        assert!(ledger.take(&record(2, "/a", 0, false)).is_some());
        assert_eq!(inodes(&ledger), [1]);
        ledger.expire(KEPT_SECONDS + 5);
        assert_eq!(inodes(&ledger), [1]);
        ledger.expire(KEPT_SECONDS + 6);
        assert!(ledger.iter().next().is_none());
        assert!(ledger.by_path.is_empty() && ledger.by_file.is_empty());
    }

    #[test]
    fn numbers_may_be_used_again() {
        let mut ledger = Ledger::default();
        let generation = |generation| Record { generation, ..record(1, "/a", 0, false) };
        let max = RECORDS_OF_NUMBER_MAX as u32;
        for number in 0..=max {
            ledger.insert(generation(number));
            ledger.insert(generation(number));
        }
        let kept: Vec<u32> = ledger.at(b"/a").map(|record| record.generation).collect();
        assert_eq!(kept, (1..=max).collect::<Vec<_>>());
        assert_eq!(ledger.take(&generation(3)), Some(generation(3)));
        assert_eq!(ledger.take(&generation(3)), None);
    }

    #[test]
    fn room_is_limited() {
        let mut ledger = Ledger::default();
        for number in 0..=RECORDS_MAX as u64 {
            ledger.insert(record(number, "/a", number as i64, false));
        }
        let has = |inode| ledger.of_file(FileId { device: 1, inode }).next().is_some();
        assert!(!has(0) && has(RECORDS_MAX as u64));
        assert_eq!(ledger.forgotten, RECORDS_MAX as u64 / 8);
    }
}
