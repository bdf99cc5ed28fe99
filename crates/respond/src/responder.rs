//! Does what is ordered, and undoes it in time.
//!
//! A responder owns the ledger, the actions and the programs at work. It waits for nothing: orders
//! go in by [`Responder::obey`], and [`Responder::tick`] goes on with what is under way, whenever
//! [`Responder::wake`] says so or one of [`Responder::descriptors`] is readable. Both give back what
//! is to be told.
//!
//! What happens to a block, in order: it is in the ledger as wanted; it is done; it is in the ledger
//! as held. A process that begins anew does again what is wanted, asks each action what is in force,
//! and puts right what differs.

mod carry_out;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Timestamp;
use wire::note::OrderId;

use crate::actions::Options;
use crate::allow::AllowList;
use crate::ar_conf::{Response, Responses};
use crate::blocks::{Block, Blocks, By, Key, Request, Verdict};
use crate::decide::{Reason, Refusal};
use crate::jobs::Jobs;
use crate::ledger::Ledger;
use crate::limiter::{self, Limiter};
use crate::log::ResponseLog;
use crate::order::{AlertId, Cause, Order, Place};
use crate::script::Verb;
use crate::target::Target;
use crate::told::Told;
use carry_out::Task;
use worker::Worker;

/// How often it is looked whether an action's tables and sets are still there.
const CHECK_EVERY: Duration = Duration::from_secs(15);
/// How often what is in force is compared with the ledger: kernels know no longer time than weeks.
const COMPARE_EVERY: Duration = Duration::from_secs(3600);
/// How long the ledger's newest lines may be in memory of the kernel alone.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Blocks that are lifted at a time.
const EXPIRED_MAX: usize = 10_000;
/// Webhooks at a time, and those that wait.
const MESSAGES_MAX: usize = 4;
const MESSAGES_WAITING_MAX: usize = 1000;
/// Messages that are kept until they are asked for.
const TOLD_MAX: usize = 2000;

/// A moment: on the wall, and since some moment of this boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    pub monotonic: Duration,
}

/// Where a responder's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The folder of scripts.
    pub bin: PathBuf,
    pub ledger: PathBuf,
    pub log: PathBuf,
}

/// How it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// New blocks a minute.
    pub per_minute: u32,
    /// IPv6 addresses are blocked together with all that share so many bits; 128 is one by one.
    pub ipv6_bits: u8,
    /// Commands that are only told of.
    pub dry_run: BTreeSet<String>,
    /// How long a program may take.
    pub time_limit: Duration,
    /// `repeated_offenders`: minutes.
    pub offenders: Vec<u32>,
    pub actions: Options,
}

/// Does it.
pub struct Responder {
    files: Files,
    settings: Settings,
    responses: Responses,
    allow: AllowList,
    blocks: Blocks,
    ledger: Ledger,
    /// To be noted behind what is noted next.
    obeyed: Option<OrderId>,
    /// Of blocks, and of what is done once for each alert: those must not use up the others' room.
    limiter: Limiter<Key, Request>,
    calls: Limiter<Key, Request>,
    /// By their names.
    workers: BTreeMap<String, Worker>,
    /// The name of the worker for an executable.
    names: BTreeMap<String, String>,
    /// Executables that are not there, told once.
    missing: BTreeSet<String>,
    jobs: Jobs<Task>,
    /// Messages to others, who may be slow to take them.
    messages: Jobs<Task>,
    /// Scripts that run or wait, so that none does twice.
    under_way: HashSet<(Verb, Key)>,
    /// Actions by programs that go on when what runs of them has ended.
    deferred: BTreeSet<String>,
    /// Programs were started by what is being done.
    has_started: bool,
    log: ResponseLog,
    told: Vec<Told>,
    told_more: usize,
    next_check: Duration,
    next_compare: Duration,
    sync_at: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            per_minute: limiter::PER_MINUTE,
            ipv6_bits: 128,
            dry_run: BTreeSet::new(),
            time_limit: Duration::from_secs(60),
            offenders: Vec::new(),
            actions: Options::default(),
        }
    }
}

impl Files {
    /// Those of an installation.
    pub fn of(home: &Path) -> Self {
        Self {
            bin: home.join("active-response/bin"),
            ledger: home.join("queue/execd/blocks"),
            log: home.join("logs/active-responses.log"),
        }
    }
}

impl Responder {
    /// Reads the ledger. Nothing is done before [`Self::start`]. `boot` is [`crate::host::boot_id`]:
    /// after a new start of the host, what only programs know is done again.
    ///
    /// # Errors
    ///
    /// Where the ledger cannot be opened.
    pub fn open(
        files: Files,
        settings: Settings,
        responses: Responses,
        allow: AllowList,
        boot: &str,
        now: Now,
    ) -> io::Result<Self> {
        if let Some(folder) = files.ledger.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let (mut ledger, loaded) = Ledger::open(&files.ledger)?;
        let mut blocks = Blocks::new(settings.offenders.clone());
        for block in loaded.blocks {
            let key = block.key.clone();
            blocks.restore(block, now.wall.seconds);
            if loaded.boot != boot {
                blocks.lost(&key);
            }
        }
        if loaded.boot != boot {
            ledger.boot(boot);
        }
        let mut responder = Self {
            limiter: Limiter::new(settings.per_minute),
            calls: Limiter::new(limiter::PER_MINUTE),
            jobs: Jobs::new(settings.time_limit),
            messages: Jobs::at_most(settings.time_limit, MESSAGES_MAX, MESSAGES_WAITING_MAX),
            under_way: HashSet::new(),
            deferred: BTreeSet::new(),
            has_started: false,
            log: ResponseLog::new(files.log.clone()),
            files,
            settings,
            responses,
            allow,
            blocks,
            ledger,
            obeyed: None,
            workers: BTreeMap::new(),
            names: BTreeMap::new(),
            missing: BTreeSet::new(),
            told: Vec::new(),
            told_more: 0,
            next_check: now.monotonic + CHECK_EVERY,
            next_compare: now.monotonic + COMPARE_EVERY,
            sync_at: None,
        };
        if loaded.damaged > 0 {
            responder.tell(Told::Damaged(loaded.damaged));
        }
        Ok(responder)
    }

    /// Makes what is in force be what the ledger says, and gets the actions of the configuration
    /// ready, so that the first attacker does not wait for that.
    pub fn start(&mut self, now: Now) -> Vec<Told> {
        self.lift_expired(now);
        self.lift_allowed(now);
        let executables = self.responses.list.iter().map(|response| response.executable.clone());
        let executables: Vec<String> = executables.collect();
        let configured = executables.iter().filter_map(|it| Some(self.worker(it)?.name.clone()));
        let mut names: BTreeSet<String> = configured.collect();
        names.extend(self.blocks.current().map(|block| block.key.executable.clone()));
        for name in names {
            self.reconcile(&name, now);
        }
        self.settle(now)
    }

    /// Does what is ordered for this host; what is for agents is left to whoever reaches them. Orders
    /// come in order, and perhaps again: those that are in the ledger are left out. When this returns
    /// all of them are, but for attackers over the limit, who wait in memory.
    pub fn obey(
        &mut self,
        orders: impl IntoIterator<Item = (OrderId, Order)>,
        now: Now,
    ) -> Vec<Told> {
        let mut requests = Vec::new();
        let mut admitted = HashSet::new();
        let mut obeyed = self.ledger.obeyed();
        for (id, order) in orders {
            if obeyed.is_some_and(|last| last.epoch == id.epoch && id <= last) {
                continue;
            }
            obeyed = Some(id);
            if order.place != Place::Here {
                continue;
            }
            let level = order.cause.level;
            let Some(request) = self.request(order) else { continue };
            let current = self.blocks.get(&request.key);
            let is_known = current.is_some_and(|block| block.state.is_active());
            let key = request.key.clone();
            // Who attacks many times takes the room of one.
            if is_known || admitted.contains(&key) {
                requests.push(request);
                continue;
            }
            let limiter = if key.once.is_some() { &mut self.calls } else { &mut self.limiter };
            if let Some(request) = limiter.admit(key.clone(), level, request, now.monotonic) {
                requests.push(request);
                admitted.insert(key);
            }
        }
        self.obeyed = obeyed.filter(|_| obeyed != self.ledger.obeyed());
        self.carry_out(requests, now);
        self.settle(now)
    }

    /// Goes on with what is under way.
    pub fn tick(&mut self, now: Now) -> Vec<Told> {
        let mut requests = Vec::new();
        for limiter in [&mut self.limiter, &mut self.calls] {
            requests.extend(std::iter::from_fn(|| limiter.next(now.monotonic)));
        }
        self.carry_out(requests, now);
        self.lift_expired(now);
        let mut ended = self.jobs.poll(now.monotonic);
        ended.extend(self.messages.poll(now.monotonic));
        for ended in ended {
            self.ended(ended, now);
        }
        if self.next_check <= now.monotonic {
            self.next_check = now.monotonic + CHECK_EVERY;
            self.check(now);
        }
        if self.next_compare <= now.monotonic {
            self.next_compare = now.monotonic + COMPARE_EVERY;
            self.compare(now);
        }
        self.retry(now);
        if let Some(count) = self.limiter.take_over(now.monotonic) {
            self.tell(Told::OverLimit(count));
        }
        if let Some(count) = self.calls.take_over(now.monotonic) {
            self.tell(Told::CallsOverLimit(count));
        }
        self.settle(now)
    }

    /// When to call [`Self::tick`] at the latest.
    pub fn wake(&self, now: Now) -> Duration {
        let until_end = self.blocks.next_end().map(|end| {
            let left = end.saturating_sub(now.wall.seconds);
            now.monotonic + Duration::from_secs(u64::try_from(left).unwrap_or(0))
        });
        let retries = self.workers.values().filter_map(Worker::retry_at).min();
        let jobs = [self.jobs.wake(), self.messages.wake()];
        let limits = [self.limiter.wake(), self.calls.wake()];
        let others = [until_end, self.sync_at, retries];
        let others = others.into_iter().chain(jobs).chain(limits);
        others.flatten().fold(self.next_check, Duration::min)
    }

    /// What is readable when a program says something or ends.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.jobs.descriptors().chain(self.messages.descriptors())
    }

    /// Whether all is done that was ordered.
    pub fn is_idle(&self) -> bool {
        self.jobs.is_idle() && self.messages.is_idle()
    }

    /// Brings to disk what is noted. Nothing new is begun: what waits is done at the next start.
    pub fn rest(&mut self, now: Now) -> Vec<Told> {
        self.sync_at = Some(now.monotonic);
        self.settle(now)
    }

    /// Lets go of attackers over the limit, who wait to be blocked.
    pub fn forget_waiting(&mut self) {
        self.limiter.clear();
        self.calls.clear();
    }

    /// A person blocks somebody, with their name and reason in `why`. `seconds` is 0 for ever.
    ///
    /// # Errors
    ///
    /// Where nobody may be blocked so.
    pub fn block(
        &mut self,
        executable: &str,
        target: Target,
        seconds: u32,
        why: String,
        now: Now,
    ) -> Result<Vec<Told>, Reason> {
        if let Some(net) = target.net {
            net.checked()?;
        }
        let alert = AlertId { seconds: now.wall.seconds, number: 0 };
        let cause = Cause { alert, ..Cause::default() };
        let worker = self.worker(executable).ok_or(Reason::Unknown)?;
        let name = worker.name.clone();
        let target = worker.aim(&target).ok_or(Reason::Missing)?;
        let target = self.allowed(target)?;
        let key = Key { executable: name, target, once: None };
        let (command, by) = (executable.to_owned(), By::Person(why));
        let request = Request { key, command, timeout: seconds, by, cause };
        self.carry_out(vec![request], now);
        Ok(self.settle(now))
    }

    /// Lifts all blocks that fit: those of an address, or of the last minutes.
    pub fn lift(&mut self, fits: impl Fn(&Block) -> bool, now: Now) -> (usize, Vec<Told>) {
        let fits = self.blocks.current().filter(|block| block.state.is_active() && fits(block));
        let keys: Vec<Key> = fits.map(|block| block.key.clone()).collect();
        let count = keys.len();
        self.lift_all(keys, now);
        (count, self.settle(now))
    }

    /// Who is never acted against from now on. Blocks from before are lifted where they are.
    pub fn set_allow(&mut self, allow: AllowList, now: Now) -> Vec<Told> {
        if self.allow != allow {
            self.allow = allow;
            self.lift_allowed(now);
        }
        self.settle(now)
    }

    pub fn allow(&self) -> &AllowList {
        &self.allow
    }

    /// Goes by another configuration. Blocks stay.
    pub fn replace(&mut self, settings: Settings, responses: Responses, now: Now) -> Vec<Told> {
        if self.settings.actions != settings.actions {
            self.workers.clear();
        }
        // Scripts may have come or gone.
        self.workers.retain(|_, worker| !worker.is_script());
        self.names.clear();
        self.missing.clear();
        self.limiter.set_rate(settings.per_minute);
        self.jobs.set_time_limit(settings.time_limit);
        self.messages.set_time_limit(settings.time_limit);
        self.blocks.set_offenders(settings.offenders.clone());
        (self.settings, self.responses) = (settings, responses);
        self.start(now)
    }

    /// The blocks that are wanted, held or being lifted.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.current()
    }

    /// How many there are of them.
    pub fn block_count(&self) -> usize {
        self.blocks.current_count()
    }

    /// What an order asks for here, if it may be.
    fn request(&mut self, order: Order) -> Option<Request> {
        let Order { response, target, cause, .. } = order;
        let named: Vec<Response> = self.responses.named(&response).cloned().collect();
        if named.is_empty() {
            let why = Reason::Unknown;
            let text = response.clone().into_bytes();
            self.tell(Told::Refused(Refusal { command: response, why, text }));
            return None;
        }
        // Of several programs of a name, this host's is the one that is there.
        let response = named.into_iter().find(|it| self.worker(&it.executable).is_some())?;
        let worker = self.worker(&response.executable)?;
        let executable = worker.name.clone();
        let is_once = worker.is_script() && response.timeout == 0;
        let aimed = worker.aim(&target).ok_or(Reason::Missing);
        let target = match aimed.and_then(|target| self.allowed(target)) {
            Ok(target) => target,
            Err(why) => {
                self.tell(Told::refused(&response.command, &target, why));
                return None;
            }
        };
        if self.settings.dry_run.contains(&response.command) {
            let (command, rule) = (response.command, cause.rule);
            self.tell(Told::DryRun { command, target, rule });
            return None;
        }
        Some(Request {
            key: Key { executable, target, once: is_once.then_some(cause.alert) },
            command: response.command,
            timeout: response.timeout,
            by: By::Rule,
            cause,
        })
    }

    /// The target, with its neighbours where the settings want that; but nobody who is allowed.
    fn allowed(&self, target: Target) -> Result<Target, Reason> {
        let Some(net) = target.net else { return Ok(target) };
        if self.allow.holds(net) {
            return Err(Reason::Allowed);
        }
        let wide = net.aggregated(self.settings.ipv6_bits);
        let is_free = wide.checked().is_ok_and(|wide| !self.allow.holds(wide));
        Ok(Target { net: Some(if is_free { wide } else { net }), ..target })
    }

    /// The worker for an executable, if there is one on this host.
    fn worker(&mut self, executable: &str) -> Option<&mut Worker> {
        if !self.names.contains_key(executable) {
            match Worker::new(&self.files.bin, executable, &self.settings.actions) {
                Ok(worker) => {
                    self.names.insert(executable.to_owned(), worker.name.clone());
                    self.workers.entry(worker.name.clone()).or_insert(worker);
                }
                Err(error) => {
                    if self.missing.insert(executable.to_owned()) {
                        self.tell(Told::NoScript(error));
                    }
                    return None;
                }
            }
        }
        self.workers.get_mut(self.names.get(executable)?)
    }

    /// Notes requests in the ledger, then does them.
    fn carry_out(&mut self, requests: Vec<Request>, now: Now) {
        // Somebody may be in it twice: added, and renewed by what came next.
        let mut puts: BTreeMap<String, BTreeSet<Key>> = BTreeMap::new();
        for request in requests {
            let key = request.key.clone();
            let (command, executable) = (request.command.clone(), key.executable.clone());
            match self.blocks.order(request, now.wall.seconds) {
                Verdict::Add => drop(puts.entry(executable).or_default().insert(key.clone())),
                Verdict::Renew { longer: false } => continue,
                Verdict::Renew { longer: true } => {
                    // A script has done what it can; the kernel counts anew.
                    let worker = self.workers.get(&executable);
                    if worker.is_some_and(|worker| !worker.is_script()) {
                        puts.entry(executable).or_default().insert(key.clone());
                    }
                }
                Verdict::Full => {
                    self.tell(Told::refused(&command, &key.target, Reason::Full));
                    continue;
                }
            }
            if let Some(block) = self.blocks.get(&key) {
                self.ledger.note(block);
            }
        }
        self.write_ledger(now);
        for (executable, keys) in puts {
            self.put(&executable, keys.into_iter().collect(), now);
        }
    }

    fn lift_expired(&mut self, now: Now) {
        loop {
            let keys = self.blocks.expired(now.wall.seconds, EXPIRED_MAX);
            if keys.is_empty() {
                return;
            }
            self.undo(keys, now);
        }
    }

    fn lift_allowed(&mut self, now: Now) {
        let allow = &self.allow;
        let is_allowed = |block: &&Block| {
            block.state.is_active() && block.key.target.net.is_some_and(|net| allow.holds(net))
        };
        let keys: Vec<Key> =
            self.blocks.current().filter(is_allowed).map(|block| block.key.clone()).collect();
        self.lift_all(keys, now);
    }

    fn lift_all(&mut self, keys: Vec<Key>, now: Now) {
        let keys = keys.into_iter().filter(|key| self.blocks.lift(key)).collect();
        self.undo(keys, now);
    }

    /// Notes in the ledger that blocks are to be lifted, then lifts them.
    fn undo(&mut self, keys: Vec<Key>, now: Now) {
        let mut takes: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for key in keys {
            if let Some(block) = self.blocks.get(&key) {
                self.ledger.step(&key, block.state);
            }
            takes.entry(key.executable.clone()).or_default().push(key);
        }
        self.write_ledger(now);
        for (executable, keys) in takes {
            self.take(&executable, keys, now);
        }
    }

    fn tell(&mut self, told: Told) {
        if self.told.len() < TOLD_MAX {
            self.told.push(told);
        } else {
            self.told_more += 1;
        }
    }

    fn write_ledger(&mut self, now: Now) {
        if let Some(id) = self.obeyed.take() {
            self.ledger.note_obeyed(id);
        }
        match self.ledger.flush() {
            Ok(()) => self.sync_at = self.sync_at.or(Some(now.monotonic + SYNC_EVERY)),
            Err(error) => self.tell(Told::Ledger(error)),
        }
    }

    /// Writes what was noted, and gives back what is to be told.
    fn settle(&mut self, now: Now) -> Vec<Told> {
        self.write_ledger(now);
        if self.sync_at.is_some_and(|at| at <= now.monotonic) {
            self.sync_at = None;
            let synced = if self.ledger.is_bloated(self.blocks.len()) {
                self.ledger.compact(self.blocks.all())
            } else {
                self.ledger.sync()
            };
            if let Err(error) = synced {
                self.tell(Told::Ledger(error));
            }
        }
        if let Err(error) = self.log.flush() {
            sys::log::error(format_args!("writing {}: {error}", self.files.log.display()));
        }
        let mut told = std::mem::take(&mut self.told);
        let more = std::mem::take(&mut self.told_more);
        told.extend((more > 0).then_some(Told::More(more)));
        told
    }
}
