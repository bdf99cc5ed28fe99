//! The segment that is being written.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::Doing;
use crate::files::FILE_MODE;
use crate::frame::Hash;
use crate::segment;

/// The end of a log.
#[derive(Debug)]
pub(crate) struct Tail {
    file: File,
    pub(crate) path: PathBuf,
    pub(crate) first: u64,
    /// Where the last whole frame ends.
    pub(crate) end: u64,
    /// Whether bytes may stand behind that.
    has_scrap: bool,
    is_synced: bool,
}

impl Tail {
    /// Makes a segment for frame `first` and those after it.
    pub(crate) fn create(dir: &Path, first: u64, previous: &Hash) -> Result<Self, Error> {
        let path = segment::path(dir, first);
        // Only what an earlier try has left can be in the way: the number is new.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(FILE_MODE);
        let mut file = options.open(&path).doing("making", &path)?;
        if let Err(error) = file.write_all(&segment::header(first, previous)) {
            let _ = fs::remove_file(&path);
            return Err(error).doing("making", &path);
        }
        let end = segment::HEADER_BYTES as u64;
        Ok(Self { file, path, first, end, has_scrap: false, is_synced: false })
    }

    /// Goes on writing the segment of frame `first` at `end`.
    pub(crate) fn reopen(dir: &Path, first: u64, end: u64) -> Result<Self, Error> {
        let path = segment::path(dir, first);
        let file = OpenOptions::new().write(true).open(&path).doing("opening", &path)?;
        file.set_len(end).doing("cutting", &path)?;
        // Who wrote it before may not have come to syncing it.
        Ok(Self { file, path, first, end, has_scrap: false, is_synced: false })
    }

    /// Whether a frame of so many bytes may be added to a segment of so many.
    pub(crate) fn has_room(&self, frame_bytes: u64, segment_bytes: u64) -> bool {
        self.is_empty() || self.end.saturating_add(frame_bytes) <= segment_bytes
    }

    /// Writes a whole frame, or nothing.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.remove_scrap()?;
        self.is_synced = false;
        if let Err(error) = self.file.write_all_at(frame, self.end) {
            self.has_scrap = true;
            // If this fails too, the next append does it before anything else.
            let _ = self.remove_scrap();
            return Err(error).doing("appending to", &self.path);
        }
        self.end += frame.len() as u64;
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        if !self.is_synced {
            self.file.sync_data().doing("syncing", &self.path)?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Makes it as it will stay.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        self.remove_scrap()?;
        self.sync()
    }

    /// Cuts off what an append that failed has left.
    fn remove_scrap(&mut self) -> Result<(), Error> {
        if self.has_scrap {
            self.file.set_len(self.end).doing("cutting", &self.path)?;
            self.has_scrap = false;
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.end <= segment::HEADER_BYTES as u64
    }
}
