//! ossec-analysisd: decides what events mean, and writes it down.
//!
//! A batch is appended to the event log before anything else; from then on a crash loses nothing of
//! it. Its events go through the engine, its alerts into the journal and the files. From time to
//! time all that the engine remembers is kept as a checkpoint, and the event log before it is let
//! go. After a crash the events since the checkpoint are gone through again: the outcomes are the
//! same, and what had been written of them already is recognised and left out.
//!
//! Where something cannot be written, nothing more is read until it can.

mod brain;
mod checkpoint;
mod marks;
mod orders;
mod responses;
mod suspect;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use engine::Policy;
use model::limits::FILE_BYTES_MAX;
use model::{Table, Timestamp};
use rustix::event::{PollFd, PollFlags};
use store::{Log, Opened, Options, Reader, Tables};
use supervisor::counters::Counter;
use sys::channel::{Channel, Received, Sent};
use sys::signals::Signal;
use sys::{clock, log};
use wire::frame::{Batch, BatchId, PACKET_BYTES_MAX};
use wire::note::Note;

use super::{Context, Counted, wait};
use crate::home::{Depth, Installation, Origin, Settings};
use brain::{Beginning, Brain};
use checkpoint::Checkpoint;
use orders::Orders;

/// Below the home: batches since the checkpoint.
const EVENT_LOG: &str = "queue/events";
const EVENT_SEGMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Below the home: the engine's tables and the checkpoint.
const TABLES: &str = "queue/state/tables.redb";
/// How long what was appended may not be on disk, and not be acknowledged.
const SYNC_DELAY: Duration = Duration::from_millis(500);
/// How old a checkpoint gets while events come, and how many bytes of them.
const CHECKPOINT_DELAY: Duration = Duration::from_secs(60);
const CHECKPOINT_BYTES: u64 = 256 * 1024 * 1024;
/// How long to wait before writing is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Batches taken before files are written and signals looked at.
const BATCHES_IN_A_ROW: usize = 16;
/// Bytes of records from which on they are written in between.
const PENDING_BYTES: usize = 1024 * 1024;

pub(super) fn run(mut context: Context) -> Result<()> {
    let events = context.inherit_channel()?;
    let orders = context.inherit_channel()?;
    let layers = context.enter_sandbox()?;
    let mut role = Analysis::open(context, events, orders)?;
    role.context.ready(&layers)?;
    role.serve()
}

struct Analysis {
    context: Context,
    events: Channel,
    orders: Orders,
    log: Log,
    tables: Tables,
    brain: Brain,
    policy_name: u64,
    /// The batch that was appended or analysed last.
    last: u64,
    /// The newest batch of the collector that is in the log, if it is not acknowledged.
    unacknowledged: Option<BatchId>,
    /// Until the collector has gone back, what comes is of before.
    awaits_resumed: bool,
    /// It is still to be asked to: the channel had no room.
    asks_resume: bool,
    /// The configuration is to be read anew once all is written.
    reload_due: bool,
    sync_due: Option<Duration>,
    checkpoint_due: Option<Duration>,
    /// A packet that could not be appended yet.
    stalled: Option<Vec<u8>>,
    /// When writing is tried again, while it fails.
    retry_due: Option<Duration>,
    /// When the day, and with it the files, change.
    day_due: Duration,
    counted: Counted,
}

impl Analysis {
    /// Opens what is kept, and goes through what came after the last checkpoint.
    fn open(context: Context, events: Channel, orders: Channel) -> Result<Self> {
        let home = context.home.clone();
        let installation = Origin::home(&home).read(Depth::Load);
        let policy_name = installation.fingerprint;
        let Some((policy, settings)) = usable(installation) else {
            bail!("the configuration has errors; see wachter check {}", home.display());
        };
        let (tables, opened) = Tables::open(&home.join(TABLES)).context("opening the tables")?;
        if let Some(aside) = &opened.set_aside {
            log::error(format_args!(
                "the tables are begun anew: {}; the old ones are {}",
                aside.reason,
                aside.path.display()
            ));
        }
        let saved = tables.checkpoint().context("reading the checkpoint")?;
        let checkpoint = saved.as_deref().map(Checkpoint::parse);
        let mut checkpoint = match checkpoint {
            Some(Ok(checkpoint)) => Some(checkpoint),
            Some(Err(error)) => {
                log::error(format_args!("{error}; analysis begins with an empty memory"));
                None
            }
            None => {
                import(&home, &tables);
                None
            }
        };
        let (since, same_policy) = match &checkpoint {
            Some(checkpoint) => (checkpoint.batch, checkpoint.policy == policy_name),
            // What was written without a checkpoint cannot be told from what comes again but by the
            // journal.
            None => (0, false),
        };
        let is_first = checkpoint.is_none();
        let epoch = checkpoint.as_ref().map_or_else(seed, |checkpoint| checkpoint.epoch);
        let pending = checkpoint.as_mut().map(|it| std::mem::take(&mut it.orders));
        let brain = Brain::new(Beginning {
            home: &home,
            policy: Arc::new(policy),
            settings: &settings,
            tables: &tables,
            checkpoint,
            same_policy,
            epoch,
            seed: seed(),
        })?;
        let number_min = brain.last_journaled().max(since) + 1;
        let options = Options { segment_bytes: EVENT_SEGMENT_BYTES, number_min };
        let (event_log, opened) =
            Log::open(&home.join(EVENT_LOG), options).context("opening the event log")?;
        tell_opened("event log", &opened);
        let now = clock::monotonic();
        let mut analysis = Self {
            context,
            events,
            orders: Orders::new(orders, pending.unwrap_or_default()),
            log: event_log,
            tables,
            brain,
            policy_name,
            last: since,
            unacknowledged: None,
            awaits_resumed: true,
            asks_resume: true,
            reload_due: false,
            sync_due: None,
            checkpoint_due: None,
            stalled: None,
            retry_due: None,
            day_due: now,
            counted: Counted::default(),
        };
        analysis.replay(since)?;
        // From now on whatever comes is behind a checkpoint that knows how long the files were.
        analysis.brain.roll_over(clock::wall());
        analysis.write_until_done()?;
        if is_first || analysis.last > since {
            analysis.checkpoint()?;
        }
        Ok(analysis)
    }

    /// Goes through the batches behind one again.
    fn replay(&mut self, since: u64) -> Result<()> {
        let suspect = suspect::take(&self.context.counters);
        if let Some((batch, index)) = suspect {
            self.context.counters.add(Counter::Poisoned, 1);
            log::error(format_args!(
                "event {index} of batch {batch} has ended analysis again and again and is left out"
            ));
        }
        let mut reader = Reader::new(&self.context.home.join(EVENT_LOG), since);
        let mut buffer = Vec::new();
        loop {
            let frame = match reader.next_frame(&mut buffer) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                // The reader goes on behind what cannot be read.
                Err(
                    error @ (store::Error::Damaged { .. }
                    | store::Error::Gone { .. }
                    | store::Error::Ahead { .. }),
                ) => {
                    log::error(format_args!("event log: {error}; events there are lost"));
                    continue;
                }
                Err(error) => return Err(error).context("reading the event log"),
            };
            let number = frame.number;
            let skipped = suspect.filter(|(batch, _)| *batch == number).map(|(_, index)| index);
            let processed = Batch::parse(frame.payload).and_then(|batch| {
                self.context.counters.add(Counter::Replayed, batch.len() as u64);
                self.brain.replay(number, &batch, skipped, &self.context.counters)
            });
            self.order()?;
            // What is obeyed already must not keep others out.
            self.orders.read_answers()?;
            if let Err(error) = processed {
                log::error(format_args!("event log: batch {number}: {error}; its events are lost"));
                self.context.counters.add(Counter::BadBatches, 1);
            }
            self.last = number;
            self.write_until_done()?;
        }
        while let Err(error) = self.brain.end_replay() {
            self.wait_for_room("output files", &error);
            self.write_until_done()?;
        }
        Ok(())
    }

    fn serve(&mut self) -> Result<()> {
        loop {
            if self.asks_resume {
                let sent = self.events.send(&Note::Resume.write());
                self.asks_resume = sent.context("asking the collector to go back")? == Sent::Full;
            }
            self.wait_for_work()?;
            while let Some(signal) = self.context.signals.next()? {
                match signal {
                    Signal::Terminate => return self.finish(),
                    Signal::Hangup => self.reload_due = true,
                    Signal::Child => {}
                }
            }
            if self.reload_due && self.retry_due.is_none() {
                self.reload()?;
            }
            self.orders.read_answers()?;
            if self.is_writable()? {
                self.take_batches()?;
                self.write();
            }
            self.housekeeping()?;
        }
    }

    fn wait_for_work(&self) -> Result<()> {
        let now = clock::monotonic();
        let dues = [self.sync_due, self.checkpoint_due, Some(self.day_due)];
        // While something cannot be written nothing else is done.
        let next = self.retry_due.or_else(|| dues.into_iter().flatten().min());
        let mut answers = PollFlags::IN;
        answers.set(PollFlags::OUT, self.orders.is_full());
        let mut waited = vec![
            PollFd::new(&self.context.signals, PollFlags::IN),
            PollFd::new(self.orders.channel(), answers),
        ];
        if self.retry_due.is_none() {
            waited.push(PollFd::new(&self.events, PollFlags::IN));
        }
        wait(&mut waited, next.map(|next| next.saturating_sub(now)))
    }

    /// Whether all that was taken is written; tries again where it is time.
    fn is_writable(&mut self) -> Result<bool> {
        match self.retry_due {
            None => Ok(true),
            Some(due) if due > clock::monotonic() => Ok(false),
            Some(_) => {
                self.retry_due = None;
                if let Some(packet) = self.stalled.take() {
                    self.take(&packet)?;
                }
                if self.retry_due.is_none() {
                    self.write();
                }
                Ok(self.retry_due.is_none())
            }
        }
    }

    fn take_batches(&mut self) -> Result<()> {
        let mut buffer = vec![0; PACKET_BYTES_MAX];
        for _ in 0..BATCHES_IN_A_ROW {
            let bytes = match self.events.receive(&mut buffer).context("receiving events")? {
                Received::Packet { bytes, .. } => bytes,
                Received::Nothing => return Ok(()),
                Received::Closed => bail!("the supervisor has gone"),
            };
            self.take(buffer.get(..bytes).unwrap_or_default())?;
            if self.retry_due.is_some() {
                return Ok(());
            }
            if self.brain.pending_bytes() > PENDING_BYTES {
                self.write();
            }
        }
        Ok(())
    }

    /// Appends a batch to the event log and goes through its events.
    fn take(&mut self, packet: &[u8]) -> Result<()> {
        let batch = match Batch::parse(packet) {
            Ok(batch) => batch,
            Err(error) => {
                log::error(format_args!("a batch of events is left out: {error}"));
                self.context.counters.add(Counter::BadBatches, 1);
                return Ok(());
            }
        };
        if batch.resumed {
            self.awaits_resumed = false;
        }
        if self.awaits_resumed || batch.is_empty() {
            // It comes again behind the mark.
            self.context.counters.add(Counter::VoidBatches, u64::from(self.awaits_resumed));
            return Ok(());
        }
        let number = match self.log.append(&[packet]) {
            Ok(number) => number,
            Err(error) => {
                self.stalled = Some(packet.to_vec());
                self.wait_for_room("event log", &error);
                return Ok(());
            }
        };
        let now = clock::monotonic();
        self.sync_due.get_or_insert(now + SYNC_DELAY);
        self.checkpoint_due.get_or_insert(now + CHECKPOINT_DELAY);
        self.unacknowledged = Some(batch.id);
        self.last = number;
        if let Err(error) = self.brain.process(number, &batch, &self.context.counters) {
            log::error(format_args!("the rest of a batch of events is left out: {error}"));
            self.context.counters.add(Counter::BadBatches, 1);
        }
        // First of all: attackers do not wait until it is written down.
        self.order()?;
        self.write_journal();
        let lag = clock::wall().seconds.saturating_sub(batch.received.seconds);
        self.context.counters.set(Counter::LagSeconds, lag.max(0).unsigned_abs());
        Ok(())
    }

    /// Hands on the responses to what was gone through.
    fn order(&mut self) -> Result<()> {
        let given = self.brain.take_orders();
        if given.is_empty() { Ok(()) } else { self.orders.give(given) }
    }

    fn write_journal(&mut self) {
        if let Err(error) = self.brain.end_batch() {
            self.wait_for_room("alert journal", &error);
        }
    }

    /// Writes what the events taken so far have given.
    fn write(&mut self) {
        self.write_journal();
        if let Err(error) = self.brain.flush() {
            self.wait_for_room("output files", &error);
        }
    }

    /// Something cannot be written: nothing is read until it can. It is told once.
    fn wait_for_room(&mut self, what: &str, error: &dyn std::error::Error) {
        let counters = &self.context.counters;
        counters.add(Counter::WriteErrors, 1);
        if counters.get(Counter::Blocked) == 0 {
            log::error(format_args!("{what}: {error}; analysis waits until it can be written"));
        }
        counters.set(Counter::Blocked, 1);
        self.retry_due = Some(clock::monotonic() + RETRY_DELAY);
    }

    /// While replaying there is nothing else to do than to wait.
    fn write_until_done(&mut self) -> Result<()> {
        loop {
            self.write();
            let Some(due) = self.retry_due.take() else { return Ok(()) };
            let mut waited = [PollFd::new(&self.context.signals, PollFlags::IN)];
            wait(&mut waited, Some(due.saturating_sub(clock::monotonic())))?;
            if self.context.signals.next()? == Some(Signal::Terminate) {
                bail!("stopped while waiting for room to write");
            }
        }
    }

    fn housekeeping(&mut self) -> Result<()> {
        let now = clock::monotonic();
        if self.retry_due.is_some() {
            return Ok(());
        }
        self.context.counters.set(Counter::Blocked, 0);
        if self.day_due <= now {
            let wall = clock::wall();
            self.brain.roll_over(wall);
            self.write();
            self.day_due = now + until_midnight(wall);
        }
        if self.sync_due.is_some_and(|due| due <= now) {
            self.sync()?;
        }
        let is_due = self.checkpoint_due.is_some_and(|due| due <= now);
        if is_due || self.log.bytes() > CHECKPOINT_BYTES || self.tables.commit_due() {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Brings to disk what was taken, and says so to the collector.
    fn sync(&mut self) -> Result<()> {
        self.log.sync().context("the event log")?;
        self.sync_due = None;
        if let Some(id) = self.unacknowledged.take() {
            self.events.send(&Note::Stored(id).write()).context("acknowledging events")?;
        }
        self.brain.count(&self.context.counters, &mut self.counted);
        self.context.counters.set(Counter::EventLogBytes, self.log.bytes());
        self.context.counters.set(Counter::OrdersPending, self.orders.pending().len() as u64);
        self.counted.add(&self.context.counters, Counter::OrdersLost, self.orders.lost);
        let not_kept = self.tables.not_kept() + self.tables.evicted();
        self.counted.add(&self.context.counters, Counter::TablesNotKept, not_kept);
        Ok(())
    }

    /// Keeps all that is remembered, and lets go of the events before. `false` if that was not
    /// possible: what is not written yet would be behind it.
    fn checkpoint(&mut self) -> Result<bool> {
        let started = clock::monotonic();
        self.write();
        if self.retry_due.is_some() {
            return Ok(false);
        }
        self.sync()?;
        self.brain.sync_journal().context("the alert journal")?;
        if let Err(error) = self.brain.sync_files() {
            self.wait_for_room("output files", &error);
            return Ok(false);
        }
        let orders = self.orders.pending().clone();
        let Some(mut checkpoint) = self.brain.checkpoint(self.last, self.policy_name, orders)
        else {
            return Ok(false);
        };
        let committed = self.tables.commit(&checkpoint.write());
        self.brain.take_marks(checkpoint);
        match committed {
            Ok(()) => {}
            // Everything is as before: it is tried again.
            Err(error @ store::Error::Commit { .. }) => {
                self.wait_for_room("checkpoint", &error);
                self.checkpoint_due = Some(started + CHECKPOINT_DELAY);
                return Ok(false);
            }
            // Answers may have been wrong: only a start from the last checkpoint helps.
            Err(error) => return Err(error).context("keeping a checkpoint"),
        }
        self.checkpoint_due = None;
        self.log.remove_before(self.last + 1).context("the event log")?;
        self.brain.trim_journal().context("the alert journal")?;
        let counters = &self.context.counters;
        counters.add(Counter::Checkpoints, 1);
        let took = clock::monotonic().saturating_sub(started);
        counters.set(Counter::CheckpointMicroseconds, took.as_micros() as u64);
        Ok(true)
    }

    /// Goes by the configuration as it is now, if it has no errors.
    fn reload(&mut self) -> Result<()> {
        let installation = Origin::home(&self.context.home).read(Depth::Load);
        let name = installation.fingerprint;
        let Some((policy, settings)) = usable(installation) else {
            self.reload_due = false;
            return Ok(());
        };
        // A checkpoint names one policy: what was analysed by the old one goes before the new one.
        if !self.checkpoint()? {
            return Ok(());
        }
        self.reload_due = false;
        self.brain.replace(Arc::new(policy), &settings);
        self.policy_name = name;
        self.checkpoint()?;
        self.context.counters.add(Counter::Reloads, 1);
        log::info("Configuration read anew.");
        Ok(())
    }

    /// Takes what is in the channel, as far as it can be written, and keeps all that is remembered.
    fn finish(&mut self) -> Result<()> {
        let mut last = 0;
        while self.retry_due.is_none() && self.last > last {
            last = self.last;
            self.take_batches()?;
            self.write();
        }
        if self.retry_due.is_none() {
            self.checkpoint()?;
        }
        Ok(())
    }
}

/// What is to go by, or `None` where it has errors, which are told.
fn usable(installation: Installation) -> Option<(Policy, Settings)> {
    match installation.usable() {
        Ok(usable) => Some(usable),
        Err(errors) => {
            for line in errors.lines().filter(|line| !line.trim().is_empty()) {
                log::error(line);
            }
            log::write(log::Level::Error, 1202, "Configuration error; it is not in force.");
            None
        }
    }
}

/// What was remembered by OSSEC, the first time that its home is ours.
fn import(home: &Path, tables: &Tables) {
    for (file, table) in
        [("queue/fts/fts-queue", Table::FirstSeen), ("queue/fts/ig-queue", Table::Ignored)]
    {
        if let Ok(text) = crate::home::files::read(&home.join(file), FILE_BYTES_MAX) {
            let count = tables.import(table, &text);
            log::info(format_args!("{count} entries of {file} are remembered"));
        }
    }
}

fn tell_opened(what: &str, opened: &Opened) {
    if let Some(torn) = &opened.torn {
        log::warning(format_args!(
            "{what}: {} bytes of an unfinished frame were cut off at the end of {}",
            torn.bytes,
            torn.segment.display()
        ));
    }
    if let Some(error) = &opened.damaged {
        log::error(format_args!("{what}: {error}"));
    }
}

/// Until the next day begins here; at most an hour, as clocks are put back and forth.
fn until_midnight(wall: Timestamp) -> Duration {
    let seconds = 86_400 - (wall.seconds + i64::from(wall.utc_offset)).rem_euclid(86_400);
    Duration::from_secs(seconds.unsigned_abs().min(3600))
}

/// Keeps hashes from being foreseen.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(clock::monotonic())
}
