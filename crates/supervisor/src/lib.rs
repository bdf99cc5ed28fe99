//! Which roles run, with which rights and channels?
//!
//! # Invariants
//!
//! * Nothing hostile is parsed here.
