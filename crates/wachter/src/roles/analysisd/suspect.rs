//! The event over which analysis ends, again and again.
//!
//! Which event is in hand stands on the board of counters, which outlives the process. One that was in
//! hand at several ends in a row is left out. Whoever is killed from outside has some event in hand, too:
//! only that it is always the same one tells them apart.

use supervisor::counters::{Counter, Counters};

/// At how many ends in a row.
const ENDS: u64 = 3;

/// The event to leave out, by its batch and place, if there is one. To be asked once at each start.
pub(super) fn take(counters: &Counters) -> Option<(u64, u64)> {
    let in_hand = (counters.get(Counter::InHandFrame), counters.get(Counter::InHandIndex));
    // Who ends before anything is in hand again has not ended over it.
    counters.set(Counter::InHandFrame, 0);
    if in_hand.0 == 0 {
        return None;
    }
    let before = (counters.get(Counter::SuspectFrame), counters.get(Counter::SuspectIndex));
    let ends = if in_hand == before { counters.get(Counter::SuspectEnds) + 1 } else { 1 };
    counters.set(Counter::SuspectFrame, in_hand.0);
    counters.set(Counter::SuspectIndex, in_hand.1);
    counters.set(Counter::SuspectEnds, ends);
    (ends >= ENDS).then_some(in_hand)
}

#[cfg(test)]
mod tests {
    use sys::board::Board;

    use super::*;

    /// What is left out at each start, with this in hand at the end before.
    fn left_out(ends: &[(u64, u64)]) -> Vec<Option<(u64, u64)>> {
        let counters = Counters::new(Board::create().unwrap());
        let mut start = |&(batch, index): &(u64, u64)| {
            // Without a batch the process ended before it took one up.
            if batch > 0 {
                counters.set(Counter::InHandFrame, batch);
                counters.set(Counter::InHandIndex, index);
            }
            take(&counters)
        };
        ends.iter().map(&mut start).collect()
    }

    #[test]
    fn an_event_that_ends_analysis_again_and_again_is_left_out() {
        let poison = (7, 3);
        assert_eq!(left_out(&[poison; 4]), [None, None, Some(poison), Some(poison)]);
        // It is found though somebody kills the process meanwhile, before or while it takes up others.
        let ends = [poison, (0, 0), poison, (5, 1), poison, poison, poison];
        let found = left_out(&ends);
        assert_eq!(found.iter().flatten().count(), 1);
        assert_eq!(found.last(), Some(&Some(poison)));
    }

    #[test]
    fn whoever_is_killed_before_anything_is_in_hand_leaves_nothing_out() {
        assert_eq!(left_out(&[(7, 3), (0, 0), (0, 0), (0, 0), (8, 1), (0, 0)]), [None; 6]);
        assert_eq!(left_out(&[(7, 3), (7, 4), (7, 3), (7, 4)]), [None; 4]);
    }
}
