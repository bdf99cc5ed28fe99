//! A home directory to write to.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::Timestamp;
use outputs::{OutputFiles, OutputOptions};
use tempfile::TempDir;

pub(crate) const EVERYTHING: OutputOptions = OutputOptions {
    alerts_json: true,
    archives: true,
    archives_json: true,
    firewall: true,
    alerts_are_lines: false,
};

pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        // In RAM where that is possible: thousands of files are made and removed.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { folder: folder.unwrap() }
    }

    pub(crate) fn files(&self, options: OutputOptions) -> OutputFiles {
        OutputFiles::new(File::open(self.folder.path()).unwrap().into(), options)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.path(path)).unwrap()).unwrap()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }

    pub(crate) fn inode(&self, path: &str) -> u64 {
        fs::symlink_metadata(self.path(path)).unwrap().ino()
    }

    /// All files below, by path.
    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut tree = BTreeMap::new();
        self.add(self.folder.path(), &mut tree);
        tree
    }

    fn add(&self, folder: &Path, tree: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.add(&path, tree);
            } else {
                let name = path.strip_prefix(self.folder.path()).unwrap();
                tree.insert(name.to_str().unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
}

/// A moment in a zone.
pub(crate) fn at(date: (i64, u8, u8), time: (u8, u8, u8), utc_offset: i32) -> Timestamp {
    Timestamp::from_civil(date, time, utc_offset).unwrap()
}
