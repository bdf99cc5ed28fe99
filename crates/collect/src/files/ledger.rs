//! What is known of files that are not open now.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::disk::FileId;
use crate::paths::rotated::{family_prefix, is_of_family};
use crate::positions::Record;

/// Records kept; of more, those that were read longest ago are forgotten.
const RECORDS_MAX: usize = 32_768;
/// Seconds for which files that are no longer followed are remembered.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// Records of files that are not open: those left by the last run and not found yet ("open"), and
/// those read to their end ("closed"), so that a file that is met again is not read twice.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: HashMap<FileId, Record>,
    by_path: BTreeMap<Vec<u8>, Vec<FileId>>,
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
        self.take(record.file);
        self.by_path.entry(record.path.clone()).or_default().push(record.file);
        self.records.insert(record.file, record);
        if self.records.len() > RECORDS_MAX {
            self.make_room();
        }
    }

    pub(crate) fn get(&self, file: FileId) -> Option<&Record> {
        self.records.get(&file)
    }

    pub(crate) fn take(&mut self, file: FileId) -> Option<Record> {
        let record = self.records.remove(&file)?;
        if let Some(files) = self.by_path.get_mut(&record.path) {
            files.retain(|other| *other != file);
            if files.is_empty() {
                self.by_path.remove(&record.path);
            }
        }
        Some(record)
    }

    /// The records with a path, older ones first.
    pub(crate) fn at(&self, path: &[u8]) -> impl Iterator<Item = &Record> {
        let files = self.by_path.get(path).map(Vec::as_slice).unwrap_or_default();
        files.iter().filter_map(|file| self.records.get(file))
    }

    /// The records of a log and of all that have the name of one of its rotated files.
    pub(crate) fn family(&self, log: &[u8]) -> impl Iterator<Item = &Record> {
        let from = family_prefix(log);
        let range = self.by_path.range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
        range
            .take_while(move |(path, _)| path.starts_with(from))
            .filter(move |(path, _)| is_of_family(path, log))
            .flat_map(|(_, files)| files)
            .filter_map(|file| self.records.get(file))
    }

    /// Those that were being read and have not been found again.
    pub(crate) fn open_at(&self, path: &[u8]) -> Vec<Record> {
        self.at(path).filter(|record| record.is_open).cloned().collect()
    }

    /// Gives up looking for the rest of a file.
    pub(crate) fn close(&mut self, file: FileId) {
        if let Some(record) = self.records.get_mut(&file) {
            record.is_open = false;
        }
    }

    pub(crate) fn open_paths(&self) -> Vec<Vec<u8>> {
        let open = self.records.values().filter(|record| record.is_open);
        let mut paths: Vec<Vec<u8>> = open.map(|record| record.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// All records; those of one path with the older first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        let files = self.by_path.values().flatten();
        files.filter_map(|file| self.records.get(file))
    }

    /// Forgets what was read too long before `now`, in seconds since the epoch.
    pub(crate) fn expire(&mut self, now: i64) {
        let oldest = now.saturating_sub(KEPT_SECONDS);
        let old = self.records.values().filter(|record| record.read < oldest);
        for file in old.map(|record| record.file).collect::<Vec<_>>() {
            self.take(file);
        }
    }

    fn make_room(&mut self) {
        let mut ages: Vec<(bool, i64, FileId)> = self
            .records
            .values()
            .map(|record| (record.is_open, record.read, record.file))
            .collect();
        ages.sort_unstable();
        for (_, _, file) in ages.into_iter().take(RECORDS_MAX / 8) {
            self.take(file);
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
        ledger.close(FileId { device: 1, inode: 1 });
        assert_eq!(ledger.open_at(b"/a"), []);
        assert!(ledger.take(FileId { device: 1, inode: 2 }).is_some());
        assert_eq!(inodes(&ledger), [1]);
        ledger.expire(KEPT_SECONDS + 5);
        assert_eq!(inodes(&ledger), [1]);
        ledger.expire(KEPT_SECONDS + 6);
        assert!(ledger.iter().next().is_none() && ledger.by_path.is_empty());
    }

    #[test]
    fn room_is_limited() {
        let mut ledger = Ledger::default();
        for number in 0..=RECORDS_MAX as u64 {
            ledger.insert(record(number, "/a", number as i64, false));
        }
        assert!(ledger.get(FileId { device: 1, inode: 0 }).is_none());
        assert!(ledger.get(FileId { device: 1, inode: RECORDS_MAX as u64 }).is_some());
        assert_eq!(ledger.forgotten, RECORDS_MAX as u64 / 8);
    }
}
