//! From locations to tracks: patterns, dates, and what inotify says about directories.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use config::sections::LogFormat;

use super::disk::{self, FileKind};
use super::entry::Entry;
use super::notice::Notice;
use super::pace::Pace;
use super::report::SourceState;
use super::track::{First, Said, Since, Track};
use super::tree::{From, Interest};
use super::{FILES_MAX, FileEntry, Files, POLL_INTERVAL, RESCAN_INTERVAL};
use crate::formats::{self, FramerCounts};
use crate::paths::rotated::is_packed;
use crate::paths::{self, Pattern, split};
use crate::positions::Positions;
use crate::watch::{Noticed, Watched};

impl Files {
    /// Makes tracks of everything that the locations and the saved positions name.
    pub(super) fn start(&mut self, entries: &[FileEntry], saved: &Positions) {
        self.set_entries(entries);
        for entry in 0..self.entries.len() {
            let is_known = saved.locations.iter().any(|location| {
                self.entries.get(entry).is_some_and(|own| own.location.as_bytes() == location)
            });
            self.spread(entry, self.first(is_known && !self.settings.first_start));
        }
        let mut passed = Vec::new();
        for path in self.ledger.open_paths() {
            passed.extend(self.admit_passed(&path));
        }
        for entry in 0..self.entries.len() {
            passed.extend(self.admit_names_since(entry, saved.taken()));
        }
        // First every file that is where it was; only then is something taken for new.
        for number in self.numbers() {
            self.with_track(number, |files, track| files.adopt(track));
        }
        if self.clock.has_begun {
            for number in self.numbers() {
                self.with_track(number, |files, track| files.note_past(track, Some(saved.taken)));
            }
        }
        for number in self.numbers() {
            self.with_track(number, |files, track| files.check(track));
            self.queue(number);
        }
        for number in passed {
            self.retire(number);
        }
    }

    pub(super) fn spread_anew(&mut self, entries: &[FileEntry]) {
        let known: Vec<String> = self.entries.iter().map(|own| own.location.clone()).collect();
        self.set_entries(entries);
        self.tree.forget(None);
        for track in self.tracks.values_mut() {
            track.is_wanted = false;
        }
        for entry in 0..self.entries.len() {
            let is_known = self.entries.get(entry).is_some_and(|own| known.contains(&own.location));
            self.spread(entry, self.first(is_known));
        }
        for number in self.numbers() {
            let Some(track) = self.tracks.get(&number) else { continue };
            if track.is_wanted {
                // What is new begins at what its file holds now, not when it is first read.
                self.with_track(number, |files, track| files.check(track));
                self.queue(number);
            } else if self.entries.iter().any(|entry| entry.covers(&track.path)) {
                self.retire(number);
            } else {
                self.with_track(number, |files, track| files.drop_streams(track));
            }
        }
        self.tree.prune(&mut self.watches);
    }

    /// Looks at everything.
    fn rescan(&mut self) {
        self.rescan_due = self.now.monotonic + RESCAN_INTERVAL;
        self.ledger.expire(self.now.wall.seconds);
        self.tree.forget(None);
        for track in self.tracks.values_mut() {
            track.is_wanted = false;
        }
        for entry in 0..self.entries.len() {
            self.spread(entry, First::AtStart);
        }
        for number in self.numbers() {
            self.retire_unwanted(number);
            self.queue_check(number);
        }
        self.tree.prune(&mut self.watches);
    }

    /// Does what is due without anything having happened.
    pub(super) fn tick(&mut self) {
        let now = self.now.monotonic;
        while let Some((due, number)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.pop_first();
            if let Some(track) = self.tracks.get_mut(&number) {
                track.due = None;
            }
            self.queue(number);
        }
        if now >= self.rescan_due {
            self.rescan();
        }
        for entry in 0..self.entries.len() {
            self.follow_date(entry);
        }
        if self.has_polled() {
            if self.poll_due.is_some_and(|due| due <= now) {
                self.poll();
            }
            let is_set = self.poll_due.is_some_and(|due| due > now);
            if !is_set {
                self.poll_due = Some(now + POLL_INTERVAL);
            }
        }
    }

    fn poll(&mut self) {
        for number in self.polled.iter().copied().collect::<Vec<_>>() {
            self.queue_check(number);
        }
        for entry in self.tree.polled_entries() {
            self.spread(entry, First::AtStart);
            let tracks = self.tracks.values().filter(|track| track.entry == entry);
            for number in tracks.map(|track| track.number).collect::<Vec<_>>() {
                self.queue_check(number);
            }
        }
    }

    pub(super) fn happened(&mut self, event: Noticed) {
        match event {
            Noticed::Written(number) => self.queue(number),
            Noticed::Touched(number) => self.queue_check(number),
            Noticed::Overflow => self.rescan(),
            Noticed::Gone(directory) => {
                if let Some(path) = self.tree.path(directory) {
                    self.lose_below(&path);
                }
            }
            Noticed::Appeared(directory, name) => self.named(directory, &name, true),
            Noticed::Vanished(directory, name) => self.named(directory, &name, false),
        }
    }

    /// A name came to be, or went.
    fn named(&mut self, directory: u64, name: &[u8], is_there: bool) {
        let (path, interests, links) = self.tree.interests(directory, name);
        for Interest { entry, component } in interests {
            let Some(pattern) = self.entries.get(entry).and_then(|entry| entry.pattern.clone())
            else {
                continue;
            };
            if !pattern.component(component).is_some_and(|own| own.matches(name)) {
                continue;
            }
            if pattern.is_last(component) {
                let path = pattern.path(&path, name);
                if is_there {
                    self.admit(entry, &path, First::AtStart);
                }
                if let Some(&number) = self.by_path.get(&path) {
                    self.queue_check(number);
                }
                continue;
            }
            let below = paths::join(&path, name);
            if is_there {
                let interest = Interest { entry, component: component + 1 };
                let mut found = Vec::new();
                let from = From { directory: &below, interest };
                self.tree.walk(from, &pattern, &mut self.watches, &mut found);
                for path in found {
                    self.admit(entry, &path, First::AtStart);
                }
                self.queue_below(&below);
            } else {
                self.lose_below(&below);
            }
        }
        for number in links {
            self.queue_check(number);
        }
    }

    /// A directory is not where it was.
    fn lose_below(&mut self, path: &[u8]) {
        self.tree.forget_below(path, &mut self.watches);
        self.queue_below(path);
    }

    fn queue_below(&mut self, path: &[u8]) {
        let from = [path, b"/"].concat();
        let below = self.by_path.range::<[u8], _>((Bound::Included(&from[..]), Bound::Unbounded));
        let below = below.take_while(|(path, _)| path.starts_with(&from));
        for number in below.map(|(_, number)| *number).collect::<Vec<_>>() {
            self.queue_check(number);
        }
    }

    fn set_entries(&mut self, entries: &[FileEntry]) {
        self.entries.clear();
        for entry in entries {
            let entry = Entry::new(entry, self.now.wall);
            let shown = entry.location.as_bytes().to_vec();
            match (&entry.pattern, &entry.dated) {
                (None, _) => self.notices.push(Notice::BadLocation(shown)),
                (Some(_), Some(dated)) => {
                    let name = dated.name.at(self.now.wall);
                    self.notices.push(Notice::Variable(name.into_bytes()));
                }
                (Some(_), None) => {}
            }
            self.entries.push(entry);
        }
    }

    /// Where files begin that are there now.
    fn first(&self, is_known: bool) -> First {
        if is_known || self.settings.from_start { First::AtStart } else { First::AtEnd }
    }

    pub(super) fn spread(&mut self, entry: usize, first: First) {
        let Some(pattern) = self.entries.get(entry).and_then(|entry| entry.pattern.clone()) else {
            return;
        };
        let mut found = Vec::new();
        let interest = Interest { entry, component: 0 };
        let from = From { directory: pattern.root(), interest };
        self.tree.walk(from, &pattern, &mut self.watches, &mut found);
        for path in found {
            self.admit(entry, &path, first);
        }
    }

    /// An entry leads to a path.
    fn admit(&mut self, entry: usize, path: &[u8], first: First) {
        let Some(of) = self.entries.get(entry) else { return };
        let (format, is_dated) = (of.format, of.dated.is_some());
        let is_wild = of.pattern.as_ref().is_some_and(Pattern::is_wild);
        if let Some(number) = self.by_path.get(path).copied() {
            self.admit_again(number, entry, format);
            return;
        }
        if is_wild {
            // Packed files are no text. Directories and devices that happen to match are nothing
            // to complain about.
            let is_readable = |kind| matches!(kind, FileKind::Regular | FileKind::Pipe);
            let is_log = !is_packed(split(path).1)
                && disk::look(path).is_ok_and(|facts| is_readable(facts.kind));
            if !is_log {
                return;
            }
        }
        if self.tracks.len() >= FILES_MAX {
            if self.refused == 0 {
                self.notices.push(Notice::TooManyFiles(FILES_MAX));
            }
            self.refused += 1;
            return;
        }
        let is_named = !is_wild && !is_dated;
        let number = self.add_track(entry, format, path, (is_named, first));
        self.queue(number);
    }

    fn admit_again(&mut self, number: u64, entry: usize, format: LogFormat) {
        let Some(track) = self.tracks.get_mut(&number) else { return };
        if track.is_wanted && track.entry != entry && !track.said.duplicated {
            track.said.duplicated = true;
            self.notices.push(Notice::Duplicated(track.path.to_vec()));
        }
        if track.is_wanted {
            return;
        }
        (track.is_wanted, track.entry) = (true, entry);
        if track.format != format {
            (track.format, track.queue) = (format, formats::queue(format));
            self.with_track(number, |files, track| {
                track.state = SourceState::New;
                files.reframe(track);
            });
        }
        self.queue_check(number);
    }

    fn add_track(
        &mut self,
        entry: usize,
        format: LogFormat,
        path: &[u8],
        (is_named, first): (bool, First),
    ) -> u64 {
        self.last_track += 1;
        let number = self.last_track;
        let track = Track {
            number,
            path: Arc::from(path),
            entry,
            format,
            queue: formats::queue(format),
            is_wanted: true,
            is_named,
            first,
            state: SourceState::New,
            streams: Vec::new(),
            backlog: VecDeque::new(),
            since: self.since(path),
            to_check: true,
            is_queued: false,
            due: None,
            watch: None,
            is_polled: false,
            pace: Pace::default(),
            said: Said::default(),
            lines: 0,
            rotations: 0,
            last_message: None,
            counts: FramerCounts::default(),
        };
        self.tracks.insert(number, track);
        self.by_path.insert(path.to_vec(), number);
        number
    }

    /// What was last seen at a path, as far as records tell.
    fn since(&self, path: &[u8]) -> Option<Since> {
        let open = || self.ledger.at(path).filter(|record| record.is_open);
        let born = open().map(|record| record.born).min();
        if let (Some(last), Some(born)) = (open().last(), born) {
            return Some(Since { modified: last.modified, born });
        }
        let newest = self.ledger.at(path).max_by_key(|record| record.modified)?;
        Some(Since { modified: newest.modified, born: newest.born })
    }

    /// A path that was followed and to which no entry leads any more, if one used to.
    pub(super) fn admit_passed(&mut self, path: &[u8]) -> Option<u64> {
        if self.by_path.contains_key(path) || self.tracks.len() >= FILES_MAX {
            return None;
        }
        let entry = self.entries.iter().position(|entry| entry.covers(path))?;
        let format = self.entries.get(entry)?.format;
        Some(self.add_track(entry, format, path, (false, First::AtStart)))
    }

    pub(super) fn retire_unwanted(&mut self, number: u64) {
        if self.tracks.get(&number).is_some_and(|track| !track.is_wanted) {
            self.retire(number);
        }
    }

    /// Reads a path to its end and then forgets it.
    fn retire(&mut self, number: u64) {
        self.with_track(number, |files, track| {
            if track.current().is_some() {
                // A last look, for what became of the file.
                track.is_wanted = true;
                files.check(track);
            }
            track.is_wanted = false;
            track.retire_current(files.now.monotonic);
        });
    }

    /// Forgets a track that has nothing open.
    pub(super) fn forget_track(&mut self, track: &mut Track) {
        self.by_path.remove(&*track.path);
        self.polled.remove(&track.number);
        if let Some(due) = track.due.take() {
            self.timers.remove(&(due, track.number));
        }
        if let Some(watch) = track.watch.take() {
            self.watches.remove(watch, Watched::File(track.number));
        }
        for numbers in self.waiting.values_mut() {
            numbers.retain(|number| *number != track.number);
        }
        self.waiting.retain(|_, numbers| !numbers.is_empty());
    }
}
