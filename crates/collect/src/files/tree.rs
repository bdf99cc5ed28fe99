//! The directories that lead to logs: which are watched, for which patterns, and which paths are
//! found in them.

use std::collections::HashMap;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::disk::{self, FileKind};
use crate::paths::{Component, Pattern, join};
use crate::watch::{Watched, Watches};

/// Directories watched; in more, new files are found by the regular look at everything.
const DIRECTORIES_MAX: usize = 65_536;

/// Watched directories, by number.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    directories: HashMap<u64, Directory>,
    by_path: HashMap<Vec<u8>, u64>,
    last: u64,
    /// Directories whose changes the system does not report.
    polled: usize,
}

#[derive(Debug)]
struct Directory {
    path: Vec<u8>,
    watch: Option<i32>,
    interests: Vec<Interest>,
    /// Names that a followed path leads over, and the number of its track.
    links: Vec<(Vec<u8>, u64)>,
}

/// A component of the pattern of an entry is looked for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) entry: usize,
    pub(crate) component: usize,
}

/// The place from which a walk starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From<'a> {
    pub(crate) directory: &'a [u8],
    pub(crate) interest: Interest,
}

impl Tree {
    /// Forgets what is looked for, of one entry or of all; [`Tree::prune`] then drops the watches
    /// that nobody has asked for again.
    pub(crate) fn forget(&mut self, entry: Option<usize>) {
        for directory in self.directories.values_mut() {
            directory.interests.retain(|interest| entry.is_some_and(|one| interest.entry != one));
            if entry.is_none() {
                directory.links.clear();
            }
        }
    }

    pub(crate) fn prune(&mut self, watches: &mut Watches) {
        let unused = self
            .directories
            .iter()
            .filter(|(_, directory)| directory.interests.is_empty() && directory.links.is_empty());
        for number in unused.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.remove(number, watches);
        }
    }

    /// Watches every directory that the pattern leads through and appends the paths it leads to:
    /// a plain path always, others if there is such a name.
    pub(crate) fn walk(
        &mut self,
        from: From<'_>,
        pattern: &Pattern,
        watches: &mut Watches,
        found: &mut Vec<Vec<u8>>,
    ) {
        let From { directory, interest } = from;
        let Some(component) = pattern.component(interest.component) else { return };
        // First the watch, then the look: what comes in between is seen twice, not never.
        self.watch(directory, Some(interest), None, watches);
        let is_last = pattern.is_last(interest.component);
        let names = match component {
            Component::Name(name) => vec![name.clone()],
            Component::Wild(_) => {
                let is_wanted = |name: &[u8], kind: FileType| {
                    let may_be = match kind {
                        FileType::Directory => !is_last,
                        FileType::Symlink | FileType::Unknown => true,
                        _ => is_last,
                    };
                    may_be && component.matches(name)
                };
                disk::names(directory, is_wanted).unwrap_or_default()
            }
        };
        for name in names {
            if is_last {
                found.push(pattern.path(directory, &name));
                continue;
            }
            let path = join(directory, &name);
            if disk::look(&path).is_ok_and(|facts| facts.kind == FileKind::Directory) {
                let next = Interest { component: interest.component + 1, ..interest };
                self.walk(From { directory: &path, interest: next }, pattern, watches, found);
            }
        }
    }

    /// Watches the directories that the last component of a path leads over, where it is a link.
    pub(crate) fn watch_links(&mut self, path: &[u8], track: u64, watches: &mut Watches) {
        for hop in disk::links(path) {
            let (directory, name) = crate::paths::split(&hop);
            self.watch(directory, None, Some((name.to_vec(), track)), watches);
        }
    }

    /// The path of a directory, and what is looked for in it under `name`.
    pub(crate) fn interests(&self, number: u64, name: &[u8]) -> (Vec<u8>, Vec<Interest>, Vec<u64>) {
        let Some(directory) = self.directories.get(&number) else { return Default::default() };
        let links = directory.links.iter().filter(|(link, _)| link == name);
        (
            directory.path.clone(),
            directory.interests.clone(),
            links.map(|(_, track)| *track).collect(),
        )
    }

    pub(crate) fn path(&self, number: u64) -> Option<Vec<u8>> {
        Some(self.directories.get(&number)?.path.clone())
    }

    /// Drops the watches of a directory and of all below it: they may be elsewhere now.
    pub(crate) fn forget_below(&mut self, path: &[u8], watches: &mut Watches) {
        let below = self.directories.iter().filter(|(_, directory)| {
            directory.path.strip_prefix(path).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
        });
        for number in below.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.remove(number, watches);
        }
    }

    /// Whether some directory has no watch.
    pub(crate) fn is_polled(&self) -> bool {
        self.polled > 0
    }

    /// The entries that look for something in directories without a watch.
    pub(crate) fn polled_entries(&self) -> Vec<usize> {
        let polled = self.directories.values().filter(|directory| directory.watch.is_none());
        let mut entries: Vec<usize> =
            polled.flat_map(|directory| &directory.interests).map(|one| one.entry).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    fn watch(
        &mut self,
        path: &[u8],
        interest: Option<Interest>,
        link: Option<(Vec<u8>, u64)>,
        watches: &mut Watches,
    ) {
        let number = self.by_path.get(path).copied().unwrap_or(self.last + 1);
        let watch = match watches.add_directory(path, number) {
            Ok(watch) => Some(watch),
            // The watch of the directory above tells when it comes.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => return,
            Err(_) => None,
        };
        if !self.directories.contains_key(&number) {
            if self.directories.len() >= DIRECTORIES_MAX {
                if let Some(watch) = watch {
                    watches.remove(watch, Watched::Directory(number));
                }
                return;
            }
            self.last = number;
            self.by_path.insert(path.to_vec(), number);
            self.polled += usize::from(watch.is_none());
            let path = path.to_vec();
            let directory = Directory { path, watch, interests: Vec::new(), links: Vec::new() };
            self.directories.insert(number, directory);
        }
        let Some(directory) = self.directories.get_mut(&number) else { return };
        if directory.watch != watch {
            self.polled += usize::from(watch.is_none());
            self.polled -= usize::from(directory.watch.is_none());
            if let Some(old) = directory.watch {
                watches.remove(old, Watched::Directory(number));
            }
            directory.watch = watch;
        }
        if let Some(interest) = interest
            && !directory.interests.contains(&interest)
        {
            directory.interests.push(interest);
        }
        if let Some(link) = link
            && !directory.links.contains(&link)
        {
            directory.links.push(link);
        }
    }

    fn remove(&mut self, number: u64, watches: &mut Watches) {
        let Some(directory) = self.directories.remove(&number) else { return };
        self.by_path.remove(&directory.path);
        match directory.watch {
            Some(watch) => watches.remove(watch, Watched::Directory(number)),
            None => self.polled -= 1,
        }
    }
}
