//! One executable of the configuration: the action that is built in in its place, or a script.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::actions::{Action, ActionError, Aim, Kind, Options, for_executable};
use crate::jobs::Job;
use crate::order::Cause;
use crate::script::{self, NoScript, Verb};
use crate::target::Target;
use crate::webhook::{self, Webhook, is_webhook};

/// How long it is waited before something is tried again: ever longer, up to this.
const RETRY_MAX: Duration = Duration::from_secs(300);

pub(super) struct Worker {
    /// What it is called in the ledger: several executables may stand for one action.
    pub(super) name: String,
    /// Where a script of the name is or would be, for the log.
    pub(super) path: PathBuf,
    pub(super) how: How,
    /// When to try again, and how long to wait after that.
    retry: Option<(Duration, Duration)>,
}

pub(super) enum How {
    Action {
        kind: &'static Kind,
        action: Option<Box<dyn Action>>,
    },
    /// A program is called for each alert; how it ends says nothing.
    Script,
    /// As a script, but ours.
    Webhook(Webhook),
}

impl Worker {
    /// The one for an executable.
    pub(super) fn new(bin: &Path, executable: &str, options: &Options) -> Result<Self, NoScript> {
        if let Some(webhook) = options.webhook.as_ref().filter(|_| is_webhook(executable)) {
            let (name, path) = (executable.to_owned(), bin.join(executable));
            return Ok(Self { name, path, how: How::Webhook(webhook.clone()), retry: None });
        }
        let script = script::find(bin, executable);
        let first = |kind: &Kind| kind.yields && options.gateway.script_first && script.is_ok();
        let Some(kind) = for_executable(executable).filter(|kind| !first(kind)) else {
            let (name, path) = (executable.to_owned(), script?);
            return Ok(Self { name, path, how: How::Script, retry: None });
        };
        let usual = kind.executables.first().copied().unwrap_or(kind.name);
        let path = bin.join(format!("{usual}.sh"));
        let how = How::Action { kind, action: None };
        Ok(Self { name: kind.name.to_owned(), path, how, retry: None })
    }

    /// As much of a target as it needs; `None` if it lacks that.
    pub(super) fn aim(&self, target: &Target) -> Option<Target> {
        match &self.how {
            How::Script | How::Webhook(_) => Some(target.clone()),
            How::Action { kind, .. } => match kind.aim {
                Aim::Net => target.net.map(Target::address),
                Aim::User => {
                    let user = target.user.clone();
                    user.map(|user| Target { user: Some(user), ..Target::default() })
                }
            },
        }
    }

    pub(super) fn is_script(&self) -> bool {
        matches!(self.how, How::Script | How::Webhook(_))
    }

    /// Whether what it runs is part of this program, or of an action.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.how, How::Script)
    }

    pub(super) fn is_webhook(&self) -> bool {
        matches!(self.how, How::Webhook(_))
    }

    /// The call of a script or a webhook; `None` if there is nothing to call.
    pub(super) fn call(&self, verb: Verb, target: &Target, cause: &Cause) -> Option<Job> {
        match (&self.how, verb) {
            (How::Script, _) => Some(script::job(self.path.clone(), verb, target, cause)),
            (How::Webhook(webhook), Verb::Add) => Some(webhook::job(webhook, target, cause)),
            (How::Webhook(_), Verb::Delete) | (How::Action { .. }, _) => None,
        }
    }

    /// The action, opened if it is not; `None` for a script.
    pub(super) fn action(
        &mut self,
        options: &Options,
    ) -> Result<Option<&mut dyn Action>, ActionError> {
        match &mut self.how {
            How::Script | How::Webhook(_) => Ok(None),
            How::Action { kind, action } => {
                let opened = match action.take() {
                    Some(opened) => opened,
                    None => (kind.open)(options)?,
                };
                Ok(Some(&mut **action.insert(opened)))
            }
        }
    }

    /// The action, if it is open.
    pub(super) fn open_action(&mut self) -> Option<&mut dyn Action> {
        match &mut self.how {
            How::Action { action: Some(action), .. } => Some(&mut **action),
            How::Action { action: None, .. } | How::Script | How::Webhook(_) => None,
        }
    }

    /// Something has failed: it is tried again later.
    pub(super) fn failed(&mut self, now: Duration) {
        let wait = self.retry.map_or(Duration::from_secs(1), |(_, wait)| wait);
        self.retry = Some((now + wait, (wait * 2).min(RETRY_MAX)));
    }

    /// It is being tried; if it ends badly the next time is later still.
    pub(super) fn tried(&mut self, now: Duration) {
        if let Some((at, wait)) = &mut self.retry {
            *at = now + *wait;
        }
    }

    pub(super) fn worked(&mut self) {
        self.retry = None;
    }

    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.retry.map(|(at, _)| at)
    }
}
