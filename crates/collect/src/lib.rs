//! What happened in the logs? Files, pipes, commands, the journal and the queue socket become
//! messages with the positions they were read from.
//!
//! # Invariants
//!
//! * Any bytes are framed; no input panics, blocks or grows anything without a limit.
//!
//! Start reading at [`files`], which follows log files, and [`formats`], which makes messages of
//! bytes; the cases of the latter are run by `cargo test -p collect --test formats`.

pub mod command;
pub mod files;
pub mod formats;
pub mod journal;
mod paths;
pub mod positions;
mod watch;
