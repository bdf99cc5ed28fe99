//! What became of a path: the same file, another one, a shorter one, none.

use rustix::io::Errno;

use super::Files;
use super::disk::{self, Facts, FileId, FileKind, Opened};
use super::identity::continues;
use super::notice::{Notice, Outage};
use super::past::Verdict;
use super::report::SourceState;
use super::stream::{Place, Rest, Stream};
use super::track::{First, Track};
use crate::paths::split;
use crate::watch::Watched;

/// Bytes that a file must share with another to be taken for its continuation under the same path.
const COPY_BYTES_MIN: u64 = 1024;

impl Files {
    /// Opens the file at a path if the last run knew it.
    pub(super) fn adopt(&mut self, track: &mut Track) {
        let Ok(opened) = disk::look(&track.path).and_then(|facts| match facts.kind {
            FileKind::Regular if self.ledger.of_file(facts.id).next().is_some() => {
                disk::open(&track.path)
            }
            _ => Err(Errno::NOENT),
        }) else {
            return;
        };
        let Some(record) = self.ledger.find(&opened).cloned() else { return };
        if let Some(framer) = self.framer(track, record.offset) {
            self.ledger.take(&record);
            let now = self.now.monotonic;
            let stream = Stream::resume(Rest::Plain(opened), &record, framer, now);
            self.become_current(track, stream);
        }
    }

    /// Compares the file that is at a path with the one that is read.
    pub(super) fn check(&mut self, track: &mut Track) {
        track.to_check = false;
        track.note_deleted();
        // First what an overwritten file held: what is beside it may be its copy.
        self.verify(track);
        if !track.is_wanted || track.state == SourceState::Unusable {
            return;
        }
        self.tree.watch_links(&track.path, track.number, &mut self.watches);
        match disk::look(&track.path) {
            Err(error) => self.is_away(track, error),
            Ok(facts) if facts.kind == FileKind::Regular => self.compare(track, facts),
            Ok(facts) if facts.kind == FileKind::Pipe => {
                track.retire_current(self.now.monotonic);
                track.state = SourceState::Pipe;
            }
            Ok(_) => {
                track.retire_current(self.now.monotonic);
                track.state = SourceState::NotRegular;
                self.say_outage(track, Outage::NotRegular);
            }
        }
        track.first = First::AtStart;
    }

    fn compare(&mut self, track: &mut Track, facts: Facts) {
        if track.current().is_some_and(|current| current.file == facts.id) {
            self.find_lost(track, Verdict::Final);
            self.was_empty(track, track.streams.len() - 1);
        }
        match track.current_mut() {
            Some(current) if current.file == facts.id => {
                current.modified = facts.modified;
                track.saw(facts.modified, facts.born);
                self.is_back(track);
                return;
            }
            // First what is left of the old file.
            Some(current) if !current.is_drained && !current.has_failed() => {
                track.to_check = true;
                return;
            }
            _ => {}
        }
        if self.is_owned(track, &facts) {
            return;
        }
        let last = track.streams.len().saturating_sub(1);
        if track.is_crowded() && !self.make_room(track, last) {
            track.to_check = true;
            return;
        }
        let opened = match disk::open(&track.path) {
            Ok(opened) => opened,
            Err(error) => return self.is_away(track, error),
        };
        if opened.facts.kind != FileKind::Regular || self.is_owned(track, &opened.facts) {
            return;
        }
        self.replace_current(track, opened);
    }

    /// Whether the file at a path is read already, here or by another track.
    fn is_owned(&mut self, track: &mut Track, facts: &Facts) -> bool {
        let file = facts.id;
        let Some(owner) = self.owners.get(&file).copied() else { return false };
        if owner == track.number {
            if track.bring_back(file, self.now.monotonic) {
                self.is_back(track);
                return true;
            }
            // It waits in line, as a rotated one.
            return track
                .backlog
                .iter()
                .any(|sibling| sibling.facts.id == file && sibling.facts.born == facts.born);
        }
        track.retire_current(self.now.monotonic);
        self.find_lost(track, Verdict::Final);
        track.state = SourceState::SameFile;
        let waiting = self.waiting.entry(file).or_default();
        if !waiting.contains(&track.number) {
            waiting.push(track.number);
        }
        self.watch_only(track);
        let other = self.tracks.get(&owner);
        let is_current =
            other.is_some_and(|other| other.current().is_some_and(|current| current.file == file));
        if is_current && !track.said.same_file {
            track.said.same_file = true;
            let other = other.map(|other| other.path.to_vec()).unwrap_or_default();
            self.notices.push(Notice::SameFile(track.path.to_vec(), other));
        }
        true
    }

    /// Another file is at the path.
    fn replace_current(&mut self, track: &mut Track, opened: Opened) {
        let now = self.now.monotonic;
        let id = opened.facts.id;
        let record = self.ledger.find(&opened).cloned();
        if record.is_none() && self.is_rewritten(track, &opened) {
            return self.move_current(track, opened);
        }
        track.retire_current(self.now.monotonic);
        let lost = self.ledger.open_at(&track.path);
        let is_known = record.is_some();
        let is_overwritten = lost.iter().any(|record| record.file == id);
        let had_files = track.said.analyzing || !lost.is_empty();
        let stream = if let Some(record) = record {
            let Some(framer) = self.framer(track, record.offset) else { return };
            self.ledger.take(&record);
            Stream::resume(Rest::Plain(opened), &record, framer, now)
        } else {
            let offset = match track.first {
                First::AtEnd => opened.facts.size,
                First::AtStart => 0,
            };
            let Some(framer) = self.framer(track, offset) else {
                track.state = SourceState::Unusable;
                self.notices.push(Notice::BadMultilog(track.path.to_vec()));
                return;
            };
            let generation = self.next_generation(track, id);
            Stream::begin(opened, generation, offset, framer, now)
        };
        // The new file is no longer to be found as an old one.
        self.owners.insert(id, track.number);
        self.find_lost(track, Verdict::Final);
        let since = track.since;
        self.become_current(track, stream);
        self.find_between(track, since);
        if had_files && !is_known {
            self.say_changed(track, is_overwritten);
        }
    }

    /// Whether a file is the one that was read, written anew under its name with more or less the
    /// same content, as editors and copying programs do.
    fn is_rewritten(&self, track: &Track, opened: &Opened) -> bool {
        let Some(current) = track.current() else { return false };
        let record = current.record_of_read(&track.path);
        current.offset() >= COPY_BYTES_MIN
            && record.head.is_some()
            && current.facts().is_some_and(|facts| facts.links == 0)
            && continues(&record, opened)
    }

    fn move_current(&mut self, track: &mut Track, opened: Opened) {
        let Some(mut current) = track.streams.pop() else { return };
        self.owners.remove(&current.file);
        if let Some(watch) = current.watch.take() {
            self.watches.remove(watch, Watched::File(track.number));
        }
        current.move_to(Rest::Plain(opened));
        self.become_current(track, current);
    }

    /// A file was overwritten from its start. `false` if there is no room for what it holds now.
    pub(super) fn is_truncated(&mut self, track: &mut Track, at: usize) -> bool {
        let mut at = at;
        if track.is_crowded() {
            if !self.make_room(track, at) {
                return false;
            }
            at -= 1;
        }
        let Some(framer) = self.framer(track, 0) else { return false };
        let Some(old) = track.streams.get_mut(at) else { return true };
        if old.source.is_none() {
            old.start_over(framer);
            return true;
        }
        let Ok(opened) = old.duplicate() else { return false };
        let mut old = track.streams.remove(at);
        let generation = self.next_generation(track, old.file).max(old.generation + 1);
        let mut new = Stream::begin(opened, generation, 0, framer, self.now.monotonic);
        (new.watch, new.place, new.target) = (old.watch.take(), old.place, old.target.clone());
        let record = old.record_of_read(&track.path);
        self.move_to_copy(track, &mut old, &record);
        let (modified, born) = (new.modified, new.born);
        let is_current = new.place == Place::Current;
        track.streams.insert(at, new);
        track.streams.insert(at, old);
        self.find_between(track, track.since);
        if is_current {
            track.saw(modified, born);
            self.say_changed(track, true);
        }
        true
    }

    /// The file at the path was empty when it was last seen. Perhaps it was not in between, and what
    /// it held is beside it.
    pub(super) fn was_empty(&mut self, track: &mut Track, at: usize) -> bool {
        let is_last = at + 1 == track.streams.len();
        let is_empty = |own: &&mut Stream| own.source.is_none() && own.offset() == 0;
        let Some(current) = track.current_mut().filter(|own| is_last && is_empty(own)) else {
            return false;
        };
        let Some(facts) = current.facts().filter(|facts| facts.modified != current.modified) else {
            return false;
        };
        current.modified = facts.modified;
        let before = track.backlog.len() + track.streams.len();
        self.find_between(track, track.since);
        track.saw(facts.modified, facts.born);
        track.backlog.len() + track.streams.len() > before
    }

    /// There is no file at the path, or none that can be opened.
    fn is_away(&mut self, track: &mut Track, error: Errno) {
        let number = error.raw_os_error();
        if !matches!(error, Errno::NOENT | Errno::NOTDIR) {
            track.state = SourceState::Unreadable(number);
            return self.say_outage(track, Outage::Error(number));
        }
        track.retire_current(self.now.monotonic);
        track.state = SourceState::Missing;
        self.find_lost(track, Verdict::Open);
        // What was put beside the path since the last look is news, and what will be.
        self.find_between(track, track.since);
        if let Ok(directory) = disk::look(split(&track.path).0) {
            track.saw_none(directory.modified);
        }
        if track.is_named {
            self.say_outage(track, Outage::Error(number));
        }
    }

    fn is_back(&mut self, track: &mut Track) {
        track.state = SourceState::Reading;
        if track.said.outage.take().is_some() {
            self.notices.push(Notice::Available(track.path.to_vec()));
        }
    }

    fn say_outage(&mut self, track: &mut Track, outage: Outage) {
        if track.said.outage != Some(outage) {
            track.said.outage = Some(outage);
            self.notices.push(Notice::CannotOpen(track.path.to_vec(), outage));
        }
    }

    /// The words are OSSEC's, for which it has rules.
    fn say_changed(&mut self, track: &mut Track, is_overwritten: bool) {
        track.rotations += 1;
        let path = track.path.to_vec();
        let (what, notice) = match is_overwritten {
            true => ("File size reduced (inode remained)", Notice::Truncated(path)),
            false => ("File rotated (inode changed)", Notice::Rotated(path)),
        };
        let text = [b"ossec: ", what.as_bytes(), b": '", &track.path, b"'."].concat();
        self.own.push(&text, self.now.wall.seconds);
        self.notices.push(notice);
    }

    fn become_current(&mut self, track: &mut Track, mut stream: Stream) {
        let path = track.path.clone();
        if let Some(watch) = track.watch.take() {
            self.watches.remove(watch, Watched::File(track.number));
        }
        self.take_in(track, &mut stream, Some(&path));
        stream.target = disk::links(&path).pop();
        // Files as old as one that is not read from its start are no news.
        let is_old = i64::from(track.first == First::AtEnd);
        track.saw(stream.modified + is_old, stream.born);
        track.streams.push(stream);
        if !track.said.analyzing {
            track.said.analyzing = true;
            self.notices.push(Notice::Analyzing(track.path.to_vec()));
        }
        self.is_back(track);
        // Between opening and watching, the path may have changed.
        let is_same = disk::look(&track.path)
            .is_ok_and(|facts| track.current().is_some_and(|own| own.file == facts.id));
        track.to_check |= !is_same;
    }

    /// Notes that a track reads a file, and watches it if it has a path.
    pub(super) fn take_in(&mut self, track: &mut Track, stream: &mut Stream, path: Option<&[u8]>) {
        self.owners.insert(stream.file, track.number);
        if let Some(source) = stream.source {
            self.sources.insert(source, track.number);
        }
        if let Some(path) = path {
            stream.watch = self.watches.add_file(path, track.number).ok();
            let is_told = stream.watch.is_some() && !stream.is_remote();
            self.set_polled(track, !is_told);
        }
    }

    /// Watches a file that another track reads, or nobody yet.
    pub(super) fn watch_only(&mut self, track: &mut Track) {
        let watch = self.watches.add_file(&track.path, track.number).ok();
        if track.watch != watch
            && let Some(old) = std::mem::replace(&mut track.watch, watch)
        {
            let is_used = track.streams.iter().any(|stream| stream.watch == Some(old));
            if !is_used {
                self.watches.remove(old, Watched::File(track.number));
            }
        }
        self.set_polled(track, track.watch.is_none());
    }

    fn set_polled(&mut self, track: &mut Track, is_polled: bool) {
        track.is_polled = is_polled;
        if !is_polled {
            self.polled.remove(&track.number);
            return;
        }
        self.polled.insert(track.number);
        if !track.said.polled {
            track.said.polled = true;
            self.notices.push(Notice::Polled(track.path.to_vec()));
        }
    }

    /// Notes that a track does not read a file any more.
    pub(super) fn let_go(&mut self, track: &mut Track, stream: &mut Stream) {
        if let Some(watch) = stream.watch.take() {
            let is_used = track.watch == Some(watch)
                || track.streams.iter().any(|other| other.watch == Some(watch));
            if !is_used {
                self.watches.remove(watch, Watched::File(track.number));
            }
        }
        let is_shared = track.streams.iter().any(|other| other.file == stream.file);
        if !is_shared && self.owners.get(&stream.file) == Some(&track.number) {
            self.release(stream.file);
        }
        if let Some(source) = stream.source {
            self.sources.remove(&source);
        }
    }

    /// Nobody reads a file any more. Whoever waits for it may.
    pub(super) fn release(&mut self, file: FileId) {
        self.owners.remove(&file);
        for number in self.waiting.remove(&file).unwrap_or_default() {
            self.queue_check(number);
        }
    }

    /// Closes a file that has been read to its end, and remembers that.
    pub(super) fn close(&mut self, track: &mut Track, at: usize) {
        let mut stream = track.streams.remove(at);
        track.counts = track.counts + stream.counts();
        let is_shared = track.streams.iter().any(|other| other.file == stream.file);
        if !is_shared {
            self.ledger.insert(stream.last_record(&track.path));
        }
        self.let_go(track, &mut stream);
    }

    /// Forgets what is read at a path that nobody is interested in any more.
    pub(super) fn drop_streams(&mut self, track: &mut Track) {
        for sibling in std::mem::take(&mut track.backlog) {
            self.release(sibling.facts.id);
        }
        while !track.streams.is_empty() {
            self.close(track, 0);
        }
    }

    /// Closes a rotated file before `at` that is done with, though its writer might still come back.
    fn make_room(&mut self, track: &mut Track, at: usize) -> bool {
        let done = track.streams.iter().take(at).position(Stream::is_finished);
        if let Some(done) = done {
            self.close(track, done);
        }
        done.is_some()
    }

    /// Goes back to what is acknowledged.
    pub(super) fn rewind_track(&mut self, track: &mut Track) {
        let mut streams = std::mem::take(&mut track.streams);
        for stream in &mut streams {
            if !stream.has_unacknowledged() {
                continue;
            }
            if stream.is_lost() {
                let record = stream.record(&track.path);
                self.move_to_copy(track, stream, &record);
            }
            if let Some(source) = stream.source {
                self.sources.insert(source, track.number);
            }
            let framer = |start| self.framer(track, start);
            stream.rewind(framer);
        }
        track.streams = streams;
    }

    /// Reads on from what is acknowledged in another format.
    pub(super) fn reframe(&mut self, track: &mut Track) {
        let mut streams = std::mem::take(&mut track.streams);
        for stream in &mut streams {
            stream.rewind(|start| self.framer(track, start));
        }
        track.streams = streams;
    }
}
