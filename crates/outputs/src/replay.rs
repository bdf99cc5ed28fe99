//! What of re-produced output is in a file already.
//!
//! The caller stores, beside the checkpoint of its engine, how long each file was. After a kill the
//! events behind the checkpoint are judged again; for each file, as many bytes of what comes out
//! are skipped as the file has beyond that length.

use crate::day::Day;

/// How long a file was when nothing was pending for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLength {
    /// Relative to the home directory.
    pub path: String,
    pub length: u64,
}

/// The skips of one daily file.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Lengths at the checkpoint.
    lengths: Vec<(Day, u64)>,
    /// The last day that any file had at the checkpoint. A file of an earlier day that the
    /// checkpoint does not know is not touched by the replay.
    last_day: Option<Day>,
    /// Bytes still to be skipped, for each file that was looked at.
    left: Vec<(Day, u64)>,
}

impl Replay {
    /// `lengths` are those of the file, `all` of all files.
    pub(crate) fn new(lengths: Vec<(Day, u64)>, all: &[FileLength]) -> Self {
        let last_day = all.iter().filter_map(|file| Day::of_path(&file.path)).max();
        Self { lengths, last_day, left: Vec::new() }
    }

    /// Takes note of how long the file of a day is now, if that is not known yet. A file that is
    /// shorter than it was has nothing to skip: somebody cut it.
    pub(crate) fn look_at(&mut self, day: Day, length: u64) {
        if self.left.iter().any(|(known, _)| *known == day) {
            return;
        }
        let at_checkpoint = self.lengths.iter().find(|(known, _)| *known == day);
        let left = match at_checkpoint {
            Some((_, before)) => length.saturating_sub(*before),
            // It did not exist then.
            None if self.last_day.is_some_and(|last| day >= last) => length,
            None => 0,
        };
        self.left.push((day, left));
    }

    /// Bytes of the file of a day that are still to be produced again.
    pub(crate) fn left(&self, day: Day) -> u64 {
        self.left.iter().find(|(known, _)| *known == day).map_or(0, |(_, left)| *left)
    }

    /// How many of `bytes` new ones are in the file already.
    pub(crate) fn take(&mut self, day: Day, bytes: usize) -> usize {
        let Some((_, left)) = self.left.iter_mut().find(|(known, _)| *known == day) else {
            return 0;
        };
        let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes);
        *left -= skipped as u64;
        skipped
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn what_is_skipped() {
        let day = |number: i64| Day::of(Timestamp::utc(number * 86_400));
        let all = [FileLength { path: "a/1970/Jan/x-11.log".to_owned(), length: 7 }];
        for (lengths, all, file, length, skipped) in [
            // Known at the checkpoint: as long, longer, shorter.
            (vec![(day(10), 100)], &all[..], 10, 100, 0),
            (vec![(day(10), 100)], &all, 10, 130, 30),
            (vec![(day(10), 100)], &all, 10, 70, 0),
            // Unknown: of a later, the same and an earlier day.
            (vec![(day(10), 100)], &all, 11, 40, 40),
            (vec![], &all, 10, 40, 40),
            (vec![], &all, 9, 40, 0),
            (vec![], &[], 10, 40, 0),
        ] {
            let mut replay = Replay::new(lengths, all);
            replay.look_at(day(file), length);
            assert_eq!(replay.left(day(file)), skipped);
            // The second look changes nothing.
            replay.look_at(day(file), 1000);
            assert_eq!(replay.take(day(file), 25) as u64, skipped.min(25));
            assert_eq!(replay.left(day(file)), skipped.saturating_sub(25));
        }
    }
}
