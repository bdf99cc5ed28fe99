//! Why records could not be written. They stay pending; a later flush tries again.

use rustix::io::Errno;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The operating system said no.
    #[error("cannot {action} {path}: {source}")]
    System {
        action: &'static str,
        /// Relative to the home directory.
        path: String,
        source: Errno,
    },
    /// Somebody put something else in the place of a file or directory of ours.
    #[error("refusing to write {path}: {why}")]
    Refused { path: String, why: &'static str },
}

impl WriteError {
    /// Whether there was no room: the disk, the user's share of it or the largest file is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::System { source, .. } => {
                matches!(*source, Errno::NOSPC | Errno::DQUOT | Errno::FBIG)
            }
            Self::Refused { .. } => false,
        }
    }
}
