//! The files beside a log into which rotation may have moved or copied it.

use std::cmp::Ordering;

use rustix::fs::FileType;

use super::disk::{self, Facts, FileKind};
use crate::paths::rotated::{Packing, RotatedName, rotated_name};
use crate::paths::{join, split};

/// Rotated files of one log that are looked at; of more, the newest.
const SIBLINGS_MAX: usize = 1024;

/// A file with the name of a rotated one.
#[derive(Clone, Debug)]
pub(crate) struct Sibling {
    pub(crate) path: Vec<u8>,
    pub(crate) facts: Facts,
    pub(crate) name: RotatedName,
}

impl Sibling {
    pub(crate) fn is_plain(&self) -> bool {
        self.name.packing == Packing::Plain
    }

    pub(crate) fn is_gzip(&self) -> bool {
        self.name.packing == Packing::Gzip
    }
}

/// The rotated files of the log at `path`, oldest first. Where the path is a link, also those
/// beside the file that it leads to.
pub(crate) fn siblings(path: &[u8]) -> Vec<Sibling> {
    let mut places = vec![path.to_vec()];
    places.extend(disk::links(path).pop());
    let mut found: Vec<Sibling> = places.iter().flat_map(|place| beside(place)).collect();
    found.sort_by(by_age);
    found.dedup_by(|one, other| one.facts.id == other.facts.id);
    found.drain(..found.len().saturating_sub(SIBLINGS_MAX));
    found
}

fn beside(path: &[u8]) -> Vec<Sibling> {
    let (directory, base) = split(path);
    let is_wanted = |name: &[u8], kind: FileType| {
        kind != FileType::Directory && rotated_name(name, base).is_some()
    };
    let names = disk::names(directory, is_wanted).unwrap_or_default();
    let sibling = |name: Vec<u8>| {
        let path = join(directory, &name);
        let facts = disk::look(&path).ok().filter(|facts| facts.kind == FileKind::Regular)?;
        Some(Sibling { path, facts, name: rotated_name(&name, base)? })
    };
    names.into_iter().filter_map(sibling).collect()
}

fn by_age(one: &Sibling, other: &Sibling) -> Ordering {
    let key = |sibling: &Sibling| (sibling.facts.modified, sibling.facts.id);
    one.facts
        .modified
        .cmp(&other.facts.modified)
        .then_with(|| one.name.age.cmp(&other.name.age))
        .then_with(|| key(one).cmp(&key(other)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn rotated_files_are_found_by_age() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("real")).unwrap();
        fs::create_dir(at("log.9")).unwrap();
        for name in ["log", "log.3.gz", "log.2", "log.1", "log.err", "real/a", "real/a.1"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("real/a", at("link")).unwrap();
        let names = |name: &str| -> Vec<String> {
            let found = siblings(at(name).as_os_str().as_bytes());
            let name =
                |sibling: &Sibling| String::from_utf8_lossy(split(&sibling.path).1).into_owned();
            found.iter().map(name).collect()
        };
        assert_eq!(names("log"), ["log.3.gz", "log.2", "log.1"]);
        assert_eq!(names("link"), ["a.1"]);
        assert_eq!(names("real/a"), ["a.1"]);
        assert_eq!(names("none/a"), [""; 0]);
    }
}
