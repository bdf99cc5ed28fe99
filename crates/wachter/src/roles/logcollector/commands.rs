//! When which command of the configuration runs.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context as _, Result};
use config::sections::{LocalFile, LogFormat};
use sys::channel::{Channel, Sent};
use sys::log;
use wire::note::Note;

use super::streams::Stream;
use crate::roles::command_hash;

/// A request that is not answered in this time is given up.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// The first token for commands; smaller ones are for others.
const FIRST_TOKEN: u32 = 16;

struct Scheduled {
    localfile: u32,
    command: String,
    alias: String,
    whole: bool,
    frequency: Duration,
    due: Duration,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Asked { token: u32, since: Duration },
    Running { token: u32 },
}

/// All commands.
pub(super) struct Commands {
    scheduled: Vec<Scheduled>,
    next_token: u32,
}

impl Commands {
    /// Answers to an earlier run of this process may still come, so each has its own tokens.
    /// compat: the first run is one period after the start.
    pub(super) fn new(localfiles: &[LocalFile], incarnation: u64, now: Duration) -> Self {
        let next_token = FIRST_TOKEN.max(incarnation as u32);
        Self { scheduled: scheduled(localfiles, now), next_token }
    }

    /// Goes by another configuration; commands that stay keep their times.
    pub(super) fn replace(&mut self, localfiles: &[LocalFile], now: Duration) {
        let mut next = scheduled(localfiles, now);
        for entry in &mut next {
            let same = self.scheduled.iter().find(|old| {
                (&old.command, &old.alias, old.whole, old.frequency)
                    == (&entry.command, &entry.alias, entry.whole, entry.frequency)
            });
            if let Some(old) = same {
                (entry.due, entry.state) = (old.due, old.state);
            }
        }
        self.scheduled = next;
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        self.scheduled.iter().map(|entry| entry.due).min()
    }

    /// Asks for the commands that are due.
    pub(super) fn ask(&mut self, now: Duration, channel: &Channel) -> Result<()> {
        for entry in self.scheduled.iter_mut().filter(|entry| entry.due <= now) {
            match entry.state {
                State::Asked { since, .. } if now.saturating_sub(since) < ANSWER_WAIT => {}
                // It has not ended since it was started last; it is not started twice.
                State::Running { .. } => {}
                State::Idle | State::Asked { .. } => {
                    let token = self.next_token;
                    let hash = command_hash(&entry.command);
                    let note = Note::Run { token, localfile: entry.localfile, hash };
                    if channel.send(&note.write()).context("asking for a command")? == Sent::Full {
                        return Ok(());
                    }
                    self.next_token = token.checked_add(1).unwrap_or(FIRST_TOKEN);
                    entry.state = State::Asked { token, since: now };
                }
            }
            entry.due = now + entry.frequency;
        }
        Ok(())
    }

    /// The output of a command that was asked for.
    pub(super) fn started(
        &mut self,
        token: u32,
        output: OwnedFd,
        incarnation: u64,
    ) -> Option<(u32, Stream)> {
        let asked = |entry: &&mut Scheduled| matches!(entry.state, State::Asked { token: asked, .. } if asked == token);
        let entry = self.scheduled.iter_mut().find(asked)?;
        let number = u64::from(token);
        match Stream::command(output, &entry.alias, entry.whole, number, incarnation) {
            Ok(stream) => {
                entry.state = State::Running { token };
                Some((token, stream))
            }
            Err(error) => {
                log::error(format_args!("output of `{}`: {error}", entry.command));
                entry.state = State::Idle;
                None
            }
        }
    }

    pub(super) fn failed(&mut self, token: u32, why: &[u8]) {
        if let Some(entry) = self.of_token(token) {
            entry.state = State::Idle;
            log::error(format_args!(
                "command `{}` was not started: {}",
                entry.command,
                String::from_utf8_lossy(why)
            ));
        }
    }

    pub(super) fn ended(&mut self, token: u32) {
        if let Some(entry) = self.of_token(token) {
            entry.state = State::Idle;
        }
    }

    fn of_token(&mut self, wanted: u32) -> Option<&mut Scheduled> {
        self.scheduled.iter_mut().find(|entry| match entry.state {
            State::Idle => false,
            State::Asked { token, .. } | State::Running { token } => token == wanted,
        })
    }
}

fn scheduled(localfiles: &[LocalFile], now: Duration) -> Vec<Scheduled> {
    let mut scheduled = Vec::new();
    for (index, localfile) in localfiles.iter().enumerate() {
        let whole = match localfile.format {
            LogFormat::Command => false,
            LogFormat::FullCommand => true,
            _ => continue,
        };
        let Some(command) = localfile.command.clone() else { continue };
        let frequency = Duration::from_secs(u64::from(localfile.frequency.max(1)));
        let full = if whole { "full " } else { "" };
        log::info(format_args!(
            "Monitoring {full}output of command({}): {command}",
            localfile.frequency
        ));
        scheduled.push(Scheduled {
            localfile: index as u32,
            alias: localfile.alias.clone().unwrap_or_else(|| command.clone()),
            command,
            whole,
            frequency,
            due: now + frequency,
            state: State::Idle,
        });
    }
    scheduled
}
