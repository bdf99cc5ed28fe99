//! Here is an OS_Match, OS_Regex or PCRE2 text: give me a matcher.
//!
//! A [`PatternSet`] compiles texts once. Most patterns turn out to be alternative literals and are
//! answered by comparison; the others run on PCRE2's compiled code, and on a linear-time automaton
//! where a line is long or made to be slow. A [`Gate`] tells in one pass over a line which of many
//! patterns can match at all. What one thread needs to search is a [`Scratch`].
//!
//! # Invariants
//!
//! * Both engines give the same answer; which one runs is a matter of speed alone.
//! * A search takes time in proportion to the subject, whatever the pattern: PCRE2 runs under a
//!   match limit, and what runs into it is counted and decided by the automaton.
//! * The searches of one event share a budget ([`Scratch::begin_event`]); what it cuts is counted.
//! * Matching ignores case, never panics on any bytes, and allocates nothing once each pattern has
//!   been used.
//!
//! Start reading at [`PatternSet`].

mod gate;
mod head;
mod literal;
mod pcre2_syntax;
mod scratch;
mod set;
mod translate;
mod word;

pub use gate::{Gate, GateBuilder, Hit, Hits, Slot};
pub use literal::{End, Literal, Needles};
pub use scratch::{Captures, Scratch, SearchCounts};
pub use set::{Language, PatternError, PatternId, PatternSet};
pub use word::word_match;
