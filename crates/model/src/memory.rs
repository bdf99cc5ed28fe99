//! What must outlive a restart, behind one small interface.

use std::collections::BTreeMap;

/// A named table of byte strings. The engine keeps in it what it must remember beyond RAM:
/// first-time-seen keys, ignore entries, diff snapshots, file-integrity baselines, statistics.
pub trait Memory: Send {
    /// The value stored under `key` in `table`, appended to `out` (which is cleared first).
    /// Returns whether there is one.
    fn get(&mut self, table: Table, key: &[u8], out: &mut Vec<u8>) -> bool;
    /// Stores `value` under `key`, replacing what was there.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]);
    /// Calls `visit` for every entry of `table` whose key starts with `prefix`, in key order.
    fn scan(&mut self, table: Table, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]));
}

/// The tables of a [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// First-time-seen keys (`queue/fts/fts-queue`); values are empty.
    FirstSeen,
    /// Ignore entries (`queue/fts/ig-queue`); values are empty.
    Ignored,
    /// Last output by host and rule (`queue/diff`); key `HOST/RULEID`.
    Diff,
    /// File baselines (`queue/syscheck`); key location, a zero byte, file name.
    Syscheck,
    /// Rootcheck findings (`queue/rootcheck`); key location, a zero byte, text.
    Rootcheck,
    /// Host information (`queue/fts/hostinfo`); key the address.
    HostInfo,
    /// Hourly and weekly averages (`stats`).
    Statistics,
}

/// A [`Memory`] that forgets when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct RamMemory {
    entries: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
}

impl Memory for RamMemory {
    fn get(&mut self, table: Table, key: &[u8], out: &mut Vec<u8>) -> bool {
        out.clear();
        match self.entries.get(&(table, key.to_vec())) {
            Some(value) => {
                out.extend_from_slice(value);
                true
            }
            None => false,
        }
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.entries.insert((table, key.to_vec()), value.to_vec());
    }

    fn scan(&mut self, table: Table, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) {
        let from = (table, prefix.to_vec());
        for ((_, key), value) in self
            .entries
            .range(from..)
            .take_while(|((other, key), _)| *other == table && key.starts_with(prefix))
        {
            visit(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_stays_in_its_table_and_prefix() {
        let mut memory = RamMemory::default();
        for (table, key) in [
            (Table::FirstSeen, "zz"),
            (Table::Ignored, "a"),
            (Table::Ignored, "ab"),
            (Table::Ignored, "b"),
            (Table::Diff, "ab"),
        ] {
            memory.put(table, key.as_bytes(), b"v");
        }
        let mut seen = Vec::new();
        memory.scan(Table::Ignored, b"a", &mut |key, _| seen.push(key.to_vec()));
        assert_eq!(seen, [b"a".to_vec(), b"ab".to_vec()]);
    }
}
