//! The daemons by their names, and which processes they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, test_kill_process};
use supervisor::roles;

use crate::home::files;
use crate::install::Kind;

/// As OSSEC tells of them in `status` and stops them.
pub(super) const STOP_ORDER: &[&str] = &[
    "ossec-monitord",
    "ossec-logcollector",
    "ossec-remoted",
    "ossec-syscheckd",
    "ossec-analysisd",
    "ossec-maild",
    "ossec-execd",
];

const START_ORDER: &[&str] = &[
    "ossec-maild",
    "ossec-execd",
    "ossec-analysisd",
    "ossec-logcollector",
    "ossec-remoted",
    "ossec-syscheckd",
    "ossec-monitord",
];

const STOP_ORDER_AGENT: &[&str] =
    &["ossec-logcollector", "ossec-syscheckd", "ossec-agentd", "ossec-execd"];

const START_ORDER_AGENT: &[&str] =
    &["ossec-execd", "ossec-agentd", "ossec-logcollector", "ossec-syscheckd"];

/// How long a process has to end by itself, and how long to go when it is killed.
pub(super) const END_WAIT: Duration = Duration::from_secs(45);
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Bytes of a command line; ours are short.
const COMMAND_LINE_BYTES_MAX: usize = 64 * 1024;

const RUN: &str = "var/run";

pub(super) fn stop_order(kind: Kind) -> &'static [&'static str] {
    if kind == Kind::Agent { STOP_ORDER_AGENT } else { STOP_ORDER }
}

pub(super) fn start_order(kind: Kind) -> &'static [&'static str] {
    if kind == Kind::Agent { START_ORDER_AGENT } else { START_ORDER }
}

/// Whether this program has a role of that name.
pub(super) fn is_built(daemon: &str) -> bool {
    roles::ALL.iter().any(|role| role.daemon == daemon)
}

/// What a pid file stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Running(Pid),
    Gone,
    /// Its number belongs to another program now.
    Foreign(Pid),
}

/// The running processes of a daemon.
pub(super) fn processes(home: &Path, daemon: &str) -> Vec<Pid> {
    let files = pid_files(home, daemon).into_iter();
    files
        .filter_map(|(_, process)| match process {
            Process::Running(pid) => Some(pid),
            Process::Gone | Process::Foreign(_) => None,
        })
        .collect()
}

/// Removes pid files of processes that are gone. What is said about it.
pub(super) fn remove_stale(home: &Path, daemon: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, process) in pid_files(home, daemon) {
        let line = match process {
            Process::Running(_) => continue,
            Process::Gone => format!("Deleting PID file '{}' not used...", path.display()),
            Process::Foreign(pid) => {
                format!("{daemon}: Process {} not used by ossec, removing ..", pid.as_raw_nonzero())
            }
        };
        // Who only asks for the state need not be allowed to remove anything.
        if fs::remove_file(&path).is_ok() {
            lines.push(line);
        }
    }
    lines
}

/// The files `DAEMON-PID.pid`.
fn pid_files(home: &Path, daemon: &str) -> Vec<(PathBuf, Process)> {
    let dir = home.join(RUN);
    let names = files::names(&dir).unwrap_or_default();
    let of_daemon = names.iter().filter_map(|name| {
        let number = name.strip_prefix(daemon)?.strip_prefix('-')?.strip_suffix(".pid")?;
        Some((dir.join(name), process_of(number.parse().ok()?)))
    });
    of_daemon.collect()
}

fn process_of(number: i32) -> Process {
    let Some(pid) = Pid::from_raw(number).filter(|_| number > 0) else { return Process::Gone };
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return Process::Gone;
    }
    match started_as(pid) {
        Some(name) if name.is_empty() => nameless(pid),
        Some(name) if !is_daemon(&name) => Process::Foreign(pid),
        // Who may not look at it believes the file.
        _ => Process::Running(pid),
    }
}

/// What a process without a command line is: one that its parent has not taken note of, a thread of
/// the kernel, or one that is just being started.
fn nameless(pid: Pid) -> Process {
    /// The parent of all threads of the kernel.
    const KERNEL: &str = "2";
    let path = format!("/proc/{}/stat", number(pid));
    let stat = files::read(Path::new(&path), COMMAND_LINE_BYTES_MAX).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // `number (name) state parent …`, and the name may have any character.
    let mut words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    match (words.next(), words.next()) {
        (Some("Z" | "X"), _) => Process::Gone,
        (_, Some(KERNEL)) => Process::Foreign(pid),
        _ => Process::Running(pid),
    }
}

/// Whether a process is a daemon of OSSEC or of this program, by the name it was started by. Roles
/// may write pid files, so without this they could have root end any process.
pub(super) fn is_ours(pid: Pid) -> bool {
    started_as(pid).is_some_and(|name| is_daemon(&name))
}

fn is_daemon(name: &[u8]) -> bool {
    name.starts_with(b"ossec-") || name == b"wachter"
}

/// The file name of the program that a process was started as.
fn started_as(pid: Pid) -> Option<Vec<u8>> {
    let path = format!("/proc/{}/cmdline", number(pid));
    let line = files::read(Path::new(&path), COMMAND_LINE_BYTES_MAX).ok()?;
    let name = line.split(|&byte| byte == 0).next().unwrap_or_default();
    Some(name.rsplit(|&byte| byte == b'/').next().unwrap_or_default().to_vec())
}

/// Ends a daemon. Whether it is gone.
pub(super) fn end(pid: Pid) -> Result<bool> {
    match pidfd_open(pid, PidfdFlags::empty()) {
        // Between opening and asking it cannot have become another process.
        Ok(process) if is_ours(pid) => end_opened(pid, &process, END_WAIT),
        Ok(_) | Err(Errno::SRCH) => Ok(true),
        Err(error) => Err(error).with_context(|| format!("opening process {}", number(pid))),
    }
}

/// Asks a process to end, waits, and ends it.
pub(super) fn end_opened(pid: Pid, process: &OwnedFd, wait: Duration) -> Result<bool> {
    send(pid, process, Signal::TERM)?;
    if has_ended(process, wait)? {
        return Ok(true);
    }
    super::say(format_args!("Process {} did not exit; sending SIGKILL ..", number(pid)))?;
    send(pid, process, Signal::KILL)?;
    has_ended(process, KILL_WAIT)
}

pub(super) fn send(pid: Pid, process: &OwnedFd, signal: Signal) -> Result<()> {
    match pidfd_send_signal(process, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| {
            format!("signalling process {}; only root and its own user may", number(pid))
        }),
    }
}

/// Waits until a process has ended, at most so long.
fn has_ended(process: &OwnedFd, wait: Duration) -> Result<bool> {
    let timeout = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(wait.subsec_nanos()),
    };
    let mut waited = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
    loop {
        match poll(&mut waited, Some(&timeout)) {
            Err(Errno::INTR) => {}
            ended => return Ok(ended.context("waiting for a process")? > 0),
        }
    }
}

fn number(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Removes what daemons that were killed left behind. Nothing must run.
pub(super) fn clean(home: &Path) -> io::Result<()> {
    for daemon in STOP_ORDER.iter().chain(STOP_ORDER_AGENT) {
        for (path, process) in pid_files(home, daemon) {
            if process == Process::Gone {
                let _ = fs::remove_file(path);
            }
        }
    }
    match fs::remove_file(home.join(roles::QUEUE_SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A process under a name that waits when it has said something.
    fn started(name: &str, script: &str) -> (Child, Pid) {
        let mut command = Command::new("/bin/sh");
        let script = format!("{script}; read line");
        command.arg0(name).args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Now it has its name, and has done what the script says.
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let pid = Pid::from_child(&child);
        (child, pid)
    }

    #[test]
    fn what_pid_files_stand_for() {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join(RUN);
        fs::create_dir_all(&run).unwrap();
        let (mut child, pid) = started("ossec-execd", "echo");
        let (mut other, other_pid) = started("sh", "echo");
        let write = |pid: i32| fs::write(run.join(format!("ossec-execd-{pid}.pid")), "").unwrap();
        write(number(pid));
        write(number(other_pid));
        // No process has a number that high.
        write(i32::MAX);
        fs::write(run.join("ossec-execd-x.pid"), "").unwrap();
        fs::write(run.join("ossec-execd-0.pid"), "").unwrap();
        assert_eq!(processes(home.path(), "ossec-execd"), [pid]);
        assert_eq!(processes(home.path(), "ossec-exec"), []);
        let lines = remove_stale(home.path(), "ossec-execd");
        let is_said = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(is_said(&format!(
            "Deleting PID file '{}/ossec-execd-2147483647.pid' not used...",
            run.display()
        )));
        assert!(is_said(&format!(
            "ossec-execd: Process {} not used by ossec, removing ..",
            number(other_pid)
        )));
        assert_eq!((lines.len(), fs::read_dir(&run).unwrap().count()), (3, 2));
        drop((child.stdin.take(), other.stdin.take()));
        child.wait().unwrap();
        other.wait().unwrap();
        assert_eq!(processes(home.path(), "ossec-execd"), []);
    }

    #[test]
    fn who_does_not_end_is_killed() {
        for (script, signal) in [("echo", 15), ("trap '' TERM; echo", 9)] {
            let (mut child, pid) = started("ossec-execd", script);
            let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
            assert!(end_opened(pid, &process, Duration::from_millis(50)).unwrap());
            let status = child.wait().unwrap();
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal));
        }
    }

    #[test]
    fn a_process_of_others_is_not_ended() {
        let (mut child, pid) = started("sh", "echo; read line; exit 7");
        assert!(end(pid).unwrap());
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}
