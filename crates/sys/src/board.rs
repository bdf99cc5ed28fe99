//! Counters that all processes of an installation share, so that one of them can show them all and
//! a process that dies takes none along.
//!
//! The board is anonymous memory made by the supervisor. Each role has a row; a cell is one number.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Rows of the board.
pub const ROWS: usize = 16;
/// Cells of a row.
pub const CELLS: usize = 64;

const BYTES: usize = ROWS * CELLS * size_of::<AtomicU64>();

/// The board as one process sees it.
#[derive(Debug)]
pub struct Board {
    memory: NonNull<AtomicU64>,
    descriptor: OwnedFd,
}

// SAFETY: the memory is shared between threads and processes alike and only reached by atomics.
#[expect(unsafe_code, reason = "shared memory")]
unsafe impl Send for Board {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "shared memory")]
unsafe impl Sync for Board {}

impl Board {
    /// A new board, all zero.
    pub fn create() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let descriptor = memfd_create("wachter-board", flags)?;
        ftruncate(&descriptor, BYTES as u64)?;
        // Nobody who holds it can make it shorter: that would end all others.
        fcntl_add_seals(&descriptor, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::map(descriptor)
    }

    /// The board behind a descriptor that was inherited.
    ///
    /// # Errors
    ///
    /// Where it is no board, or there is no memory.
    pub fn map(descriptor: OwnedFd) -> io::Result<Self> {
        let is_sealed = fcntl_get_seals(&descriptor)?.contains(SealFlags::SHRINK);
        if !is_sealed || rustix::fs::fstat(&descriptor)?.st_size != BYTES as i64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a board of counters"));
        }
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping of its own, of a file that has the whole length and is sealed
        // against being made shorter.
        #[expect(unsafe_code, reason = "shared memory")]
        let memory =
            unsafe { mmap(std::ptr::null_mut(), BYTES, rights, MapFlags::SHARED, &descriptor, 0)? };
        let memory = NonNull::new(memory.cast())
            .ok_or_else(|| io::Error::other("shared memory lies nowhere"))?;
        Ok(Self { memory, descriptor })
    }

    pub fn get(&self, row: usize, cell: usize) -> u64 {
        self.cell(row, cell).load(Ordering::Relaxed)
    }

    pub fn set(&self, row: usize, cell: usize, value: u64) {
        self.cell(row, cell).store(value, Ordering::Relaxed);
    }

    pub fn add(&self, row: usize, cell: usize, more: u64) {
        self.cell(row, cell).fetch_add(more, Ordering::Relaxed);
    }

    /// Out of range is a mistake of the program's tables.
    fn cell(&self, row: usize, cell: usize) -> &AtomicU64 {
        assert!(row < ROWS && cell < CELLS, "the board has no such cell");
        // SAFETY: within the mapping, aligned, and alive as long as `self`; zero is a valid value.
        #[expect(unsafe_code, reason = "shared memory")]
        unsafe {
            self.memory.add(row * CELLS + cell).as_ref()
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        #[expect(unsafe_code, reason = "shared memory")]
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), BYTES) };
    }
}

impl AsFd for Board {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_counts_the_other_sees() {
        let board = Board::create().unwrap();
        let other = Board::map(board.as_fd().try_clone_to_owned().unwrap()).unwrap();
        board.add(1, 2, 40);
        other.add(1, 2, 2);
        drop(other);
        assert_eq!((board.get(1, 2), board.get(2, 1)), (42, 0));
    }

    #[test]
    fn other_files_are_refused() {
        let file = memfd_create("x", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, BYTES as u64).unwrap();
        assert!(Board::map(file).is_err());
    }

    #[test]
    fn nobody_makes_it_shorter() {
        let board = Board::create().unwrap();
        assert!(ftruncate(board.as_fd(), 0).is_err());
    }
}
