//! Rotated files that were packed: what of them was never read, and what cannot be.

use std::os::fd::AsFd;

use super::Files;
use super::disk::{self, Facts, Opened};
use super::notice::Notice;
use super::packed;
use super::past::{Fate, Known};
use super::print::HEAD_BYTES_MAX;
use super::siblings::Sibling;
use super::stream::Rest;
use super::track::Track;
use crate::positions::Record;

impl Files {
    /// Whether a packed file holds what was never read. If not, that is kept in mind.
    pub(super) fn is_news(&mut self, track: &Track, sibling: &Sibling, known: &Known) -> bool {
        if self.ledger.is_read(&sibling.facts) {
            return false;
        }
        let Ok(opened) = disk::open(&sibling.path) else { return false };
        let Some((head, length)) = packed::glance(&opened.fd, opened.facts.size) else {
            self.notices.push(Notice::RestUnreadable(track.path.to_vec(), sibling.path.clone()));
            return false;
        };
        if head.is_empty() {
            return false;
        }
        let is_live = known
            .live
            .iter()
            .any(|live| live.facts.size as u32 == length && first_bytes(live) == head);
        let holds = |record: &&Record| {
            record.head.is_some_and(|print| print.fits(&head)) && record.offset as u32 == length
        };
        // What the last run left is looked for by its own path.
        let is_sought = self.ledger.family(&track.path).any(|record| {
            let has_head = record.head.is_some_and(|print| print.fits(&head));
            record.is_open && has_head && record.offset <= u64::from(length)
        });
        if is_sought {
            return false;
        }
        match known.records.iter().find(holds) {
            Some(record) => {
                self.know(record, &sibling.facts);
                false
            }
            None => !is_live,
        }
    }

    /// The packed form of a file that was not read yet. Packers keep the time stamp.
    pub(super) fn find_packed(
        &mut self,
        track: &Track,
        modified: i64,
        siblings: &[Sibling],
    ) -> Option<Sibling> {
        let known = self.known(track);
        let is_packed = |sibling: &&Sibling| {
            sibling.is_gzip()
                && sibling.facts.modified == modified
                && !self.owners.contains_key(&sibling.facts.id)
                && self.is_news(track, sibling, &known)
        };
        siblings.iter().find(is_packed).cloned()
    }

    /// Where a record goes on in a packed copy of its file.
    pub(super) fn packed_rest_of(&self, record: &Record, siblings: &[Sibling]) -> Fate {
        let Some(print) = record.head else { return Fate::Missing };
        let mut packed: Vec<&Sibling> = siblings.iter().filter(|one| one.is_gzip()).collect();
        // One that is known already may be the one, but others rather.
        packed.sort_by_key(|one| self.ledger.is_read(&one.facts));
        let mut shorter = None;
        for sibling in packed {
            let id = sibling.facts.id;
            let is_taken = self.owners.contains_key(&id) && id != record.file;
            let Ok(opened) = disk::open(&sibling.path) else { continue };
            if is_taken || opened.facts.id != id {
                continue;
            }
            let Some((head, length)) = packed::glance(&opened.fd, opened.facts.size) else {
                continue;
            };
            if !print.fits(&head) {
                continue;
            }
            let size = u64::from(length);
            // Lengths are told modulo 2³².
            if size > record.offset || record.offset > u64::from(u32::MAX) {
                return Fate::Found(Rest::Packed(opened), None);
            }
            let facts = Facts { size, ..opened.facts };
            shorter = shorter.or(Some(Opened { facts, ..opened }));
        }
        shorter.map_or(Fate::Missing, Fate::Complete)
    }

    /// Says that lines may be lost if the rest of a file may be packed in a way not read here.
    pub(super) fn tell_unreadable(
        &mut self,
        track: &Track,
        record: &Record,
        siblings: &[Sibling],
    ) -> bool {
        let mut is_told = false;
        for sibling in siblings {
            if sibling.facts.modified >= record.modified {
                is_told |= self.tell_packed(track, sibling, &Known::default());
            }
        }
        is_told
    }

    pub(super) fn tell_packed(&mut self, track: &Track, sibling: &Sibling, known: &Known) -> bool {
        // Packers keep the time stamp.
        let second = |time: i64| time.div_euclid(1_000_000_000);
        let modified = second(sibling.facts.modified);
        let mut times = known.live.iter().map(|live| live.facts.modified);
        let is_known = sibling.is_plain()
            || sibling.is_gzip()
            || self.ledger.is_read(&sibling.facts)
            || known.records.iter().any(|record| second(record.modified) == modified)
            || times.any(|time| second(time) == modified);
        if is_known {
            return false;
        }
        let (path, packed) = (track.path.to_vec(), sibling.path.clone());
        let record = self.record_of_past(track, &sibling.facts, None);
        self.ledger.insert(record);
        self.notices.push(Notice::RestUnreadable(path, packed));
        true
    }
}

/// The bytes that tell a file from others.
fn first_bytes(opened: &Opened) -> Vec<u8> {
    let mut bytes = vec![0; HEAD_BYTES_MAX];
    let read = disk::read_at(opened.fd.as_fd(), &mut bytes, 0).unwrap_or_default();
    bytes.truncate(read);
    bytes
}
