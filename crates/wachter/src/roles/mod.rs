//! The processes of an installation, one file or folder each: what wakes them and what they do.
//!
//! A role is started by the supervisor as `wachter role NAME HOME` with its descriptors in place. It
//! opens what it needs, enters its sandbox, says that it is ready and goes on until it is told to
//! stop. Errors end it: the supervisor starts it again, and what it had in hand comes again.

mod analysisd;
pub(crate) mod execd;
mod logcollector;
mod monitord;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;
use rustix::event::{PollFd, Timespec, poll};
use supervisor::counters::{Counter, Counters};
use supervisor::roles::{self, Role};
use sys::board::Board;
use sys::channel::Channel;
use sys::sandbox::{self, Layers};
use sys::signals::Signals;
use sys::{log, process};
use wire::note::Note;

/// What every role is started with.
struct Context {
    role: &'static Role,
    home: PathBuf,
    counters: Counters,
    signals: Signals,
    options: Options,
    control: Channel,
    /// The supervisor.
    parent: u32,
    /// What the role's table says it inherits, in that order.
    inherited: std::vec::IntoIter<std::os::fd::OwnedFd>,
}

/// How this run differs from others of the same home.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Files are read from their start, not from where they end now.
    pub(crate) from_start: bool,
}

/// Where the numbers of an installation are offered, below its home.
pub(crate) const METRICS_SOCKET: &str = monitord::SOCKET;

/// In place of a cursor: from these seconds since 1970 on.
const JOURNAL_SINCE: &str = "since=";

/// The option that says so.
pub(crate) const FROM_START: &str = "--from-start";

/// What the process with the title of a daemon does.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut name, mut home, mut options) = (None, None, Options::default());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("from-start") => options.from_start = true,
            Value(value) if name.is_none() => name = Some(value.string()?),
            Value(value) if home.is_none() => home = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(name), Some(home)) = (name, home) else {
        bail!("a role is started by the supervisor; see wachter run --help");
    };
    let role = roles::of_name(&name).with_context(|| format!("there is no role `{name}`"))?;
    log::begin(role.daemon, Some(&home), false);
    // What lists of processes show; the kernel keeps 15 bytes of it.
    if let Ok(name) = std::ffi::CString::new(role.daemon) {
        let _ = rustix::thread::set_name(&name);
    }
    // A role has no terminal: what a bug says of itself goes to the log.
    std::panic::set_hook(Box::new(|panic| log::error(panic)));
    match start(role, home, options) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            log::error(format_args!("{error:#}"));
            Err(error)
        }
    }
}

fn start(role: &'static Role, home: PathBuf, options: Options) -> Result<()> {
    let parent = std::os::unix::process::parent_id();
    let signals = Signals::listen().context("listening to signals")?;
    let descriptors = process::inherited(role.descriptors())
        .context("a role is started by the supervisor, with its channels")?;
    let mut inherited = descriptors.into_iter();
    let (Some(control), Some(board)) = (inherited.next(), inherited.next()) else {
        bail!("the role has no channels");
    };
    let context = Context {
        role,
        home,
        counters: Counters::new(Board::map(board).context("mapping the board of counters")?),
        signals,
        options,
        control: Channel::from_fd(control),
        parent,
        inherited,
    };
    match role.name {
        "analysisd" => analysisd::run(context),
        "execd" => execd::run(context),
        "logcollector" => logcollector::run(context),
        "monitord" => monitord::run(context),
        name => bail!("the role {name} is listed but not written"),
    }
}

impl Context {
    /// The next inherited descriptor, in the order of the role's table.
    fn inherit(&mut self) -> Result<std::os::fd::OwnedFd> {
        self.inherited.next().context("the role lacks a descriptor of its table")
    }

    fn inherit_channel(&mut self) -> Result<Channel> {
        self.inherit().map(Channel::from_fd)
    }

    /// Gives up all rights but the role's. Before threads, and before the first hostile byte.
    fn enter_sandbox(&self) -> Result<Layers> {
        sandbox::enter(&self.role.rights(&self.home, self.parent)).context("entering the sandbox")
    }

    /// Tells the supervisor that the role is at work.
    fn ready(&self, layers: &Layers) -> Result<()> {
        let note = Note::Ready {
            layers: layers.held_by.join(", ").into_bytes(),
            missing: layers.missing.join(", ").into_bytes(),
        };
        self.control.send(&note.write()).context("telling the supervisor")?;
        log::info(format_args!("Started (pid: {}).", std::process::id()));
        Ok(())
    }
}

/// Totals that others keep, of which a counter gets what came since: it goes on after a restart.
#[derive(Debug, Default)]
struct Counted {
    last: Vec<(Counter, u64)>,
}

impl Counted {
    fn add(&mut self, counters: &Counters, counter: Counter, total: u64) {
        let known = self.last.iter_mut().find(|(known, _)| *known == counter);
        let before = match known {
            Some((_, last)) => std::mem::replace(last, total),
            None => {
                self.last.push((counter, total));
                0
            }
        };
        counters.add(counter, total.saturating_sub(before));
    }
}

/// Waits until one of these can go on, or for so long. `None` is for ever.
fn wait(waited: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<()> {
    let timeout = timeout.map(|wait| Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(wait.subsec_nanos()),
    });
    match poll(waited, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error).context("waiting for input"),
    }
}

/// Names the text of a command, so that who asks for it and who runs it mean the same.
fn command_hash(command: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    command.hash(&mut hasher);
    hasher.finish()
}
