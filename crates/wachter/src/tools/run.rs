//! `wachter run`: watches this host and shows alerts as they come.

use std::fs::{self, DirBuilder};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use store::JournalReader;
use sys::accounts::Account;
use sys::process;
use sys::signals::{Signal, Signals};

use crate::alert_lines::AlertLines;
use crate::install::{self, ConfOptions, Kind};
use crate::tools::supervise::{Options as Supervised, start_attached};
use crate::{escape, home};

const USAGE: &str = "\
usage: wachter run [options] [FILE...]

Watches this host and shows alerts as they come, until it is interrupted. Without --home it finds the
logs of this host that you may read, and works in a folder of its own that is removed at the end; with
FILEs it watches those instead.

  --home DIR            run this installation in the foreground
  --from-start          read the files from their start, not from where they end now
  --level N             show alerts of this level and above (default 1)
  --json                show them as lines of alerts.json
  --keep                leave the folder where it is, and tell where
";

/// Alerts shown before signals are looked at again.
const RECORDS_IN_A_ROW: usize = 256;

struct Options {
    home: Option<PathBuf>,
    files: Vec<PathBuf>,
    from_start: bool,
    level: u16,
    json: bool,
    keep: bool,
}

pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = parse(arguments)? else {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    // Before anything is started: what is told to stop meanwhile is not lost.
    let signals = Signals::listen().context("listening to signals")?;
    let throw_away = match &options.home {
        Some(_) => None,
        None => Some(ThrowAway::make(&options)?),
    };
    let home = match (&options.home, &throw_away) {
        (Some(home), _) => home.clone(),
        (None, Some(throw_away)) => throw_away.home.clone(),
        (None, None) => home::DEFAULT.into(),
    };
    let dir = home.join(store::journal::DIRECTORY);
    let reader = JournalReader::behind_all(&dir)
        .with_context(|| format!("reading the alert journal {}", dir.display()))?;
    let supervised = Supervised { home: home.clone(), from_start: options.from_start };
    let supervisor = start_attached(&supervised).with_context(|| errors_in(&home))?;
    eprintln!("watching; press Ctrl-C to stop");
    let shown = show(&options, &signals, &dir, reader, supervisor);
    if let (Some(throw_away), true) = (throw_away, options.keep) {
        eprintln!("the installation is {}", throw_away.keep().display());
    }
    shown.map(|()| ExitCode::SUCCESS)
}

fn parse(mut arguments: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        home: None,
        files: Vec::new(),
        from_start: false,
        level: 1,
        json: false,
        keep: false,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("home") | Short('D') => options.home = Some(arguments.value()?.into()),
            Long("from-start") => options.from_start = true,
            Long("level") => options.level = arguments.value()?.parse()?,
            Long("json") => options.json = true,
            Long("keep") => options.keep = true,
            Long("help") | Short('h') => return Ok(None),
            Value(file) => options.files.push(file.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.home.is_some() && !options.files.is_empty() {
        bail!("FILEs and --home do not go together: the installation says what is watched");
    }
    Ok(Some(options))
}

/// What the log of the installation says, where it did not start.
fn errors_in(home: &Path) -> String {
    let log = fs::read(home.join("logs/ossec.log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log).into_owned();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains(" ERROR: ")).collect();
    let last = errors.iter().rev().take(5).rev();
    last.fold("it does not start".to_owned(), |text, line| format!("{text}\n  {line}"))
}

/// Shows alerts until it is interrupted, or the supervisor ends.
fn show(
    options: &Options,
    signals: &Signals,
    dir: &Path,
    mut reader: JournalReader,
    mut supervisor: Child,
) -> Result<()> {
    let notices = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let changes = inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE;
    inotify::add_watch(&notices, dir, changes).context("watching the alert journal")?;
    let mut lines = AlertLines::new(io::stdout().is_terminal());
    let mut out = io::stdout().lock();
    let mut buffer = [0; 4096];
    let mut is_stopping = false;
    loop {
        let mut more = true;
        for _ in 0..RECORDS_IN_A_ROW {
            let record = match reader.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => {
                    more = false;
                    break;
                }
                // The reader goes on behind what it cannot read.
                Err(
                    error @ (store::Error::Damaged { .. }
                    | store::Error::Gone { .. }
                    | store::Error::Ahead { .. }),
                ) => {
                    eprintln!("wachter: alert journal: {error}");
                    continue;
                }
                Err(error) => return Err(error).context("reading the alert journal"),
            };
            let written = if options.json {
                out.write_all(record.line).and_then(|()| out.write_all(b"\n"))
            } else {
                lines.write(record.line, options.level, &mut out)
            };
            if written.is_err() && !is_stopping {
                // Nobody reads any more.
                is_stopping = true;
                process::terminate(&supervisor);
            }
        }
        let _ = out.flush();
        if let Some(status) = supervisor.try_wait()? {
            if is_stopping && status.success() {
                return Ok(());
            }
            bail!("the supervisor ended with {status}");
        }
        let mut waited =
            [PollFd::new(signals, PollFlags::IN), PollFd::new(&notices, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut waited, more.then_some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("waiting for alerts"),
        }
        while let Some(signal) = signals.next()? {
            if signal == Signal::Terminate && !is_stopping {
                is_stopping = true;
                process::terminate(&supervisor);
            }
        }
        while rustix::io::read(notices.as_fd(), &mut buffer).is_ok() {}
    }
}

/// An installation that is removed with this value.
struct ThrowAway {
    home: PathBuf,
    is_kept: bool,
}

impl ThrowAway {
    fn make(options: &Options) -> Result<Self> {
        let name = format!("wachter-{}-{}", rustix::process::getuid().as_raw(), std::process::id());
        let home = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&home)
            .with_context(|| format!("making {}", home.display()))?;
        let throw_away = Self { home, is_kept: false };
        let conf = if options.files.is_empty() {
            let found = install::discover(Path::new("/"));
            tell(&found);
            let conf_options = ConfOptions {
                home: throw_away.home.clone(),
                only_readable: true,
                ..ConfOptions::default()
            };
            install::conf(&found, Kind::Local, &conf_options)
        } else {
            install::conf_of_files(&options.files)?
        };
        install::lay_out_plain(&throw_away.home, &conf)
            .with_context(|| format!("laying out {}", throw_away.home.display()))?;
        share_with_roles(&throw_away.home)?;
        Ok(throw_away)
    }

    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.home.clone()
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = fs::remove_dir_all(&self.home)
        {
            eprintln!("{} cannot be removed: {error}", self.home.display());
        }
    }
}

/// Says which logs were found.
fn tell(found: &install::Found) {
    for log in &found.logs.logs {
        let location = escape::escaped(log.location.as_bytes());
        match log.is_readable {
            true => eprintln!("  {location} ({})", log.format),
            false => eprintln!("  {location}: you may not read it"),
        }
    }
    if found.logs.journal {
        eprintln!("  journal of systemd");
    }
}

/// Started as root, roles become OSSEC's users where there are some: the folder is theirs then.
fn share_with_roles(home: &Path) -> Result<()> {
    let account = Account::of("ossec", Some(supervisor::roles::GROUP));
    let (true, Ok(account)) = (rustix::process::geteuid().is_root(), account) else {
        return Ok(());
    };
    let mut open = vec![home.to_owned()];
    while let Some(path) = open.pop() {
        let is_dir = path.is_dir();
        std::os::unix::fs::chown(&path, Some(account.uid), Some(account.gid))?;
        let mode = if is_dir { 0o770 } else { 0o660 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        if is_dir {
            open.extend(fs::read_dir(&path)?.flatten().map(|entry| entry.path()));
        }
    }
    Ok(())
}
