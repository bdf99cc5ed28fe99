//! One turn of reading: every file that has something gets its share.

use std::mem;

use rustix::io::Errno;

use super::notice::Notice;
use super::outlet::{Origin, Outlet};
use super::report::SourceReport;
use super::stream::{CHUNK_BYTES, Identity, Place, Step, Stream};
use super::track::Track;
use super::{Files, Flow, Found, Moment, Progress};
use crate::formats::Message;

/// Bytes read of one file before the next one gets its turn.
const FILE_BUDGET: usize = 2 * CHUNK_BYTES;
/// Bytes read in one turn.
const TURN_BUDGET: usize = 32 * CHUNK_BYTES;

/// What reading works with in one turn.
struct Room<'r> {
    outlet: Outlet<'r>,
    buffer: &'r mut [u8],
    /// Bytes read in this turn.
    read: usize,
}

/// What came of a share.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    more: bool,
    save: bool,
}

/// What came of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    /// The newer files of the track come next.
    Next,
    /// Newer files wait for it.
    Hold,
    /// There is more in it; newer files wait.
    More,
    /// The streams of the track are others now.
    Changed,
}

impl Files {
    /// Reads what there is, a limited share of each file, and gives the messages to `take`.
    pub fn read(&mut self, now: Moment, take: &mut dyn FnMut(Found<'_>) -> Flow) -> Progress {
        self.now = now;
        self.turn += 1;
        self.watch_clock();
        self.tick();
        let mut pending = mem::take(&mut self.pending);
        let mut buffer = mem::take(&mut self.buffer);
        let outlet = Outlet::new(take, &mut pending);
        let save = self.read_all(&mut Room { outlet, buffer: &mut buffer, read: 0 });
        self.pending = pending;
        self.buffer = buffer;
        let save = save | mem::take(&mut self.save_asked);
        Progress { more: self.is_full || !self.ready.is_empty() || self.own.are_waiting(), save }
    }

    fn read_all(&mut self, room: &mut Room<'_>) -> bool {
        room.outlet.give_pending();
        let mut save = false;
        for _ in 0..self.ready.len() {
            if room.outlet.is_full || room.read >= TURN_BUDGET {
                break;
            }
            let Some(number) = self.ready.pop_front() else { break };
            let served = self.with_track(number, |files, track| {
                track.is_queued = false;
                files.serve(track, room)
            });
            let Some(served) = served else { continue };
            save |= served.save;
            if served.more {
                self.queue(number);
            }
        }
        if !room.outlet.is_full {
            room.outlet.give_own(&mut self.own);
        }
        self.is_full = room.outlet.is_full;
        self.own.settle() || save
    }

    /// Reads a share of a track's files, the older first.
    fn serve(&mut self, track: &mut Track, room: &mut Room<'_>) -> Served {
        let mut served = Served::default();
        let read_before = room.read;
        if track.to_check && track.current().is_none() {
            self.check(track);
        }
        self.verify(track);
        self.open_backlog(track);
        let limits = limits(track);
        let mut at = 0;
        while at < track.streams.len() {
            let is_last = at + 1 == track.streams.len();
            if is_last && !track.backlog.is_empty() && track.current().is_some() {
                break;
            }
            let limit = limits.get(at).copied().flatten();
            match self.share(track, at, limit, room, &mut served) {
                Share::Next => at += 1,
                Share::Hold => break,
                Share::More | Share::Changed => {
                    served.more = true;
                    break;
                }
            }
            if room.outlet.is_full {
                served.more = true;
                break;
            }
        }
        if !served.more {
            served.more = self.pace(track, room.read - read_before);
        }
        if track.to_check && !served.more {
            self.check(track);
            // What is there now is read in the next turn. If something is in the way, that is
            // waited for.
            served.more = !track.to_check;
        }
        self.close_finished(track);
        served.more |= !track.backlog.is_empty() && !track.is_crowded();
        served
    }

    fn share(
        &mut self,
        track: &mut Track,
        at: usize,
        limit: Option<u64>,
        room: &mut Room<'_>,
        served: &mut Served,
    ) -> Share {
        let now = self.now.monotonic;
        let Some(stream) = track.streams.get_mut(at) else { return Share::Next };
        if stream.is_failing(now) {
            return Share::Next;
        }
        if stream.source.is_none() {
            match stream.identify(now, self.settings.line_wait) {
                Ok(Identity::Known(head)) => {
                    if self.was_empty(track, at) || !self.name(track, at, head) {
                        return Share::Changed;
                    }
                }
                Ok(Identity::Empty) => {
                    let has_found = self.was_empty(track, at);
                    return if has_found { Share::Changed } else { Share::Next };
                }
                Ok(Identity::Incomplete) => return Share::Hold,
                Err(error) => {
                    stream.fail(error, now);
                    self.say_failed(track, error);
                    return Share::Next;
                }
            }
        }
        let Some(stream) = track.streams.get(at) else { return Share::Changed };
        if stream.named_in == self.turn {
            served.save = true;
            return Share::More;
        }
        self.read_share(track, at, limit, room, served)
    }

    fn read_share(
        &mut self,
        track: &mut Track,
        at: usize,
        limit: Option<u64>,
        room: &mut Room<'_>,
        served: &mut Served,
    ) -> Share {
        let mut budget = FILE_BUDGET;
        loop {
            let step = advance(track, at, limit, room, self.now);
            let Some(stream) = track.streams.get_mut(at) else { return Share::Changed };
            match step {
                Step::Read(bytes) => {
                    room.read += bytes;
                    budget = budget.saturating_sub(bytes);
                    if room.outlet.is_full {
                        return Share::More;
                    }
                    if stream.is_drained {
                        break;
                    }
                    if budget == 0 {
                        served.more = true;
                        return if stream.was_drained { Share::Next } else { Share::More };
                    }
                }
                Step::End => break,
                Step::Limit => {
                    served.more = true;
                    break;
                }
                Step::Passing => return Share::More,
                Step::Changed => {
                    let is_split = self.is_truncated(track, at);
                    return if is_split { Share::Changed } else { Share::Hold };
                }
                Step::Unusable => {
                    stream.lose();
                    let path = track.path.to_vec();
                    self.notices.push(Notice::RestUnreadable(path.clone(), path));
                }
                Step::Failed(error) => {
                    self.say_failed(track, error);
                    return Share::Next;
                }
            }
        }
        track.said.failing = false;
        let waits = self.waits();
        if let Some((stream, mut out)) = split(track, at, &mut room.outlet, self.now.wall) {
            stream.flush_idle(self.now.monotonic, waits, &mut out);
        }
        Share::Next
    }

    /// Closes rotated files whose writers are gone. Where others wait in line, all but the newest
    /// have none, or writers that have had their time.
    fn close_finished(&mut self, track: &mut Track) {
        let now = self.now.monotonic;
        let is_crowded = !track.backlog.is_empty() && track.is_crowded();
        let newest = track.streams.iter().rposition(|stream| stream.place != Place::Current);
        let mut newest = newest.unwrap_or_default();
        let mut at = 0;
        while let Some(stream) = track.streams.get(at) {
            let is_superseded = is_crowded && at < newest;
            let is_old = stream.place != Place::Current;
            if is_old && stream.is_finished() && (stream.is_expired(now) || is_superseded) {
                self.close(track, at);
                newest = newest.saturating_sub(1);
            } else {
                at += 1;
            }
        }
    }

    fn say_failed(&mut self, track: &mut Track, error: Errno) {
        if !mem::replace(&mut track.said.failing, true) {
            let path = track.path.to_vec();
            self.notices.push(Notice::ReadFailed(path, error.raw_os_error()));
        }
    }
}

fn advance(
    track: &mut Track,
    at: usize,
    limit: Option<u64>,
    room: &mut Room<'_>,
    now: Moment,
) -> Step {
    let Room { outlet, buffer, .. } = room;
    match split(track, at, outlet, now.wall) {
        Some((stream, mut out)) => {
            stream.advance(buffer, limit, (now.monotonic, now.wall.seconds), &mut out)
        }
        None => Step::End,
    }
}

/// A stream of a track, and what takes its messages.
fn split<'t>(
    track: &'t mut Track,
    at: usize,
    outlet: &'t mut Outlet<'_>,
    wall: model::Timestamp,
) -> Option<(&'t mut Stream, impl FnMut(Message<'_>))> {
    let Track { streams, path, queue, lines, last_message, .. } = track;
    let stream = streams.get_mut(at)?;
    let origin = Origin { source: stream.source?, queue: *queue, location: path };
    let out = move |message: Message<'_>| {
        *lines += 1;
        *last_message = Some(wall);
        outlet.give(origin, message.end, message.text);
    };
    Some((stream, out))
}

/// Up to where the newer files of a track may be read in this turn: what they hold before the older
/// ones are read. A writer that goes from one to the other is so followed in its order.
fn limits(track: &Track) -> Vec<Option<u64>> {
    if track.streams.len() < 2 {
        return Vec::new();
    }
    let newer = track.streams.iter().skip(1);
    let sizes = newer.map(|stream| stream.facts().map(|facts| facts.size));
    std::iter::once(None).chain(sizes).collect()
}

pub(super) fn report(track: &Track) -> SourceReport {
    let behind = track
        .streams
        .iter()
        .map(|stream| stream.facts().map_or(0, |facts| facts.size.saturating_sub(stream.offset())));
    let waiting = track.backlog.iter().map(|sibling| sibling.facts.size);
    let counts = track.all_counts();
    SourceReport {
        path: track.path.to_vec(),
        state: track.state,
        behind: behind.chain(waiting).sum(),
        lines: track.lines,
        cut: counts.cut,
        malformed: counts.malformed,
        last_message: track.last_message,
        rotations: track.rotations,
        is_polled: track.is_polled,
    }
}
