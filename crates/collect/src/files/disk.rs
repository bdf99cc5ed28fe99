//! Files as the system knows them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Statx, StatxFlags, StatxTimestamp};
use rustix::io::Errno;

use super::print::{HEAD_BYTES_MAX, Print, TAIL_BYTES_MAX};
use crate::paths;

/// What tells a file from the others that exist at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Regular,
    Directory,
    Pipe,
    /// A device or a socket.
    Other,
}

/// What stat(2) says. Times are nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) id: FileId,
    pub(crate) kind: FileKind,
    /// When the file was made; 0 where the filesystem does not know.
    pub(crate) born: i64,
    pub(crate) modified: i64,
    pub(crate) size: u64,
    pub(crate) links: u32,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) fd: OwnedFd,
    pub(crate) facts: Facts,
}

/// Names of one directory that are looked at.
pub(crate) const NAMES_MAX: usize = 65_536;
/// Links behind one another that are followed, as the system does.
const LINKS_MAX: usize = 40;

/// Follows links.
pub(crate) fn look(path: &[u8]) -> Result<Facts, Errno> {
    rustix::fs::statx(CWD, path, AtFlags::empty(), wanted()).map(|known| facts(&known))
}

pub(crate) fn look_at(fd: BorrowedFd<'_>) -> Result<Facts, Errno> {
    rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, wanted()).map(|known| facts(&known))
}

/// Opens for reading, without waiting for anything and without becoming anyone's terminal.
pub(crate) fn open(path: &[u8]) -> Result<Opened, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let facts = look_at(fd.as_fd())?;
    Ok(Opened { fd, facts })
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_at(fd: BorrowedFd<'_>, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let wanted = rest.len();
        match rustix::io::pread(fd, rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                // Regular files give all they have.
                if read < wanted {
                    break;
                }
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether the file holds, where it belongs, the bytes the print was made of.
pub(crate) fn has_print(fd: BorrowedFd<'_>, print: Print) -> Result<bool, Errno> {
    let mut buffer = [0; HEAD_BYTES_MAX];
    let Some(room) = buffer.get_mut(..usize::from(print.length)) else { return Ok(false) };
    let read = read_at(fd, room, print.start)?;
    Ok(room.get(..read).is_some_and(|bytes| print.fits(bytes)))
}

/// The print of the bytes before `offset`.
pub(crate) fn print_before(fd: BorrowedFd<'_>, offset: u64) -> Result<Option<Print>, Errno> {
    let mut buffer = [0; TAIL_BYTES_MAX];
    let length = usize::try_from(offset).unwrap_or(TAIL_BYTES_MAX).min(TAIL_BYTES_MAX);
    let Some(room) = buffer.get_mut(..length) else { return Ok(None) };
    let read = read_at(fd, room, offset - length as u64)?;
    Ok(room.get(..read).filter(|_| read == length).and_then(|b| Print::of_tail(offset, b)))
}

/// Whether what others write to the file is not told to inotify on this host.
pub(crate) fn is_remote(fd: BorrowedFd<'_>) -> bool {
    // NFS, CIFS, SMB2, 9P, FUSE, Ceph, AFS, Coda, Lustre, GPFS.
    const REMOTE: [u32; 10] = [
        0x6969,
        0xff53_4d42,
        0xfe53_4d42,
        0x0102_1997,
        0x6573_5546,
        0x00c3_6400,
        0x5346_414f,
        0x7375_7245,
        0x0bd0_0bd0,
        0x4750_4653,
    ];
    rustix::fs::fstatfs(fd).is_ok_and(|known| REMOTE.contains(&(known.f_type as u32)))
}

/// The names in a directory for which `wanted` holds, sorted. The kind is what the directory says,
/// if it says anything.
pub(crate) fn names(
    directory: &[u8],
    mut wanted: impl FnMut(&[u8], FileType) -> bool,
) -> Result<Vec<Vec<u8>>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = rustix::fs::openat(CWD, directory, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::new(fd)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") && wanted(name, entry.file_type()) {
            names.push(name.to_vec());
            if names.len() == NAMES_MAX {
                break;
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The paths a path leads over if its last component is a link, ending with what is no link.
pub(crate) fn links(path: &[u8]) -> Vec<Vec<u8>> {
    let mut hops: Vec<Vec<u8>> = Vec::new();
    while hops.len() < LINKS_MAX {
        let at = hops.last().map_or(path, Vec::as_slice);
        let Ok(target) = rustix::fs::readlinkat(CWD, at, Vec::new()) else { break };
        let target = target.as_bytes();
        let hop = if target.first() == Some(&b'/') {
            target.to_vec()
        } else {
            paths::join(paths::split(at).0, target)
        };
        hops.push(hop);
    }
    hops
}

fn wanted() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME
}

fn facts(known: &Statx) -> Facts {
    let has_born = StatxFlags::from_bits_retain(known.stx_mask).contains(StatxFlags::BTIME);
    let device = u64::from(known.stx_dev_major) << 32 | u64::from(known.stx_dev_minor);
    Facts {
        id: FileId { device, inode: known.stx_ino },
        kind: match FileType::from_raw_mode(known.stx_mode.into()) {
            FileType::RegularFile => FileKind::Regular,
            FileType::Directory => FileKind::Directory,
            FileType::Fifo => FileKind::Pipe,
            _ => FileKind::Other,
        },
        born: if has_born { nanoseconds(known.stx_btime) } else { 0 },
        modified: nanoseconds(known.stx_mtime),
        size: known.stx_size,
        links: known.stx_nlink,
    }
}

fn nanoseconds(time: StatxTimestamp) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(i64::from(time.tv_nsec))
}
