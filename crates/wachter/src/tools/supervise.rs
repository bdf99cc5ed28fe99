//! `wachter supervise`: starts the roles of an installation and keeps them running.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use supervisor::{Plan, roles};
use sys::log;
use sys::process::{self, Launch};

use crate::home;
use crate::roles::FROM_START;

const USAGE: &str = "\
usage: wachter supervise [options]

Starts the processes of the installation, starts them again when they end, and stops them on SIGTERM.
SIGHUP has the configuration checked and, if it is good, read anew. `ossec-control` and the service
files call this; by hand use `ossec-control start` or `wachter run`.

  --home DIR            the installation (default /var/ossec)
  --detach              go on in the background; return when all processes are at work
  --from-start          read log files from their start where nothing is known of them
";

/// What the detached process writes on its descriptor when all roles are at work.
const READY: &str = "ready";

/// What is to be supervised.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) home: PathBuf,
    pub(crate) from_start: bool,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut detach, mut tells) = (false, false);
    let mut options = Options { home: home::DEFAULT.into(), from_start: false };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("home") | Short('D') => options.home = arguments.value()?.into(),
            Long("detach") => detach = true,
            Long("from-start") => options.from_start = true,
            // Between the two halves of this command only.
            Long("tells") => tells = true,
            Long("help") | Short('h') => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if detach {
        let (mut child, told) = start(&options, true)?;
        return match told.as_str() {
            READY => Ok(ExitCode::SUCCESS),
            "" => bail!("the supervisor ended with {}", child.wait()?),
            told => bail!("{told}"),
        };
    }
    supervise(&options, tells)?;
    Ok(ExitCode::SUCCESS)
}

/// Starts a supervisor in a process of its own and waits until its roles are at work; what it told:
/// that they are, or what is wrong.
fn start(options: &Options, detached: bool) -> Result<(Child, String)> {
    let program = std::env::current_exe().context("finding this program")?;
    let (mut told, telling) = std::io::pipe().context("making a pipe")?;
    let mut arguments: Vec<&OsStr> = ["supervise", "--tells", "--home"].map(OsStr::new).to_vec();
    arguments.push(options.home.as_os_str());
    if options.from_start {
        arguments.push(OsStr::new(FROM_START));
    }
    let launch = Launch {
        program: &program,
        title: "wachter",
        arguments: &arguments,
        descriptors: &[telling.as_fd()],
        detached,
        on_terminal: false,
    };
    let child = launch.start().context("starting the supervisor")?;
    drop(telling);
    let mut text = String::new();
    told.read_to_string(&mut text).context("waiting for the supervisor")?;
    Ok((child, text.trim().to_owned()))
}

/// Starts a supervisor that ends with this process.
///
/// # Errors
///
/// Where its roles do not get to work; the text says why.
pub(crate) fn start_attached(options: &Options) -> Result<Child> {
    let (mut child, told) = start(options, false)?;
    match told.as_str() {
        READY => Ok(child),
        "" => bail!("the supervisor ended with {}", child.wait()?),
        told => bail!("{told}"),
    }
}

fn supervise(options: &Options, tells: bool) -> Result<()> {
    let home = std::path::absolute(&options.home).context("the home")?;
    log::begin("wachter", Some(&home), !tells);
    let telling = if tells { process::inherited(1)?.pop().map(std::fs::File::from) } else { None };
    let plan = Plan {
        // The file that runs, also after another one has been put in its place: roles of two builds
        // would not understand each other.
        program: PathBuf::from("/proc/self/exe"),
        group: Plan::group_of_host(),
        roles: roles::ALL.iter().collect(),
        on_terminal: false,
        options: if options.from_start { vec![OsString::from(FROM_START)] } else { Vec::new() },
        gives_up: tells,
        home: home.clone(),
    };
    let mut waiting = telling;
    let result = supervisor::supervise(plan, &mut |_| {
        if let Some(mut waiting) = waiting.take() {
            let _ = waiting.write_all(READY.as_bytes());
        }
        notify_service_manager();
    });
    if let (Err(error), Some(mut waiting)) = (&result, waiting) {
        let _ = write!(waiting, "{error}");
    }
    result.with_context(|| format!("supervising {}", home.display()))
}

/// Tells systemd, where it waits, that the service is up.
fn notify_service_manager() {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let told = UnixDatagram::unbound().and_then(|sender| send(&sender, &socket));
    if let Err(error) = told {
        log::warning(format_args!("the service manager cannot be told: {error}"));
    }
}

fn send(sender: &UnixDatagram, socket: &OsStr) -> std::io::Result<usize> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    const TEXT: &[u8] = b"READY=1";
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => {
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            sender.send_to_addr(TEXT, &address)
        }
        None => sender.send_to(TEXT, Path::new(socket)),
    }
}
