//! The commands of the configuration, and journalctl, for the collector.
//!
//! A command is asked for by its place in the configuration, which is read here: whoever asks cannot
//! have anything else run. Nobody looks at output here; the reading end goes to who asked.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use config::OssecConf;
use supervisor::counters::{Counter, Counters};
use sys::channel::{Channel, Received};
use sys::process::{has_ended, kill_group, start_program};
use sys::{clock, log};
use wire::note::{NOTE_BYTES_MAX, Note};

use crate::home::Settings;
use crate::roles::{JOURNAL_SINCE, command_hash};

/// Commands at a time; more are refused and come again at their next time.
const RUNNING_MAX: usize = 64;
/// Bytes of a journal cursor.
const CURSOR_BYTES_MAX: usize = 512;

struct Running {
    child: Child,
    /// When it is killed; a follower of the journal never is.
    until: Option<Duration>,
    killed: bool,
    what: String,
}

pub(super) struct Programs {
    requests: Channel,
    conf: OssecConf,
    time_limit: Duration,
    /// By the token of the request.
    running: BTreeMap<u32, Running>,
}

impl Programs {
    pub(super) fn new(requests: Channel, settings: &Settings) -> Self {
        let (conf, time_limit) = (settings.conf.clone(), time_limit(settings));
        Self { requests, conf, time_limit, running: BTreeMap::new() }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.requests
    }

    pub(super) fn replace(&mut self, settings: &Settings) {
        (self.conf, self.time_limit) = (settings.conf.clone(), time_limit(settings));
    }

    /// When a command has had its time.
    pub(super) fn wake(&self) -> Option<Duration> {
        self.running.values().filter_map(|running| running.until).min()
    }

    /// Ends what has had its time, and answers requests.
    pub(super) fn serve(&mut self, counters: &Counters) -> Result<()> {
        self.kill_late(counters);
        while self.serve_one(counters)? {}
        counters.set(Counter::CommandsRunning, self.running.len() as u64);
        Ok(())
    }

    pub(super) fn kill_all(&self) {
        self.running.values().for_each(|running| kill_group(&running.child));
    }

    /// Answers a request, if there is one.
    fn serve_one(&mut self, counters: &Counters) -> Result<bool> {
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
                        let shell = ("/bin/sh", &arguments[..]);
                        self.start(token, shell, until, command.clone(), counters)?;
                    }
                    _ => self.refuse(token, "the configuration has changed", counters)?,
                }
            }
            Ok(Note::ReadJournal { token, cursor }) => {
                self.read_journal(token, &cursor, &[], counters)?
            }
            Ok(Note::FollowJournal { token, cursor }) => {
                // Else journalctl begins with the last ten entries.
                self.read_journal(token, &cursor, &["--follow", "--no-tail"], counters)?;
            }
            Ok(_) | Err(_) => log::error("a request was none and is left out"),
        }
        Ok(true)
    }

    fn read_journal(
        &mut self,
        token: u32,
        cursor: &[u8],
        more: &[&str],
        counters: &Counters,
    ) -> Result<()> {
        // `s=…;i=…;b=…`: letters, digits and three signs, so that it can be nothing else.
        let is_cursor = (1..=CURSOR_BYTES_MAX).contains(&cursor.len())
            && cursor.iter().all(|byte| byte.is_ascii_alphanumeric() || b"=;-".contains(byte));
        let cursor = match str::from_utf8(cursor) {
            Ok(cursor) if is_cursor => cursor,
            _ => return self.refuse(token, "not a journal cursor", counters),
        };
        let start = match cursor.strip_prefix(JOURNAL_SINCE) {
            Some(seconds) => format!("--since=@{seconds}"),
            None => format!("--after-cursor={cursor}"),
        };
        let arguments = [&["--output=export", "--quiet", "--all", &start], more].concat();
        let arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
        let program = ("journalctl", &arguments[..]);
        self.start(token, program, None, "journalctl".to_owned(), counters)
    }

    fn start(
        &mut self,
        token: u32,
        (program, arguments): (&str, &[&OsStr]),
        until: Option<Duration>,
        what: String,
        counters: &Counters,
    ) -> Result<()> {
        if self.running.len() >= RUNNING_MAX {
            return self.refuse(token, "too many commands are running", counters);
        }
        // Whoever asks again under this token has ended since, and does not read the output.
        self.end(token, counters)?;
        let (reading, writing) = std::io::pipe().context("making a pipe")?;
        let child = match start_program(program, arguments, writing.into()) {
            Ok(child) => child,
            Err(error) => {
                return self.refuse(token, &format!("starting {program}: {error}"), counters);
            }
        };
        counters.add(Counter::CommandsRun, 1);
        self.running.insert(token, Running { child, until, killed: false, what });
        let note = Note::Output { token }.write();
        self.requests.send_with(&note, reading.as_fd()).context("handing output on")?;
        Ok(())
    }

    fn refuse(&mut self, token: u32, why: &str, counters: &Counters) -> Result<()> {
        counters.add(Counter::CommandsFailed, 1);
        let note = Note::Failed { token, why: why.as_bytes().to_vec() };
        self.requests.send(&note.write()).context("answering")?;
        Ok(())
    }

    fn kill_late(&mut self, counters: &Counters) {
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
                counters.add(Counter::CommandsKilled, 1);
            }
        }
    }

    /// Takes leave of commands that have ended.
    pub(super) fn reap(&mut self, counters: &Counters) -> Result<()> {
        let mut ended = Vec::new();
        for (&token, running) in &self.running {
            if has_ended(&running.child).context("looking after a command")? {
                ended.push(token);
            }
        }
        for token in ended {
            self.end(token, counters)?;
        }
        Ok(())
    }

    /// Takes leave of a command, which is killed if it has not ended.
    fn end(&mut self, token: u32, counters: &Counters) -> Result<()> {
        let Some(mut running) = self.running.remove(&token) else { return Ok(()) };
        running.killed |= !has_ended(&running.child).context("looking after a command")?;
        // What a command left behind in its group would hold its output open.
        kill_group(&running.child);
        let status = running.child.wait().context("waiting for a command")?;
        if !status.success() && !running.killed {
            counters.add(Counter::CommandsFailed, 1);
            log::warning(format_args!("command `{}` ended with {status}", running.what));
        }
        Ok(())
    }
}

fn time_limit(settings: &Settings) -> Duration {
    Duration::from_secs(u64::from(settings.ours.collect.command_timeout))
}
