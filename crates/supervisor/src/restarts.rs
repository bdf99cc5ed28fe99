//! When a role that ended is started again.

use std::time::Duration;

/// A role that ran so long is taken to be well.
const WELL_AFTER: Duration = Duration::from_secs(10);
const DELAY_MAX: Duration = Duration::from_secs(5);
const DELAY_FIRST: Duration = Duration::from_millis(50);

/// How often a role ended, and how soon it is tried again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Restarts {
    pub(crate) count: u64,
    in_a_row: u32,
}

impl Restarts {
    /// The wait before the next start of a role that ended after `ran`: none the first time, then
    /// longer each time it ends at once.
    pub(crate) fn after(&mut self, ran: Duration) -> Duration {
        self.count += 1;
        if ran >= WELL_AFTER {
            self.in_a_row = 0;
        }
        let delay = match self.in_a_row {
            0 => Duration::ZERO,
            before => DELAY_MAX.min(DELAY_FIRST * 2_u32.saturating_pow(before - 1)),
        };
        self.in_a_row += 1;
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_once_then_slower_then_at_once_again() {
        let mut restarts = Restarts::default();
        let mut delays = [0; 10].map(|_| restarts.after(Duration::from_millis(1)).as_millis());
        assert_eq!(delays[..4], [0, 50, 100, 200]);
        delays.reverse();
        assert_eq!(delays[0], 5000);
        assert_eq!(restarts.after(WELL_AFTER), Duration::ZERO);
        assert_eq!(restarts.count, 11);
    }
}
