//! Puts things into a tree in which other users own directories.
//!
//! Whoever owns a directory may put a link where we expect a file or folder. So each path is walked
//! name by name, and a link is followed only if root, or this user, made it. Files come into being
//! under another name and are then named: nobody ever sees half of one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

/// The numbers of a file's owner; without them it stays who it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    pub(super) uid: Option<Uid>,
    pub(super) gid: Option<Gid>,
}

/// A directory below which things are put. Paths are relative to it.
#[derive(Debug)]
pub(super) struct Base {
    dir: OwnedFd,
    /// Links of root may lead anywhere, so below a root that is not `/` none is followed.
    follows_links: bool,
}

impl Base {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let dir = rustix::fs::open(root, DIRECTORY, Mode::empty())?;
        Ok(Self { dir, follows_links: root == Path::new("/") })
    }

    /// Makes a directory that only we can enter until its rights are set.
    pub(super) fn make_directory(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::mkdirat(&parent, name, Mode::RWXU)?)
    }

    pub(super) fn set_rights_of_directory(
        &self,
        path: &Path,
        mode: u32,
        owner: Owner,
    ) -> io::Result<()> {
        set_rights(&self.directory(path)?, mode, owner)
    }

    pub(super) fn set_rights_of_file(
        &self,
        path: &Path,
        mode: u32,
        owner: Owner,
    ) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&parent, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        // Another name of a file elsewhere, or no file: it is not ours to change.
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink != 1 {
            return Err(io::Error::other("it is not a file with one name; its rights stay"));
        }
        set_rights(&file, mode, owner)
    }

    /// Puts a file where there is none.
    pub(super) fn create(
        &self,
        path: &Path,
        from: &mut dyn Read,
        mode: u32,
        owner: Owner,
    ) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let temporary = write_beside(&parent, name, from, mode, owner)?;
        let linked = rustix::fs::linkat(&parent, &temporary, &parent, name, AtFlags::empty());
        rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty())?;
        Ok(linked?)
    }

    /// Puts a file in the place of another one, if there is one. Whoever has that open keeps it.
    pub(super) fn replace(
        &self,
        path: &Path,
        from: &mut dyn Read,
        mode: u32,
        owner: Owner,
    ) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let temporary = write_beside(&parent, name, from, mode, owner)?;
        Ok(rustix::fs::renameat(&parent, &temporary, &parent, name)?)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_parent, from_name) = self.parent(from)?;
        let (to_parent, to_name) = self.parent(to)?;
        Ok(rustix::fs::renameat(&from_parent, from_name, &to_parent, to_name)?)
    }

    pub(super) fn link(&self, path: &Path, target: &str) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        Ok(rustix::fs::symlinkat(target, &parent, name)?)
    }

    fn parent<'a>(&self, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
        let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
        Ok((self.directory(path.parent().unwrap_or(Path::new("")))?, name))
    }

    fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut dir = rustix::io::fcntl_dupfd_cloexec(&self.dir, 0)?;
        for part in path.components() {
            let Component::Normal(name) = part else {
                return Err(io::Error::other("only names may stand in it"));
            };
            dir = self.enter(&dir, name)?;
        }
        Ok(dir)
    }

    fn enter(&self, dir: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
        match rustix::fs::openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::LOOP | Errno::NOTDIR) if self.may_follow(dir, name) => {
                Ok(rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())?)
            }
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let message = format!("{} is a link, or no directory", name.display());
                Err(io::Error::new(io::ErrorKind::NotADirectory, message))
            }
            entered => Ok(entered?),
        }
    }

    fn may_follow(&self, dir: &OwnedFd, name: &OsStr) -> bool {
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        self.follows_links
            && stat.is_ok_and(|stat| {
                let owner = Uid::from_raw(stat.st_uid);
                FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
                    && (owner.is_root() || owner == rustix::process::geteuid())
            })
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Owner first: changing it may take away bits of the mode.
fn set_rights(file: impl AsFd, mode: u32, owner: Owner) -> io::Result<()> {
    if owner.uid.is_some() || owner.gid.is_some() {
        rustix::fs::fchown(&file, owner.uid, owner.gid)?;
    }
    Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?)
}

/// Writes a file with the rights it shall have, under a name of its own. The name.
fn write_beside(
    parent: &OwnedFd,
    name: &OsStr,
    from: &mut dyn Read,
    mode: u32,
    owner: Owner,
) -> io::Result<String> {
    let temporary = format!(".{}.installing", name.display());
    // One may be left of a run that was cut short.
    match rustix::fs::unlinkat(parent, &temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(parent, &temporary, flags, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    io::copy(from, &mut file)?;
    set_rights(&file, mode, owner)?;
    file.sync_all()?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn files_and_directories() {
        let dir = tempfile::tempdir().unwrap();
        let base = Base::open(dir.path()).unwrap();
        let path = Path::new("a/f");
        base.make_directory(Path::new("a")).unwrap();
        base.create(path, &mut &b"one"[..], 0o640, Owner::default()).unwrap();
        let again = base.create(path, &mut &b"two"[..], 0o640, Owner::default());
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let read = || fs::read(dir.path().join(path)).unwrap();
        assert_eq!(read(), b"one");
        base.replace(path, &mut &b"two"[..], 0o600, Owner::default()).unwrap();
        assert_eq!(read(), b"two");
        let mode =
            |path: &str| dir.path().join(path).metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("a/f"), 0o600);
        base.set_rights_of_file(path, 0o444, Owner::default()).unwrap();
        base.set_rights_of_directory(Path::new("a"), 0o1750, Owner::default()).unwrap();
        assert_eq!((mode("a/f"), mode("a")), (0o444, 0o1750));
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn links_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let base = Base::open(dir.path()).unwrap();
        symlink(elsewhere.path(), dir.path().join("a")).unwrap();
        let created = base.create(Path::new("a/f"), &mut &b""[..], 0o640, Owner::default());
        assert_eq!(created.unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert!(base.make_directory(Path::new("../b")).is_err());
        let target = elsewhere.path().join("f");
        fs::write(&target, "theirs").unwrap();
        symlink(&target, dir.path().join("l")).unwrap();
        fs::hard_link(&target, dir.path().join("h")).unwrap();
        for name in ["l", "h"] {
            assert!(base.set_rights_of_file(Path::new(name), 0o777, Owner::default()).is_err());
        }
        base.replace(Path::new("l"), &mut &b"ours"[..], 0o640, Owner::default()).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        assert_eq!(fs::read(dir.path().join("l")).unwrap(), b"ours");
    }
}
