//! Answers attacks: here is an alert, keep whoever it names away, for the time that is configured.
//!
//! [`decide`] says which responses an alert leads to; an [`order`] carries that to the process that
//! may act. There a [`responder`] does it: [`blocks`] knows who is blocked until when, [`ledger`] keeps
//! it on disk, and the [`actions`] that are built in, or the user's [`script`]s, do the work.
//!
//! # Invariants
//!
//! * Nobody on the [`allow`] list is acted against, whoever asks.
//! * What an attacker wrote is a [`target::Target`] or nothing: no option, path, control character or
//!   second word hides in it. Nothing goes through a shell.
//! * What is decided is on disk before it is done, and done again after a crash.
//! * Time is passed in; nothing here reads a clock.
//!
//! Start reading at [`decide`] and [`responder`]. docs/add-a-response-action.md says how an action is
//! added; the tests in `tests/real` need root, and network namespaces of their own.

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
pub mod responder;
#[cfg(test)]
mod samples;
pub mod script;
pub mod target;
pub mod told;
pub mod webhook;
