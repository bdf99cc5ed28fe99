//! The tables on disk: one file, changed by one transaction per checkpoint.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use model::Table;
use redb::backends::FileBackend;
use redb::{
    Builder, DatabaseError, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageError, TableDefinition, TableError,
};

use super::limits::{self, ALL};
use super::overlay::Overlay;
use crate::files::{FILE_MODE, dir_of, sync_dir};

/// Bytes of the file that are kept in RAM. What is asked for often, the engine remembers itself.
const CACHE_BYTES: usize = 1024 * 1024;

/// The checkpoint, and for each table that was full the key at which making room goes on.
const OWN: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("own");
const CHECKPOINT: &str = "checkpoint";

type Bytes = &'static [u8];

/// The open file.
pub(super) struct Database {
    redb: redb::Database,
    /// By place in [`ALL`]; `None` while there is no such table. Between commits these show the state
    /// of the last one.
    tables: [Option<ReadOnlyTable<Bytes, Bytes>>; ALL.len()],
}

/// Why the file was not opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// What is in it is not what was written.
    Damaged(String),
    InUse,
    Other(String),
}

impl Database {
    /// Opens the file, made if need be, and checks all of it: a page that something else has changed
    /// must not be met later.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(path)?;
        let redb = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create_with_backend(FileBackend::new(file)?)?;
        sync_dir(dir_of(path))?;
        let mut database = Self { redb, tables: Default::default() };
        database.show_last_commit().map_err(|error| OpenError::Other(error.to_string()))?;
        Ok(database)
    }

    /// Appends the value of a key to `out`; whether there is one.
    pub(super) fn get(
        &self,
        table: Table,
        key: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, StorageError> {
        let Some(table) = self.table(table) else { return Ok(false) };
        let Some(value) = ReadableTable::get(table, key)? else { return Ok(false) };
        out.extend_from_slice(value.value());
        Ok(true)
    }

    /// Calls `visit` for the entries whose key starts with `prefix`, in key order.
    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), StorageError> {
        let Some(table) = self.table(table) else { return Ok(()) };
        for entry in ReadableTable::range::<&[u8]>(table, prefix..)? {
            let (key, value) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            visit(key.value(), value.value());
        }
        Ok(())
    }

    pub(super) fn checkpoint(&self) -> Result<Option<Vec<u8>>, redb::Error> {
        match self.redb.begin_read()?.open_table(OWN) {
            Ok(own) => {
                let value = ReadableTable::get(&own, CHECKPOINT)?;
                Ok(value.map(|value| value.value().to_vec()))
            }
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings entries and checkpoint to disk, all or nothing; how many entries had to make room.
    pub(super) fn commit(
        &mut self,
        overlay: &Overlay,
        checkpoint: &[u8],
    ) -> Result<u64, redb::Error> {
        // Who looks at the old state keeps its pages from being used again.
        self.tables = Default::default();
        let mut transaction = self.redb.begin_write()?;
        // Entries are made of hostile text. The short way to commit trusts that nobody can make
        // pages whose checksums fit.
        transaction.set_two_phase_commit(true);
        let mut evicted = 0;
        {
            let mut own = transaction.open_table(OWN)?;
            for table in ALL {
                let mut entries = overlay.with_prefix(table, b"").peekable();
                if entries.peek().is_none() {
                    continue;
                }
                let limits = limits::of(table);
                let mut open = transaction.open_table(definition(table))?;
                for (key, value) in entries {
                    open.insert(key, value)?;
                }
                evicted += make_room(&mut open, &mut own, limits.name, limits.entries)?;
            }
            own.insert(CHECKPOINT, checkpoint)?;
        }
        transaction.commit()?;
        self.show_last_commit()?;
        Ok(evicted)
    }

    fn show_last_commit(&mut self) -> Result<(), redb::Error> {
        let transaction = self.redb.begin_read()?;
        for (place, table) in self.tables.iter_mut().zip(ALL) {
            *place = match transaction.open_table(definition(table)) {
                Ok(table) => Some(table),
                Err(TableError::TableDoesNotExist(_)) => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(())
    }

    fn table(&self, table: Table) -> Option<&ReadOnlyTable<Bytes, Bytes>> {
        self.tables.get(limits::index(table))?.as_ref()
    }
}

fn definition(table: Table) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(limits::of(table).name)
}

/// Removes what is too much, one key after the other through the whole table and then from its start
/// again: whoever fills it with new keys pushes out no more than as many others.
fn make_room(
    table: &mut redb::Table<'_, Bytes, Bytes>,
    own: &mut redb::Table<'_, &'static str, Bytes>,
    name: &'static str,
    entries_max: u64,
) -> Result<u64, StorageError> {
    let surplus = table.len()?.saturating_sub(entries_max);
    if surplus == 0 {
        return Ok(0);
    }
    let mut hand = own.get(name)?.map(|hand| hand.value().to_vec()).unwrap_or_default();
    for _ in 0..surplus {
        let Some(key) = key_from(table, &hand)? else { break };
        table.remove(key.as_slice())?;
        hand = key;
    }
    own.insert(name, hand.as_slice())?;
    Ok(surplus)
}

/// The first key that is not below `hand`, or the first of all.
fn key_from(
    table: &redb::Table<'_, Bytes, Bytes>,
    hand: &[u8],
) -> Result<Option<Vec<u8>>, StorageError> {
    let entry = match table.range::<&[u8]>(hand..)?.next() {
        Some(entry) => Some(entry?),
        None => table.first()?,
    };
    Ok(entry.map(|(key, _)| key.value().to_vec()))
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        let reason = error.to_string();
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            DatabaseError::RepairAborted | DatabaseError::Storage(StorageError::Corrupted(_)) => {
                Self::Damaged(reason)
            }
            DatabaseError::Storage(StorageError::Io(error))
                if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Damaged(reason)
            }
            _ => Self::Other(reason),
        }
    }
}
