//! Answers attacks: here is an alert, keep whoever it names away, for the time that is configured.
//!
//! [`decide`] says which responses an alert leads to; an [`order`] carries that to the process that
//! may act. There [`blocks`] knows who is blocked until when, and [`ledger`] keeps it on disk.
//!
//! # Invariants
//!
//! * Nobody on the [`allow`] list is acted against, whoever asks.
//! * What an attacker wrote is a [`target::Target`] or nothing: no option, path, control character or
//!   second word hides in it. Nothing goes through a shell.
//! * What is decided is on disk before it is done, and done again after a crash.
//! * Time is passed in; nothing here reads a clock.
//!
//! Start reading at [`decide`] and [`blocks`].

pub mod actions;
pub mod allow;
pub mod ar_conf;
pub mod blocks;
pub mod decide;
pub mod gate;
pub mod host;
pub mod jobs;
pub mod ledger;
pub mod limiter;
pub mod log;
mod netlink;
pub mod order;
pub mod place;
#[cfg(test)]
mod samples;
pub mod script;
pub mod target;
