//! What do the configuration files say?
//!
//! In go bytes, out come values and findings. [`ossec_conf`] reads `ossec.conf`, section by section
//! (one file each in `sections/`), and [`agent_conf`] its relative for agents; [`internal_options`]
//! reads `internal_options.conf` and its local twin; [`wachter_toml`] reads our own `wachter.toml`.
//! What the values mean for a process is not decided here.
//!
//! # Invariants
//!
//! * Any bytes give an answer: values, with defaults where nothing usable is said, and findings
//!   about everything that is wrong. One mistake never hides another.
//! * Names are known by list; what is not on it is reported, with the nearest name that is.
//! * Sections and elements may stand in any order; the order of lists is that of the file.
//! * Every finding has its place, and says what to do.
//! * No input, output or clock: paths are texts here.
//!
//! Start reading at [`ossec_conf::read`]; `section.rs` is how any section is read, `value.rs` what
//! kinds of values there are. The cases stand in the tests of each file and in `tests/`; one for
//! each message in `wachter/tests/bad/`.

pub mod address;
pub mod agent_conf;
mod between;
mod findings;
pub mod internal_options;
mod messages;
pub mod ossec_conf;
pub mod schedule;
mod section;
pub mod sections;
mod spanned;
mod value;
pub mod wachter_toml;

pub use agent_conf::AgentConf;
pub use internal_options::InternalOptions;
pub use ossec_conf::OssecConf;
pub use spanned::{Place, Spanned};
pub use wachter_toml::{Compat, WachterToml};

/// The elements that each section of `ossec.conf` may have, for documentation and completion.
pub fn elements() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    sections::ALL.iter().map(|kind| (kind.name, (kind.elements)()))
}
