//! Busy files are read at intervals: a writer that adds line by line must not cost a wake-up and
//! some system calls for each.

use std::time::Duration;

use super::Files;
use super::track::Track;

/// A file that gets more within this time after it was read is busy.
const QUICK: Duration = Duration::from_millis(5);
/// Quick turns one after the other before a file is read at intervals.
const QUICK_TURNS_MAX: u32 = 64;
/// The interval.
const REST: Duration = Duration::from_millis(5);

/// How a track is read: whenever something is written, or at intervals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    quick_turns: u32,
    last_read: Duration,
    /// When it is read next, if what is written is not told.
    pub(crate) rest_until: Option<Duration>,
}

impl Files {
    /// Some bytes of a track's files, or none, were read up to their end. Returns whether it must be
    /// read once more now.
    pub(super) fn pace(&mut self, track: &mut Track, bytes: usize) -> bool {
        let now = self.now.monotonic;
        let pace = &mut track.pace;
        if pace.rest_until.is_some() {
            if bytes > 0 {
                pace.rest_until = Some(now + REST);
                return false;
            }
            // What is written between the last look and the watch is seen by one more look.
            *pace = Pace::default();
            self.tell_written(track, true);
            return true;
        }
        if bytes > 0 {
            let is_quick = now <= pace.last_read + QUICK;
            pace.quick_turns = if is_quick { pace.quick_turns + 1 } else { 0 };
            pace.last_read = now;
            if pace.quick_turns >= QUICK_TURNS_MAX && self.tell_written(track, false) {
                track.pace.rest_until = Some(now + REST);
            }
        }
        false
    }

    /// Has inotify tell, or not tell, what is written to the files of a track. `false` if that cannot
    /// be chosen.
    fn tell_written(&mut self, track: &Track, is_told: bool) -> bool {
        let mut is_done = false;
        for stream in &track.streams {
            let (Some(watch), Some(path)) = (stream.watch, stream.own_path()) else { continue };
            is_done |= self.watches.set_told(&path, watch, is_told);
        }
        is_done
    }
}
