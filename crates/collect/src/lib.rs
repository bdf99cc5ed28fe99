//! What happened in the logs? Files, pipes, commands, the journal and the queue socket become
//! messages with the positions they were read from.
//!
//! # Invariants
//!
//! * Any bytes are framed; no input panics, blocks or grows anything without a limit.
