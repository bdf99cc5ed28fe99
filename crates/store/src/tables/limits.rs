//! How much each table may hold.

use model::Table;

const MIB: usize = 1024 * 1024;

/// Bytes that wait for a commit in all tables. What comes beyond is counted and not kept: it takes a
/// disk that refuses commits for long.
pub(super) const PENDING_BYTES_MAX: usize = 64 * MIB;

/// Bytes that an entry takes beside its key and value.
pub(super) const ENTRY_BYTES: usize = 64;

pub(super) const ALL: [Table; 7] = [
    Table::FirstSeen,
    Table::Ignored,
    Table::Diff,
    Table::Syscheck,
    Table::Rootcheck,
    Table::HostInfo,
    Table::Statistics,
];

/// The limits of one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The table's name in the file.
    pub(super) name: &'static str,
    /// Bytes that wait for a commit before one is due.
    pub(super) pending_bytes: usize,
    /// Entries on disk; over it others make room. All tables grow with what logs and agents say, so
    /// all have one.
    pub(super) entries: u64,
}

pub(super) const fn of(table: Table) -> Limits {
    let (name, pending_bytes, entries) = match table {
        Table::FirstSeen => ("first_seen", MIB, 1_000_000),
        Table::Ignored => ("ignored", MIB, 1_000_000),
        // The values are whole log lines.
        Table::Diff => ("diff", 4 * MIB, 16_384),
        // A baseline that made room would be a file taken for new: far above what hosts have.
        Table::Syscheck => ("syscheck", 4 * MIB, 20_000_000),
        Table::Rootcheck => ("rootcheck", MIB, 1_000_000),
        Table::HostInfo => ("host_info", MIB, 1_000_000),
        Table::Statistics => ("statistics", MIB, 65_536),
    };
    Limits { name, pending_bytes, entries }
}

/// The place of a table in [`ALL`].
pub(super) const fn index(table: Table) -> usize {
    match table {
        Table::FirstSeen => 0,
        Table::Ignored => 1,
        Table::Diff => 2,
        Table::Syscheck => 3,
        Table::Rootcheck => 4,
        Table::HostInfo => 5,
        Table::Statistics => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_at_their_places() {
        for (place, table) in ALL.into_iter().enumerate() {
            assert_eq!(index(table), place);
            assert!(ALL.iter().filter(|&&other| of(other).name == of(table).name).count() == 1);
            assert!(of(table).pending_bytes < PENDING_BYTES_MAX);
        }
    }
}
