//! The policy in force, and a new one in its place while events go on.
//!
//! A new policy is built beside the old one. If its files have errors, nothing changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use engine::{Options, Policy};
use model::{Diagnostic, Sources};

use crate::home::{Depth, Origin, Watched};
use crate::report::{self, Counts};

/// What is said of rules whose replacement is broken.
pub(crate) const KEPT: &str = "the rules in force stay as they are";

/// A policy that can be replaced. Threads take it with [`Live::policy`] and never wait.
pub(crate) struct Live {
    origin: Origin,
    /// What the user of the policy makes of the options in the files.
    options: fn(&Options) -> Options,
    in_force: ArcSwap<Policy>,
    /// The files as they were read last, whatever came of it. Held while they are read.
    watched: Mutex<Watched>,
}

/// What came of a reload.
#[derive(Debug)]
pub(crate) enum Reload {
    Replaced(Findings),
    /// The files have errors.
    KeptOld(Findings),
}

/// What is wrong with files, and the files for excerpts.
#[derive(Debug)]
pub(crate) struct Findings {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

impl Live {
    /// `policy` and `watched` are what was made of `origin`, with `options`.
    pub(crate) fn new(
        origin: Origin,
        options: fn(&Options) -> Options,
        policy: Arc<Policy>,
        watched: Watched,
    ) -> Self {
        let in_force = ArcSwap::new(policy);
        Self { origin, options, in_force, watched: Mutex::new(watched) }
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.in_force.load_full()
    }

    /// Whether any file is not what it was when it was read.
    pub(crate) fn is_outdated(&self) -> bool {
        self.watched().has_changed()
    }

    /// Reads everything anew; if it has no errors it is in force from now on.
    pub(crate) fn reload(&self) -> Reload {
        let mut watched = self.watched();
        let installation = self.origin.read(Depth::Load);
        *watched = installation.watched;
        let findings =
            Findings { sources: installation.sources, diagnostics: installation.diagnostics };
        match installation.policy {
            Some(mut policy) => {
                policy.options = (self.options)(&policy.options);
                self.in_force.store(Arc::new(policy));
                Reload::Replaced(findings)
            }
            None => Reload::KeptOld(findings),
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // What it holds is whole at any time: it is replaced at once.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Findings {
    /// How many there are of each kind.
    pub(crate) fn counts(&self) -> Counts {
        Counts::of(&self.diagnostics)
    }

    /// The errors, as people read them.
    pub(crate) fn errors(&self, is_terminal: bool) -> String {
        report::render_errors(&self.sources, &self.diagnostics, is_terminal)
    }
}
