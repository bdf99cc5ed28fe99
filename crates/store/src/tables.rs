//! The engine's [`Memory`] on disk.
//!
//! What is put stays in RAM until the next commit, which brings it to disk together with the
//! checkpoint. So the file always shows the moment of the last checkpoint, and a replay from there
//! meets exactly what the first run met.

mod database;
mod limits;
mod overlay;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::limits::KEY_BYTES_MAX;
use model::{Memory, Table};

use crate::Error;
use crate::error::Doing;
use crate::files::{dir_of, sync_dir, with_ending};
use database::{Database, OpenError};
use overlay::Overlay;

/// A handle; its clones are the same tables. The engine has one, whoever commits has another.
#[derive(Clone)]
pub struct Tables {
    state: Arc<Mutex<State>>,
}

struct State {
    path: PathBuf,
    /// `None` after a failed commit, if it could not be opened again.
    database: Option<Database>,
    overlay: Overlay,
    /// Why an answer was perhaps wrong.
    failure: Option<String>,
    evicted: u64,
}

/// What was found when tables were opened.
#[derive(Debug, Default)]
pub struct TablesOpened {
    /// The file was damaged and the tables start empty.
    pub set_aside: Option<SetAside>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Tables {
    /// Opens the tables in a file, which is made if it is missing. One that is damaged is renamed to
    /// `….damaged`, in place of an earlier one.
    ///
    /// # Errors
    ///
    /// When the file is in use or cannot be opened or renamed.
    pub fn open(path: &Path) -> Result<(Self, TablesOpened), Error> {
        let mut opened = TablesOpened::default();
        let database = match Database::open(path) {
            Err(OpenError::Damaged(reason)) => {
                let aside = with_ending(path, ".damaged");
                fs::rename(path, &aside).doing("setting aside", path)?;
                sync_dir(dir_of(path)).doing("setting aside", path)?;
                opened.set_aside = Some(SetAside { path: aside, reason });
                Database::open(path)
            }
            database => database,
        };
        let state = State {
            path: path.to_owned(),
            database: Some(database.map_err(|error| error.of(path))?),
            overlay: Overlay::default(),
            failure: None,
            evicted: 0,
        };
        Ok((Self { state: Arc::new(Mutex::new(state)) }, opened))
    }

    /// The checkpoint of the last commit.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state();
        state.database()?.checkpoint().map_err(|error| state.unreadable(error.to_string()))
    }

    /// Brings to disk what was put since the last commit, together with a checkpoint: all of it, or
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Commit`] when the disk refuses: everything is as before, and the call may be tried
    /// again. [`Error::Tables`] when an earlier answer was perhaps wrong: only a start from the last
    /// checkpoint helps.
    pub fn commit(&self, checkpoint: &[u8]) -> Result<(), Error> {
        self.state().commit(checkpoint)
    }

    /// Whether so much has been put that a commit should not wait, or something is wrong that a
    /// commit would tell.
    pub fn commit_due(&self) -> bool {
        let state = self.state();
        state.overlay.is_full() || state.failure.is_some() || state.database.is_none()
    }

    /// Entries that had to make room for others since the tables were opened.
    pub fn evicted(&self) -> u64 {
        self.state().evicted
    }

    /// Entries that were not kept because commits failed for too long.
    pub fn not_kept(&self) -> u64 {
        self.state().overlay.not_kept
    }

    /// Puts each line of one of OSSEC's files, `fts-queue` or `ig-queue`, as a key; how many there
    /// were. Lines that OSSEC cannot have written are left out. It takes a commit to keep them.
    pub fn import(&self, table: Table, text: &[u8]) -> u64 {
        let mut state = self.state();
        let lines = text.split(|&byte| byte == b'\n');
        let mut imported = 0;
        for line in lines.filter(|line| (1..=KEY_BYTES_MAX).contains(&line.len())) {
            state.overlay.put(table, line, b"");
            imported += 1;
        }
        imported
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic leaves is whole: puts are single, commits all or nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for Tables {
    fn get(&mut self, table: Table, key: &[u8], out: &mut Vec<u8>) -> bool {
        out.clear();
        let mut state = self.state();
        if let Some(value) = state.overlay.get(table, key) {
            out.extend_from_slice(value);
            return true;
        }
        let found = state.database().and_then(|database| {
            database.get(table, key, out).map_err(|error| state.unreadable(error.to_string()))
        });
        state.told(found)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.state().overlay.put(table, key, value);
    }

    /// `visit` must not use the tables.
    fn scan(&mut self, table: Table, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) {
        let mut state = self.state();
        let mut pending = state.overlay.with_prefix(table, prefix).peekable();
        let scanned = state.database().and_then(|database| {
            database
                .scan(table, prefix, &mut |key, value| {
                    while let Some((key, value)) = pending.next_if(|(other, _)| *other < key) {
                        visit(key, value);
                    }
                    match pending.next_if(|(other, _)| *other == key) {
                        Some((key, value)) => visit(key, value),
                        None => visit(key, value),
                    }
                })
                .map_err(|error| state.unreadable(error.to_string()))
        });
        for (key, value) in pending {
            visit(key, value);
        }
        state.told(scanned);
    }
}

impl State {
    fn commit(&mut self, checkpoint: &[u8]) -> Result<(), Error> {
        if let Some(reason) = &self.failure {
            return Err(self.unreadable(reason.clone()));
        }
        let mut database = match self.database.take() {
            Some(database) => database,
            None => Database::open(&self.path).map_err(|error| error.of(&self.path))?,
        };
        match database.commit(&self.overlay, checkpoint) {
            Ok(evicted) => {
                self.database = Some(database);
                self.overlay.clear();
                self.evicted += evicted;
                Ok(())
            }
            Err(error) => {
                // After a failed write it takes nothing any more until it is opened anew.
                drop(database);
                self.database = Database::open(&self.path).ok();
                Err(Error::Commit { path: self.path.clone(), reason: error.to_string() })
            }
        }
    }

    fn database(&self) -> Result<&Database, Error> {
        let closed = || self.unreadable("it was closed after a failed commit".to_owned());
        self.database.as_ref().ok_or_else(closed)
    }

    fn unreadable(&self, reason: String) -> Error {
        Error::Tables { path: self.path.clone(), reason }
    }

    /// The answer; nothing where there is none, and the next commit tells why.
    fn told<T: Default>(&mut self, answer: Result<T, Error>) -> T {
        answer.unwrap_or_else(|error| {
            let reason = match error {
                Error::Tables { reason, .. } => reason,
                error => error.to_string(),
            };
            self.failure.get_or_insert(reason);
            T::default()
        })
    }
}

impl OpenError {
    fn of(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::InUse => Error::InUse { path },
            Self::Damaged(reason) | Self::Other(reason) => Error::Tables { path, reason },
        }
    }
}
