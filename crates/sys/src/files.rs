//! Files that root writes where others may write too: no link that somebody put there is followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, chownat, fchmod, fchown};
use rustix::process::umask;

/// The mode of what is written for people.
const MODE: u32 = 0o640;

/// Puts a new file in the place of whatever is there, readable by `group`.
///
/// # Errors
///
/// Where it cannot be written; what was there is there still.
pub fn write_fresh(path: &Path, bytes: &[u8], group: Option<u32>) -> io::Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".new");
    let next = Path::new(&next);
    let written = create_fresh(next, group).and_then(|mut file| file.write_all(bytes));
    let done = written.and_then(|()| fs::rename(next, path));
    if done.is_err() {
        let _ = fs::remove_file(next);
    }
    done
}

fn create_fresh(path: &Path, group: Option<u32>) -> io::Result<File> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // A link that is put there just now is an error, not a place to write to.
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(MODE).open(path)?;
    fchmod(file.as_fd(), Mode::from_raw_mode(MODE))?;
    if let Some(group) = group {
        fchown(file.as_fd(), None, Some(Gid::from_raw(group)))?;
    }
    Ok(file)
}

/// Makes something that gets exactly this mode from the start, such as a socket. For a process of
/// one thread: the mask is everybody's.
pub fn with_mode<T>(mode: u32, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = umask(Mode::from_raw_mode(0o777 & !mode));
    let made = make();
    umask(before);
    made
}

/// Gives a file to others, itself and not what it links to.
pub fn give(path: &Path, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
    Ok(chownat(CWD, path, user, group, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn links_are_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (target, path) = (dir.path().join("target"), dir.path().join("state"));
        fs::write(&target, "precious").unwrap();
        symlink(&target, &path).unwrap();
        symlink(&target, dir.path().join("state.new")).unwrap();
        write_fresh(&path, b"new", None).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let written = path.symlink_metadata().unwrap();
        assert!(written.is_file() && written.permissions().mode() & 0o777 == MODE);
        assert!(write_fresh(&dir.path().join("none/state"), b"", None).is_err());
    }

    #[test]
    fn a_socket_has_its_mode_and_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let _socket = with_mode(0o660, || UnixDatagram::bind(&path)).unwrap();
        let own = path.metadata().unwrap();
        assert_eq!(own.permissions().mode() & 0o777, 0o660);
        give(&path, Some(own.uid()), Some(own.gid())).unwrap();
    }
}
