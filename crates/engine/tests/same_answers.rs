//! The same events give the same outcomes: explained or not, on any number of threads, in batches of
//! any size, and with a restart from a checkpoint between any two of them. Run on OSSEC's rules and
//! real logs where they are at hand, else on a small policy of our own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

use engine::{BadCheckpoint, Engine, Judge, Options, Outcome, Policy, Screened, Screener};
use model::{Event, RamMemory, Timestamp};
use support::{Nobody, SharedMemory};

/// What is compared: decoder, rule, alert number, count, context.
fn verdict(outcome: &Outcome, policy: &Policy) -> String {
    let decoder = outcome
        .decoded()
        .and_then(|decoded| policy.decoders.decoder(decoded.decoder?))
        .map(|decoder| decoder.name.as_str());
    let id = match outcome {
        Outcome::Alert(alert) => Some(alert.id),
        Outcome::Dropped { .. } | Outcome::Unmatched(_) | Outcome::Silent(_) => None,
    };
    match outcome.matched() {
        Some(matched) => {
            let rule = policy.ruleset.rule(matched.rule).id;
            let context: Vec<String> = matched
                .context
                .iter()
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            format!("{decoder:?} {rule} {} {id:?} {context:?}", matched.fired_times)
        }
        None => format!("{decoder:?} none"),
    }
}

/// A policy and events that exercise it: files of real logs, one a second.
fn material(options: Options) -> (Arc<Policy>, Vec<Event>) {
    let event = |(index, line): (usize, &[u8])| Event {
        received: Timestamp::utc(1_790_000_000 + index as i64 / 20),
        location: format!("/var/log/{}", index % 3).into_bytes(),
        line: line.to_vec(),
        ..Event::default()
    };
    let shared = testkit::shared::path("corpus/logs/OpenSSH.log");
    if let (Some(policy), Some(log)) = (support::ossec(options.clone()), shared) {
        let mut text = std::fs::read(log).unwrap();
        for more in ["Linux.log", "Apache.log"] {
            let path = testkit::shared::path(&format!("corpus/logs/{more}")).unwrap();
            text.extend(std::fs::read(path).unwrap());
        }
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        return (policy, lines.enumerate().map(event).collect());
    }
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/ssh");
    let policy =
        support::policy(&[home.join("etc/decoder.xml")], &[home.join("rules/ssh.xml")], options);
    let text = std::fs::read(home.join("auth.log")).unwrap().repeat(20);
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    (policy, lines.enumerate().map(event).collect())
}

fn run(engine: &mut Engine, events: &[Event]) -> Vec<String> {
    let policy = Arc::clone(engine.policy());
    events
        .iter()
        .map(|event| {
            let outcome = engine.process(event.clone());
            let verdict = verdict(&outcome, &policy);
            engine.reclaim(outcome);
            verdict
        })
        .collect()
}

fn engine(policy: &Arc<Policy>) -> Engine {
    Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 7)
}

#[track_caller]
fn assert_same(expected: &[String], got: &[String], what: &str) {
    let different = expected.iter().zip(got).position(|(left, right)| left != right);
    if let Some(index) = different {
        panic!("{what}: event {index}: {} became {}", expected[index], got[index]);
    }
    assert_eq!(expected.len(), got.len(), "{what}");
}

#[test]
fn explained_or_not() {
    for strict in [false, true] {
        let (policy, events) = material(Options { strict, ..Options::default() });
        let expected = run(&mut engine(&policy), &events);
        let mut explaining = engine(&policy);
        let explained: Vec<String> = events
            .iter()
            .map(|event| verdict(&explaining.explain(event.clone(), &mut Nobody), &policy))
            .collect();
        assert_same(&expected, &explained, "explained");
        assert!(expected.iter().any(|verdict| verdict.contains("Some(1)")), "nothing alerts");
    }
}

#[test]
fn on_any_number_of_threads_in_batches_of_any_size() {
    let (policy, events) = material(Options::default());
    let expected = run(&mut engine(&policy), &events);
    for threads in [1, 2, 8] {
        for batch in [1, 500] {
            let got = spread(&policy, &events, threads, batch);
            assert_same(&expected, &got, &format!("{threads} threads, batches of {batch}"));
        }
    }
}

/// Screens batches on threads, in turn, and judges them here in their order.
fn spread(policy: &Arc<Policy>, events: &[Event], threads: usize, batch: usize) -> Vec<String> {
    thread::scope(|scope| {
        let mut screened: Vec<mpsc::Receiver<Vec<Screened>>> = Vec::new();
        for thread in 0..threads {
            let (done, receiver) = mpsc::sync_channel(2);
            screened.push(receiver);
            scope.spawn(move || {
                let mut screener = Screener::new(Arc::clone(policy));
                for batch in events.chunks(batch).skip(thread).step_by(threads) {
                    let work = batch.iter().map(|event| screener.screen(event.clone()));
                    if done.send(work.collect()).is_err() {
                        return;
                    }
                }
            });
        }
        let mut judge = Judge::new(Arc::clone(policy), Box::new(RamMemory::default()), 7);
        let mut own = Screener::new(Arc::clone(policy));
        let batches = events.len().div_ceil(batch);
        let mut verdicts = Vec::new();
        for number in 0..batches {
            for screened in screened[number % threads].recv().unwrap() {
                verdicts.push(verdict(&judge.judge(screened, &mut own), policy));
            }
        }
        verdicts
    })
}

#[test]
fn with_a_restart_anywhere() {
    for strict in [false, true] {
        let (policy, events) = material(Options { strict, ..Options::default() });
        let expected = run(&mut engine(&policy), &events);
        let disk = SharedMemory::default();
        let mut engine = Engine::new(Arc::clone(&policy), Box::new(disk.clone()), 7);
        let mut got = Vec::new();
        // Every line of a stretch, then ever longer pieces.
        let mut rest = events.as_slice();
        let mut length = 1;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            got.extend(run(&mut engine, piece));
            let checkpoint = engine.judge().checkpoint();
            drop(engine);
            let memory = Box::new(disk.clone());
            engine = Engine::resume(Arc::clone(&policy), memory, &checkpoint).unwrap();
            rest = after;
            length = if got.len() < 400 { 1 } else { 97 };
        }
        assert_same(&expected, &got, "restarted");
    }
}

#[test]
fn with_the_same_rules_loaded_anew() {
    let (policy, events) = material(Options::default());
    let (again, _) = material(Options::default());
    let expected = run(&mut engine(&policy), &events);
    let mut engine = engine(&policy);
    let half = events.len() / 2;
    let mut got = run(&mut engine, &events[..half]);
    engine.replace(again);
    got.extend(run(&mut engine, &events[half..]));
    assert_same(&expected, &got, "reloaded");
}

#[test]
fn damaged_checkpoints_are_refused() {
    let (policy, events) = material(Options::default());
    let mut engine = engine(&policy);
    run(&mut engine, &events[..events.len().min(600)]);
    let good = engine.judge().checkpoint();
    let resume = |bytes: &[u8]| {
        Judge::resume(Arc::clone(&policy), Box::new(RamMemory::default()), bytes).map(drop)
    };
    assert_eq!(resume(&good), Ok(()));
    assert_eq!(resume(b""), Err(BadCheckpoint::OtherVersion));
    assert_eq!(resume(b"something else entirely"), Err(BadCheckpoint::OtherVersion));
    for length in (8..good.len() - 1).step_by(61) {
        assert_eq!(resume(&good[..length]), Err(BadCheckpoint::Damaged), "{length} bytes");
    }
    for at in (8..good.len()).step_by(53) {
        let mut bad = good.clone();
        bad[at] ^= 0xA5;
        // A changed number may pass; nothing may panic.
        let _ = resume(&bad);
    }
    let (strict, _) = material(Options { strict: true, ..Options::default() });
    let memory = Box::new(RamMemory::default());
    assert_eq!(Judge::resume(strict, memory, &good).map(drop), Err(BadCheckpoint::OtherKind));
}

#[test]
fn history_stays_within_its_limit() {
    let (policy, events) = material(Options { history_events_max: 50, ..Options::default() });
    let mut engine = engine(&policy);
    for event in &events {
        engine.process(event.clone());
        assert!(engine.judge().remembered().0 <= 50);
    }
}
