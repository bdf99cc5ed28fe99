//! Who attacks is kept out, and nobody else: on real networks, with real logs, sets and programs.
#![expect(clippy::disallowed_methods, reason = "real processes in real time")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail anywhere")]

#[path = "../installation/mod.rs"]
mod installation;

mod attacks;
mod gateways;
mod network;
mod safety;
