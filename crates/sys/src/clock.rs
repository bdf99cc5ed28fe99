//! The one place where a clock is read. Only the loop of a process asks it and passes the time on.

use std::time::Duration;

use jiff::ZonedDateTime;
use model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The wall clock, with the local zone's offset.
pub fn wall() -> Timestamp {
    let now = ZonedDateTime::now();
    Timestamp { seconds: now.timestamp().as_second(), utc_offset: now.offset().seconds() }
}

/// Time that never jumps, since some moment of this boot. Processes of one host share it.
pub fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Does nothing for so long: between two looks at something that changes. Who waits for something
/// waits for that instead.
pub fn pause(length: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that sleeps, for people to look at"
    )]
    std::thread::sleep(length);
}
