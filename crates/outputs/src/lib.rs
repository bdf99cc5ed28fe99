//! Tell someone: the files of alerts, archives and firewall events.
//!
//! # Invariants
//!
//! * A record is written whole, once, or kept until it can be.
