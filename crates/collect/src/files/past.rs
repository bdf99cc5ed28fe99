//! Rotated files: where the rest of a file is that is not at its path any more, and what came
//! between that file and the one which is there now.

use std::ops::Bound;
use std::os::fd::AsFd;

use super::Files;
use super::disk::{self, Facts, FileId, Opened};
use super::identity::{begins_with, is_copy, is_same};
use super::notice::Notice;
use super::packed;
use super::print::Print;
use super::siblings::{Sibling, siblings};
use super::stream::{LINGER, LINGER_DELETED, Rest, Stream};
use super::track::{Since, Track};
use crate::paths::rotated::{bases, family_prefix, is_of_family};
use crate::paths::{join, split};
use crate::positions::Record;

/// What became of the rest of a file.
pub(super) enum Fate {
    /// With its path, if somebody may still write to it.
    Found(Rest, Option<Vec<u8>>),
    /// There is a copy, perhaps packed, that ends where it was read up to or before.
    Complete(Opened),
    Missing,
}

/// Content that is no news.
#[derive(Default)]
pub(super) struct Known {
    /// What was read.
    pub(super) records: Vec<Record>,
    /// What is being read.
    pub(super) live: Vec<Opened>,
}

impl Known {
    fn add(&mut self, track: &Track) {
        for stream in &track.streams {
            self.live.extend(stream.duplicate());
            self.records.push(match stream.is_lost() {
                true => stream.last_record(&track.path),
                false => stream.record_of_read(&track.path),
            });
        }
    }
}

/// Whether a file that is not found is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Final,
    /// It may come back, as when a disk is not mounted yet.
    Open,
}

impl Files {
    /// Looks for the rest of files that were read at a path: those that the last run left.
    pub(super) fn find_lost(&mut self, track: &mut Track, verdict: Verdict) {
        let lost = self.ledger.open_at(&track.path);
        if lost.is_empty() {
            return;
        }
        let siblings = self.relatives(track);
        for record in lost {
            if record.is_unread() {
                self.wait_again(track, &record, &siblings);
                continue;
            }
            let (rest, path) = match self.rest_of(&record, track.number, &siblings) {
                Fate::Found(rest, path) => (rest, path),
                Fate::Complete(opened) => {
                    self.know(&record, &opened.facts);
                    self.ledger.close(&record);
                    continue;
                }
                Fate::Missing if verdict == Verdict::Final => {
                    let is_told = self.tell_unreadable(track, &record, &siblings);
                    self.ledger.close(&record);
                    if !is_told {
                        self.notices.push(Notice::RestLost(track.path.to_vec()));
                    }
                    continue;
                }
                Fate::Missing => continue,
            };
            self.ledger.take(&record);
            let Some(framer) = self.framer(track, record.offset) else { continue };
            let now = self.now.monotonic;
            let mut stream = Stream::resume(rest, &record, framer, now);
            stream.rotate(LINGER, now);
            self.take_in(track, &mut stream, path.as_deref());
            track.insert_old(stream);
        }
    }

    /// The rotated files of a log and, if it has the name of a rotated one, those of its log.
    fn relatives(&self, track: &Track) -> Vec<Sibling> {
        let (directory, name) = split(&track.path);
        let logs = bases(name).into_iter().map(|base| join(directory, &base));
        let logs = logs.filter(|log| self.by_path.contains_key(log));
        let mut found = siblings(&track.path);
        for sibling in logs.flat_map(|log| siblings(&log)) {
            if found.iter().all(|other| other.facts.id != sibling.facts.id) {
                found.push(sibling);
            }
        }
        found
    }

    /// Puts a file in line again that waited there when the last run ended; it may have been renamed
    /// or packed since.
    fn wait_again(&mut self, track: &mut Track, record: &Record, siblings: &[Sibling]) {
        self.ledger.take(record);
        let is_it = |sibling: &&Sibling| {
            (sibling.facts.id, sibling.facts.born) == (record.file, record.born)
                && !self.owners.contains_key(&sibling.facts.id)
        };
        let found = siblings.iter().find(is_it).cloned();
        let found = found.or_else(|| self.find_packed(track, record.modified, siblings));
        let Some(sibling) = found else {
            self.notices.push(Notice::RestLost(track.path.to_vec()));
            return;
        };
        self.owners.insert(sibling.facts.id, track.number);
        let place = track
            .backlog
            .iter()
            .position(|other| other.facts.modified > sibling.facts.modified)
            .unwrap_or(track.backlog.len());
        track.backlog.insert(place, sibling);
    }

    /// Puts the files in line that came and went since something was last seen at the track's path.
    pub(super) fn find_between(&mut self, track: &mut Track, since: Option<Since>) {
        let Some(since) = since else {
            // The first look: what is beside it now is of before, whatever the clock shows later.
            if self.clock.doubt.is_some() {
                self.note_past(track, None);
            }
            return;
        };
        let (directory, name) = split(&track.path);
        let mut logs = bases(name).into_iter().map(|base| join(directory, &base));
        if logs.any(|log| self.by_path.contains_key(&log)) {
            // It is a rotated file itself; what belongs to its log is found there.
            return;
        }
        let siblings = siblings(&track.path);
        // What was read already is told by its content all the same.
        let (is_in_doubt, wall) = (self.clock.doubt.is_some(), self.now.wall.seconds);
        let is_candidate = |sibling: &&Sibling| {
            (is_in_doubt || since.is_before(&sibling.facts, wall))
                && !self.owners.contains_key(&sibling.facts.id)
        };
        let candidates: Vec<&Sibling> = siblings.iter().filter(is_candidate).collect();
        if candidates.is_empty() {
            return;
        }
        let known = self.known(track);
        for sibling in candidates {
            let facts = sibling.facts;
            if sibling.is_plain() {
                self.add_between(track, sibling, &known);
            } else if sibling.is_gzip() {
                let unpacked = sibling.path.strip_suffix(b".gz").unwrap_or_default();
                let is_being_packed = siblings.iter().any(|other| other.path == unpacked);
                if !is_being_packed && self.is_news(track, sibling, &known) {
                    self.owners.insert(facts.id, track.number);
                    track.backlog.push_back(sibling.clone());
                }
            } else {
                self.tell_packed(track, sibling, &known);
            }
        }
        self.open_backlog(track);
    }

    fn add_between(&mut self, track: &mut Track, sibling: &Sibling, known: &Known) {
        let Ok(opened) = disk::open(&sibling.path) else { return };
        if opened.facts.id != sibling.facts.id {
            return;
        }
        let id = opened.facts.id;
        if let Some(record) = self.ledger.find(&opened).cloned() {
            // Read before; there may be more in it by now.
            if opened.facts.size > record.offset
                && !track.is_crowded()
                && let Some(framer) = self.framer(track, record.offset)
            {
                self.ledger.take(&record);
                let now = self.now.monotonic;
                let mut stream = Stream::resume(Rest::Plain(opened), &record, framer, now);
                stream.rotate(LINGER, now);
                self.take_in(track, &mut stream, Some(&sibling.path));
                track.insert_old(stream);
            }
            return;
        }
        if let Some(record) = known.records.iter().find(|record| is_copy(record, &opened)) {
            self.know(record, &opened.facts);
            return;
        }
        if known.live.iter().any(|live| begins_with(live, &opened)) {
            // A copy that is just being made.
            return;
        }
        self.owners.insert(id, track.number);
        track.backlog.push_back(sibling.clone());
    }

    /// Opens rotated files that were put in line, as far as there is room.
    pub(super) fn open_backlog(&mut self, track: &mut Track) {
        while !track.is_crowded()
            && let Some(sibling) = track.backlog.pop_front()
        {
            self.release(sibling.facts.id);
            let found = self.find_waiting(track, &sibling);
            let stream = found.and_then(|(at, opened)| {
                let path = at.is_plain().then_some(at.path.clone());
                Some((self.between(track, &at, opened)?, path))
            });
            let Some((mut stream, path)) = stream else {
                self.notices
                    .push(Notice::RestUnreadable(track.path.to_vec(), sibling.path.clone()));
                continue;
            };
            let is_newest = track.backlog.is_empty();
            let linger = if is_newest { LINGER } else { LINGER_DELETED };
            stream.rotate(linger, self.now.monotonic);
            self.take_in(track, &mut stream, path.as_deref());
            track.insert_old(stream);
        }
    }

    /// Opens a file that waited in line, which may have been renamed again or packed since.
    fn find_waiting(&mut self, track: &Track, sibling: &Sibling) -> Option<(Sibling, Opened)> {
        let is_it =
            |facts: &Facts| facts.id == sibling.facts.id && facts.born == sibling.facts.born;
        let at_its_path = disk::open(&sibling.path).ok().filter(|opened| is_it(&opened.facts));
        if let Some(opened) = at_its_path {
            return Some((sibling.clone(), opened));
        }
        let siblings = siblings(&track.path);
        let renamed = siblings
            .iter()
            .find(|other| is_it(&other.facts) && other.name.packing == sibling.name.packing);
        let found = renamed.cloned();
        let modified = sibling.facts.modified;
        let found = found.or_else(|| self.find_packed(track, modified, &siblings))?;
        let opened = disk::open(&found.path).ok()?;
        (opened.facts.id == found.facts.id).then_some((found, opened))
    }

    fn between(&mut self, track: &Track, sibling: &Sibling, opened: Opened) -> Option<Stream> {
        let framer = self.framer(track, 0)?;
        let now = self.now.monotonic;
        if sibling.is_plain() {
            let generation = self.next_generation(track, opened.facts.id);
            return Some(Stream::begin(opened, generation, 0, framer, now));
        }
        let (head, _) = packed::glance(&opened.fd, opened.facts.size)?;
        let short = || (!head.is_empty()).then(|| Print::of(0, &head));
        let head = Print::of_head(&head).or_else(short);
        Some(Stream::begin_packed(opened, head, framer, now))
    }

    /// The content of a stream was overwritten: reads on in a copy of it, if there is one.
    pub(super) fn move_to_copy(&mut self, track: &Track, stream: &mut Stream, record: &Record) {
        match self.rest_of(record, track.number, &siblings(&track.path)) {
            Fate::Found(rest, _) => {
                stream.move_to(rest);
                self.owners.insert(stream.file, track.number);
            }
            Fate::Complete(opened) => {
                self.owners.insert(opened.facts.id, track.number);
                stream.lose_to(opened);
            }
            Fate::Missing => stream.lose(),
        }
        // Nobody writes to copies.
        stream.rotate(LINGER_DELETED, self.now.monotonic);
    }

    /// The file of a record, else a copy of it, else a packed copy.
    fn rest_of(&mut self, record: &Record, reader: u64, siblings: &[Sibling]) -> Fate {
        if let Some(target) = &record.target
            && self.can_take(record.file, reader, record)
            && let Ok(opened) = disk::open(target)
            && is_same(record, &opened)
        {
            self.release_unnamed(record.file);
            return Fate::Found(Rest::Plain(opened), Some(target.clone()));
        }
        let same = |sibling: &&Sibling| sibling.facts.id == record.file;
        let by_id = siblings.iter().filter(same);
        let others = siblings.iter().filter(|sibling| !same(sibling));
        let mut shorter = None;
        for sibling in by_id.chain(others).filter(|sibling| sibling.is_plain()) {
            let id = sibling.facts.id;
            // Content without a known first line is recognised by its file alone.
            let is_recognised = record.head.is_some() || id == record.file;
            if !is_recognised || !self.can_take(id, reader, record) {
                continue;
            }
            let Ok(opened) = disk::open(&sibling.path) else { continue };
            if opened.facts.id != id {
                continue;
            }
            if is_same(record, &opened) || is_copy(record, &opened) {
                self.release_unnamed(id);
                return Fate::Found(Rest::Plain(opened), Some(sibling.path.clone()));
            }
            let has_head = |print| disk::has_print(opened.fd.as_fd(), print).unwrap_or(false);
            if shorter.is_none()
                && opened.facts.size < record.offset
                && record.head.is_some_and(has_head)
            {
                shorter = Some(opened);
            }
        }
        if let Some(opened) = shorter {
            self.release_unnamed(opened.facts.id);
            return Fate::Complete(opened);
        }
        self.packed_rest_of(record, siblings)
    }

    /// Whether nobody reads a file, or nobody but one who has not given out anything of it.
    fn can_take(&self, file: FileId, reader: u64, record: &Record) -> bool {
        let Some(owner) = self.owners.get(&file) else { return true };
        if *owner == reader {
            // The stream that asks has read there before.
            return file == record.file;
        }
        let streams = self.tracks.get(owner).map(|track| &track.streams);
        let mut streams = streams.into_iter().flatten();
        streams.any(|stream| stream.file == file && stream.source.is_none())
    }

    /// Takes a file away from a track that has not given out anything of it.
    fn release_unnamed(&mut self, file: FileId) {
        let Some(owner) = self.owners.get(&file).copied() else { return };
        self.with_track(owner, |files, track| {
            if let Some(at) = track.streams.iter().position(|stream| stream.file == file) {
                let mut stream = track.streams.remove(at);
                files.let_go(track, &mut stream);
            }
        });
        self.queue_check(owner);
    }

    /// What is known of the files of a log, of those that have the name of a rotated one, and, if
    /// it has such a name itself, of the log that it may come from.
    pub(super) fn known(&self, track: &Track) -> Known {
        let mut known = Known::default();
        known.add(track);
        let (directory, name) = split(&track.path);
        let logs = bases(name).into_iter().map(|base| join(directory, &base));
        for log in logs.chain([track.path.to_vec()]) {
            known.live.extend(disk::open(&log));
            known.records.extend(self.ledger.family(&log).cloned());
            let from = family_prefix(&log);
            let range = self.by_path.range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
            for (path, number) in range.take_while(|(path, _)| path.starts_with(from)) {
                if is_of_family(path, &log)
                    && let Some(other) = self.tracks.get(number)
                {
                    known.add(other);
                }
            }
        }
        known
    }

    /// Keeps in mind that a file holds what was read elsewhere. What it may get in addition is its
    /// own.
    pub(super) fn know(&mut self, record: &Record, facts: &Facts) {
        if facts.id != record.file && !self.owners.contains_key(&facts.id) {
            self.ledger.insert(Record {
                file: facts.id,
                born: facts.born,
                generation: 0,
                source: None,
                tail: None,
                offset: record.offset.min(facts.size),
                is_open: false,
                ..record.clone()
            });
        }
    }
}

/// What is to be saved of a track. The rotated files that wait in line are among it.
pub(super) fn records(track: &Track) -> Vec<Record> {
    let record = |stream: &Stream| {
        let is_open = !stream.is_lost() || stream.has_unacknowledged();
        Record { is_open, ..stream.record(&track.path) }
    };
    let waiting = |sibling: &Sibling| Record {
        path: track.path.to_vec(),
        file: sibling.facts.id,
        born: sibling.facts.born,
        generation: 0,
        source: None,
        head: None,
        tail: None,
        offset: 0,
        modified: sibling.facts.modified,
        read: 0,
        is_open: true,
        target: None,
    };
    let (old, current) =
        track.streams.split_at(track.streams.len() - usize::from(track.current().is_some()));
    let old = old.iter().map(record);
    old.chain(track.backlog.iter().map(waiting)).chain(current.iter().map(record)).collect()
}
