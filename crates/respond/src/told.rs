//! What a responder has to say: to the log, to counters, as alerts.

use std::fmt;

use crate::actions::ActionError;
use crate::blocks::{Block, By};
use crate::decide::{Reason, Refusal};
use crate::jobs::escaped;
use crate::script::NoScript;
use crate::target::Target;

/// Something to tell.
#[derive(Debug)]
pub enum Told {
    Blocked(Box<Block>),
    Lifted(Box<Block>),
    /// It was to be done, but for the settings.
    DryRun {
        command: String,
        target: Target,
        rule: u32,
    },
    /// It is not done, and will not be.
    Refused(Refusal),
    /// The action cannot do it.
    Impossible {
        executable: String,
        target: Target,
        why: &'static str,
    },
    /// It is not done, and is tried again.
    Failed {
        executable: String,
        error: ActionError,
    },
    /// A program has failed.
    ProgramFailed {
        executable: String,
        /// It is one of ours, which must not; how scripts of the user's end says nothing.
        is_ours: bool,
        why: String,
    },
    NoScript(NoScript),
    /// Others have cleared what an action had made; it is made again.
    Repaired {
        executable: String,
    },
    /// So many have come over the limit of new blocks a minute. This is an alert.
    OverLimit(u64),
    /// So many calls of scripts and webhooks have come over their limit.
    CallsOverLimit(u64),
    /// The ledger cannot be opened, and nobody is blocked; or written, and they are all the same.
    Ledger(std::io::Error),
    /// Lines of the ledger that could not be read.
    Damaged(usize),
    /// More than can be told.
    More(usize),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(block) => {
                let Block { key, command, until, since, .. } = &**block;
                if key.once.is_some() {
                    let rule = block.cause.rule;
                    return write!(f, "{command} was run for {}, by rule {rule}", key.target);
                }
                write!(f, "{command}: {} is blocked ", key.target)?;
                match until {
                    Some(until) => write!(f, "for {} s", until.saturating_sub(*since))?,
                    None => f.write_str("until it is lifted")?,
                }
                match &block.by {
                    By::Rule => write!(f, ", by rule {}", block.cause.rule),
                    By::Person(reason) => write!(f, ": {}", escaped(reason.as_bytes())),
                }
            }
            Self::Lifted(block) => {
                write!(f, "{}: {} is not blocked any more", block.command, block.key.target)
            }
            Self::DryRun { command, target, rule } => {
                write!(f, "{command}: {target} would be blocked, by rule {rule}")
            }
            Self::Refused(Refusal { command, why, text }) => {
                write!(f, "{command}: `{}` is not blocked: {why}", escaped(text))
            }
            Self::Impossible { executable, target, why } => {
                write!(f, "{executable}: {target} is not blocked: {why}")
            }
            Self::Failed { executable, error } => write!(f, "{executable} is tried again: {error}"),
            Self::ProgramFailed { executable, why, .. } => write!(f, "{executable}: {why}"),
            Self::NoScript(error) => error.fmt(f),
            Self::Repaired { executable } => {
                write!(
                    f,
                    "{executable}: its rules or sets were removed by others and are made again"
                )
            }
            Self::OverLimit(count) => {
                write!(
                    f,
                    "{count} more attackers than may be blocked in a minute: only the worst are"
                )
            }
            Self::CallsOverLimit(count) => {
                write!(f, "{count} more calls of scripts and webhooks than may be made in a minute")
            }
            Self::Ledger(error) => write!(f, "the ledger of blocks: {error}"),
            Self::Damaged(lines) => write!(f, "{lines} lines of the ledger of blocks are damaged"),
            Self::More(count) => write!(f, "{count} more messages on responses are left out"),
        }
    }
}

impl Told {
    /// Whether people must look: it is no more than a line in a log otherwise.
    pub fn is_alert(&self) -> bool {
        match self {
            Self::OverLimit(_)
            | Self::CallsOverLimit(_)
            | Self::Repaired { .. }
            | Self::Ledger(_)
            | Self::Damaged(_)
            | Self::Failed { .. } => true,
            Self::ProgramFailed { is_ours, .. } => *is_ours,
            Self::Blocked(_)
            | Self::Lifted(_)
            | Self::DryRun { .. }
            | Self::Refused(_)
            | Self::Impossible { .. }
            | Self::NoScript(_)
            | Self::More(_) => false,
        }
    }

    /// What was refused because of the text itself.
    pub(crate) fn refused(command: &str, target: &Target, why: Reason) -> Self {
        let text = target.to_string().into_bytes();
        Self::Refused(Refusal { command: command.to_owned(), why, text })
    }
}
