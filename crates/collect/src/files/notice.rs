//! What is to be said in ossec.log about the files that are followed.

use std::fmt;

use sys::log::{Code, Level};

/// Something that happened, said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Analyzing(Vec<u8>),
    /// A location with dates, and the name it has now.
    Variable(Vec<u8>),
    CannotOpen(Vec<u8>, Outage),
    Available(Vec<u8>),
    Rotated(Vec<u8>),
    Truncated(Vec<u8>),
    /// Two locations lead to one path.
    Duplicated(Vec<u8>),
    /// A path that leads to a file which is read already, and the path it is read at.
    SameFile(Vec<u8>, Vec<u8>),
    /// The rest of a rotated file is in a file that is packed in a way not read here, or broken.
    RestUnreadable(Vec<u8>, Vec<u8>),
    /// What was not read of a rotated file is nowhere to be found.
    RestLost(Vec<u8>),
    ReadFailed(Vec<u8>, i32),
    /// Changes of a file or directory are looked for, because the system does not report them.
    Polled(Vec<u8>),
    BadLocation(Vec<u8>),
    /// The path does not fit its format.
    BadMultilog(Vec<u8>),
    TooManyFiles(usize),
    /// Lines of the saved positions that could not be read.
    PositionsDamaged(usize),
}

/// Why a path cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The system's error number.
    Error(i32),
    NotRegular,
}

impl Notice {
    pub fn level(&self) -> Level {
        match self {
            Self::Analyzing(_)
            | Self::Variable(_)
            | Self::Available(_)
            | Self::Rotated(_)
            | Self::Polled(_)
            | Self::SameFile(..) => Level::Info,
            Self::Truncated(_)
            | Self::Duplicated(_)
            | Self::RestUnreadable(..)
            | Self::RestLost(_)
            | Self::CannotOpen(..)
            | Self::TooManyFiles(_)
            | Self::PositionsDamaged(_) => Level::Warning,
            Self::ReadFailed(..) | Self::BadLocation(_) | Self::BadMultilog(_) => Level::Error,
        }
    }

    /// OSSEC's number of the message; 0 for those it does not have.
    pub fn code(&self) -> Code {
        match self {
            Self::CannotOpen(..) => 1103,
            Self::ReadFailed(..) => 1115,
            Self::BadLocation(_) => 1906,
            Self::Analyzing(_) => 1950,
            Self::Variable(_) => 1952,
            Self::BadMultilog(_) => 1953,
            Self::Available(_)
            | Self::Rotated(_)
            | Self::Truncated(_)
            | Self::Duplicated(_)
            | Self::SameFile(..)
            | Self::RestUnreadable(..)
            | Self::RestLost(_)
            | Self::Polled(_)
            | Self::TooManyFiles(_)
            | Self::PositionsDamaged(_) => 0,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        match self {
            Self::Analyzing(path) => write!(f, "Analyzing file: '{}'.", shown(path)),
            Self::Variable(path) => write!(f, "Monitoring variable log file: '{}'.", shown(path)),
            Self::CannotOpen(path, outage) => {
                write!(f, "Could not open file '{}' due to [{outage}]. It is ", shown(path))?;
                f.write_str("read as soon as it can be.")
            }
            Self::Available(path) => write!(f, "File is available again: '{}'.", shown(path)),
            Self::Rotated(path) => write!(f, "File rotated (inode changed): '{}'.", shown(path)),
            Self::Truncated(path) => {
                write!(f, "File size reduced (inode remained): '{}'.", shown(path))
            }
            Self::Duplicated(path) => write!(f, "Duplicated log file given: '{}'.", shown(path)),
            Self::SameFile(path, other) => {
                write!(
                    f,
                    "'{}' is read as '{}', which is the same file.",
                    shown(path),
                    shown(other)
                )
            }
            Self::RestUnreadable(path, packed) => write!(
                f,
                "Lines of '{}' may be lost: '{}' cannot be read.",
                shown(path),
                shown(packed)
            ),
            Self::RestLost(path) => write!(
                f,
                "Lines of '{}' may be lost: the file read last is not there any more.",
                shown(path)
            ),
            Self::ReadFailed(path, error) => {
                let outage = Outage::Error(*error);
                write!(f, "Could not read from file '{}' due to [{outage}].", shown(path))
            }
            Self::Polled(path) => write!(
                f,
                "The system does not report changes of '{}'; it is looked at regularly.",
                shown(path)
            ),
            Self::BadLocation(text) => write!(f, "Invalid location: '{}'.", shown(text)),
            Self::BadMultilog(path) => write!(
                f,
                "Invalid DJB multilog file: '{}'. Its path must end with '/NAME/current'.",
                shown(path)
            ),
            Self::TooManyFiles(limit) => write!(
                f,
                "More than {limit} log files match the configuration. The others are not read."
            ),
            Self::PositionsDamaged(lines) => write!(
                f,
                "{lines} lines of the saved positions are damaged. Their files are taken as new."
            ),
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(number) => {
                let text = std::io::Error::from_raw_os_error(*number).to_string();
                let text = text.split(" (os error").next().unwrap_or_default();
                write!(f, "({number})-({text})")
            }
            Self::NotRegular => f.write_str("(0)-(Not a regular file)"),
        }
    }
}

/// Notices that wait to be said.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: Vec<Notice>,
    /// Those there was no room for.
    pub(crate) dropped: u64,
}

/// Notices kept until somebody asks.
const NOTICES_MAX: usize = 8192;

impl Notices {
    pub(crate) fn push(&mut self, notice: Notice) {
        if self.waiting.len() < NOTICES_MAX {
            self.waiting.push(notice);
        } else {
            self.dropped += 1;
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (notice, code, text) in [
            (Notice::Analyzing(b"/a".to_vec()), 1950, "Analyzing file: '/a'."),
            (
                Notice::CannotOpen(b"/a".to_vec(), Outage::Error(2)),
                1103,
                "Could not open file '/a' due to [(2)-(No such file or directory)]. \
                 It is read as soon as it can be.",
            ),
            (Notice::Duplicated(b"/a".to_vec()), 0, "Duplicated log file given: '/a'."),
        ] {
            assert_eq!((notice.code(), notice.to_string().as_str()), (code, text));
        }
    }

    #[test]
    fn room_is_limited() {
        let mut notices = Notices::default();
        for _ in 0..=NOTICES_MAX {
            notices.push(Notice::TooManyFiles(1));
        }
        assert_eq!((notices.take().len(), notices.dropped), (NOTICES_MAX, 1));
    }
}
