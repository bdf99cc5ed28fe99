//! Log files are followed with nothing lost and nothing twice: real files, real inotify, and time
//! as the tests say.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail anywhere")]

mod following;
mod harness;
mod model;
mod patterns;
mod positions;
mod rotation;
