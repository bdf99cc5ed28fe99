//! Which files and directories were looked at, and whether they are still what they were.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// All that was looked at, as it was before it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    seen: Vec<(PathBuf, Option<Stamp>)>,
}

/// What tells two states of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// The same for owner, mode and what a clock set back hides.
    changed: (i64, i64),
    /// An editor that writes a new file and renames it leaves another one.
    file: (u64, u64),
}

impl Watched {
    /// Takes note of a path, which need not exist. Call it before reading: what changes meanwhile
    /// then counts as changed.
    pub(super) fn note(&mut self, path: &Path) {
        if !self.seen.iter().any(|(seen, _)| seen == path) {
            self.seen.push((path.to_owned(), stamp(path)));
        }
    }

    /// Whether anything is not what it was.
    pub(crate) fn has_changed(&self) -> bool {
        self.seen.iter().any(|(path, seen)| stamp(path) != *seen)
    }
}

/// `None` where there is nothing, or nothing that one may look at.
fn stamp(path: &Path) -> Option<Stamp> {
    path.metadata().ok().map(|metadata: Metadata| Stamp {
        bytes: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
        file: (metadata.dev(), metadata.ino()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::UNIX_EPOCH;

    use super::*;

    /// Whether it is noticed when this is done to `file` in a directory, `none` being absent.
    fn is_noticed(change: impl FnOnce(&Path)) -> bool {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "text").unwrap();
        let mut watched = Watched::default();
        for name in ["file", "none", "file"] {
            watched.note(&dir.path().join(name));
        }
        assert_eq!(watched.seen.len(), 2);
        assert!(!watched.has_changed());
        change(dir.path());
        watched.has_changed()
    }

    #[test]
    fn what_is_noticed() {
        assert!(is_noticed(|dir| fs::write(dir.join("file"), "texts").unwrap()));
        assert!(is_noticed(|dir| fs::write(dir.join("none"), "").unwrap()));
        assert!(is_noticed(|dir| fs::remove_file(dir.join("file")).unwrap()));
        assert!(is_noticed(|dir| {
            fs::write(dir.join("other"), "same").unwrap();
            fs::rename(dir.join("other"), dir.join("file")).unwrap();
        }));
        assert!(!is_noticed(|dir| fs::write(dir.join("other"), "").unwrap()));
    }

    #[test]
    fn a_directory_changes_with_its_entries() {
        let dir = tempfile::tempdir().unwrap();
        let rules = dir.path().join("rules");
        fs::create_dir(&rules).unwrap();
        // Long ago, so that the change has another time however coarse the clock is.
        fs::File::open(&rules).unwrap().set_modified(UNIX_EPOCH).unwrap();
        let mut watched = Watched::default();
        watched.note(&rules);
        assert!(!watched.has_changed());
        fs::write(rules.join("more"), "").unwrap();
        assert!(watched.has_changed());
    }
}
