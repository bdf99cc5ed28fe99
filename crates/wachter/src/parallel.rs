//! Screens events on several threads and judges them on this one, in order.
//!
//! Batches go round the workers in turn, so the order of events is the order of batches, and the
//! outcomes do not depend on the number of threads or the size of batches. What a worker screened
//! comes back to it to be written and for its buffers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use engine::{Judge, Outcome, Policy, Screened, Screener};
use model::Event;

/// Batches on their way to and from one worker.
const IN_FLIGHT: usize = 3;

/// How the work is spread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Workers; the judge runs beside them.
    pub(crate) threads: usize,
    pub(crate) batch: usize,
}

enum Work {
    Screen(Vec<Event>),
    Write(Vec<Outcome>),
}

enum Done {
    Screened(Vec<Screened>),
    Written { out: Vec<u8>, spare: Vec<Event> },
}

struct Worker {
    work: SyncSender<Work>,
    done: Receiver<Done>,
    /// Screened batches that arrived while something else was awaited.
    screened: VecDeque<Vec<Screened>>,
    spare: Vec<Event>,
    in_flight: usize,
    to_write: usize,
}

/// Runs all events through `judge`. `fill` makes the next event out of an empty one, or says that
/// there is none; `write` runs on the workers and turns an outcome into bytes, which `output` gets,
/// in no particular order of batches.
pub(crate) fn run(
    policy: &Arc<Policy>,
    judge: &mut Judge,
    spread: Spread,
    mut fill: impl FnMut(&mut Event) -> bool,
    write: impl Fn(&Outcome, &mut Vec<u8>) + Sync,
    mut output: impl FnMut(Vec<u8>),
) {
    let mut own = Screener::new(Arc::clone(policy));
    thread::scope(|scope| {
        let mut workers: Vec<Worker> = (0..spread.threads.max(1))
            .map(|_| {
                let (work, todo) = sync_channel(2 * IN_FLIGHT);
                let (ready, done) = sync_channel(2 * IN_FLIGHT);
                let write = &write;
                scope.spawn(move || serve(policy, &todo, &ready, write));
                Worker {
                    work,
                    done,
                    screened: VecDeque::new(),
                    spare: Vec::new(),
                    in_flight: 0,
                    to_write: 0,
                }
            })
            .collect();
        let mut next_to_fill = 0;
        let mut next_to_judge = 0;
        let mut exhausted = false;
        let mut open: usize = 0;
        loop {
            while !exhausted && open < workers.len() * IN_FLIGHT {
                let count = workers.len();
                let worker = &mut workers[next_to_fill];
                let batch = next_batch(spread.batch, &mut worker.spare, &mut fill);
                if batch.is_empty() {
                    exhausted = true;
                    break;
                }
                worker.in_flight += 1;
                open += 1;
                // A worker only ends when this side hangs up.
                let _ = worker.work.send(Work::Screen(batch));
                next_to_fill = (next_to_fill + 1) % count;
            }
            if open == 0 {
                break;
            }
            let count = workers.len();
            let worker = &mut workers[next_to_judge];
            let Some(screened) = worker.screened(&mut output) else { break };
            let outcomes =
                screened.into_iter().map(|screened| judge.judge(screened, &mut own)).collect();
            worker.to_write += 1;
            let _ = worker.work.send(Work::Write(outcomes));
            open -= 1;
            next_to_judge = (next_to_judge + 1) % count;
        }
        for worker in &mut workers {
            worker.finish(&mut output);
        }
    });
}

fn next_batch(
    size: usize,
    spare: &mut Vec<Event>,
    fill: &mut impl FnMut(&mut Event) -> bool,
) -> Vec<Event> {
    let mut batch = Vec::with_capacity(size);
    while batch.len() < size {
        let mut event = spare.pop().unwrap_or_default();
        if !fill(&mut event) {
            break;
        }
        batch.push(event);
    }
    batch
}

impl Worker {
    /// The next screened batch; what is written meanwhile goes to `output`.
    fn screened(&mut self, output: &mut impl FnMut(Vec<u8>)) -> Option<Vec<Screened>> {
        loop {
            if let Some(batch) = self.screened.pop_front() {
                return Some(batch);
            }
            self.take(output)?;
        }
    }

    fn take(&mut self, output: &mut impl FnMut(Vec<u8>)) -> Option<()> {
        match self.done.recv().ok()? {
            Done::Screened(batch) => {
                self.in_flight -= 1;
                self.screened.push_back(batch);
            }
            Done::Written { out, spare } => {
                self.to_write -= 1;
                self.spare.extend(spare);
                output(out);
            }
        }
        Some(())
    }

    fn finish(&mut self, output: &mut impl FnMut(Vec<u8>)) {
        while self.to_write > 0 && self.take(output).is_some() {}
    }
}

fn serve(
    policy: &Arc<Policy>,
    todo: &Receiver<Work>,
    ready: &SyncSender<Done>,
    write: &(impl Fn(&Outcome, &mut Vec<u8>) + Sync),
) {
    let mut screener = Screener::new(Arc::clone(policy));
    while let Ok(work) = todo.recv() {
        let done = match work {
            Work::Screen(events) => {
                Done::Screened(events.into_iter().map(|event| screener.screen(event)).collect())
            }
            Work::Write(outcomes) => {
                let mut out = Vec::new();
                for outcome in &outcomes {
                    write(outcome, &mut out);
                }
                let spare = outcomes.into_iter().map(|outcome| screener.reclaim(outcome)).collect();
                Done::Written { out, spare }
            }
        };
        if ready.send(done).is_err() {
            return;
        }
    }
}
