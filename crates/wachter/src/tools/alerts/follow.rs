//! Waits until there may be more in the journal.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// Bytes of the notices that are read at once.
const NOTICES_BYTES: usize = 4096;

/// Watches the directory of the journal.
pub(super) struct Follower {
    notices: OwnedFd,
    /// The watch of the directory above it, and the journal's name there.
    above: i32,
    name: OsString,
}

/// Why a [`Follower`] has stopped waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    Changed,
    /// Whoever read our output has gone.
    NobodyReads,
    /// The directory is not there any more.
    Removed,
}

impl Follower {
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        let notices = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let changes = WatchFlags::MODIFY | WatchFlags::CREATE;
        inotify::add_watch(&notices, dir, changes | WatchFlags::ONLYDIR)?;
        // A directory does not tell of its own end while we have a file in it open.
        let ends = WatchFlags::DELETE | WatchFlags::MOVED_FROM;
        let above = inotify::add_watch(&notices, dir.parent().unwrap_or(dir), ends)?;
        let name = dir.file_name().unwrap_or_default().to_owned();
        Ok(Self { notices, above, name })
    }

    pub(super) fn wait(&mut self) -> io::Result<Woken> {
        let stdout = io::stdout();
        // Asked for nothing, it only tells that its other end is closed.
        let mut waited =
            [PollFd::new(&self.notices, PollFlags::IN), PollFd::new(&stdout, PollFlags::empty())];
        match poll(&mut waited, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if waited[1].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Ok(Woken::NobodyReads);
        }
        self.read_notices()
    }

    fn read_notices(&mut self) -> io::Result<Woken> {
        let mut woken = Woken::Changed;
        let mut buffer = [MaybeUninit::uninit(); NOTICES_BYTES];
        let mut notices = inotify::Reader::new(&self.notices, &mut buffer);
        loop {
            match notices.next() {
                Ok(notice) if self.is_end(&notice) => woken = Woken::Removed,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(woken),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the journal was removed or moved, or its file system unmounted.
    fn is_end(&self, notice: &inotify::Event<'_>) -> bool {
        let is_ours = || notice.file_name().is_some_and(|it| it.to_bytes() == self.name.as_bytes());
        notice.events().contains(ReadFlags::IGNORED) || (notice.wd() == self.above && is_ours())
    }
}
