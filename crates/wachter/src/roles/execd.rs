//! ossec-execd: runs the commands of the configuration. The only role that starts programs.
//!
//! It is asked for a command by its place in the configuration, which it reads itself: whoever asks
//! cannot have anything else run. It does not look at output; the reading end goes to who asked.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use config::OssecConf;
use rustix::event::{PollFd, PollFlags};
use supervisor::counters::Counter;
use sys::channel::{Channel, Received};
use sys::process::{has_ended, kill_group, start_program};
use sys::sandbox::Layers;
use sys::signals::Signal;
use sys::{clock, log};
use wire::note::{NOTE_BYTES_MAX, Note};

use super::{Context, wait};
use crate::home::{Origin, Settings};
use crate::roles::{JOURNAL_SINCE, command_hash};

/// Commands at a time; more are refused and come again at their next time.
const RUNNING_MAX: usize = 64;
/// Bytes of a journal cursor.
const CURSOR_BYTES_MAX: usize = 512;

pub(super) fn run(mut context: Context) -> Result<()> {
    let requests = context.inherit_channel()?;
    let settings = Origin::home(&context.home).settings();
    let layers = Layers {
        held_by: vec!["unrestricted: it runs what the configuration says".to_owned()],
        missing: Vec::new(),
    };
    context.ready(&layers)?;
    let mut role = Execd {
        requests,
        time_limit: time_limit(&settings),
        conf: settings.conf,
        running: BTreeMap::new(),
        context,
    };
    role.serve()
}

struct Running {
    child: Child,
    /// When it is killed; a follower of the journal never is.
    until: Option<Duration>,
    killed: bool,
    what: String,
}

struct Execd {
    context: Context,
    requests: Channel,
    conf: OssecConf,
    time_limit: Duration,
    /// By the token of the request.
    running: BTreeMap<u32, Running>,
}

impl Execd {
    fn serve(&mut self) -> Result<()> {
        loop {
            let now = clock::monotonic();
            let next = self.running.values().filter_map(|running| running.until).min();
            let mut waited = [
                PollFd::new(&self.context.signals, PollFlags::IN),
                PollFd::new(&self.requests, PollFlags::IN),
            ];
            wait(&mut waited, next.map(|next| next.saturating_sub(now)))?;
            while let Some(signal) = self.context.signals.next()? {
                match signal {
                    Signal::Terminate => {
                        self.running.values().for_each(|running| kill_group(&running.child));
                        return Ok(());
                    }
                    Signal::Child => self.reap()?,
                    Signal::Hangup => self.reload(),
                }
            }
            self.kill_late();
            while self.serve_one()? {}
            self.count();
        }
    }

    fn reload(&mut self) {
        let settings = Origin::home(&self.context.home).settings();
        self.time_limit = time_limit(&settings);
        self.conf = settings.conf;
    }

    /// Answers a request, if there is one.
    fn serve_one(&mut self) -> Result<bool> {
        let mut buffer = [0; NOTE_BYTES_MAX];
        let bytes = match self.requests.receive(&mut buffer).context("receiving a request")? {
            Received::Packet { bytes, .. } => bytes,
            Received::Nothing => return Ok(false),
            Received::Closed => bail!("the supervisor has gone"),
        };
        let packet = buffer.get(..bytes).unwrap_or_default();
        match Note::parse(packet) {
            Ok(Note::Run { token, localfile, hash }) => {
                match self.conf.localfiles.get(localfile as usize).and_then(|it| it.command.clone())
                {
                    Some(command) if command_hash(&command) == hash => {
                        let arguments = [OsStr::new("-c"), OsStr::new(&command)];
                        let until = Some(clock::monotonic() + self.time_limit);
                        self.start(token, "/bin/sh", &arguments, until, command.clone())?;
                    }
                    _ => self.refuse(token, "the configuration has changed")?,
                }
            }
            Ok(Note::ReadJournal { token, cursor }) => self.read_journal(token, &cursor, &[])?,
            Ok(Note::FollowJournal { token, cursor }) => {
                // Else journalctl begins with the last ten entries.
                self.read_journal(token, &cursor, &["--follow", "--no-tail"])?;
            }
            Ok(_) | Err(_) => log::error("a request was none and is left out"),
        }
        Ok(true)
    }

    fn read_journal(&mut self, token: u32, cursor: &[u8], more: &[&str]) -> Result<()> {
        // `s=…;i=…;b=…`: letters, digits and three signs, so that it can be nothing else.
        let is_cursor = (1..=CURSOR_BYTES_MAX).contains(&cursor.len())
            && cursor.iter().all(|byte| byte.is_ascii_alphanumeric() || b"=;-".contains(byte));
        let cursor = match str::from_utf8(cursor) {
            Ok(cursor) if is_cursor => cursor,
            _ => return self.refuse(token, "not a journal cursor"),
        };
        let start = match cursor.strip_prefix(JOURNAL_SINCE) {
            Some(seconds) => format!("--since=@{seconds}"),
            None => format!("--after-cursor={cursor}"),
        };
        let arguments = [&["--output=export", "--quiet", "--all", &start], more].concat();
        let arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
        self.start(token, "journalctl", &arguments, None, "journalctl".to_owned())
    }

    fn start(
        &mut self,
        token: u32,
        program: &str,
        arguments: &[&OsStr],
        until: Option<Duration>,
        what: String,
    ) -> Result<()> {
        if self.running.len() >= RUNNING_MAX {
            return self.refuse(token, "too many commands are running");
        }
        // Whoever asks again under this token has ended since, and does not read the output.
        self.end(token)?;
        let (reading, writing) = std::io::pipe().context("making a pipe")?;
        let child = match start_program(program, arguments, writing.into()) {
            Ok(child) => child,
            Err(error) => return self.refuse(token, &format!("starting {program}: {error}")),
        };
        self.context.counters.add(Counter::CommandsRun, 1);
        self.running.insert(token, Running { child, until, killed: false, what });
        let note = Note::Output { token }.write();
        self.requests.send_with(&note, reading.as_fd()).context("handing output on")?;
        Ok(())
    }

    fn refuse(&mut self, token: u32, why: &str) -> Result<()> {
        self.context.counters.add(Counter::CommandsFailed, 1);
        let note = Note::Failed { token, why: why.as_bytes().to_vec() };
        self.requests.send(&note.write()).context("answering")?;
        Ok(())
    }

    fn kill_late(&mut self) {
        let now = clock::monotonic();
        for running in self.running.values_mut() {
            if running.until.is_some_and(|until| until <= now) {
                log::warning(format_args!(
                    "command `{}` takes longer than {} s and is killed",
                    running.what,
                    self.time_limit.as_secs()
                ));
                kill_group(&running.child);
                running.until = None;
                running.killed = true;
                self.context.counters.add(Counter::CommandsKilled, 1);
            }
        }
    }

    fn reap(&mut self) -> Result<()> {
        let mut ended = Vec::new();
        for (&token, running) in &self.running {
            if has_ended(&running.child).context("looking after a command")? {
                ended.push(token);
            }
        }
        for token in ended {
            self.end(token)?;
        }
        Ok(())
    }

    /// Takes leave of a command, which is killed if it has not ended.
    fn end(&mut self, token: u32) -> Result<()> {
        let Some(mut running) = self.running.remove(&token) else { return Ok(()) };
        running.killed |= !has_ended(&running.child).context("looking after a command")?;
        // What a command left behind in its group would hold its output open.
        kill_group(&running.child);
        let status = running.child.wait().context("waiting for a command")?;
        if !status.success() && !running.killed {
            self.context.counters.add(Counter::CommandsFailed, 1);
            log::warning(format_args!("command `{}` ended with {status}", running.what));
        }
        Ok(())
    }

    fn count(&self) {
        self.context.counters.set(Counter::CommandsRunning, self.running.len() as u64);
    }
}

fn time_limit(settings: &Settings) -> Duration {
    Duration::from_secs(u64::from(settings.ours.collect.command_timeout))
}
