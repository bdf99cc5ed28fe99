//! From what the ledger says to what is in force: by actions and programs, and back when they fail.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::worker::Worker;
use super::{Now, Responder};
use crate::actions::{ActionError, List, Want, Work};
use crate::blocks::{Block, Key, State};
use crate::jobs::{Ended, Job};
use crate::script::Verb;
use crate::target::Target;
use crate::told::Told;

/// How far two ideas of an end may be apart: seconds are cut, and work takes time.
const END_TOLERANCE: Duration = Duration::from_secs(10);

/// What programs at work are for.
#[derive(Debug)]
pub(crate) enum Task {
    Add(String, Vec<Key>),
    Delete(String, Vec<Key>),
    Prepare(String),
}

/// What an action is to do, so that what is in force is what is wanted.
#[derive(Debug, Default)]
struct Difference {
    put: Vec<Key>,
    /// They are in force as they should be.
    held: Vec<Key>,
    take: Vec<Key>,
    /// In force, and nobody wants them.
    foreign: Vec<Target>,
}

impl Responder {
    /// Does what is wanted.
    pub(super) fn put(&mut self, executable: &str, keys: Vec<Key>, now: Now) {
        let Some(worker) = self.named(executable) else { return self.drop_all(&keys) };
        if worker.is_script() {
            return keys.into_iter().for_each(|key| self.call(Verb::Add, key, now));
        }
        if self.jobs.is_busy(executable) {
            return self.defer(executable);
        }
        if let Err(error) = self.try_put(executable, keys, now) {
            // Perhaps others have cleared its tables: all is made again, once.
            self.has_started = false;
            let repaired = self.try_reconcile(executable, now);
            self.outcome(executable, repaired.map_err(|_| error), now);
        }
    }

    /// The worker that has a name. What a script did that is gone can only be forgotten.
    fn named(&mut self, name: &str) -> Option<&mut Worker> {
        self.worker(name).filter(|worker| worker.name == name)
    }

    /// Undoes what is to be undone.
    pub(super) fn take(&mut self, executable: &str, keys: Vec<Key>, now: Now) {
        let Some(worker) = self.named(executable) else { return self.drop_all(&keys) };
        if worker.is_script() {
            return keys.into_iter().for_each(|key| self.call(Verb::Delete, key, now));
        }
        if self.jobs.is_busy(executable) {
            return self.defer(executable);
        }
        if let Err(error) = self.try_take(executable, keys, now) {
            self.has_started = false;
            let repaired = self.try_reconcile(executable, now);
            self.outcome(executable, repaired.map_err(|_| error), now);
        }
    }

    /// Makes what is in force be what is wanted.
    pub(super) fn reconcile(&mut self, executable: &str, now: Now) {
        if self.named(executable).is_none() {
            let of_it = self.blocks.current().filter(|block| block.key.executable == executable);
            let keys: Vec<Key> = of_it.map(|block| block.key.clone()).collect();
            return self.drop_all(&keys);
        }
        if self.jobs.is_busy(executable) {
            // Once what runs has ended.
            if let Some(worker) = self.workers.get_mut(executable) {
                worker.tried(now.monotonic);
            }
            return;
        }
        self.has_started = false;
        let done = self.try_reconcile(executable, now);
        self.outcome(executable, done, now);
    }

    /// Looks whether the actions' tables and sets are still there.
    pub(super) fn check(&mut self, now: Now) {
        let looked: Vec<(String, Result<bool, ActionError>)> = self
            .workers
            .iter_mut()
            .filter_map(|(executable, worker)| {
                Some((executable.clone(), worker.open_action()?.is_whole()))
            })
            .collect();
        for (executable, is_whole) in looked {
            match is_whole {
                Ok(true) => {}
                Ok(false) => {
                    self.tell(Told::Repaired { executable: executable.clone() });
                    self.reconcile(&executable, now);
                }
                Err(error) => self.outcome(&executable, Err(error), now),
            }
        }
    }

    /// Compares what is in force with the ledger, where that can be asked.
    pub(super) fn compare(&mut self, now: Now) {
        let asked = |worker: &mut Worker| {
            worker.open_action().is_some_and(|it| !matches!(it.list(), Ok(List::Unknown)))
        };
        let names =
            self.workers.iter_mut().filter_map(|(name, it)| asked(it).then(|| name.clone()));
        for executable in names.collect::<Vec<_>>() {
            self.reconcile(&executable, now);
        }
    }

    /// Tries again what has failed.
    pub(super) fn retry(&mut self, now: Now) {
        let is_due = |worker: &Worker| worker.retry_at().is_some_and(|at| at <= now.monotonic);
        let due = self.workers.iter().filter(|(_, worker)| is_due(worker));
        for executable in due.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.reconcile(&executable, now);
        }
    }

    /// Programs have ended.
    pub(super) fn ended(&mut self, ended: Ended<Task>, now: Now) {
        let Ended { tag, failed, output } = ended;
        let (Task::Add(executable, _) | Task::Delete(executable, _) | Task::Prepare(executable)) =
            &tag;
        let executable = executable.clone();
        if let Some(worker) = self.workers.get(&executable) {
            // A gate says `ok` to each line that it has done.
            let lines = output.iter().filter(|line| worker.is_script() || *line != "ok");
            lines.for_each(|line| self.log.said(now.wall, &worker.path, line));
        }
        let is_script = self.workers.get(&executable).is_none_or(Worker::is_script);
        let has_failed = failed.is_some();
        match &tag {
            Task::Add(_, keys) if is_script => self.no_longer(Verb::Add, keys),
            Task::Delete(_, keys) if is_script => self.no_longer(Verb::Delete, keys),
            Task::Add(..) | Task::Delete(..) | Task::Prepare(_) => {}
        }
        if let Some(why) = failed {
            let is_ours = self.workers.get(&executable).is_some_and(Worker::is_ours);
            self.tell(Told::ProgramFailed { executable: executable.clone(), is_ours, why });
        }
        // compat: how a script ends says nothing about what it did.
        if has_failed && !is_script {
            if let Some(worker) = self.workers.get_mut(&executable) {
                worker.failed(now.monotonic);
            }
            // Should something else of it work before, this is done then.
            self.deferred.insert(executable);
            return;
        }
        match tag {
            Task::Add(_, keys) => self.held(&keys, !is_script, now),
            Task::Delete(_, keys) => self.undone(&keys, !is_script, now),
            Task::Prepare(_) => {}
        }
        if let Some(worker) = self.workers.get_mut(&executable).filter(|_| !is_script) {
            worker.worked();
        }
        if !self.jobs.is_busy(&executable) && self.deferred.remove(&executable) {
            self.go_on(&executable, now);
        }
    }

    fn no_longer(&mut self, verb: Verb, keys: &[Key]) {
        for key in keys {
            self.under_way.remove(&(verb, key.clone()));
        }
    }

    /// Does all that came while an action's programs ran, in one go.
    fn go_on(&mut self, executable: &str, now: Now) {
        let of_it = self.blocks.current().filter(|block| block.key.executable == executable);
        let (mut put, mut take) = (Vec::new(), Vec::new());
        for block in of_it {
            match block.state {
                State::Wanted => put.push(block.key.clone()),
                State::Lifting => take.push(block.key.clone()),
                State::Held | State::Past => {}
            }
        }
        self.take(executable, take, now);
        self.put(executable, sorted(put), now);
    }

    fn try_put(&mut self, executable: &str, keys: Vec<Key>, now: Now) -> Result<(), ActionError> {
        let (wants, keys) = self.wants(executable, keys, now)?;
        let Some(action) = self.action(executable)? else { return Ok(()) };
        if keys.is_empty() {
            return Ok(());
        }
        match action.put(&wants)? {
            Work::Done => self.held(&keys, true, now),
            Work::Run(jobs) => {
                self.run(Task::Add(executable.to_owned(), keys), executable, jobs, now)
            }
        }
        Ok(())
    }

    /// A program for each attacker would queue up behind one that is slow, as a gateway that is away.
    fn defer(&mut self, executable: &str) {
        self.deferred.insert(executable.to_owned());
    }

    fn try_take(&mut self, executable: &str, keys: Vec<Key>, now: Now) -> Result<(), ActionError> {
        let Some(action) = self.action(executable)? else { return Ok(()) };
        let targets: Vec<Target> = keys.iter().map(|key| key.target.clone()).collect();
        if targets.is_empty() {
            return Ok(());
        }
        match action.take(&targets)? {
            Work::Done => self.undone(&keys, true, now),
            Work::Run(jobs) => {
                self.run(Task::Delete(executable.to_owned(), keys), executable, jobs, now)
            }
        }
        Ok(())
    }

    fn try_reconcile(&mut self, executable: &str, now: Now) -> Result<(), ActionError> {
        let list = match self.action(executable)? {
            None => List::Unknown,
            Some(action) => {
                let work = action.prepare()?;
                let list = action.list()?;
                if let Work::Run(jobs) = work {
                    self.run(Task::Prepare(executable.to_owned()), executable, jobs, now);
                }
                list
            }
        };
        let is_script = self.workers.get(executable).is_some_and(Worker::is_script);
        let of_it = self.blocks.current().filter(|block| block.key.executable == executable);
        let Difference { put, held, take, foreign } = match list {
            List::Ours(wants) => differ(of_it, wants, true, now),
            List::Shared(wants) => differ(of_it, wants, false, now),
            List::Unknown => blind(of_it, is_script),
        };
        let put = sorted(put);
        // What is in force and still wanted was done just before the process ended.
        self.held(&held, true, now);
        if is_script {
            self.put(executable, put, now);
            self.take(executable, take, now);
            return Ok(());
        }
        if !foreign.is_empty()
            && let Some(action) = self.action(executable)?
        {
            action.take(&foreign)?;
        }
        self.try_take(executable, take, now)?;
        self.try_put(executable, put, now)
    }

    /// What an action is asked for, without what it cannot do: that is told and forgotten.
    fn wants(
        &mut self,
        executable: &str,
        keys: Vec<Key>,
        now: Now,
    ) -> Result<(Vec<Want>, Vec<Key>), ActionError> {
        let mut wants = Vec::with_capacity(keys.len());
        let mut fitting = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(action) = self.action(executable)? else { break };
            if let Some(why) = action.refuses(&key.target) {
                let (executable, target) = (executable.to_owned(), key.target.clone());
                self.tell(Told::Impossible { executable, target, why });
                self.drop_all(&[key]);
                continue;
            }
            let Some(block) = self.blocks.get(&key) else { continue };
            let left = block.left(now.wall.seconds).map(|left| Duration::from_secs(left.max(1)));
            wants.push(Want { target: key.target.clone(), left });
            fitting.push(key);
        }
        Ok((wants, fitting))
    }

    fn action(
        &mut self,
        executable: &str,
    ) -> Result<Option<&mut dyn crate::actions::Action>, ActionError> {
        match self.workers.get_mut(executable) {
            Some(worker) => worker.action(&self.settings.actions),
            None => Ok(None),
        }
    }

    /// Calls a script.
    fn call(&mut self, verb: Verb, key: Key, now: Now) {
        let Some(block) = self.blocks.get(&key) else { return };
        let worker = self.workers.get(&key.executable);
        let Some(job) = worker.and_then(|it| it.call(verb, &key.target, &block.cause)) else {
            return self.undone(&[key], false, now);
        };
        // What a reload asks for may be under way.
        if !self.under_way.insert((verb, key.clone())) {
            return;
        }
        let executable = key.executable.clone();
        let lane = format!("{executable} {}", key.target);
        let task = match verb {
            Verb::Add => Task::Add(executable, vec![key]),
            Verb::Delete => Task::Delete(executable, vec![key]),
        };
        self.run(task, &lane, vec![job], now);
    }

    fn run(&mut self, task: Task, lane: &str, jobs: Vec<Job>, now: Now) {
        self.has_started = true;
        let (Task::Add(executable, _) | Task::Delete(executable, _) | Task::Prepare(executable)) =
            &task;
        let executable = executable.clone();
        let is_webhook = self.workers.get(&executable).is_some_and(Worker::is_webhook);
        let to = if is_webhook { &mut self.messages } else { &mut self.jobs };
        let Err(task) = to.push(lane.to_owned(), task, jobs) else { return };
        let why = "too many programs wait".to_owned();
        self.tell(Told::ProgramFailed { executable: executable.clone(), is_ours: true, why });
        let keys = match task {
            Task::Add(_, keys) => {
                self.no_longer(Verb::Add, &keys);
                keys
            }
            Task::Delete(_, keys) => {
                self.no_longer(Verb::Delete, &keys);
                keys
            }
            Task::Prepare(_) => Vec::new(),
        };
        // What is done once is let go; the rest is tried again.
        let once: Vec<Key> = keys.into_iter().filter(|key| key.once.is_some()).collect();
        self.drop_all(&once);
        if let Some(worker) = self.workers.get_mut(&executable) {
            worker.failed(now.monotonic);
        }
    }

    /// It is done; `anew` if we did it now, and nobody else has said so.
    fn held(&mut self, keys: &[Key], anew: bool, now: Now) {
        for key in keys {
            let Some(block) = self.blocks.get(key) else { continue };
            if block.state != State::Wanted {
                continue;
            }
            let block = Box::new(block.clone());
            if anew && let Some(worker) = self.workers.get(&key.executable) {
                self.log.did(now.wall, &worker.path, Verb::Add, &key.target, &block.cause);
            }
            if key.once.is_some() {
                self.drop_all(std::slice::from_ref(key));
            } else {
                self.blocks.held(key);
                self.ledger.step(key, State::Held);
            }
            self.tell(Told::Blocked(block));
        }
    }

    /// It is undone.
    fn undone(&mut self, keys: &[Key], anew: bool, now: Now) {
        for key in keys {
            let Some(block) = self.blocks.get(key).filter(|it| it.state == State::Lifting) else {
                continue;
            };
            let block = Box::new(block.clone());
            if anew && let Some(worker) = self.workers.get(&key.executable) {
                self.log.did(now.wall, &worker.path, Verb::Delete, &key.target, &block.cause);
            }
            self.blocks.undone(key, now.wall.seconds);
            match self.blocks.get(key) {
                Some(_) => self.ledger.step(key, State::Past),
                None => self.ledger.forget(key),
            }
            self.tell(Told::Lifted(block));
        }
    }

    /// Blocks that nobody can make or lift any more.
    fn drop_all(&mut self, keys: &[Key]) {
        for key in keys {
            if self.blocks.forget(key).is_some() {
                self.ledger.forget(key);
            }
        }
    }

    /// Notes whether an action has worked; if not, it is tried again later.
    fn outcome(&mut self, executable: &str, done: Result<(), ActionError>, now: Now) {
        let has_started = std::mem::take(&mut self.has_started);
        let Some(worker) = self.workers.get_mut(executable) else { return };
        match done {
            // Programs have to end well first.
            Ok(()) if has_started => worker.tried(now.monotonic),
            Ok(()) => worker.worked(),
            Err(error) => {
                worker.failed(now.monotonic);
                self.tell(Told::Failed { executable: executable.to_owned(), error });
            }
        }
    }
}

/// The same order each time: what one start does, the next does too.
fn sorted(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys
}

/// What is wanted, against what is in force.
fn differ<'a>(
    blocks: impl Iterator<Item = &'a Block>,
    in_force: Vec<Want>,
    ours: bool,
    now: Now,
) -> Difference {
    let mut difference = Difference::default();
    let found: HashMap<Target, Option<Duration>> =
        in_force.into_iter().map(|want| (want.target, want.left)).collect();
    let mut wanted: HashSet<&Target> = HashSet::new();
    for block in blocks {
        wanted.insert(&block.key.target);
        let key = block.key.clone();
        let left = block.left(now.wall.seconds).map(Duration::from_secs);
        match (block.state.is_active(), found.get(&key.target)) {
            (false, _) => difference.take.push(key),
            (true, Some(found)) if is_near(*found, left, ours) => difference.held.push(key),
            (true, _) => difference.put.push(key),
        }
    }
    if ours {
        difference.foreign = found.into_keys().filter(|it| !wanted.contains(it)).collect();
    }
    difference
}

/// Whether an end is as it should be. Sets of others may be without timeouts; then we take things
/// out of them.
fn is_near(found: Option<Duration>, wanted: Option<Duration>, ours: bool) -> bool {
    match (found, wanted) {
        (Some(found), Some(wanted)) => found.abs_diff(wanted) <= END_TOLERANCE,
        (None, None) => true,
        (None, Some(_)) => !ours,
        (Some(_), None) => false,
    }
}

/// Without knowing what is in force: a script has done what it has done, other programs can be run
/// twice.
fn blind<'a>(blocks: impl Iterator<Item = &'a Block>, is_script: bool) -> Difference {
    let mut difference = Difference::default();
    for block in blocks {
        let key = block.key.clone();
        match block.state {
            State::Held if is_script => {}
            State::Wanted | State::Held => difference.put.push(key),
            State::Lifting => difference.take.push(key),
            State::Past => {}
        }
    }
    difference
}
