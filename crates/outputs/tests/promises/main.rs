//! What is promised of the files, each kind of promise in a file of its own.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod daily;
mod full_disk;
mod home;
mod replay;
