//! What can be done about somebody without a script. An action is chosen by the name of the
//! executable, so that a configuration made for OSSEC gains it.
//!
//! To add one, see docs/add-a-response-action.md.

mod disable_account;
mod firewall_drop;
mod firewalld;
mod gateway;
mod host_deny;
mod nftables_sets;
mod route_null;
mod table;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::gate::Gateway;
use crate::jobs::Job;
use crate::target::Target;
use crate::webhook::Webhook;

pub use gateway::open as open_gateway;
pub use nftables_sets::{Family, Sets};

/// A kind of action.
pub struct Kind {
    /// What people call it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The executables it stands for, with or without `.sh`.
    pub executables: &'static [&'static str],
    /// What of a target it needs.
    pub aim: Aim,
    /// A script of the name that the user has put into `active-response/bin` comes first, unless
    /// the settings say otherwise: OSSEC has none of that name.
    pub yields: bool,
    pub open: fn(&Options) -> Result<Box<dyn Action>, ActionError>,
}

#[rustfmt::skip]
pub const ALL: &[&Kind] = &[
    &firewall_drop::KIND,
    &gateway::KIND,
    &nftables_sets::KIND,
    &firewalld::KIND,
    &host_deny::KIND,
    &route_null::KIND,
    &disable_account::KIND,
];

/// What an action acts against. Everything else of a target is left aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    Net,
    User,
}

/// How the actions do it on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether `firewall-drop` is done by iptables, nftables or not.
    pub iptables: bool,
    pub gateway: Gateway,
    pub sets: Sets,
    pub hosts_deny: PathBuf,
    pub passwd: PathBuf,
    /// Where alerts are told of; not an action, as nothing is to be undone.
    pub webhook: Option<Webhook>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            iptables: false,
            gateway: Gateway::default(),
            sets: Sets::default(),
            hosts_deny: PathBuf::from("/etc/hosts.deny"),
            passwd: PathBuf::from("/etc/passwd"),
            webhook: None,
        }
    }
}

/// An action, ready for work.
///
/// What is put twice is there once; taking what is not there is no error.
pub trait Action {
    /// Makes what it needs: tables, sets, rules. It may have been there, or been there in part. Without
    /// anything to make there is nothing to write.
    fn prepare(&mut self) -> Result<Work, ActionError> {
        Ok(Work::Done)
    }

    /// Puts targets where they are kept away, or makes their time begin anew.
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError>;

    /// Takes targets away again.
    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError>;

    /// What is in force, where one can ask.
    fn list(&mut self) -> Result<List, ActionError> {
        Ok(List::Unknown)
    }

    /// Whether what [`Self::prepare`] made is still there: others may clear a firewall.
    fn is_whole(&mut self) -> Result<bool, ActionError> {
        Ok(true)
    }

    /// Why it cannot act against a target; `None` if it can.
    fn refuses(&self, _target: &Target) -> Option<&'static str> {
        None
    }
}

/// A target, and for how long; for ever, if nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub target: Target,
    pub left: Option<Duration>,
}

/// Whether it is done.
#[derive(Debug, PartialEq, Eq)]
pub enum Work {
    Done,
    /// By these programs, one after the other.
    Run(Vec<Job>),
}

/// What is in force.
#[derive(Debug, PartialEq, Eq)]
pub enum List {
    /// This cannot be asked.
    Unknown,
    /// In a place of our own: what we did not put there is to be taken away.
    Ours(Vec<Want>),
    /// In a place that others use too.
    Shared(Vec<Want>),
}

/// Why an action is not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
    #[error("{0}")]
    Unavailable(String),
}

impl ActionError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// The action that stands for an executable.
pub fn for_executable(executable: &str) -> Option<&'static Kind> {
    let name = executable.strip_suffix(".sh").unwrap_or(executable);
    ALL.iter().copied().find(|kind| kind.executables.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_told_apart() {
        let mut seen = HashSet::new();
        for kind in ALL {
            assert!(seen.insert(kind.name), "{}", kind.name);
            assert!(kind.about.len() < 100 && !kind.executables.is_empty(), "{}", kind.name);
            for executable in kind.executables {
                assert!(seen.insert(executable) || *executable == kind.name, "{executable}");
                let found = for_executable(&format!("{executable}.sh")).unwrap();
                assert_eq!(found.name, kind.name);
            }
        }
        assert!(for_executable("restart-ossec.sh").is_none());
        assert!(for_executable(".sh").is_none());
    }
}
