//! A file that says who is at work, and cannot say it of the dead.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Held until it is dropped, or the process ends however it does.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process may have it: nobody does.
    Nobody,
    Process(u32),
}

impl Lock {
    /// Takes the lock and writes this process' number into the file, or says who has it.
    pub fn take(path: &Path) -> io::Result<Result<Self, Holder>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o640);
        let mut file = options.custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Err(read_holder(&mut file)?)),
            Err(error) => return Err(error.into()),
        }
        // Whoever asks for the holder has to be able to open it, whatever the mask was.
        rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(0o644))?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
        Ok(Ok(Self { _file: file }))
    }

    /// Who holds the lock, if there is such a file.
    pub fn holder(path: &Path) -> io::Result<Holder> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holder::Nobody),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(Holder::Nobody),
            Err(rustix::io::Errno::WOULDBLOCK) => read_holder(&mut file),
            Err(error) => Err(error.into()),
        }
    }
}

fn read_holder(file: &mut File) -> io::Result<Holder> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text)?;
    match text.trim().parse() {
        Ok(process) => Ok(Holder::Process(process)),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the lock names no process")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert_eq!(Lock::holder(&path).unwrap(), Holder::Nobody);
        let lock = Lock::take(&path).unwrap().unwrap();
        let own = Holder::Process(std::process::id());
        assert_eq!(Lock::take(&path).unwrap().unwrap_err(), own);
        assert_eq!(Lock::holder(&path).unwrap(), own);
        drop(lock);
        assert_eq!(Lock::holder(&path).unwrap(), Holder::Nobody);
        assert!(Lock::take(&path).unwrap().is_ok());
    }
}
