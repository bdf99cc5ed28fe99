//! Where a daily file lies, and how it is reached without following anybody's symbolic link.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::fs::{fchmod, fstat, linkat, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::day::Day;
use crate::error::WriteError;

const FOLDER_MODE: Mode = Mode::from_raw_mode(0o750);
const FILE_MODE: Mode = Mode::from_raw_mode(0o640);

/// How a kind of file is called.
#[derive(Debug, PartialEq, Eq)]
pub struct FileName {
    /// Relative to the home directory.
    pub folder: &'static str,
    /// What stands before the day.
    pub stem: &'static str,
    pub extension: &'static str,
    /// The name in `folder` that always leads to the file that was opened last.
    pub fixed: Option<&'static str>,
}

impl FileName {
    /// Relative to the home directory: `logs/alerts/2026/Nov/ossec-alerts-24.log`.
    pub(crate) fn path(&self, day: Day) -> String {
        let (year, month, _) = day.date();
        format!("{}/{year}/{month}/{}", self.folder, self.dated(day))
    }

    fn dated(&self, day: Day) -> String {
        let (_, _, day) = day.date();
        format!("{}-{day:02}.{}", self.stem, self.extension)
    }
}

/// The file of a day, opened.
#[derive(Debug)]
pub(crate) struct DatedFile {
    pub(crate) file: OwnedFd,
    pub(crate) length: u64,
    /// Year and month.
    folder: OwnedFd,
    /// The one above them.
    top: OwnedFd,
}

impl DatedFile {
    /// Opens the file of a day for appending; what is missing of its path is made.
    pub(crate) fn create(home: &OwnedFd, name: &FileName, day: Day) -> Result<Self, WriteError> {
        let (year, month, _) = day.date();
        let mut path = String::new();
        let mut top = open_home(home)?;
        for part in name.folder.split('/') {
            top = open_folder(&top, part, &mut path)?;
        }
        let folder = open_folder(&top, &year.to_string(), &mut path)?;
        let folder = open_folder(&folder, month, &mut path)?;
        let path = name.path(day);
        let file = open_file(&folder, &name.dated(day), &path)?;
        let length = length(&regular(&file, &path)?);
        Ok(Self { file, length, folder, top })
    }

    /// Makes the fixed name lead here. It leads somewhere at every moment.
    pub(crate) fn link(&self, name: &FileName, day: Day) -> Result<(), WriteError> {
        let Some(fixed) = name.fixed else { return Ok(()) };
        let path = || format!("{}/{fixed}", name.folder);
        let system = |action| move |source| WriteError::System { action, path: path(), source };
        let file = fstat(&self.file).map_err(system("look at"))?;
        if same(&self.top, fixed, &file) {
            // Renaming one link of a file over another one would do nothing.
            return Ok(());
        }
        let (dated, new) = (name.dated(day), format!(".{fixed}.new"));
        let link = || linkat(&self.folder, &*dated, &self.top, &*new, AtFlags::empty());
        match link() {
            Err(Errno::EXIST) => {
                // Left behind when this was interrupted.
                unlinkat(&self.top, &*new, AtFlags::empty()).map_err(system("renew"))?;
                link()
            }
            other => other,
        }
        .map_err(system("link"))?;
        // A link is made by name, and names can be exchanged.
        if !same(&self.top, &new, &file) {
            return Err(WriteError::Refused { path: name.path(day), why: "it was exchanged" });
        }
        renameat(&self.top, &*new, &self.top, fixed).map_err(system("link"))
    }

    /// Removes the dated name of a file that nothing was written to.
    pub(crate) fn remove_if_empty(&self, name: &FileName, day: Day) {
        let dated = name.dated(day);
        if let Ok(file) = fstat(&self.file)
            && file.st_size == 0
            && same(&self.folder, &dated, &file)
        {
            // An empty file more does no harm.
            let _ = unlinkat(&self.folder, &*dated, AtFlags::empty());
        }
    }
}

/// How long the file of a day is; 0 if there is none.
pub(crate) fn measure(home: &OwnedFd, name: &FileName, day: Day) -> Result<u64, Errno> {
    let path = name.path(day);
    let look = || {
        let mut folder = openat(home, ".", FOLDER, Mode::empty())?;
        let (folders, dated) = path.rsplit_once('/').unwrap_or((".", &path));
        for part in folders.split('/') {
            folder = openat(&folder, part, FOLDER, Mode::empty())?;
        }
        statat(&folder, dated, AtFlags::SYMLINK_NOFOLLOW).map(|stat| length(&stat))
    };
    match look() {
        Err(Errno::NOENT) => Ok(0),
        other => other,
    }
}

/// How long an open file is, and whether it still has a name.
pub(crate) fn length_and_name(file: &OwnedFd, path: &str) -> Result<(u64, bool), WriteError> {
    let stat = regular(file, path)?;
    Ok((length(&stat), stat.st_nlink > 0))
}

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Without blocking on a pipe that somebody put there.
const FILE: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

fn open_home(home: &OwnedFd) -> Result<OwnedFd, WriteError> {
    // As a place only: whoever writes below may not be allowed to list the home itself.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(home, ".", flags, Mode::empty()).map_err(opening("the home directory"))
}

/// Opens a folder below `parent`, and makes it if it is missing. `path` is what was walked so far.
fn open_folder(parent: &OwnedFd, name: &str, path: &mut String) -> Result<OwnedFd, WriteError> {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(name);
    match openat(parent, name, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => {}
        other => return other.map_err(opening(path)),
    }
    let system = |source| WriteError::System { action: "make", path: path.clone(), source };
    match mkdirat(parent, name, FOLDER_MODE) {
        // Another process was quicker; its mode stands.
        Err(Errno::EXIST) => openat(parent, name, FOLDER, Mode::empty()).map_err(opening(path)),
        other => {
            other.map_err(system)?;
            let folder = openat(parent, name, FOLDER, Mode::empty()).map_err(opening(path))?;
            // The umask may have taken bits away.
            fchmod(&folder, FOLDER_MODE).map_err(system)?;
            Ok(folder)
        }
    }
}

fn open_file(folder: &OwnedFd, name: &str, path: &str) -> Result<OwnedFd, WriteError> {
    match openat(folder, name, FILE | OFlags::CREATE | OFlags::EXCL, FILE_MODE) {
        Err(Errno::EXIST) => openat(folder, name, FILE, Mode::empty()).map_err(opening(path)),
        other => {
            let file = other.map_err(opening(path))?;
            fchmod(&file, FILE_MODE).map_err(opening(path))?;
            Ok(file)
        }
    }
}

fn regular(file: &OwnedFd, path: &str) -> Result<Stat, WriteError> {
    let stat = fstat(file).map_err(opening(path))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(WriteError::Refused { path: path.to_owned(), why: "it is no regular file" });
    }
    Ok(stat)
}

/// Whether a name leads to that file, itself and not by a symbolic link.
fn same(folder: &OwnedFd, name: &str, file: &Stat) -> bool {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (file.st_dev, file.st_ino))
}

fn length(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn opening(path: &str) -> impl Fn(Errno) -> WriteError {
    move |source| match source {
        Errno::LOOP | Errno::NOTDIR => WriteError::Refused {
            path: path.to_owned(),
            why: "it is a symbolic link, or no directory where one should be",
        },
        // A pipe or socket in the file's place.
        Errno::NXIO => WriteError::Refused { path: path.to_owned(), why: "it is no regular file" },
        _ => WriteError::System { action: "open", path: path.to_owned(), source },
    }
}
