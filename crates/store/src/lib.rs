//! What must outlive a process? The alert journal, the log of events not yet checkpointed, and the
//! engine's tables.
//!
//! # Invariants
//!
//! * Nothing that was acknowledged is lost by a crash; a torn write at the end is cut off and said.
