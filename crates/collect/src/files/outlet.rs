//! The way of messages out, and those that wait because the taker had no room.

use std::collections::VecDeque;
use std::sync::Arc;

use model::Queue;

use super::print::Fnv;
use super::{Flow, Found};

/// Where messages of a track come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) source: u64,
    pub(crate) queue: Queue,
    pub(crate) location: &'a Arc<[u8]>,
}

/// Gives messages to the taker until that is full.
pub(crate) struct Outlet<'t> {
    take: &'t mut dyn FnMut(Found<'_>) -> Flow,
    pending: &'t mut Pending,
    pub(crate) is_full: bool,
}

impl<'t> Outlet<'t> {
    pub(crate) fn new(
        take: &'t mut dyn FnMut(Found<'_>) -> Flow,
        pending: &'t mut Pending,
    ) -> Self {
        Self { take, pending, is_full: false }
    }

    pub(crate) fn give(&mut self, origin: Origin<'_>, end: u64, text: &[u8]) {
        let Origin { source, queue, location } = origin;
        if !self.is_full {
            let found = Found { source, end, queue, location, text };
            match (self.take)(found) {
                Flow::Go => return,
                Flow::Full => self.is_full = true,
            }
        }
        self.pending.push(origin, end, text);
    }

    /// Gives what was left last time.
    pub(crate) fn give_pending(&mut self) {
        while let Some(kept) = self.pending.messages.front() {
            let text = self.pending.texts.get(kept.from..kept.to).unwrap_or_default();
            let Kept { source, end, queue, ref location, .. } = *kept;
            match (self.take)(Found { source, end, queue, location, text }) {
                Flow::Go => self.pending.messages.pop_front(),
                Flow::Full => {
                    self.is_full = true;
                    return;
                }
            };
        }
        self.pending.clear();
    }

    /// Gives the collector's own messages that have not been given yet, but for those whose ends
    /// cannot have been saved.
    pub(crate) fn give_own(&mut self, own: &mut OwnMessages) {
        let location: Arc<[u8]> = Arc::from(OWN_LOCATION);
        while own.given < own.settled
            && let Some((end, text)) = own.messages.get(own.given)
        {
            let found = Found {
                source: own_source(),
                end: *end,
                queue: Queue::LocalFile,
                location: &location,
                text: text.as_bytes(),
            };
            match (self.take)(found) {
                Flow::Go => own.given += 1,
                Flow::Full => {
                    self.is_full = true;
                    return;
                }
            }
        }
    }
}

/// Messages that the taker refused: at most what one chunk of one file has framed.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    messages: VecDeque<Kept>,
    texts: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    source: u64,
    end: u64,
    queue: Queue,
    location: Arc<[u8]>,
    from: usize,
    to: usize,
}

impl Pending {
    fn push(&mut self, origin: Origin<'_>, end: u64, text: &[u8]) {
        let from = self.texts.len();
        self.texts.extend_from_slice(text);
        let Origin { source, queue, location } = origin;
        let location = Arc::clone(location);
        let to = self.texts.len();
        self.messages.push_back(Kept { source, end, queue, location, from, to });
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.texts.clear();
    }
}

/// The collector's own messages, which rules look for.
#[derive(Debug, Default)]
pub(crate) struct OwnMessages {
    /// Those not acknowledged, with their ends.
    messages: VecDeque<(u64, String)>,
    /// How many of them have been given out.
    given: usize,
    /// How many of them could be saved.
    settled: usize,
    pub(crate) end: u64,
    /// Messages left out for want of room.
    pub(crate) dropped: u64,
}

/// The location of the collector's own messages.
const OWN_LOCATION: &[u8] = b"ossec-logcollector";
/// Own messages that may wait.
const OWN_MESSAGES_MAX: usize = 4096;
/// Bytes of an own message, as with OSSEC.
const OWN_MESSAGE_BYTES_MAX: usize = 511;
/// Own messages counted apart in one second. Ends grow with time, so that they go on growing even
/// if the saved ones are lost.
const ENDS_PER_SECOND: u64 = 1 << 20;

impl OwnMessages {
    /// Goes on behind the last end that is known.
    pub(crate) fn after(end: u64) -> Self {
        Self { end, ..Self::default() }
    }

    pub(crate) fn push(&mut self, text: &[u8], seconds: i64) {
        if self.messages.len() == OWN_MESSAGES_MAX {
            self.dropped += 1;
            return;
        }
        let text = text.get(..OWN_MESSAGE_BYTES_MAX).unwrap_or(text);
        let earliest = u64::try_from(seconds).unwrap_or_default().saturating_mul(ENDS_PER_SECOND);
        self.end = earliest.max(self.end.saturating_add(1));
        self.messages.push_back((self.end, String::from_utf8_lossy(text).into_owned()));
    }

    pub(crate) fn acknowledge(&mut self, end: u64) {
        while self.given > 0 && self.messages.front().is_some_and(|(own, _)| *own <= end) {
            self.messages.pop_front();
            self.given -= 1;
            self.settled -= 1;
        }
    }

    /// All messages can be saved from now on. `false` if they could before.
    pub(crate) fn settle(&mut self) -> bool {
        let has_new = self.settled < self.messages.len();
        self.settled = self.messages.len();
        has_new
    }

    pub(crate) fn rewind(&mut self) {
        self.given = 0;
    }

    /// Whether some have not been given out.
    pub(crate) fn are_waiting(&self) -> bool {
        self.given < self.messages.len()
    }
}

/// The source of the collector's own messages.
pub(crate) fn own_source() -> u64 {
    Fnv::default().with(b"own").with(OWN_LOCATION).mixed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(own: &mut OwnMessages, room: usize) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        let mut take = |found: Found<'_>| {
            if out.len() == room {
                return Flow::Full;
            }
            out.push((found.end, String::from_utf8(found.text.to_vec()).unwrap()));
            Flow::Go
        };
        Outlet::new(&mut take, &mut Pending::default()).give_own(own);
        out
    }

    #[test]
    fn own_messages_are_given_until_acknowledged() {
        let mut own = OwnMessages::after(7 * ENDS_PER_SECOND);
        own.push(b"a", 7);
        own.push(b"b", 9);
        own.push(&[b'c'; 600], 8);
        assert_eq!(taken(&mut own, 9), []);
        assert!(own.settle());
        let all = taken(&mut own, 9);
        let ends: Vec<u64> = all.iter().map(|(end, _)| *end).collect();
        let later = 9 * ENDS_PER_SECOND;
        assert_eq!(ends, [7 * ENDS_PER_SECOND + 1, later, later + 1]);
        assert!(!own.settle());
        assert_eq!(all[2].1.len(), OWN_MESSAGE_BYTES_MAX);
        assert!(taken(&mut own, 9).is_empty() && !own.are_waiting());
        own.acknowledge(later);
        own.rewind();
        assert_eq!(taken(&mut own, 0), []);
        assert!(own.are_waiting());
        assert_eq!(taken(&mut own, 9), all[2..]);
    }

    #[test]
    fn what_was_refused_comes_again() {
        let mut pending = Pending::default();
        let location: Arc<[u8]> = Arc::from(&b"/a"[..]);
        let origin = Origin { source: 1, queue: Queue::LocalFile, location: &location };
        let mut seen = Vec::new();
        let mut room = 2;
        for turn in 0..5 {
            let mut take = |found: Found<'_>| {
                if room == 0 {
                    return Flow::Full;
                }
                room -= 1;
                seen.push(found.end);
                Flow::Go
            };
            let mut outlet = Outlet::new(&mut take, &mut pending);
            outlet.give_pending();
            if turn == 0 {
                (1..=7).for_each(|end| outlet.give(origin, end, b"text"));
            }
            room = 2;
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
        assert!(pending.messages.is_empty() && pending.texts.is_empty());
    }
}
