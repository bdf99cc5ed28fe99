//! Signals as something to wait for, like any other input.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// A signal that a role or the supervisor listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration anew.
    Hangup,
    /// Stop.
    Terminate,
    /// A child has ended.
    Child,
}

/// The signals of this process, blocked and readable from a descriptor instead.
#[derive(Debug)]
pub struct Signals {
    descriptor: OwnedFd,
}

/// SIGPIPE is ignored by Rust's runtime; these come through the descriptor.
const LISTENED: [libc::c_int; 5] =
    [libc::SIGHUP, libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGCHLD];

impl Signals {
    /// Call it before any thread is started: threads inherit what is blocked.
    pub fn listen() -> io::Result<Self> {
        // SAFETY: the set is initialised by sigemptyset before it is read; all calls get valid
        // pointers to it; the descriptor is new and owned by nobody else.
        #[expect(unsafe_code, reason = "the C library is the only way to signals")]
        let descriptor = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in LISTENED {
                libc::sigaddset(&raw mut set, signal);
            }
            let mask = libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            if mask != 0 {
                return Err(io::Error::from_raw_os_error(mask));
            }
            match libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) {
                -1 => return Err(io::Error::last_os_error()),
                descriptor => OwnedFd::from_raw_fd(descriptor),
            }
        };
        Ok(Self { descriptor })
    }

    /// The next signal that has arrived, if any.
    pub fn next(&self) -> io::Result<Option<Signal>> {
        const RECORD_BYTES: usize = size_of::<libc::signalfd_siginfo>();
        let mut record = [0_u8; RECORD_BYTES];
        match rustix::io::read(&self.descriptor, &mut record) {
            Ok(RECORD_BYTES) => {}
            Ok(_) | Err(rustix::io::Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let [a, b, c, d, ..] = record;
        Ok(Some(match u32::from_ne_bytes([a, b, c, d]) as libc::c_int {
            libc::SIGHUP => Signal::Hangup,
            libc::SIGCHLD => Signal::Child,
            _ => Signal::Terminate,
        }))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// What a program that is started should find: no signal blocked. For use between fork and exec.
pub(crate) fn unblock_all() -> io::Result<()> {
    // SAFETY: as in `listen`; pthread_sigmask may be called between fork and exec.
    #[expect(unsafe_code, reason = "the C library is the only way to signals")]
    let result = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}
