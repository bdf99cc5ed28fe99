//! What do we talk about? The nouns that every other crate shares: what arrived ([`Event`]), when
//! ([`Timestamp`]), what is wrong with a file ([`Diagnostic`]) and what outlives a restart
//! ([`Memory`]).
//!
//! # Invariants
//!
//! * No input, output, clock, thread or global state.
//! * Text from outside is bytes until something is known to be text.
//! * Every limit on hostile input has its name in [`limits`].
//!
//! Start reading at [`event`].

pub mod diagnostic;
pub mod event;
pub mod field;
pub mod inet;
pub mod limits;
pub mod memory;
pub mod text;
pub mod time;

pub use diagnostic::{Diagnostic, Severity, Source, SourceId, Sources, Span};
pub use event::{Category, Event, Queue};
pub use field::{DecoderId, Field};
pub use inet::inet_aton;
pub use memory::{Memory, RamMemory, Table};
pub use time::Timestamp;
