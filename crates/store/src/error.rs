//! What can go wrong with files that must outlive a process.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused. Nothing is half done; the call may be tried again.
    #[error("{doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// What was written may not have reached the disk, and a later success would not prove it has.
    /// Open the log anew and start from the last checkpoint.
    #[error("{} could not be brought to disk earlier; open it anew", dir.display())]
    SyncFailed { dir: PathBuf },
    /// Bytes are not what was written. A reader goes on in the next segment.
    #[error("{} is damaged at byte {offset}: {damage}; what follows in it cannot be trusted", segment.display())]
    Damaged { segment: PathBuf, offset: u64, damage: Damage },
    /// The file was written by a later version.
    #[error("{} has format {version}, which this version does not know", segment.display())]
    Version { segment: PathBuf, version: u8 },
    /// Frames that were to be read do not exist any more. The reader goes on at `first`.
    #[error("frames {wanted} to {} are gone from {}", first.saturating_sub(1), dir.display())]
    Gone { dir: PathBuf, wanted: u64, first: u64 },
    /// The reader has seen frames that do not exist: the end of the log was lost. It goes on behind
    /// `last`.
    #[error("{} ends at frame {last}, before frame {after} where reading should go on", dir.display())]
    Ahead { dir: PathBuf, after: u64, last: u64 },
    /// Another process appends.
    #[error("{} is in use by another process", path.display())]
    InUse { path: PathBuf },
    /// More than [`crate::FRAME_BYTES_MAX`].
    #[error("{bytes} bytes are too many for one frame")]
    TooLong { bytes: usize },
    /// The text is not a cursor.
    #[error("{} does not hold a position in the journal", path.display())]
    BadCursor { path: PathBuf },
    /// The database refused a transaction. The tables are those of the last checkpoint, the puts
    /// since are kept, and the call may be tried again.
    #[error("committing to {}: {reason}", path.display())]
    Commit { path: PathBuf, reason: String },
    /// The database cannot be read. Start anew from the last checkpoint.
    #[error("reading {}: {reason}", path.display())]
    Tables { path: PathBuf, reason: String },
}

/// In what way bytes are not those that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The segment's header.
    SegmentHeader,
    /// The segment does not follow the last frame of the one before.
    Chain,
    /// The header of a frame.
    FrameHeader,
    /// The payload of a frame.
    Payload,
    /// A frame stops before its end although a later segment exists.
    Incomplete,
    /// The payload is whole, but its records are not.
    Records,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SegmentHeader => "the header of the segment is not as it was written",
            Self::Chain => "the segment does not follow the one before it",
            Self::FrameHeader => "the header of the frame is not as it was written",
            Self::Payload => "the frame is not as it was written",
            Self::Incomplete => "the frame is cut off",
            Self::Records => "the records in the frame make no sense",
        })
    }
}

/// Says what was being done to which file.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { doing, path: path.to_owned(), source })
    }
}
