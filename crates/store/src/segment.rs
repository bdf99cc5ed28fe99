//! The segment: a file of frames, named by the number of its first one.
//!
//! ```text
//! magic 7 bytes │ version u8 │ first number u64 │ hash of the frame before 32 bytes │ check 16 bytes │ frames
//! ```

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::Doing;
use crate::frame::{self, Hash, Header};
use crate::{Damage, Error};

/// Bytes before the first frame.
pub(crate) const HEADER_BYTES: usize = 64;

const MAGIC: [u8; 7] = *b"wachter";
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 16;

/// Digits of a segment's name, so that names sort as numbers do.
const NAME_DIGITS: usize = 20;
const NAME_ENDING: &str = ".log";

/// Bytes by which a payload grows while it is read: a header that promises much gets no memory
/// before the bytes are there.
const READ_BYTES: usize = 1024 * 1024;

/// Where the segment that starts with frame `first` lies.
pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:0NAME_DIGITS$}{NAME_ENDING}"))
}

/// The numbers of the first frames of all segments in a directory, in order. Other files are left
/// out of account.
pub(crate) fn list(dir: &Path) -> Result<Vec<u64>, Error> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(dir).doing("reading", dir)? {
        let name = entry.doing("reading", dir)?.file_name();
        firsts.extend(name.to_str().and_then(first_of_name));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Bytes of a segment's file.
pub(crate) fn bytes(dir: &Path, first: u64) -> Result<u64, Error> {
    let path = path(dir, first);
    Ok(path.metadata().doing("reading", &path)?.len())
}

fn first_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(NAME_ENDING)?;
    let is_number = digits.len() == NAME_DIGITS && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// The header of a segment.
pub(crate) fn header(first: u64, previous: &Hash) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    let parts: [&[u8]; 4] = [&MAGIC, &[VERSION], &first.to_le_bytes(), &previous.0];
    for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
    }
    let (content, check) = bytes.split_at_mut(HEADER_BYTES - CHECK_BYTES);
    for (place, byte) in check.iter_mut().zip(blake3::hash(content).as_bytes()) {
        *place = *byte;
    }
    bytes
}

/// The hash that the first frame follows.
fn previous_of(bytes: &[u8; HEADER_BYTES], first: u64) -> Option<Hash> {
    let hash = bytes.get(MAGIC.len() + 1 + size_of::<u64>()..)?.first_chunk()?;
    let previous = Hash(*hash);
    (header(first, &previous) == *bytes).then_some(previous)
}

/// The version, where it is a segment whose version is not ours.
fn foreign_version(bytes: &[u8; HEADER_BYTES]) -> Option<u8> {
    let (content, check) = bytes.split_at(HEADER_BYTES - CHECK_BYTES);
    let version = *content.strip_prefix(&MAGIC)?.first()?;
    let is_whole = blake3::hash(content).as_bytes().starts_with(check);
    (version != VERSION && is_whole).then_some(version)
}

/// A segment that is read from its start on.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    path: PathBuf,
    /// Where the next frame starts.
    pub(crate) offset: u64,
    /// Number of the next frame.
    pub(crate) next: u64,
    /// Hash of the frame before it.
    pub(crate) previous: Hash,
}

/// What stands at the next place of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Frame(Header),
    /// The file ends here.
    End,
    /// The file ends inside a frame: it is being written, or its writer was killed.
    Torn,
}

impl Segment {
    /// `None` if even the header is not whole yet.
    pub(crate) fn open(dir: &Path, first: u64) -> Result<Option<Self>, Error> {
        let path = path(dir, first);
        let file = File::open(&path).doing("opening", &path)?;
        let mut bytes = [0; HEADER_BYTES];
        if read_full(&file, &mut bytes, 0).doing("reading", &path)? < HEADER_BYTES {
            return Ok(None);
        }
        let Some(previous) = previous_of(&bytes, first) else {
            return Err(match foreign_version(&bytes) {
                Some(version) => Error::Version { segment: path, version },
                None => damaged(&path, 0, Damage::SegmentHeader),
            });
        };
        let offset = HEADER_BYTES as u64;
        Ok(Some(Self { file, path, offset, next: first, previous }))
    }

    /// Reads the next frame; its payload is in `payload` then, which is overwritten in any case.
    pub(crate) fn read(&mut self, payload: &mut Vec<u8>) -> Result<Step, Error> {
        let step = match self.read_once(payload) {
            // A writer may have taken back one frame and written another between two of our reads.
            Err(Error::Damaged { .. }) => self.read_once(payload)?,
            step => step?,
        };
        self.advance(step);
        Ok(step)
    }

    /// Passes over the next frame without looking at its payload.
    pub(crate) fn skip(&mut self) -> Result<Step, Error> {
        let mut step = self.read_header()?;
        if let Step::Frame(header) = step
            && self.bytes()? < self.offset + header.frame_bytes()
        {
            step = Step::Torn;
        }
        self.advance(step);
        Ok(step)
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        Ok(self.file.metadata().doing("reading", &self.path)?.len())
    }

    pub(crate) fn damaged(&self, damage: Damage) -> Error {
        damaged(&self.path, self.offset, damage)
    }

    fn read_once(&self, payload: &mut Vec<u8>) -> Result<Step, Error> {
        let step = self.read_header()?;
        let Step::Frame(header) = step else { return Ok(step) };
        let length = header.length as usize;
        let start = self.offset + frame::HEADER_BYTES as u64;
        read_growing(&self.file, payload, length, start).doing("reading", &self.path)?;
        if payload.len() < length {
            return Ok(Step::Torn);
        }
        if !header.fits(&self.previous, payload) {
            return Err(self.damaged(Damage::Payload));
        }
        Ok(step)
    }

    fn read_header(&self) -> Result<Step, Error> {
        let mut bytes = [0; frame::HEADER_BYTES];
        match read_full(&self.file, &mut bytes, self.offset).doing("reading", &self.path)? {
            0 => Ok(Step::End),
            frame::HEADER_BYTES => match Header::decode(&bytes, &self.previous, self.next) {
                Some(header) => Ok(Step::Frame(header)),
                None => Err(self.damaged(Damage::FrameHeader)),
            },
            _ => Ok(Step::Torn),
        }
    }

    fn advance(&mut self, step: Step) {
        if let Step::Frame(header) = step {
            self.offset += header.frame_bytes();
            self.next = header.number.saturating_add(1);
            self.previous = header.hash;
        }
    }
}

fn damaged(segment: &Path, offset: u64, damage: Damage) -> Error {
    Error::Damaged { segment: segment.to_owned(), offset, damage }
}

/// Fills `buffer` as far as the file reaches; how far that is.
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Replaces `out` by `length` bytes of the file, or fewer if it ends before.
fn read_growing(file: &File, out: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
    out.clear();
    while out.len() < length {
        let start = out.len();
        out.resize(length.min(start + READ_BYTES), 0);
        let grown = out.get_mut(start..).unwrap_or_default();
        let filled = read_full(file, grown, offset.saturating_add(start as u64))?;
        if start + filled < out.len() {
            out.truncate(start + filled);
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments() {
        assert_eq!(path(Path::new("d"), 42), Path::new("d/00000000000000000042.log"));
        for (name, first) in [
            ("00000000000000000042.log", Some(42)),
            ("18446744073709551615.log", Some(u64::MAX)),
            ("18446744073709551616.log", None),
            ("42.log", None),
            ("+0000000000000000042.log", None),
            ("00000000000000000042.tmp", None),
            ("00000000000000000042.log.gz", None),
            ("", None),
        ] {
            assert_eq!(first_of_name(name), first, "{name}");
        }
    }

    #[test]
    fn a_later_format_is_not_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = header(1, &Hash::START);
        bytes[MAGIC.len()] = 9;
        let (content, check) = bytes.split_at_mut(HEADER_BYTES - CHECK_BYTES);
        check.copy_from_slice(&blake3::hash(content).as_bytes()[..CHECK_BYTES]);
        fs::write(path(dir.path(), 1), bytes).unwrap();
        let error = Segment::open(dir.path(), 1).unwrap_err();
        assert!(matches!(error, Error::Version { version: 9, .. }), "{error}");
    }

    #[test]
    fn every_bit_of_the_header_counts() {
        let bytes = header(42, &Hash([3; 32]));
        assert_eq!(previous_of(&bytes, 42), Some(Hash([3; 32])));
        assert_eq!(previous_of(&bytes, 43), None);
        for index in 0..HEADER_BYTES * 8 {
            let mut changed = bytes;
            changed[index / 8] ^= 1 << (index % 8);
            assert_eq!(previous_of(&changed, 42), None, "bit {index}");
            assert_eq!(foreign_version(&changed), None, "bit {index}");
        }
    }
}
