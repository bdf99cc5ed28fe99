//! Whether a log is as it was written.

use std::path::Path;

use crate::{Error, Hash, Reader, segment};

/// What a whole log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The first frame; 0 if there is none.
    pub first: u64,
    /// The last frame; 0 if there is none.
    pub last: u64,
    pub bytes: u64,
    /// The hash of the last frame. Kept elsewhere, it proves later that nothing up to here was
    /// changed: somebody who may write the files could also write a whole new chain.
    pub head: Hash,
    /// Bytes behind the last frame: one that is just being written, or was cut off.
    pub rest: u64,
}

/// Reads all frames and checks that each follows the one before.
///
/// # Errors
///
/// The first place where the log is not as it was written, or that a file cannot be read.
pub fn verify(dir: &Path) -> Result<Verified, Error> {
    let mut verified = Verified::default();
    let mut reader = Reader::oldest(dir);
    let mut buffer = Vec::new();
    while let Some(frame) = reader.next_frame(&mut buffer)? {
        if verified.first == 0 {
            verified.first = frame.number;
        }
        verified.last = frame.number;
        verified.head = frame.hash;
    }
    verified.rest = reader.rest()?;
    for first in segment::list(dir)? {
        verified.bytes += segment::bytes(dir, first)?;
    }
    Ok(verified)
}
