//! Here are rule files: give me a [`Ruleset`](ruleset::Ruleset).
//!
//! In go the files in load order, the lists and the names of the decoders; out come the rules that
//! are sound, linked into a tree, and findings about everything else. [`load()`] reads, [`lint()`]
//! looks for rules that load but cannot do anything.
//!
//! # Invariants
//!
//! * Errors never hide one another: a bad rule is left out, and loading goes on.
//! * A rule set never changes after it is made.
//! * Any bytes give an answer: no panic, nothing without a limit.
//! * No input, output, clock or thread.
//!
//! Start reading at [`load()`]: `read.rs` makes drafts from elements, with one file for each
//! family of options in `options/`, and `tree.rs` links them. The cases stand in `tests/`.

pub mod address;
mod attributes;
pub mod cdb;
mod draft;
mod findings;
mod lint;
pub mod lists;
mod load;
mod messages;
mod options;
mod read;
pub mod ruleset;
pub mod time;
mod tree;
pub mod value;

pub use lint::lint;
pub use load::{DecoderFacts, LoadInput, LoadOptions, Loaded, load};
pub use tree::RULE_PLACES_MAX;
