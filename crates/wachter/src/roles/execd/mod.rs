//! ossec-execd: acts. The only role that starts programs and changes this host.
//!
//! It runs the commands of the configuration for the collector, and carries out what analysis orders:
//! blocks attackers, in time lifts their blocks, and keeps a ledger of both.

pub(crate) mod control;
mod names;
mod programs;
mod responses;
pub(crate) mod settings;

use std::time::Duration;

use anyhow::Result;
use rustix::event::{PollFd, PollFlags};
use sys::clock;
use sys::sandbox::Layers;
use sys::signals::Signal;

use super::{Context, wait};
use crate::home::Origin;
use programs::Programs;
use responses::Responses;

/// The executables that make an installation read its configuration anew.
const RESTART: [&str; 3] = ["restart-ossec", "restart-ossec.sh", "restart-ossec.cmd"];

/// Whether an executable stands for reading the configuration anew.
pub(crate) fn is_restart(executable: &str) -> bool {
    RESTART.contains(&executable)
}

pub(super) fn run(mut context: Context) -> Result<()> {
    let requests = context.inherit_channel()?;
    let orders = context.inherit_channel()?;
    let settings = Origin::home(&context.home).settings();
    let layers = Layers {
        held_by: vec!["unrestricted: it runs what the configuration says".to_owned()],
        missing: Vec::new(),
    };
    let programs = Programs::new(requests, &settings);
    let mut responses = Responses::new(&context.home, orders, &settings);
    // What was in force before is in force again before anybody is told that all is well.
    responses.serve(&context)?;
    context.ready(&layers)?;
    Execd { context, programs, responses }.serve()
}

struct Execd {
    context: Context,
    programs: Programs,
    responses: Responses,
}

impl Execd {
    fn serve(&mut self) -> Result<()> {
        loop {
            self.wait_for_work()?;
            while let Some(signal) = self.context.signals.next()? {
                match signal {
                    Signal::Terminate => {
                        self.programs.kill_all();
                        self.responses.finish(&self.context);
                        return Ok(());
                    }
                    Signal::Child => self.programs.reap(&self.context.counters)?,
                    Signal::Hangup => {
                        let settings = Origin::home(&self.context.home).settings();
                        self.programs.replace(&settings);
                        self.responses.replace(&settings, &self.context);
                    }
                }
            }
            // Attackers first.
            self.responses.serve(&self.context)?;
            self.programs.serve(&self.context.counters)?;
        }
    }

    fn wait_for_work(&self) -> Result<()> {
        let now = clock::monotonic();
        let due = self.programs.wake().into_iter().fold(self.responses.wake(), Duration::min);
        let mut waited = vec![
            PollFd::new(&self.context.signals, PollFlags::IN),
            PollFd::new(self.programs.channel(), PollFlags::IN),
        ];
        let descriptors = self.responses.descriptors();
        waited.extend(descriptors.map(|it| PollFd::from_borrowed_fd(it, PollFlags::IN)));
        wait(&mut waited, Some(due.saturating_sub(now)))
    }
}
