//! Bytes that wait to be written, in their order, with the day each belongs to.

use std::collections::VecDeque;

use crate::day::Day;

/// Room that is kept after a burst.
const BYTES_KEPT: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    /// How many of them are written.
    done: usize,
    segments: VecDeque<Segment>,
}

/// Bytes of one day. It may be empty: then the day has come, and nothing more.
#[derive(Clone, Copy, Debug)]
struct Segment {
    day: Day,
    /// Where it ends in `bytes`.
    end: usize,
}

impl Pending {
    pub(crate) fn push(&mut self, day: Day, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        let end = self.bytes.len();
        match self.segments.back_mut() {
            Some(last) if last.day == day => last.end = end,
            _ => self.segments.push_back(Segment { day, end }),
        }
    }

    /// What comes next: the rest of the first segment.
    pub(crate) fn front(&self) -> Option<(Day, &[u8])> {
        let segment = self.segments.front()?;
        Some((segment.day, self.bytes.get(self.done..segment.end).unwrap_or_default()))
    }

    /// The first bytes of the front are done with.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let end = self.segments.front().map_or(self.done, |segment| segment.end);
        self.done = end.min(self.done + bytes);
    }

    /// The front is done with.
    pub(crate) fn pop(&mut self) {
        if let Some(segment) = self.segments.pop_front() {
            self.done = segment.end;
        }
        if self.segments.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(BYTES_KEPT);
            self.done = 0;
        }
    }

    /// Gives back the room of what is done, where the rest has to wait.
    pub(crate) fn compact(&mut self) {
        self.bytes.drain(..self.done);
        for segment in &mut self.segments {
            segment.end -= self.done;
        }
        self.done = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.done
    }

    /// Whether there is nothing to do, not even for an empty segment.
    pub(crate) fn is_settled(&self) -> bool {
        self.segments.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    fn day(number: i64) -> Day {
        Day::of(Timestamp::utc(number * 86_400))
    }

    #[test]
    fn segments_come_in_their_order() {
        let mut pending = Pending::default();
        for (number, record) in [(1, "a"), (1, "bc"), (2, ""), (1, "d")] {
            pending.push(day(number), record.as_bytes());
        }
        assert_eq!((pending.len(), pending.front()), (4, Some((day(1), &b"abc"[..]))));
        pending.advance(1);
        pending.compact();
        assert_eq!((pending.len(), pending.front()), (3, Some((day(1), &b"bc"[..]))));
        pending.push(day(1), b"e");
        pending.advance(100);
        assert_eq!(pending.front(), Some((day(1), &b""[..])));
        pending.pop();
        assert_eq!(pending.front(), Some((day(2), &b""[..])));
        pending.pop();
        assert_eq!(pending.front(), Some((day(1), &b"de"[..])));
        assert!(!pending.is_settled());
        pending.pop();
        assert_eq!((pending.len(), pending.front(), pending.is_settled()), (0, None, true));
    }
}
