//! Puts an installation on this host, or brings one up to date.
//!
//! [`discover`] looks around, [`conf()`] writes an `ossec.conf` for what was found, [`plan()`] says what
//! is missing from OSSEC's tree, [`apply()`] does it. `wachter install` joins them; `wachter run` takes
//! the first two and [`lay_out_plain`].
//!
//! # Invariants
//!
//! * A file of the user is never changed: what differs is told, and lies beside it as `.new`.
//! * Done twice, the second time changes nothing.
//! * A link that another user made is not followed.

mod accounts;
mod apply;
mod bundled;
mod conf;
pub(crate) mod discovery;
pub(crate) mod init_conf;
mod layout;
mod place;
mod plain;
mod plan;
mod programs;
mod service;

use std::fmt;

pub(crate) use apply::apply;
pub(crate) use conf::{ConfOptions, conf, conf_of_files};
pub(crate) use discovery::{Found, discover};
pub(crate) use plain::lay_out_plain;
pub(crate) use plan::{Plan, Request, Step, plan};

/// What an installation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One host that watches itself.
    Local,
    /// A local one that agents report to.
    Server,
    /// It reports to a server.
    Agent,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Local, Self::Server, Self::Agent];

    /// The word for it in `ossec-init.conf` and on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Server => "server",
            Self::Agent => "agent",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
