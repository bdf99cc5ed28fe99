//! What changed? inotify, as values.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// Bytes of events read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// Events taken in one call; what is left is taken in the next.
const EVENTS_MAX: usize = 100_000;

/// The number of a watched file or directory, as its owner gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    File(u64),
    Directory(u64),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Noticed {
    /// Bytes were written to a file, or it was made shorter.
    Written(u64),
    /// A file was renamed, removed, or its rights or links changed.
    Touched(u64),
    /// A name in a directory is there, perhaps anew.
    Appeared(u64, Vec<u8>),
    Vanished(u64, Vec<u8>),
    /// A directory was renamed, removed or unmounted.
    Gone(u64),
    /// Nobody knows what else happened.
    Overflow,
}

/// The watches of one process.
#[derive(Debug)]
pub(crate) struct Watches {
    inotify: OwnedFd,
    /// Several paths may lead to one file, which has one watch.
    watched: HashMap<i32, Vec<Watched>>,
    buffer: Box<[MaybeUninit<u8>]>,
}

impl Watches {
    pub(crate) fn new() -> Result<Self, Errno> {
        Ok(Self {
            inotify: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?,
            watched: HashMap::new(),
            buffer: vec![MaybeUninit::uninit(); BUFFER_BYTES].into_boxed_slice(),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    pub(crate) fn add_file(&mut self, path: &[u8], number: u64) -> Result<i32, Errno> {
        let flags = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF;
        self.add(path, flags, Watched::File(number))
    }

    /// Chooses whether writing to a watched file is told. `false` if the path is not that of the
    /// watched file.
    pub(crate) fn set_told(&mut self, path: &[u8], watch: i32, is_told: bool) -> bool {
        let others = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        let flags = if is_told { others | WatchFlags::MODIFY } else { others };
        let Ok(found) = inotify::add_watch(&self.inotify, path, flags) else { return false };
        if found != watch && !self.watched.contains_key(&found) {
            let _ = inotify::remove_watch(&self.inotify, found);
        }
        found == watch
    }

    pub(crate) fn add_directory(&mut self, path: &[u8], number: u64) -> Result<i32, Errno> {
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        self.add(path, flags, Watched::Directory(number))
    }

    fn add(&mut self, path: &[u8], flags: WatchFlags, watched: Watched) -> Result<i32, Errno> {
        let watch = inotify::add_watch(&self.inotify, path, flags)?;
        let all = self.watched.entry(watch).or_default();
        if !all.contains(&watched) {
            all.push(watched);
        }
        Ok(watch)
    }

    pub(crate) fn remove(&mut self, watch: i32, watched: Watched) {
        let Some(all) = self.watched.get_mut(&watch) else { return };
        all.retain(|other| *other != watched);
        if all.is_empty() {
            self.watched.remove(&watch);
            // It may have gone by itself with its file.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
    }

    /// Appends what happened since the last call.
    pub(crate) fn read(&mut self, noticed: &mut Vec<Noticed>) {
        let mut reader = inotify::Reader::new(&self.inotify, &mut self.buffer);
        for _ in 0..EVENTS_MAX {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => return,
            };
            let (watch, flags) = (event.wd(), event.events());
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                noticed.push(Noticed::Overflow);
                continue;
            }
            if let Some(all) = self.watched.get(&watch) {
                let name = event.file_name().map(|name| name.to_bytes());
                noticed.extend(all.iter().filter_map(|watched| of(*watched, flags, name)));
            }
            if flags.contains(ReadFlags::IGNORED) {
                self.watched.remove(&watch);
            }
        }
    }
}

fn of(watched: Watched, flags: ReadFlags, name: Option<&[u8]>) -> Option<Noticed> {
    let is_gone = flags.intersects(
        ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT | ReadFlags::IGNORED,
    );
    match (watched, name) {
        (Watched::File(number), _) if is_gone || flags.contains(ReadFlags::ATTRIB) => {
            Some(Noticed::Touched(number))
        }
        (Watched::File(number), _) => Some(Noticed::Written(number)),
        (Watched::Directory(number), _) if is_gone => Some(Noticed::Gone(number)),
        (Watched::Directory(number), Some(name)) => {
            let is_gone = flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM);
            let event = if is_gone { Noticed::Vanished } else { Noticed::Appeared };
            Some(event(number, name.to_vec()))
        }
        // The rights of a directory that could not be read before may have changed.
        (Watched::Directory(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn what_happens_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().as_os_str().as_bytes();
        let file = root.path().join("a");
        let mut watches = Watches::new().unwrap();
        let mut noticed = Vec::new();
        let on_directory = watches.add_directory(directory, 1).unwrap();
        fs::write(&file, "x").unwrap();
        watches.read(&mut noticed);
        assert_eq!(noticed, [Noticed::Appeared(1, b"a".to_vec())]);

        let on_file = watches.add_file(file.as_os_str().as_bytes(), 2).unwrap();
        let again = watches.add_file(file.as_os_str().as_bytes(), 3).unwrap();
        assert_eq!(on_file, again);
        noticed.clear();
        fs::write(&file, "y").unwrap();
        watches.read(&mut noticed);
        assert!(noticed.contains(&Noticed::Written(2)) && noticed.contains(&Noticed::Written(3)));

        watches.remove(on_file, Watched::File(2));
        noticed.clear();
        fs::remove_file(&file).unwrap();
        watches.read(&mut noticed);
        assert!(noticed.contains(&Noticed::Touched(3)) && !noticed.contains(&Noticed::Touched(2)));
        assert!(noticed.contains(&Noticed::Vanished(1, b"a".to_vec())));

        noticed.clear();
        fs::remove_dir(root.path()).unwrap();
        watches.read(&mut noticed);
        assert!(noticed.contains(&Noticed::Gone(1)));
        watches.remove(on_directory, Watched::Directory(1));
        assert!(watches.watched.is_empty());
    }
}
