//! Entries of systemd's journal, from the bytes of `journalctl -o export`.
//!
//! An entry is lines `NAME=VALUE` up to an empty line; a value that is no plain text stands as
//! `NAME`, a line end, its length in eight bytes, the bytes, a line end.
//!
//! Invariants: where the input is cut into pushes changes nothing. Only the fields that are asked
//! for are kept, each up to a limit, so an [`Entry`] is bounded whatever a service logs.

mod cursor;
mod entry;
mod export;

pub use entry::{Entry, LOCATION, Written};
pub use export::ExportReader;

#[cfg(test)]
mod tests;
