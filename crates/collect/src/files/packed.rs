//! Rotated files that were packed with gzip, read as what they hold.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};

use flate2::read::MultiGzDecoder;
use rustix::io::Errno;

use super::disk;
use super::print::{Fnv, HEAD_BYTES_MAX, Print};

/// Unpacked bytes passed over in one call.
const SKIPPED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Unpacked bytes of one file; what is longer is no log.
const UNPACKED_BYTES_MAX: u64 = 1 << 40;

/// A packed file, read from some offset of its content on.
#[derive(Debug)]
pub(crate) struct Packed {
    decoder: MultiGzDecoder<File>,
    /// What has been unpacked.
    position: u64,
    /// What is still to be passed over.
    target: u64,
    /// What must be found on the way.
    tail: Option<Print>,
    found: Fnv,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpacked {
    Bytes(usize),
    End,
    /// Not at the offset yet: call again.
    Passing,
    /// No gzip, broken, or not the content that was expected.
    Unusable,
}

impl Packed {
    /// Will read from `offset` on, if the bytes of `tail` lie before it.
    pub(crate) fn new(fd: OwnedFd, offset: u64, tail: Option<Print>) -> Self {
        Self {
            decoder: MultiGzDecoder::new(File::from(fd)),
            position: 0,
            target: offset,
            tail: tail.filter(|tail| tail.end() <= offset),
            found: Fnv::default(),
        }
    }

    /// Starts anew, to read from `offset` on.
    pub(crate) fn restart(&mut self, offset: u64) -> Result<(), Errno> {
        let file = self.decoder.get_ref();
        rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0))?;
        let fd = rustix::io::fcntl_dupfd_cloexec(file, 0)?;
        *self = Self::new(fd, offset, None);
        Ok(())
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Unpacked {
        let mut passed = 0;
        while self.position < self.target {
            if passed >= SKIPPED_BYTES_MAX {
                return Unpacked::Passing;
            }
            let missing = usize::try_from(self.target - self.position).unwrap_or(usize::MAX);
            let length = buffer.len().min(missing);
            let Some(room) = buffer.get_mut(..length) else { return Unpacked::Unusable };
            let read = match self.fill(room) {
                // It ends before the place where reading should go on.
                Ok(0) | Err(()) => return Unpacked::Unusable,
                Ok(read) => read,
            };
            self.watch_tail(room.get(..read).unwrap_or_default());
            self.position += read as u64;
            passed += read as u64;
        }
        if self.tail.is_some_and(|tail| tail.hash != self.found.0)
            || self.position > UNPACKED_BYTES_MAX
        {
            return Unpacked::Unusable;
        }
        self.tail = None;
        match self.fill(buffer) {
            Ok(0) => Unpacked::End,
            Ok(read) => {
                self.position += read as u64;
                Unpacked::Bytes(read)
            }
            Err(()) => Unpacked::Unusable,
        }
    }

    fn watch_tail(&mut self, bytes: &[u8]) {
        let Some(tail) = self.tail else { return };
        let place = |offset: u64| {
            usize::try_from(offset.saturating_sub(self.position)).unwrap_or(usize::MAX)
        };
        let (from, to) = (place(tail.start).min(bytes.len()), place(tail.end()).min(bytes.len()));
        self.found = self.found.with(bytes.get(from..to).unwrap_or_default());
    }

    fn fill(&mut self, room: &mut [u8]) -> Result<usize, ()> {
        loop {
            match self.decoder.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.map_err(|_| ()),
            }
        }
    }
}

/// The start of the content of a packed file, and its length modulo 2³² as the file says.
pub(crate) fn glance(fd: &OwnedFd, size: u64) -> Option<(Vec<u8>, u32)> {
    let mut length = [0; 4];
    let at = size.checked_sub(length.len() as u64)?;
    if disk::read_at(fd.as_fd(), &mut length, at).ok()? != length.len() {
        return None;
    }
    let duplicate = rustix::io::fcntl_dupfd_cloexec(fd, 0).ok()?;
    let decoder = MultiGzDecoder::new(File::from(duplicate));
    let mut head = Vec::new();
    let read = decoder.take(HEAD_BYTES_MAX as u64).read_to_end(&mut head);
    rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(0)).ok()?;
    read.ok()?;
    Some((head, u32::from_le_bytes(length)))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &[u8]) -> OwnedFd {
        let mut encoder = GzEncoder::new(tempfile::tempfile().unwrap(), Compression::fast());
        encoder.write_all(content).unwrap();
        let mut file = encoder.finish().unwrap();
        file.rewind().unwrap();
        file.into()
    }

    fn rest(packed: &mut Packed) -> (Vec<u8>, Unpacked) {
        let mut out = Vec::new();
        let mut buffer = vec![0; 10_000];
        loop {
            match packed.read(&mut buffer) {
                Unpacked::Bytes(read) => out.extend_from_slice(&buffer[..read]),
                Unpacked::Passing => {}
                end => return (out, end),
            }
        }
    }

    #[test]
    fn reading_goes_on_where_it_stopped() {
        let content: Vec<u8> = (0..1_500_000u32).flat_map(|n| n.to_le_bytes()).collect();
        for offset in [0, 1, 63, 64, 10_001, 5_999_999, 6_000_000] {
            let tail = Print::of_tail(offset as u64, &content[..offset]);
            let mut packed = Packed::new(packed(&content), offset as u64, tail);
            assert!(rest(&mut packed) == (content[offset..].to_vec(), Unpacked::End), "{offset}");
            packed.restart(7).unwrap();
            assert!(rest(&mut packed) == (content[7..].to_vec(), Unpacked::End), "{offset}");
        }
    }

    #[test]
    fn other_content_is_refused() {
        let content = vec![b'a'; 20_000];
        let tail = Print::of_tail(15_000, &[b'b'; 64]);
        let result = rest(&mut Packed::new(packed(&content), 15_000, tail));
        assert_eq!(result, (Vec::new(), Unpacked::Unusable));
        let result = rest(&mut Packed::new(packed(&content), 20_001, None));
        assert_eq!(result, (Vec::new(), Unpacked::Unusable));
        let file = tempfile::tempfile().unwrap();
        let result = rest(&mut Packed::new(file.into(), 0, None));
        assert_eq!(result.1, Unpacked::Unusable, "an empty file is not packed");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        file.rewind().unwrap();
        assert_eq!(rest(&mut Packed::new(file.into(), 0, None)).1, Unpacked::Unusable);
    }

    #[test]
    fn a_glance_tells_files_apart() {
        let content = b"first\nsecond\n".repeat(200);
        let fd = packed(&content);
        let size = disk::look_at(fd.as_fd()).unwrap().size;
        let (head, length) = glance(&fd, size).unwrap();
        assert_eq!(head, content[..HEAD_BYTES_MAX]);
        assert_eq!(length as usize, content.len());
        assert_eq!(rest(&mut Packed::new(fd, 0, None)).0, content);
        assert!(glance(&tempfile::tempfile().unwrap().into(), 0).is_none());
    }
}
