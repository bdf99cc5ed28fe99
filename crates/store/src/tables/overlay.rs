//! What was put since the last commit.

use std::collections::BTreeMap;

use model::Table;

use super::limits::{self, ALL, ENTRY_BYTES, PENDING_BYTES_MAX};

/// Entries that hide those on disk.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    tables: [Entries; ALL.len()],
    bytes: usize,
    /// Entries that found no room.
    pub(super) not_kept: u64,
}

#[derive(Debug, Default)]
struct Entries {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl Overlay {
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Option<&[u8]> {
        self.entries(table)?.entries.get(key).map(Vec::as_slice)
    }

    pub(super) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let Some(entries) = self.tables.get_mut(limits::index(table)) else { return };
        let old = entries.entries.get(key).map_or(0, |old| entry_bytes(key, old));
        let new = entry_bytes(key, value);
        if self.bytes - old + new > PENDING_BYTES_MAX {
            self.not_kept += 1;
            return;
        }
        self.bytes = self.bytes - old + new;
        entries.bytes = entries.bytes - old + new;
        match entries.entries.get_mut(key) {
            Some(place) => {
                place.clear();
                place.extend_from_slice(value);
            }
            None => drop(entries.entries.insert(key.to_vec(), value.to_vec())),
        }
    }

    /// The entries whose key starts with `prefix`, in key order.
    pub(super) fn with_prefix<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let entries = self.entries(table).map(|entries| entries.entries.range(prefix.to_vec()..));
        let pairs = entries.into_iter().flatten();
        pairs
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Whether any table should be committed soon.
    pub(super) fn is_full(&self) -> bool {
        let over = |table| {
            self.entries(table).is_some_and(|it| it.bytes >= limits::of(table).pending_bytes)
        };
        ALL.into_iter().any(over)
    }

    pub(super) fn clear(&mut self) {
        self.tables = Default::default();
        self.bytes = 0;
    }

    fn entries(&self, table: Table) -> Option<&Entries> {
        self.tables.get(limits::index(table))
    }
}

fn entry_bytes(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_entries() {
        let mut overlay = Overlay::default();
        for value in ["a long value", "short", ""] {
            overlay.put(Table::Diff, b"host/1", value.as_bytes());
        }
        assert_eq!(overlay.bytes, entry_bytes(b"host/1", b""));
        assert_eq!(overlay.get(Table::Diff, b"host/1"), Some(&b""[..]));
        assert_eq!(overlay.get(Table::HostInfo, b"host/1"), None);
        overlay.clear();
        assert_eq!((overlay.bytes, overlay.get(Table::Diff, b"host/1")), (0, None));
    }

    #[test]
    fn full_and_overfull() {
        let mut overlay = Overlay::default();
        let value = vec![0; 1024 * 1024 - ENTRY_BYTES - 4];
        overlay.put(Table::FirstSeen, &0_u32.to_be_bytes(), &value[1..]);
        assert!(!overlay.is_full());
        overlay.put(Table::FirstSeen, &0_u32.to_be_bytes(), &value);
        assert!(overlay.is_full());
        for number in 1..64_u32 {
            overlay.put(Table::Ignored, &number.to_be_bytes(), &value);
        }
        assert_eq!((overlay.bytes, overlay.not_kept), (PENDING_BYTES_MAX, 0));
        overlay.put(Table::Diff, b"", b"");
        overlay.put(Table::Ignored, &1_u32.to_be_bytes(), &[&value[..], b"more"].concat());
        assert_eq!((overlay.bytes, overlay.not_kept), (PENDING_BYTES_MAX, 2));
        overlay.put(Table::Ignored, &1_u32.to_be_bytes(), b"less");
        assert_eq!(overlay.not_kept, 2);
        assert!(overlay.bytes < PENDING_BYTES_MAX);
    }
}
