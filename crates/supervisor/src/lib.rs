//! Which roles run, with which rights and channels?
//!
//! The supervisor makes every channel before the first role starts and keeps both ends, so a role
//! that dies leaves what it had not read to its successor. It starts roles, starts them again when
//! they end, and stops them.
//!
//! # Invariants
//!
//! * Nothing hostile is parsed here: not a log line, not a configuration file. Notes of roles are
//!   read with a limit and believed only for what is shown.
//! * A role has the descriptors, the rights and the user that [`roles::ALL`] says, and no others.
//! * If the supervisor dies, so do the roles.
//!
//! Start reading at [`roles`], then `supervise.rs`.

pub mod counters;
mod restarts;
pub mod roles;
mod state;
mod supervise;

pub use state::{RoleState, read_state};
pub use supervise::{Plan, SupervisorError, supervise};
