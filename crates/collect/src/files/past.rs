//! Rotated files: where the rest of a file is that is not at its path any more, and what came
//! between that file and the one which is there now.

use std::os::fd::AsFd;

use super::Files;
use super::disk::{self, Facts, FileId, Opened};
use super::notice::Notice;
use super::packed;
use super::print::Print;
use super::siblings::{Sibling, siblings};
use super::stream::{LINGER, LINGER_DELETED, Place, Rest, Stream, continues};
use super::track::{STREAMS_MAX, Track};
use crate::positions::Record;

/// What became of the rest of a file.
enum Fate {
    Found(Rest),
    /// There is a copy, perhaps packed, that ends where it was read up to or before.
    Complete(Facts),
    Missing,
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
        for record in &lost {
            track.saw(record.modified);
        }
        let siblings = siblings(&track.path);
        for record in lost {
            let rest = match self.rest_of(&record, track.number, &siblings) {
                Fate::Found(rest) => rest,
                Fate::Complete(facts) => {
                    self.know(&record, &facts);
                    self.ledger.close(record.file);
                    continue;
                }
                Fate::Missing if verdict == Verdict::Final => {
                    self.ledger.close(record.file);
                    let is_told = self.tell_unreadable(track, &record, &siblings);
                    if !is_told {
                        self.notices.push(Notice::RestLost(track.path.to_vec()));
                    }
                    continue;
                }
                Fate::Missing => continue,
            };
            self.ledger.take(record.file);
            let Some(framer) = self.framer(track, record.offset) else { continue };
            let now = self.now.monotonic;
            let mut stream = Stream::resume(rest, &record, framer, now);
            stream.place = Place::Rotated(LINGER);
            self.take_in(track, &mut stream, None);
            track.insert_old(stream);
        }
    }

    /// Puts the files in line that came and went since the track's path was last looked at.
    pub(super) fn find_between(&mut self, track: &mut Track, born: i64) {
        let Some(since) = track.since else { return };
        let siblings = siblings(&track.path);
        let known: Vec<Record> =
            known(track).into_iter().chain(self.ledger.at(&track.path).cloned()).collect();
        for sibling in &siblings {
            let facts = sibling.facts;
            let is_older =
                facts.modified < since || (born != 0 && facts.born != 0 && facts.born < born);
            if is_older || self.owners.contains_key(&facts.id) {
                continue;
            }
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
    }

    fn add_between(&mut self, track: &mut Track, sibling: &Sibling, known: &[Record]) {
        let Ok(opened) = disk::open(&sibling.path) else { return };
        if opened.facts.id != sibling.facts.id {
            return;
        }
        let id = opened.facts.id;
        if let Some(record) = self.ledger.get(id).cloned()
            && continues(&record, &opened)
        {
            // Read before; there may be more in it by now.
            if opened.facts.size > record.offset
                && let Some(framer) = self.framer(track, record.offset)
            {
                self.ledger.take(id);
                let now = self.now.monotonic;
                let mut stream = Stream::resume(Rest::Plain(opened), &record, framer, now);
                stream.place = Place::Rotated(LINGER);
                self.take_in(track, &mut stream, Some(&sibling.path));
                track.insert_old(stream);
            }
            return;
        }
        if let Some(record) = known.iter().find(|record| is_copy(record, &opened)) {
            self.know(record, &opened.facts);
            return;
        }
        self.owners.insert(id, track.number);
        track.backlog.push_back(sibling.clone());
    }

    /// Whether a packed file holds what was never read. If not, that is kept in mind.
    fn is_news(&mut self, track: &Track, sibling: &Sibling, known: &[Record]) -> bool {
        if self.ledger.get(sibling.facts.id).is_some() {
            return false;
        }
        let Ok(opened) = disk::open(&sibling.path) else { return false };
        let Some((head, length)) = packed::glance(&opened.fd, opened.facts.size) else {
            self.notices.push(Notice::RestUnreadable(track.path.to_vec(), sibling.path.clone()));
            return false;
        };
        let sizes = track.streams.iter().filter_map(Stream::facts);
        let sizes: Vec<u32> = sizes.map(|facts| facts.size as u32).collect();
        let holds = |record: &&Record| {
            record.head.is_some_and(|print| print.fits(&head))
                && (record.offset as u32 == length || sizes.contains(&length))
        };
        match known.iter().find(holds) {
            Some(record) => {
                self.know(record, &sibling.facts);
                false
            }
            None => true,
        }
    }

    /// Opens rotated files that were put in line, as far as there is room.
    pub(super) fn open_backlog(&mut self, track: &mut Track) {
        while track.streams.len() < STREAMS_MAX
            && let Some(sibling) = track.backlog.pop_front()
        {
            let id = sibling.facts.id;
            let opened = disk::open(&sibling.path).ok().filter(|opened| opened.facts.id == id);
            let opened = opened.or_else(|| {
                let moved = siblings(&track.path).into_iter().find(|other| other.facts.id == id)?;
                disk::open(&moved.path).ok().filter(|opened| opened.facts.id == id)
            });
            let stream = opened.and_then(|opened| self.between(track, &sibling, opened));
            let Some(mut stream) = stream else {
                self.owners.remove(&id);
                self.notices
                    .push(Notice::RestUnreadable(track.path.to_vec(), sibling.path.clone()));
                continue;
            };
            let is_newest = track.backlog.is_empty();
            stream.place = Place::Rotated(if is_newest { LINGER } else { LINGER_DELETED });
            let path = sibling.is_plain().then_some(sibling.path.as_slice());
            self.take_in(track, &mut stream, path);
            track.insert_old(stream);
        }
    }

    fn between(&mut self, track: &Track, sibling: &Sibling, opened: Opened) -> Option<Stream> {
        let framer = self.framer(track, 0)?;
        let now = self.now.monotonic;
        if sibling.is_plain() {
            let generation = self.next_generation(track, opened.facts.id);
            return Some(Stream::begin(opened, generation, 0, framer, now));
        }
        let (head, _) = packed::glance(&opened.fd, opened.facts.size)?;
        let head = Print::of_head(&head).unwrap_or_else(|| Print::of(0, &head));
        Some(Stream::begin_packed(opened, head, framer, now))
    }

    /// The content of a stream was overwritten: reads on in a copy of it, if there is one.
    pub(super) fn move_to_copy(&mut self, track: &Track, stream: &mut Stream, record: &Record) {
        match self.rest_of(record, track.number, &siblings(&track.path)) {
            Fate::Found(rest) => {
                stream.move_to(rest);
                self.owners.insert(stream.file, track.number);
            }
            Fate::Complete(facts) => {
                stream.lose();
                stream.file = facts.id;
                self.owners.insert(facts.id, track.number);
            }
            Fate::Missing => stream.lose(),
        }
        // Nobody writes to copies.
        stream.place = Place::Rotated(LINGER_DELETED);
    }

    /// The file of a record, else a copy of it, else a packed copy.
    fn rest_of(&mut self, record: &Record, reader: u64, siblings: &[Sibling]) -> Fate {
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
            if continues(record, &opened) {
                self.release_unnamed(id);
                return Fate::Found(Rest::Plain(opened));
            }
            let has_head = |print| disk::has_print(opened.fd.as_fd(), print).unwrap_or(false);
            if shorter.is_none()
                && opened.facts.size < record.offset
                && record.head.is_some_and(has_head)
            {
                shorter = Some(opened.facts);
            }
        }
        if let Some(facts) = shorter {
            self.release_unnamed(facts.id);
            return Fate::Complete(facts);
        }
        self.packed_rest_of(record, siblings)
    }

    fn packed_rest_of(&self, record: &Record, siblings: &[Sibling]) -> Fate {
        let Some(print) = record.head else { return Fate::Missing };
        for sibling in siblings.iter().filter(|sibling| sibling.is_gzip()) {
            let id = sibling.facts.id;
            let is_known = self.owners.contains_key(&id)
                || self.ledger.get(id).is_some_and(|known| !known.is_open);
            let Ok(opened) = disk::open(&sibling.path) else { continue };
            if is_known || opened.facts.id != id {
                continue;
            }
            match packed::glance(&opened.fd, opened.facts.size) {
                Some((head, _)) if !print.fits(&head) => {}
                Some((_, length)) if u64::from(length) == record.offset => {
                    return Fate::Complete(opened.facts);
                }
                Some((_, length)) if u64::from(length) > record.offset => {
                    return Fate::Found(Rest::Packed(opened));
                }
                // Lengths are told modulo 2³².
                Some(_) if record.offset > u64::from(u32::MAX) => {
                    return Fate::Found(Rest::Packed(opened));
                }
                _ => {}
            }
        }
        Fate::Missing
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

    /// Says that lines may be lost if the rest of a file may be packed in a way not read here.
    fn tell_unreadable(&mut self, track: &Track, record: &Record, siblings: &[Sibling]) -> bool {
        let mut is_told = false;
        for sibling in siblings {
            if sibling.facts.modified >= record.modified {
                is_told |= self.tell_packed(track, sibling, &[]);
            }
        }
        is_told
    }

    fn tell_packed(&mut self, track: &Track, sibling: &Sibling, known: &[Record]) -> bool {
        // Packers keep the time stamp.
        let second = |time: i64| time.div_euclid(1_000_000_000);
        let modified = second(sibling.facts.modified);
        let facts = track.streams.iter().filter_map(Stream::facts);
        let mut times = facts.map(|facts| facts.modified);
        let is_known = sibling.is_plain()
            || sibling.is_gzip()
            || self.ledger.get(sibling.facts.id).is_some()
            || known.iter().any(|record| second(record.modified) == modified)
            || times.any(|time| second(time) == modified);
        if is_known {
            return false;
        }
        let (path, packed) = (track.path.to_vec(), sibling.path.clone());
        self.ledger.insert(Record {
            path: path.clone(),
            file: sibling.facts.id,
            born: sibling.facts.born,
            generation: 0,
            source: None,
            head: None,
            tail: None,
            offset: sibling.facts.size,
            modified: sibling.facts.modified,
            read: self.now.wall.seconds,
            is_open: false,
        });
        self.notices.push(Notice::RestUnreadable(path, packed));
        true
    }
}

/// Whether an open file holds what the record stands for, or the first part of it.
pub(super) fn is_copy(record: &Record, opened: &Opened) -> bool {
    let has_head =
        record.head.is_some_and(|head| disk::has_print(opened.fd.as_fd(), head).unwrap_or(false));
    has_head && (opened.facts.size < record.offset || continues(record, opened))
}

/// What is known of the files of a track, as far as they have been read.
fn known(track: &Track) -> Vec<Record> {
    track.streams.iter().map(|stream| stream.record_of_read(&track.path)).collect()
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
    };
    let (old, current) =
        track.streams.split_at(track.streams.len() - usize::from(track.current().is_some()));
    let old = old.iter().map(record);
    old.chain(track.backlog.iter().map(waiting)).chain(current.iter().map(record)).collect()
}
