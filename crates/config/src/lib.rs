//! What do the configuration files say?
//!
//! In go bytes, out come values and findings. [`ossec_conf`] reads `ossec.conf`, section by section
//! (one file each in `sections/`); [`internal_options`] reads `internal_options.conf` and its local
//! twin; [`wachter_toml`] reads our own `wachter.toml`. What the values mean for a process is not
//! decided here.
//!
//! # Invariants
//!
//! * Any bytes give an answer: values, with defaults where nothing usable is said, and findings
//!   about everything that is wrong. One mistake never hides another.
//! * Names are known by list; what is not on it is reported, with the nearest name that is.
//! * No input, output or clock: paths are texts here.
//!
//! Start reading at [`ossec_conf::read`]. The cases stand in the tests of each file.

pub mod internal_options;
mod messages;
pub mod ossec_conf;
pub mod sections;
mod value;
pub mod wachter_toml;

pub use internal_options::InternalOptions;
pub use ossec_conf::OssecConf;
pub use wachter_toml::{Compat, WachterToml};
