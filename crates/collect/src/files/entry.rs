//! Locations, and those whose names change with the date.

use std::time::Duration;

use config::sections::LogFormat;
use model::Timestamp;

use super::disk::{self, FileKind};
use super::notice::Notice;
use super::track::First;
use super::{FileEntry, Files};
use crate::paths::dates::DatedName;
use crate::paths::rotated::is_packed;
use crate::paths::{self, Pattern, split};

/// A location and what it stands for now.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) location: String,
    pub(crate) format: LogFormat,
    pub(crate) dated: Option<Dated>,
    /// `None` if there cannot be such a path.
    pub(crate) pattern: Option<Pattern>,
}

#[derive(Debug)]
pub(crate) struct Dated {
    pub(crate) name: DatedName,
    /// Fits all names that it had and will have.
    cover: Option<Pattern>,
    /// When the name was looked up, and when it may be another one.
    looked: Timestamp,
    next_change: i64,
}

impl Entry {
    pub(crate) fn new(entry: &FileEntry, now: Timestamp) -> Self {
        let FileEntry { location, format } = entry.clone();
        let dated = DatedName::parse(&location).map(|name| Dated {
            cover: Pattern::glob(name.cover().as_bytes()),
            looked: now,
            next_change: name.next_change(now),
            name,
        });
        let text = dated.as_ref().map_or_else(|| location.clone(), |dated| dated.name.at(now));
        Self { pattern: Pattern::parse(text.as_bytes()), location, format, dated }
    }

    pub(crate) fn covers(&self, path: &[u8]) -> bool {
        let cover = self.dated.as_ref().map_or(&self.pattern, |dated| &dated.cover);
        cover.as_ref().is_some_and(|pattern| pattern.covers(path))
    }
}

impl Files {
    /// The monotonic time of the next change of a name.
    pub(super) fn dates_due(&self) -> Option<Duration> {
        let dated = self.entries.iter().filter_map(|entry| entry.dated.as_ref());
        let next = dated.map(|dated| dated.next_change).min()?;
        let seconds = u64::try_from(next.saturating_sub(self.now.wall.seconds)).unwrap_or(0);
        self.now.monotonic.checked_add(Duration::from_secs(seconds))
    }

    /// The files with the names that an entry had from a moment on until now.
    pub(super) fn admit_names_since(&mut self, entry: usize, since: Timestamp) -> Vec<u64> {
        let Some(dated) = self.entries.get(entry).and_then(|entry| entry.dated.as_ref()) else {
            return Vec::new();
        };
        if since.seconds <= 0 {
            return Vec::new();
        }
        let names = dated.name.between(since, self.now.wall);
        let mut numbers = Vec::new();
        for pattern in names.iter().filter_map(|name| Pattern::parse(name.as_bytes())) {
            for path in existing(&pattern) {
                numbers.extend(self.admit_passed(&path));
            }
        }
        numbers
    }

    /// Goes on to the next name of an entry, if that is due or the clock was set back.
    pub(super) fn follow_date(&mut self, entry: usize) {
        let now = self.now.wall;
        let Some(own) = self.entries.get_mut(entry) else { return };
        let Some(dated) = &mut own.dated else { return };
        if now.seconds >= dated.looked.seconds && now.seconds < dated.next_change {
            return;
        }
        let before = std::mem::replace(&mut dated.looked, now);
        dated.next_change = dated.name.next_change(now);
        let name = dated.name.at(now);
        if name == dated.name.at(before) {
            return;
        }
        own.pattern = Pattern::parse(name.as_bytes());
        self.notices.push(Notice::Variable(name.into_bytes()));
        let passed = self.admit_names_since(entry, before);
        for number in &passed {
            self.with_track(*number, |files, track| files.check(track));
            self.queue(*number);
        }
        let tracks = self.tracks.values_mut().filter(|track| track.entry == entry);
        let mut numbers = Vec::new();
        for track in tracks {
            track.is_wanted = false;
            numbers.push(track.number);
        }
        self.tree.forget(Some(entry));
        // What the old names hold goes first.
        numbers.sort_unstable();
        for number in &numbers {
            self.queue(*number);
        }
        self.spread(entry, First::AtStart);
        for number in numbers {
            self.retire_unwanted(number);
        }
        self.tree.prune(&mut self.watches);
    }
}

/// The paths a pattern leads to now.
fn existing(pattern: &Pattern) -> Vec<Vec<u8>> {
    let mut directories = vec![pattern.root().to_vec()];
    let mut at = 0;
    while let Some(component) = pattern.component(at) {
        let mut next = Vec::new();
        for directory in &directories {
            let names = match component {
                paths::Component::Name(name) => vec![name.clone()],
                paths::Component::Wild(_) => {
                    let is_wanted = |name: &[u8], _| component.matches(name);
                    disk::names(directory, is_wanted).unwrap_or_default()
                }
            };
            next.extend(names.iter().map(|name| match pattern.is_last(at) {
                true => pattern.path(directory, name),
                false => paths::join(directory, name),
            }));
        }
        next.truncate(disk::NAMES_MAX);
        directories = next;
        at += 1;
    }
    directories.retain(|path| {
        disk::look(path).is_ok_and(|facts| facts.kind == FileKind::Regular)
            && !(pattern.is_wild() && is_packed(split(path).1))
    });
    directories
}
