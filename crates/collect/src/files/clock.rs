//! A clock that is set: for a while the time stamps of files do not tell which of them are new.
//!
//! The wall clock is compared with the one that only goes forth. When they part, every rotated file
//! that was there before is noted in the ledger, by the stamps it had until then; what is beside a log
//! from then on and is not known is news, whatever its stamps say. That lasts until the clock has passed
//! all times it has shown.

use std::os::fd::AsFd;

use super::disk::{self, Facts, FileId};
use super::print::{HEAD_BYTES_MAX, Print};
use super::siblings::{Sibling, siblings};
use super::track::Track;
use super::{Files, Moment};
use crate::positions::Record;

/// Seconds by which the clocks part that are a step. Both are read one after the other, in whole
/// seconds.
const STEP_MIN: i64 = 2;
/// Seconds for which stamps are in doubt after the latest time that the clock has shown.
const DOUBT_MARGIN: i64 = 600;

/// What is known of the wall clock.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    /// The wall clock less the one that only goes forth, and the time it showed.
    last: Option<(i64, i64)>,
    /// Until when, in seconds since the epoch, stamps are in doubt.
    pub(super) doubt: Option<i64>,
    /// The doubt began while nothing ran.
    pub(super) has_begun: bool,
}

impl WallClock {
    /// As the last run left it. Positions from the future are themselves a sign.
    pub(super) fn after(doubt: Option<i64>, taken: i64, now: Moment) -> Self {
        let is_ahead = taken - now.wall.seconds >= STEP_MIN;
        let ahead = is_ahead.then_some(taken + DOUBT_MARGIN);
        Self { last: None, doubt: doubt.max(ahead), has_begun: doubt.is_none() && is_ahead }
    }

    /// Looks at the clocks. Where a step begins a time of doubt, what the wall clock showed before.
    fn look(&mut self, now: Moment) -> Option<i64> {
        let wall = now.wall.seconds;
        let apart = wall - i64::try_from(now.monotonic.as_secs()).unwrap_or_default();
        let before = self.last.replace((apart, wall));
        let (apart_before, wall_before) = before?;
        if (apart - apart_before).abs() < STEP_MIN {
            return None;
        }
        let was_trusted = self.doubt.is_none();
        self.doubt = self.doubt.max(Some(wall.max(wall_before) + DOUBT_MARGIN));
        was_trusted.then_some(wall_before)
    }
}

impl Files {
    /// Notices when the clock was set. To be called before anything else is looked at.
    pub(super) fn watch_clock(&mut self) {
        if let Some(wall_before) = self.clock.look(self.now) {
            for number in self.numbers() {
                self.with_track(number, |files, track| files.note_past(track, Some(wall_before)));
            }
            self.save_asked = true;
        }
        // Only what was looked at since then is known.
        let is_over = self.clock.doubt.is_some_and(|until| until < self.now.wall.seconds);
        if is_over && self.ready.is_empty() {
            self.clock.doubt = None;
            self.save_asked = true;
        }
    }

    /// Notes the rotated files that were no news at a time as read; without a time, all of them.
    pub(super) fn note_past(&mut self, track: &mut Track, wall: Option<i64>) {
        let since = track.since.zip(wall);
        if since.is_none() && wall.is_some() {
            // It was not looked at yet.
            return;
        }
        for sibling in siblings(&track.path) {
            let id: FileId = sibling.facts.id;
            let is_known = self.owners.contains_key(&id) || self.ledger.is_read(&sibling.facts);
            let is_news = since.is_some_and(|(since, wall)| since.is_before(&sibling.facts, wall));
            if is_known || is_news {
                continue;
            }
            let record = self.record_of_past(track, &sibling.facts, head(&sibling));
            self.ledger.insert(record);
        }
    }

    /// A rotated file as one that was read. By its head it is known when it is packed.
    pub(super) fn record_of_past(
        &self,
        track: &Track,
        facts: &Facts,
        head: Option<Print>,
    ) -> Record {
        Record {
            path: track.path.to_vec(),
            file: facts.id,
            born: facts.born,
            generation: 0,
            source: None,
            head,
            tail: None,
            offset: facts.size,
            modified: facts.modified,
            read: self.now.wall.seconds,
            is_open: false,
            target: None,
        }
    }
}

fn head(sibling: &Sibling) -> Option<Print> {
    let opened = disk::open(&sibling.path).ok().filter(|_| sibling.is_plain())?;
    let mut bytes = [0; HEAD_BYTES_MAX];
    let read = disk::read_at(opened.fd.as_fd(), &mut bytes, 0).ok()?;
    Print::of_head(bytes.get(..read)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::Timestamp;

    use super::*;

    fn at(wall: i64, monotonic: u64) -> Moment {
        Moment { wall: Timestamp::utc(wall), monotonic: Duration::from_secs(monotonic) }
    }

    #[test]
    fn steps_are_noticed_and_time_that_passes_is_not() {
        let mut clock = WallClock::after(None, 1000, at(1000, 10));
        for (wall, monotonic, step, doubt) in [
            (1000, 10, None, None),
            (9000, 8010, None, None),
            (9002, 8011, None, None),
            (16_202, 8011, Some(9002), Some(16_802)),
            (5402, 8012, None, Some(16_802)),
            (9003, 8013, None, Some(16_802)),
        ] {
            assert_eq!(clock.look(at(wall, monotonic)), step, "{wall}");
            assert_eq!(clock.doubt, doubt, "{wall}");
        }
    }

    #[test]
    fn doubt_outlives_a_run() {
        assert_eq!(WallClock::after(Some(7), 1000, at(1000, 10)).doubt, Some(7));
        assert_eq!(WallClock::after(None, 1001, at(1000, 10)).doubt, None);
        assert_eq!(WallClock::after(None, 8200, at(1000, 10)).doubt, Some(8800));
    }
}
