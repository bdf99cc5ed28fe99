//! Tell someone: the files of alerts, archives, firewall events and hourly totals.
//!
//! [`OutputFiles`] holds them all. The caller renders records (crate `wire`) and appends them;
//! [`OutputFiles::flush_all`] writes. Each file is a [`DailyFile`]: dated, with a fixed name that is
//! a second link to the file of the day. [`Totals`] counts what goes into `stats/totals`.
//!
//! # Invariants
//!
//! * A record is written whole, once, in order, or kept until it can be: a full disk loses nothing.
//! * After a kill, the events after the last checkpoint are judged again and give the same bytes.
//!   What of them is in the files already is not written twice, be it half a record.
//! * A fixed name, once there, is never missing.
//! * No symbolic link is followed below the home directory, and nothing but regular files is
//!   written. Directories are made with mode 0750, files with 0640, whatever the umask.
//! * Days are those of the records' own times. No clock is read.
//!
//! Start reading at `daily.rs`. What is promised: `tests/promises/`.

mod daily;
mod day;
mod error;
mod files;
mod pending;
mod place;
mod replay;
mod totals;

pub use daily::{Creation, DailyFile, RecordEnd};
pub use error::WriteError;
pub use files::{OutputFiles, OutputOptions, PENDING_BYTES_MAX};
pub use place::FileName;
pub use replay::FileLength;
pub use totals::{CountedEvent, HourTotals, Totals};
