//! What needs the operating system or unsafe code, behind safe faces.
//!
//! # Invariants
//!
//! * This is the only crate with `unsafe`, and each block says why it is sound.
//!
//! Start reading at the module of the thing you need.

pub mod allocation;
