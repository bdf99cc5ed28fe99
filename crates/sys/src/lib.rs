//! What needs the operating system or unsafe code, behind safe faces.
//!
//! # Invariants
//!
//! * This is the only crate with `unsafe`, and each block says why it is sound.
//!
//! Start reading at the module of the thing you need.

pub mod accounts;
pub mod allocation;
pub mod board;
pub mod channel;
pub mod clock;
pub mod files;
pub mod lock;
pub mod log;
pub mod netlink;
pub mod process;
pub mod sandbox;
pub mod signals;
