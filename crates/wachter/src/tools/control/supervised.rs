//! The supervisor of an installation, seen from outside.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use supervisor::roles;
use sys::lock::{Holder, Lock};

use super::daemons;
use crate::home::files;

/// The unit that may look after the installation.
const UNIT: &str = "ossec-hids.service";
const UNIT_DIRECTORIES: [&str; 3] =
    ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const UNIT_BYTES_MAX: usize = 64 * 1024;

/// The supervisor's process, if there is one.
pub(super) fn holder(home: &Path) -> Result<Option<Pid>> {
    let path = home.join(roles::LOCK);
    let telling = || format!("reading {}", path.display());
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Roles may write to the folder: whom they name is not asked.
        Ok(lock) if lock.uid() != home.metadata()?.uid() => {
            bail!("{} belongs to another user than the installation; remove it", path.display())
        }
        Err(error) => return Err(error).with_context(telling),
        Ok(_) => {}
    }
    match Lock::holder(&path).with_context(telling)? {
        Holder::Nobody => Ok(None),
        Holder::Process(number) => Ok(i32::try_from(number).ok().and_then(Pid::from_raw)),
    }
}

/// Starts the supervisor and waits until all daemons are at work. Whether they are; if not, the
/// supervisor has said why.
pub(super) fn start(home: &Path) -> Result<bool> {
    let mut command = if has_unit(home) {
        // Else systemd would not know of it.
        let mut command = Command::new("systemctl");
        command.args(["start", UNIT]);
        command
    } else {
        let program = std::env::current_exe().context("looking for this program")?;
        let mut command = Command::new(program);
        command.arg("supervise").arg("--home").arg(home).arg("--detach");
        command
    };
    let status = command.stdin(Stdio::null()).current_dir("/").status();
    Ok(status.context("starting the supervisor")?.success())
}

/// Stops the supervisor, and with it all daemons. Whether it is gone.
pub(super) fn end(home: &Path, pid: Pid) -> Result<bool> {
    match open(home, pid)? {
        Some(process) => daemons::end_opened(pid, &process, daemons::END_WAIT),
        None => Ok(true),
    }
}

/// Has the supervisor read the configuration anew.
pub(super) fn hang_up(home: &Path, pid: Pid) -> Result<()> {
    match open(home, pid)? {
        Some(process) => daemons::send(pid, &process, Signal::HUP),
        None => bail!("the supervisor has just ended"),
    }
}

/// Gets hold of the supervisor. What is opened stays the same process, so asking once more who holds
/// the lock says for sure that it is it.
fn open(home: &Path, pid: Pid) -> Result<Option<OwnedFd>> {
    let process = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(Errno::SRCH) => return Ok(None),
        opened => opened.context("opening the supervisor's process")?,
    };
    if holder(home)? != Some(pid) {
        return Ok(None);
    }
    if !daemons::is_ours(pid) {
        bail!("process {} holds the lock and is no supervisor", pid.as_raw_nonzero());
    }
    Ok(Some(process))
}

/// Whether systemd runs and has our unit for this installation.
fn has_unit(home: &Path) -> bool {
    let start = format!("supervise --home {}", home.display());
    let names_home = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        text.lines().any(|line| line.starts_with("ExecStart=") && line.ends_with(&start))
    };
    let units = UNIT_DIRECTORIES.map(|dir| Path::new(dir).join(UNIT));
    let unit = units.iter().find_map(|path| files::read(path, UNIT_BYTES_MAX).ok());
    Path::new("/run/systemd/system").is_dir() && unit.is_some_and(|text| names_home(&text))
}
