//! Log files are followed with nothing lost and nothing twice: real files, real inotify, and time
//! as the tests say.

mod following;
mod harness;
mod model;
mod patterns;
mod positions;
mod rotation;
