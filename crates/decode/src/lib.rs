//! Here is a line: what does it say?
//!
//! Decoder files go into [`load()`], out comes a [`DecoderSet`]. Its [`DecoderSet::decode`] turns an
//! event into a [`Decoded`]: the header is read ([`header`]), one top-level decoder is chosen by
//! program name and prematch, and below it the child that takes out the fields.
//!
//! # Invariants
//!
//! * Decoding is pure: the same line gives the same answer, on any thread, after any other line.
//! * Any bytes are acceptable. Nothing panics, and nothing takes more time than the line is long.
//! * Nothing is allocated for an event once its decoders and program name have been seen.
//! * Values are spans of the line; the line itself is changed only by cutting its end.
//!
//! Start reading at `tree.rs`. Cases: `cargo test -p decode`.

mod decoded;
mod fields;
pub mod header;
pub mod headers;
pub mod lint;
pub mod load;
pub mod plugins;
mod program;
mod set;
mod tree;

pub use decoded::{Decoded, ProgramKey};
pub use fields::{DynamicField, Fields, Name};
pub use header::{Forms, Header};
pub use load::{LoadInput, Loaded, load};
pub use set::{DecodeOptions, Decoder, DecoderIndex, DecoderSet, FtsFields, Offset};
pub use tree::{DecodeScratch, DecodeStep, DecodeTrace, Untraced};
