//! Starting programs: our own roles with exactly the descriptors they need, and shell commands of
//! the configuration.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, set_parent_process_death_signal, waitid,
};

use crate::signals;

/// The first inherited descriptor of a role; the others follow.
pub const FIRST_DESCRIPTOR: RawFd = 3;
/// Where descriptors are put while they are brought into order.
const SPARE_DESCRIPTORS: RawFd = 200;
/// Where programs are looked for.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Looks at all processes, until none is left of those to kill.
const KILL_PASSES: usize = 10;

/// A process of our own to start.
#[derive(Debug)]
pub struct Launch<'a> {
    pub program: &'a Path,
    /// What it is called in lists of processes.
    pub title: &'a str,
    pub arguments: &'a [&'a OsStr],
    /// They become [`FIRST_DESCRIPTOR`] and the following.
    pub descriptors: &'a [BorrowedFd<'a>],
    /// Whether it goes on without whoever starts it; else it is killed with them.
    pub detached: bool,
    /// Whether it may write to the terminal.
    pub on_terminal: bool,
}

impl Launch<'_> {
    /// Starts it, with an empty environment but for the search path and the time zone.
    pub fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(self.program);
        command.arg0(self.title).args(self.arguments).env_clear().env("PATH", SEARCH_PATH);
        if let Some(zone) = std::env::var_os("TZ") {
            command.env("TZ", zone);
        }
        command.stdin(Stdio::null()).current_dir("/");
        if !self.on_terminal {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let descriptors: Vec<RawFd> = self.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let detached = self.detached;
        let parent = std::process::id();
        let prepare = move || {
            arrange(&descriptors)?;
            signals::unblock_all()?;
            // So that a terminal's signals reach whoever was started from it and nobody else, and
            // that what it leaves behind can be told from the rest.
            rustix::process::setsid()?;
            if !detached {
                die_with(parent)?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec `prepare` only makes system calls; it allocates nothing.
        #[expect(unsafe_code, reason = "descriptors can only be put in place after the fork")]
        unsafe {
            command.pre_exec(prepare);
        }
        command.spawn()
    }
}

/// Has the kernel kill this process when the one that started it ends; if that has happened already
/// nobody would.
pub(crate) fn die_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let own = rustix::process::getppid().map(|own| own.as_raw_nonzero().get());
    if own == i32::try_from(parent).ok() {
        return Ok(());
    }
    Err(io::Error::from(io::ErrorKind::BrokenPipe))
}

/// Puts descriptors in their places and closes all others when the program starts.
fn arrange(descriptors: &[RawFd]) -> io::Result<()> {
    let end = FIRST_DESCRIPTOR + descriptors.len() as RawFd;
    // SAFETY: system calls on plain numbers; none touches memory. First out of the way, so that no
    // descriptor takes the place of another one that is still needed.
    #[expect(unsafe_code, reason = "descriptors are placed by number")]
    unsafe {
        for (index, descriptor) in descriptors.iter().enumerate() {
            let spare = SPARE_DESCRIPTORS + index as RawFd;
            if libc::dup2(*descriptor, spare) == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        for index in 0..descriptors.len() as RawFd {
            if libc::dup2(SPARE_DESCRIPTORS + index, FIRST_DESCRIPTOR + index) == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        let flags = libc::CLOSE_RANGE_CLOEXEC as libc::c_int;
        if libc::close_range(end as u32, u32::MAX, flags) == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Takes over the descriptors that a role was started with.
///
/// # Errors
///
/// Where one of them is not open, or they were taken before.
pub fn inherited(count: usize) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other("the inherited descriptors were taken already"));
    }
    (FIRST_DESCRIPTOR..FIRST_DESCRIPTOR + count as RawFd)
        .map(|number| {
            // SAFETY: F_SETFD fails if the number is not open; if it is, it was put there by `arrange`
            // for this process, which takes each of them once: `TAKEN` sees to that.
            #[expect(unsafe_code, reason = "descriptors are inherited by number")]
            unsafe {
                if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) == -1 {
                    return Err(io::Error::last_os_error());
                }
                Ok(std::os::fd::FromRawFd::from_raw_fd(number))
            }
        })
        .collect()
}

/// Starts a program of the host in a process group of its own, with its output to be read from
/// `output`'s other end and nothing to read.
pub fn start_program(program: &str, arguments: &[&OsStr], output: OwnedFd) -> io::Result<Child> {
    start_with_streams(program, arguments, Streams { input: None, output, errors: None })
}

/// What a program reads from and writes to.
#[derive(Debug)]
pub struct Streams {
    /// Nothing to read, if there is none.
    pub input: Option<OwnedFd>,
    pub output: OwnedFd,
    /// Thrown away, if there is none.
    pub errors: Option<OwnedFd>,
}

/// As [`start_program`], with streams of the caller's choice.
pub fn start_with_streams(
    program: &str,
    arguments: &[&OsStr],
    streams: Streams,
) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", SEARCH_PATH).env("LC_ALL", "C");
    if let Some(zone) = std::env::var_os("TZ") {
        command.env("TZ", zone);
    }
    command.stdin(streams.input.map_or_else(Stdio::null, Stdio::from));
    command.stdout(streams.output);
    command.stderr(streams.errors.map_or_else(Stdio::null, Stdio::from));
    command.current_dir("/").process_group(0);
    let parent = std::process::id();
    let prepare = move || {
        signals::unblock_all()?;
        die_with(parent)?;
        Ok(())
    };
    // SAFETY: between fork and exec `prepare` only makes system calls; it allocates nothing.
    #[expect(unsafe_code, reason = "a program must not find our signals blocked")]
    unsafe {
        command.pre_exec(prepare);
    }
    command.spawn()
}

/// Whether a child has ended. It stays to be waited for, so its number is not given to others.
pub fn has_ended(child: &Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid(child)), options)?.is_some())
}

/// Kills all of a group that [`start_program`] made.
pub fn kill_group(child: &Child) {
    let _ = rustix::process::kill_process_group(pid(child), Signal::KILL);
}

/// Kills what a process that [`Launch`] started has left behind. It must have ended and not been
/// waited for, so that the number of its session is still its own.
pub fn kill_session(leader: &Child) -> io::Result<()> {
    let session = pid(leader).as_raw_nonzero().get();
    // Who is about to start another process may do so while others are looked at.
    for _ in 0..KILL_PASSES {
        let mut found = false;
        for process in std::fs::read_dir("/proc")?.flatten() {
            let number = process.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(number) = number.filter(|number| *number != session) else { continue };
            let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            if session_of(&stat) == Some(session)
                && let Some(process) = Pid::from_raw(number)
            {
                found |= rustix::process::kill_process(process, Signal::KILL).is_ok();
            }
        }
        if !found {
            break;
        }
    }
    Ok(())
}

/// The session of a process that is alive, from its line in `/proc`: number, name in brackets, which
/// may hold anything, state, parent, group, session.
fn session_of(stat: &str) -> Option<i32> {
    let (_, values) = stat.rsplit_once(") ")?;
    let mut values = values.split(' ');
    let is_alive = values.next()? != "Z";
    values.nth(2)?.parse().ok().filter(|_| is_alive)
}

/// Asks a process to stop.
pub fn terminate(child: &Child) {
    let _ = rustix::process::kill_process(pid(child), Signal::TERM);
}

/// Tells a process to read its configuration anew.
pub fn hang_up(child: &Child) {
    let _ = rustix::process::kill_process(pid(child), Signal::HUP);
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_program_gets_its_descriptors_and_nothing_else() {
        let (mut output, input) = std::io::pipe().unwrap();
        let file = tempfile::tempfile().unwrap();
        let script = "echo $(ls /proc/self/fd) $(env | cut -d= -f1 | sort) >&3";
        let launch = Launch {
            program: Path::new("/bin/sh"),
            title: "ossec-test",
            arguments: &[OsStr::new("-c"), OsStr::new(script)],
            descriptors: &[input.as_fd(), file.as_fd()],
            detached: false,
            on_terminal: false,
        };
        let mut child = launch.start().unwrap();
        drop(input);
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        // `ls` has the folder itself open, as one more.
        let words: Vec<&str> = text.split_whitespace().collect();
        let numbers = words.iter().take_while(|word| word.parse::<u32>().is_ok()).count();
        assert_eq!(&words[..5], ["0", "1", "2", "3", "4"], "{text}");
        assert!(numbers <= 6, "{text}");
        assert!(!words.contains(&"HOME") && words.contains(&"PATH"), "{text}");
    }

    #[test]
    fn a_command_and_all_it_started_are_killed() {
        let (mut output, input) = std::io::pipe().unwrap();
        let arguments = [OsStr::new("-c"), OsStr::new("sleep 1000 & echo here; wait")];
        let mut child = start_program("/bin/sh", &arguments, input.into()).unwrap();
        let mut start = [0; 5];
        output.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"here\n");
        kill_group(&child);
        assert!(!child.wait().unwrap().success());
        // The pipe ends only when `sleep` is gone too.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
    }

    #[test]
    fn what_a_process_leaves_behind_is_killed() {
        let (mut output, input) = std::io::pipe().unwrap();
        let script = "sleep 1000 & echo $! >&3";
        let launch = Launch {
            program: Path::new("/bin/sh"),
            title: "ossec-test",
            arguments: &[OsStr::new("-c"), OsStr::new(script)],
            descriptors: &[input.as_fd()],
            detached: false,
            on_terminal: false,
        };
        let mut child = launch.start().unwrap();
        drop(input);
        let mut number = [0; 1];
        output.read_exact(&mut number).unwrap();
        let all = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid(&child)), all).unwrap();
        kill_session(&child).unwrap();
        // The pipe ends when nobody holds it any more.
        output.read_to_end(&mut Vec::new()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn the_session_is_found_whatever_a_process_is_called() {
        assert_eq!(session_of("7 (sh) S 1 7 5 0 -1"), Some(5));
        assert_eq!(session_of("7 (a) S 1 2 3 (b) R 1 7 6 0"), Some(6));
        assert_eq!(session_of("7 (sh) Z 1 7 5 0 -1"), None);
        for broken in ["", "7", "7 (sh", "7 (sh) S", "7 (sh) S 1 2 x"] {
            assert_eq!(session_of(broken), None, "{broken}");
        }
    }
}
