//! What is done is done: with the kernel's firewall and real programs, in network namespaces. Where
//! the host has none of them, a test says that it is skipped.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail anywhere")]

mod ipset;
mod namespace;
mod nftables;
mod programs;
mod promises;
mod responder;
mod stage;
