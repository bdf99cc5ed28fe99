//! How do we know that it works? Reads the data that tests are made of and compares answers.
//!
//! [`case`] reads, runs and rewrites our own `.case` files. [`ini`] reads OSSEC's community tests,
//! [`oracle`] answers recorded from OSSEC itself, and [`deviations`] the list of those that may
//! differ. [`shared`] finds material that lies beside the workspace and may be missing.
//!
//! # Invariants
//!
//! * Knows no engine: whoever runs a case passes a closure from input to [`case::Answer`].
//! * Every mistake in a test file is reported with its line.
//! * A test file is written only where `UPDATE_CASES=1` asks for it.
//!
//! Start reading at [`case`].

pub mod case;
pub mod deviations;
pub mod ini;
pub mod oracle;
pub mod shared;
