//! `wachter control` and `ossec-control`: starts and stops an installation, in OSSEC's words.
//!
//! The daemons are children of one supervisor, which holds a lock as long as it lives. So "running"
//! is known, not guessed from files.

mod daemons;
mod process_list;
mod supervised;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::prelude::*;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::home::{self, Depth, Origin};
use crate::install::Kind;
use crate::install::init_conf::{self, InitConf};
use crate::report;

/// Held while the state of an installation is changed, so that two who do it take turns. Only the
/// owner of the installation can open it.
const LOCK: &str = "var/wachter-control.lock";

const VERBS: &str = "{start|stop|reload|restart|status|enable|disable}";

const USAGE: &str = "
  start                 starts all daemons, if the configuration has no errors
  stop                  stops them
  restart               stops and starts; with errors in the configuration the old ones go on
  reload                the running daemons read the configuration anew
  status                what runs; exit code 1 if something does not that should
  enable|disable WHAT   database, client-syslog, agentless or debug

  -D, --home DIR        the installation (default: that of this program, or what
                        /etc/ossec-init.conf says)
";

/// An installation and who asks for it.
struct Control {
    home: PathBuf,
    kind: Kind,
}

pub(crate) fn run(mut parser: lexopt::Parser) -> Result<ExitCode> {
    let script = std::env::args_os().next().unwrap_or_default();
    let (mut home, mut words) = (None, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('D') | Long("home") => home = Some(PathBuf::from(parser.value()?)),
            Short('h') | Long("help") => words = vec![OsString::from("help")],
            Value(word) => words.push(word),
            other => return Err(other.unexpected().into()),
        }
    }
    let home = home.unwrap_or_else(|| find_home(Path::new(&script)));
    let kind = InitConf::read(&home).kind.unwrap_or(Kind::Local);
    let control = Control { home, kind };
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    match *words {
        ["start"] => control.changing(Control::start),
        ["stop"] => control.changing(Control::stop),
        ["restart"] => control.changing(Control::restart),
        ["reload"] => control.changing(Control::reload),
        ["status"] => control.status(),
        ["enable", what] => control.changing(|control| process_list::set(control, what, true)),
        ["disable", what] => control.changing(|control| process_list::set(control, what, false)),
        [verb @ ("enable" | "disable")] => {
            say(process_list::usage(verb))?;
            Ok(ExitCode::FAILURE)
        }
        _ => {
            // compat: asking for help is an error, as is any other word.
            say(format_args!("Usage: {} {VERBS}", script.display()))?;
            say(USAGE.trim_end())?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Whether daemons of an installation are at work.
pub(crate) fn is_running(home: &Path) -> bool {
    supervised::holder(home).is_ok_and(|holder| holder.is_some())
        || daemons::STOP_ORDER.iter().any(|daemon| !daemons::processes(home, daemon).is_empty())
}

/// The installation that a program called like this belongs to.
fn find_home(script: &Path) -> PathBuf {
    let of_program = |program: &Path| {
        let bin =
            program.parent().filter(|bin| bin.file_name().is_some_and(|name| name == "bin"))?;
        let home = bin.parent()?;
        home.join("etc/ossec.conf").is_file().then(|| home.to_owned())
    };
    // A bare name was found by the shell; the system knows where.
    let called = if script.is_absolute() { of_program(script) } else { None };
    let running = || of_program(&std::env::current_exe().ok()?);
    called
        .or_else(running)
        .or_else(|| InitConf::read(Path::new("/")).directory)
        .unwrap_or_else(|| home::DEFAULT.into())
}

/// Writes a line. That nobody reads it must not keep anything from being started or stopped.
fn say(line: impl std::fmt::Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// OSSEC's version and ours, as scripts look for the first.
fn version() -> String {
    format!("OSSEC HIDS {}", init_conf::OSSEC_VERSION)
}

impl Control {
    /// Does something while nobody else changes the installation.
    fn changing(&self, act: impl FnOnce(&Self) -> Result<ExitCode>) -> Result<ExitCode> {
        let path = self.home.join(LOCK);
        let mut options = File::options();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .with_context(|| {
                format!(
                    "opening {}: is this the installation, and are you its owner?",
                    path.display()
                )
            })?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            eprintln!("ossec-control: another one is at work; waiting for it");
            flock(&file, FlockOperation::LockExclusive).context("waiting for another one")?;
        }
        act(self)
    }

    fn start(&self) -> Result<ExitCode> {
        say(format_args!("Starting {} (wachter {})...", version(), env!("CARGO_PKG_VERSION")))?;
        if !self.has_good_configuration()? {
            return Ok(ExitCode::FAILURE);
        }
        self.start_checked()
    }

    fn start_checked(&self) -> Result<ExitCode> {
        let order = daemons::start_order(self.kind);
        let running: Vec<&str> = self.running(order)?;
        for daemon in &running {
            say(format_args!("{daemon} already running..."))?;
        }
        if supervised::holder(&self.home)?.is_some() {
            say("Completed.")?;
            return Ok(ExitCode::SUCCESS);
        }
        if !running.is_empty() {
            eprintln!(
                "ossec-control: these are daemons of OSSEC; stop them first: ossec-control stop"
            );
            return Ok(ExitCode::FAILURE);
        }
        let is_started = supervised::start(&self.home)?;
        let running = self.running(order)?;
        for daemon in order {
            if running.contains(daemon) {
                say(format_args!("Started {daemon}..."))?;
            } else if !is_started && daemons::is_built(daemon) {
                say(format_args!("{daemon} did not start correctly."))?;
            }
        }
        if !is_started {
            return Ok(ExitCode::FAILURE);
        }
        say("Completed.")?;
        Ok(ExitCode::SUCCESS)
    }

    fn stop(&self) -> Result<ExitCode> {
        let order = daemons::stop_order(self.kind);
        let running: Vec<&str> = self.running(order)?;
        for daemon in order {
            match running.contains(daemon) {
                true => say(format_args!("Killing {daemon} .. "))?,
                false => say(format_args!("{daemon} not running .."))?,
            }
        }
        let mut is_stopped = true;
        if let Some(process) = supervised::holder(&self.home)? {
            is_stopped &= supervised::end(&self.home, process)?;
        }
        // Without a supervisor: daemons of OSSEC itself.
        for daemon in daemons::STOP_ORDER {
            for process in daemons::processes(&self.home, daemon) {
                is_stopped &= daemons::end(process)?;
            }
        }
        daemons::clean(&self.home)?;
        say(format_args!("{} Stopped", version()))?;
        // compat: 0 in any case that OSSEC knows; here also something may be left.
        Ok(if is_stopped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn restart(&self) -> Result<ExitCode> {
        if !self.has_good_configuration()? {
            eprintln!("ossec-control: nothing was stopped");
            return Ok(ExitCode::FAILURE);
        }
        if self.stop()? != ExitCode::SUCCESS {
            return Ok(ExitCode::FAILURE);
        }
        say(format_args!("Starting {} (wachter {})...", version(), env!("CARGO_PKG_VERSION")))?;
        self.start_checked()
    }

    fn reload(&self) -> Result<ExitCode> {
        if !self.has_good_configuration()? {
            eprintln!("ossec-control: the old configuration stays in force");
            return Ok(ExitCode::FAILURE);
        }
        match supervised::holder(&self.home)? {
            Some(process) => {
                say(format_args!("Reloading {}...", version()))?;
                supervised::hang_up(&self.home, process)?;
                say("Completed.")?;
                Ok(ExitCode::SUCCESS)
            }
            None => self.start(),
        }
    }

    fn status(&self) -> Result<ExitCode> {
        let order = daemons::stop_order(self.kind);
        let running = self.running(order)?;
        let mut is_complete = true;
        for daemon in order {
            if running.contains(daemon) {
                say(format_args!("{daemon} is running..."))?;
            } else if daemons::is_built(daemon) {
                is_complete = false;
                say(format_args!("{daemon} not running..."))?;
            } else {
                say(format_args!("{daemon} not running (not built yet)..."))?;
            }
        }
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Which of these run. Files of processes that are gone are removed.
    fn running(&self, daemons: &'static [&'static str]) -> Result<Vec<&'static str>> {
        for daemon in daemons {
            for line in daemons::remove_stale(&self.home, daemon) {
                say(line)?;
            }
        }
        let runs = |daemon: &&&str| !daemons::processes(&self.home, daemon).is_empty();
        Ok(daemons.iter().filter(runs).copied().collect())
    }

    /// Whether the configuration can be used. If not, its errors are told.
    fn has_good_configuration(&self) -> Result<bool> {
        let read = match self.kind {
            // It has neither decoders nor rules.
            Kind::Agent => home::lists(&self.home, None).1,
            Kind::Local | Kind::Server => {
                Origin::Home { home: self.home.clone(), conf: None }.read(Depth::Load)
            }
        };
        if !read.has_errors() {
            return Ok(true);
        }
        let is_terminal = io::stderr().is_terminal();
        eprint!("{}", report::render_errors(&read.sources, &read.diagnostics, is_terminal));
        let daemon = if self.kind == Kind::Agent { "ossec-agentd" } else { "ossec-analysisd" };
        say(format_args!("{daemon}: Configuration error. Exiting."))?;
        Ok(false)
    }
}
