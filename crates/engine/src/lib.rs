//! Here is an event: what is the outcome?
//!
//! [`Engine::process`] is the whole brain. It works in two steps that may also be used apart:
//! a [`Screener`] does what depends on the event alone, on as many threads as one likes, and a
//! [`Judge`] does what depends on earlier events, on one thread and in order. A [`Policy`] is what
//! both go by.
//!
//! # Invariants
//!
//! * No input, output, clock, thread or global state. Time is [`model::Event::received`].
//! * The same events in the same order give the same outcomes, however they are batched, on however
//!   many threads they are screened, and wherever a restart from a checkpoint falls between them.
//! * What is remembered is bounded; what has to be forgotten early is counted.
//! * Nothing is allocated for an event once its like has been seen.
//! * No rule uses up another's events (but in strict mode).
//!
//! Start reading at [`Engine::process`], then `screen.rs` and `judge.rs`. Cases: `crates/engine/cases`.

pub mod accumulator;
mod checkpoint;
pub mod explain;
mod first_seen;
mod geoip;
mod history;
pub mod internal;
mod judge;
mod key;
mod outcome;
mod plan;
mod policy;
mod screen;
mod silence;
pub mod statistics;
mod strict;
mod test;

use std::sync::Arc;

use model::{Event, Memory};

pub use checkpoint::BadCheckpoint;
pub use geoip::{GeoIp, NotADatabase};
pub use judge::Judge;
pub use outcome::{Alert, Context, DropReason, FileChange, Matched, Outcome};
pub use policy::{Options, Policy};
pub use screen::{Screened, Screener};

/// Screens and judges on one thread.
pub struct Engine {
    screener: Screener,
    judge: Judge,
}

impl Engine {
    /// `memory` holds what outlives a restart; `seed` keeps hashes from being foreseen.
    pub fn new(policy: Arc<Policy>, memory: Box<dyn Memory>, seed: u64) -> Self {
        Self {
            screener: Screener::new(Arc::clone(&policy)),
            judge: Judge::new(policy, memory, seed),
        }
    }

    /// Says what an event means.
    pub fn process(&mut self, event: Event) -> Outcome {
        let screened = self.screener.screen(event);
        self.judge.judge(screened, &mut self.screener)
    }

    /// An engine that goes on where a checkpoint was taken: see [`Judge::resume`].
    ///
    /// # Errors
    ///
    /// When the bytes are not a checkpoint of this program.
    pub fn resume(
        policy: Arc<Policy>,
        memory: Box<dyn Memory>,
        checkpoint: &[u8],
    ) -> Result<Self, BadCheckpoint> {
        let judge = Judge::resume(Arc::clone(&policy), memory, checkpoint)?;
        Ok(Self { screener: Screener::new(policy), judge })
    }

    /// As [`Self::process`], telling `trace` which decoders and rules were tried.
    pub fn explain(&mut self, event: Event, trace: &mut impl explain::Trace) -> Outcome {
        self.judge.explain(event, &mut self.screener, trace)
    }

    /// Takes back the buffers of an outcome; the event comes back empty, for the next one.
    pub fn reclaim(&mut self, mut outcome: Outcome) -> Event {
        self.judge.reclaim(&mut outcome);
        self.screener.reclaim(outcome)
    }

    /// Hours with unusually many events, found since this was asked last, each with the number of
    /// the alert that tells of it. Ask after each event: the numbers are in order with its alert.
    pub fn take_excesses(&mut self) -> Vec<(u64, statistics::Excess)> {
        self.judge.take_excess_alerts()
    }

    /// Goes by another policy from now on, keeping what is remembered of rules that stay.
    pub fn replace(&mut self, policy: Arc<Policy>) {
        self.screener = Screener::new(Arc::clone(&policy));
        self.judge.replace(policy);
    }

    pub fn policy(&self) -> &Arc<Policy> {
        self.screener.policy()
    }

    pub fn screener(&self) -> &Screener {
        &self.screener
    }

    pub fn judge(&self) -> &Judge {
        &self.judge
    }
}
