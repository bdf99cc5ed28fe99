//! What there is to know about the files that are followed.

use model::Timestamp;

/// What becomes of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    pub path: Vec<u8>,
    pub state: SourceState,
    /// Bytes that are in its files and have not been read.
    pub behind: u64,
    /// Messages made of it.
    pub lines: u64,
    /// Messages that were too long.
    pub cut: u64,
    /// Lines that are not of the format.
    pub malformed: u64,
    pub last_message: Option<Timestamp>,
    /// How often its file was replaced or made shorter.
    pub rotations: u64,
    /// Whether changes are looked for, because the system does not report them.
    pub is_polled: bool,
}

/// Whether and why a path is read or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Nobody has looked yet.
    New,
    Reading,
    Missing,
    /// The system's error number.
    Unreadable(i32),
    NotRegular,
    /// A pipe, which is read elsewhere.
    Pipe,
    /// The file is read at another path.
    SameFile,
    /// A copy of a file that is read at another path.
    Copy,
    /// The format does not fit the path, or is none of files.
    Unusable,
}

impl SourceState {
    /// A word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reading => "reading",
            Self::Missing => "missing",
            Self::Unreadable(_) => "unreadable",
            Self::NotRegular => "not a regular file",
            Self::Pipe => "pipe",
            Self::SameFile => "same file as another",
            Self::Copy => "copy of another",
            Self::Unusable => "unusable",
        }
    }
}
