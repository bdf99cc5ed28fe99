//! How far each source has been analysed, so that what comes twice is recognised.

use std::collections::HashMap;

use wire::bytes::{Cursor, Ended};

/// Sources remembered; of more than that the longest unused are forgotten.
const SOURCES_MAX: usize = 65_536;

/// The last end of each source.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    ends: HashMap<u64, Mark>,
    /// Counts runs of events of one source: time, which may jump, says nothing of order.
    runs: u64,
    /// The source of the last event: most come in runs.
    last: Option<(u64, Mark)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    end: u64,
    /// The number of its last run.
    used: u64,
    /// Which run of the collector sent its last event.
    incarnation: u64,
}

impl Marks {
    /// Whether this place was passed already; if not it is from now on.
    ///
    /// Events whose lines are mixed end at the same place, that of the oldest one still open. So an
    /// equal end is a repeat only from a sender that has gone back since: that has another incarnation.
    pub(crate) fn is_repeat(&mut self, source: u64, end: u64, incarnation: u64) -> bool {
        let known = match self.last {
            Some((last, mark)) if last == source => mark,
            _ => {
                self.settle();
                self.runs += 1;
                let before = self.ends.get(&source).copied().unwrap_or_default();
                Mark { used: self.runs, ..before }
            }
        };
        let is_equal = end == known.end && (incarnation != known.incarnation || end == 0);
        let is_repeat = end < known.end || is_equal;
        let mark = if is_repeat { known } else { Mark { end, incarnation, ..known } };
        self.last = Some((source, mark));
        is_repeat
    }

    /// Writes the run at hand down.
    fn settle(&mut self) {
        let Some((source, mark)) = self.last.take() else { return };
        self.ends.insert(source, mark);
        if self.ends.len() > SOURCES_MAX {
            // Each run has a number of its own, so this is half of them.
            let mut used: Vec<u64> = self.ends.values().map(|mark| mark.used).collect();
            let (_, median, _) = used.select_nth_unstable(SOURCES_MAX / 2);
            let oldest_kept = *median;
            self.ends.retain(|_, mark| mark.used >= oldest_kept);
        }
    }

    pub(crate) fn save(&mut self, out: &mut Vec<u8>) {
        self.settle();
        out.extend_from_slice(&self.runs.to_le_bytes());
        out.extend_from_slice(&(self.ends.len() as u32).to_le_bytes());
        for (source, mark) in &self.ends {
            out.extend_from_slice(&source.to_le_bytes());
            out.extend_from_slice(&mark.end.to_le_bytes());
            out.extend_from_slice(&mark.used.to_le_bytes());
            out.extend_from_slice(&mark.incarnation.to_le_bytes());
        }
    }

    pub(crate) fn load(cursor: &mut Cursor<'_>) -> Result<Self, Ended> {
        let mut marks = Self { runs: cursor.u64()?, ..Self::default() };
        let count = cursor.u32()?;
        for _ in 0..count {
            let source = cursor.u64()?;
            let (end, used, incarnation) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
            let mark = Mark { end, used, incarnation };
            marks.ends.insert(source, mark);
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_recognised_also_after_a_restart() {
        let mut marks = Marks::default();
        let events = [(1, 10), (1, 20), (2, 5), (1, 30), (2, 9)];
        assert!(events.iter().all(|&(source, end)| !marks.is_repeat(source, end, 7)));
        let mut bytes = Vec::new();
        marks.save(&mut bytes);
        let mut again = Marks::load(&mut Cursor::new(&bytes)).unwrap();
        for marks in [&mut marks, &mut again] {
            assert!(events.iter().all(|&(source, end)| marks.is_repeat(source, end, 8)));
            assert!(!marks.is_repeat(2, 10, 8));
            assert!(!marks.is_repeat(3, 1, 8));
        }
        assert!(Marks::load(&mut Cursor::new(&bytes[..bytes.len() - 1])).is_err());
    }

    #[test]
    fn events_that_end_at_one_place_are_not_repeats_of_one_another() {
        let mut marks = Marks::default();
        assert!(![10, 20, 20, 20].iter().any(|&end| marks.is_repeat(1, end, 7)));
        assert!(!marks.is_repeat(2, 1, 7));
        assert!(!marks.is_repeat(1, 20, 7), "also after a run of others");
        assert!([10, 20, 20].iter().all(|&end| marks.is_repeat(1, end, 8)), "sent again");
        assert!(![21, 21].iter().any(|&end| marks.is_repeat(1, end, 8)));
    }

    #[test]
    fn the_longest_unused_are_forgotten() {
        let mut marks = Marks::default();
        for source in 0..2 * SOURCES_MAX as u64 {
            marks.is_repeat(source, 1, 7);
            assert!(marks.ends.len() <= SOURCES_MAX);
        }
        assert!(marks.is_repeat(2 * SOURCES_MAX as u64 - 1, 1, 8));
        assert!(!marks.is_repeat(0, 1, 8));
    }
}
