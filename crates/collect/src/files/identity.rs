//! Which file is it? Sources, and copies of what is known.

use std::os::fd::AsFd;

use super::Files;
use super::disk::{self, FileId, Opened};
use super::print::{Fnv, HEAD_BYTES_MAX, Print};
use super::report::SourceState;
use super::stream::Place;
use super::track::Track;
use crate::paths::rotated::bases;
use crate::paths::{join, split};
use crate::positions::Record;

impl Files {
    /// How many files had this one's number before, as far as known.
    pub(super) fn next_generation(&self, track: &Track, file: FileId) -> u32 {
        let own = track.streams.iter().filter(|stream| stream.file == file);
        let own = own.map(|stream| stream.generation);
        let known = self.ledger.of_file(file).map(|record| record.generation);
        own.chain(known).max().map_or(0, |generation| generation.saturating_add(1))
    }

    /// Gives a stream its source, now that its first line is known. `false` if the file turns out
    /// to be a copy of one that is read elsewhere.
    pub(super) fn name(&mut self, track: &mut Track, at: usize, head: Print) -> bool {
        let is_last = at + 1 == track.streams.len();
        let Some(stream) = track.streams.get_mut(at) else { return false };
        stream.head = Some(head);
        let is_new = stream.offset() == 0;
        let is_current = stream.place == Place::Current;
        if is_new && !is_current && self.is_copied(track, at) {
            return false;
        }
        if is_new && is_last && self.is_known_elsewhere(track, head) {
            return false;
        }
        let Some(stream) = track.streams.get_mut(at) else { return false };
        let mut source = source_of(stream.file, stream.born, stream.generation, head);
        while self.sources.contains_key(&source) {
            stream.generation += 1;
            source = source_of(stream.file, stream.born, stream.generation, head);
        }
        stream.source = Some(source);
        stream.named_in = self.turn;
        self.sources.insert(source, track.number);
        true
    }

    /// Whether a file that was taken for a rotated one is a copy in the making of another file of
    /// the track. Then the track lets go of it.
    fn is_copied(&mut self, track: &mut Track, at: usize) -> bool {
        let Some(part) = track.streams.get(at).and_then(|own| own.duplicate().ok()) else {
            return false;
        };
        let others = track.streams.iter().enumerate().filter(|(other, _)| *other != at);
        let mut others = others.filter_map(|(_, stream)| stream.duplicate().ok());
        let is_copied = others.any(|other| begins_with(&other, &part))
            || disk::open(&track.path).is_ok_and(|there| begins_with(&there, &part));
        if is_copied {
            let mut stream = track.streams.remove(at);
            self.let_go(track, &mut stream);
        }
        is_copied
    }

    /// Whether the newest file of a track, of which nothing is known but its first line, is a copy
    /// of another log or of an earlier state of one. Then the track lets go of it.
    fn is_known_elsewhere(&mut self, track: &mut Track, head: Print) -> bool {
        let (directory, name) = split(&track.path);
        let relatives: Vec<Vec<u8>> =
            bases(name).iter().map(|base| join(directory, base)).collect();
        for path in relatives {
            let Some(number) = self.by_path.get(&path).copied() else { continue };
            let Some(opened) = track.streams.last().and_then(|own| own.duplicate().ok()) else {
                return false;
            };
            let is_of_what_is_there =
                disk::open(&path).is_ok_and(|there| begins_with(&there, &opened));
            if !is_of_what_is_there && !self.has_alike(number, &path, head) {
                continue;
            }
            let Some(mut stream) = track.streams.pop() else { return false };
            self.let_go(track, &mut stream);
            // The other may have been overwritten just now: then it looks for its copy.
            self.with_track(number, |files, other| files.verify(other));
            let is_taken = self.is_taken(&opened);
            if is_taken || is_of_what_is_there || self.is_copy_of(number, &path, &opened) {
                track.state = SourceState::Copy;
                track.to_check |= is_taken;
                self.watch_only(track);
                return true;
            }
            let path = track.path.clone();
            self.take_in(track, &mut stream, Some(&path));
            track.streams.push(stream);
        }
        false
    }

    fn has_alike(&self, number: u64, path: &[u8], head: Print) -> bool {
        let streams = self.tracks.get(&number).map(|track| &track.streams);
        streams.into_iter().flatten().any(|stream| stream.head == Some(head))
            || self.ledger.family(path).any(|record| record.head == Some(head))
    }

    /// Whether somebody reads a file, or has read it.
    fn is_taken(&self, opened: &Opened) -> bool {
        self.owners.contains_key(&opened.facts.id) || self.ledger.find(opened).is_some()
    }

    /// Whether an open file holds the start of what a track reads, or what one of its earlier files
    /// held.
    fn is_copy_of(&mut self, number: u64, path: &[u8], opened: &Opened) -> bool {
        if let Some(other) = self.tracks.get(&number)
            && other
                .streams
                .iter()
                .any(|stream| stream.duplicate().is_ok_and(|live| begins_with(&live, opened)))
        {
            return true;
        }
        let known = self.ledger.family(path).find(|record| is_copy(record, opened)).cloned();
        if let Some(record) = known {
            self.know(&record, &opened.facts);
            return true;
        }
        false
    }

    /// Notices if files of a track were overwritten.
    pub(super) fn verify(&mut self, track: &mut Track) {
        let mut at = 0;
        while let Some(stream) = track.streams.get(at) {
            // An overwritten file becomes two: what it held, and what it holds.
            let is_split = stream.is_unchanged() == Ok(false) && self.is_truncated(track, at);
            at += 1 + usize::from(is_split);
        }
    }
}

/// Whether an open file holds what was read of another.
pub(super) fn is_copy(record: &Record, opened: &Opened) -> bool {
    record.head.is_some() && continues(record, opened)
}

/// Whether the content of `part` is what `whole` begins with. Compared are the first line's bytes
/// and the last ones of the part.
pub(super) fn begins_with(whole: &Opened, part: &Opened) -> bool {
    let size = part.facts.size;
    if size > whole.facts.size || part.facts.id == whole.facts.id {
        return false;
    }
    let length = usize::try_from(size).unwrap_or(HEAD_BYTES_MAX).min(HEAD_BYTES_MAX);
    let same_at = |offset: u64| {
        let (mut one, mut other) = ([0; HEAD_BYTES_MAX], [0; HEAD_BYTES_MAX]);
        let (Some(one), Some(other)) = (one.get_mut(..length), other.get_mut(..length)) else {
            return false;
        };
        disk::read_at(whole.fd.as_fd(), one, offset) == Ok(length)
            && disk::read_at(part.fd.as_fd(), other, offset) == Ok(length)
            && one == other
            // Less than a line says nothing.
            && (offset > 0 || Print::of_head(one).is_some())
    };
    same_at(0) && same_at(size - length as u64)
}

/// Whether an open file is the one of a record, or a copy of it: long enough, and with the same
/// bytes where the record knows them.
pub(crate) fn continues(record: &Record, opened: &Opened) -> bool {
    let holds = |print: Option<Print>| {
        print.is_none_or(|print| disk::has_print(opened.fd.as_fd(), print).unwrap_or(false))
    };
    opened.facts.size >= record.offset && holds(record.head) && holds(record.tail)
}

/// Whether an open file with the number of a record's file is that file, and has not been
/// overwritten. Numbers are used again: where the content says nothing, the birth of the file must.
pub(crate) fn is_same(record: &Record, opened: &Opened) -> bool {
    let facts = &opened.facts;
    let is_known_by_content = record.head.is_some();
    let has_birth = record.born == facts.born || record.born == 0 || facts.born == 0;
    facts.id == record.file && (is_known_by_content || has_birth) && continues(record, opened)
}

/// The name of a file's messages, the same in every run and every version of the program: a hash
/// of what tells the file from others, mixed FNV-1a over little-endian numbers.
pub(crate) fn source_of(file: FileId, born: i64, generation: u32, head: Print) -> u64 {
    Fnv::default()
        .with(b"file 1")
        .with(&file.device.to_le_bytes())
        .with(&file.inode.to_le_bytes())
        .with(&born.to_le_bytes())
        .with(&generation.to_le_bytes())
        .with(&head.length.to_le_bytes())
        .with(&head.hash.to_le_bytes())
        .mixed()
}
