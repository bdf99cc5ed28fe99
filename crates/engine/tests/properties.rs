//! What must hold for every rule set and every stream of events: those made at random, and OSSEC's
//! rules on real logs where they are at hand.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use engine::{BadCheckpoint, Engine, Judge, Options, Outcome, Policy, Screener};
use model::{Event, RamMemory, Timestamp};

use support::generate::{self, Random};
use support::{Nobody, SharedMemory};

/// Rule sets tried by each test.
const RULE_SETS: u64 = 40;
const EVENTS: usize = 300;
/// Lines of the real logs that each test takes.
const CORPUS_EVENTS: usize = 2500;

/// All that an outcome says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    dropped: Option<engine::DropReason>,
    /// Id and number of matches.
    rule: Option<(u32, u64)>,
    alert: Option<u64>,
    context: Vec<Vec<u8>>,
    log: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    has_file_change: bool,
}

fn told(outcome: &Outcome, policy: &Policy) -> Told {
    let matched = outcome.matched();
    Told {
        dropped: match outcome {
            Outcome::Dropped { why, .. } => Some(*why),
            Outcome::Unmatched(_) | Outcome::Silent(_) | Outcome::Alert(_) => None,
        },
        rule: matched.map(|matched| (policy.ruleset.rule(matched.rule).id, matched.fired_times)),
        alert: match outcome {
            Outcome::Alert(alert) => Some(alert.id),
            Outcome::Dropped { .. } | Outcome::Unmatched(_) | Outcome::Silent(_) => None,
        },
        context: matched
            .map(|matched| matched.context.iter().map(<[u8]>::to_vec).collect())
            .unwrap_or_default(),
        log: outcome.decoded().map(|decoded| decoded.log().to_vec()).unwrap_or_default(),
        fields: support::fields(outcome, policy),
        has_file_change: matched.is_some_and(|matched| matched.file_change.is_some()),
    }
}

fn engine(policy: &Arc<Policy>) -> Engine {
    Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 1)
}

fn options(random: &mut Random) -> Options {
    Options {
        strict: random.percent(30),
        drop_repeated: random.percent(30),
        alert_new_files: random.percent(50),
        ..Options::default()
    }
}

/// A policy at random, and how to make another one that is the same or has more rules.
fn random_parts(random: &mut Random) -> support::Parts {
    for _ in 0..100 {
        let options = options(random);
        let parts = generate::parts(random, options);
        if parts.clone().load().1.is_empty() {
            return parts;
        }
    }
    panic!("hardly any rule set is free of errors");
}

/// Runs `test` on random rule sets and events, and on the real ones.
fn everywhere(test: impl Fn(&str, &Arc<Policy>, &[Event], &mut Random)) {
    for seed in 0..RULE_SETS {
        let mut random = Random(seed);
        let policy = random_parts(&mut random).policy();
        let events = generate::events(&mut random, EVENTS, 0);
        test(&format!("seed {seed}"), &policy, &events, &mut random);
    }
    for strict in [false, true] {
        let options = Options { strict, ..Options::default() };
        let (Some(policy), Some(events)) = (support::ossec(options), corpus()) else { return };
        let name = format!("mix.tsv, strict {strict}");
        test(&name, &policy, &events, &mut Random(1));
    }
}

fn corpus() -> Option<Vec<Event>> {
    let text = std::fs::read(testkit::shared::path("corpus/mix.tsv")?).unwrap();
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let event = |(index, line): (usize, &[u8])| {
        let tab = line.iter().position(|&byte| byte == b'\t').unwrap();
        Event {
            received: Timestamp::utc(1_790_000_000 + index as i64 / 20),
            location: line[..tab].to_vec(),
            line: line[tab + 1..].to_vec(),
            ..Event::default()
        }
    };
    Some(lines.enumerate().map(event).take(CORPUS_EVENTS).collect())
}

fn whole_run(policy: &Arc<Policy>, events: &[Event]) -> Vec<Told> {
    let mut engine = engine(policy);
    events.iter().map(|event| told(&engine.process(event.clone()), policy)).collect()
}

#[track_caller]
fn assert_same(name: &str, index: usize, event: &Event, ours: &Told, expected: &Told) {
    let line = String::from_utf8_lossy(&event.line);
    assert!(ours == expected, "{name}, event {index}: {line}\n{ours:?}\nexpected\n{expected:?}");
}

#[test]
fn the_fast_way_gives_what_the_explanation_gives() {
    everywhere(|name, policy, events, _| {
        let mut explaining = engine(policy);
        for (index, (event, fast)) in events.iter().zip(whole_run(policy, events)).enumerate() {
            let slow = told(&explaining.explain(event.clone(), &mut Nobody), policy);
            assert_same(name, index, event, &fast, &slow);
        }
    });
}

/// The rule sets made at random are worth the time: rules match, alert and correlate.
#[test]
fn rule_sets_at_random_do_something() {
    let (mut matched, mut alerts, mut contexts, mut all) = (0, 0, 0, 0);
    for seed in 0..RULE_SETS {
        let mut random = Random(seed);
        let policy = random_parts(&mut random).policy();
        let events = generate::events(&mut random, EVENTS, 0);
        for told in whole_run(&policy, &events) {
            all += 1;
            matched += usize::from(told.rule.is_some());
            alerts += usize::from(told.alert.is_some());
            contexts += usize::from(!told.context.is_empty());
        }
    }
    assert!(matched * 2 > all, "{matched} of {all} match");
    assert!(alerts * 4 > all, "{alerts} of {all} alert");
    assert!(contexts * 40 > all, "{contexts} of {all} have a context");
}

#[test]
fn a_restart_changes_nothing() {
    everywhere(|name, policy, events, random| {
        let mut memory = SharedMemory::default();
        let mut engine = Engine::new(Arc::clone(policy), Box::new(memory.clone()), 1);
        let gap = random.pick(&[1, 7, 40]) * events.len().div_ceil(EVENTS);
        for (index, (event, whole)) in events.iter().zip(whole_run(policy, events)).enumerate() {
            if index % gap == 0 {
                let checkpoint = engine.judge().checkpoint();
                // The old engine is still there: what it has must not be needed.
                memory = memory.copy();
                let resumed =
                    Engine::resume(Arc::clone(policy), Box::new(memory.clone()), &checkpoint);
                engine = resumed.unwrap();
            }
            let parts = told(&engine.process(event.clone()), policy);
            assert_same(name, index, event, &parts, &whole);
        }
    });
}

#[test]
fn damaged_checkpoints_are_refused() {
    for seed in 0..4 {
        let mut random = Random(seed);
        let policy = random_parts(&mut random).policy();
        let mut engine = engine(&policy);
        for event in generate::events(&mut random, 150, 0) {
            let _outcome = engine.process(event);
        }
        let checkpoint = engine.judge().checkpoint();
        let resume = |bytes: &[u8], policy: &Arc<Policy>| {
            let memory = Box::new(RamMemory::default());
            Engine::resume(Arc::clone(policy), memory, bytes).map(|_| ()).err()
        };
        assert_eq!(resume(&checkpoint, &policy), None);
        let step = 1 + checkpoint.len() / 2000;
        for at in (0..checkpoint.len()).step_by(step) {
            let expected =
                if at < 8 { BadCheckpoint::OtherVersion } else { BadCheckpoint::Damaged };
            assert_eq!(resume(&checkpoint[..at], &policy), Some(expected), "cut at {at}");
            let mut flipped = checkpoint.clone();
            flipped[at] ^= 1 << random.below(8);
            assert_eq!(resume(&flipped, &policy), Some(expected), "flipped at {at}");
        }
        let longer = [checkpoint.as_slice(), b"x"].concat();
        assert_eq!(resume(&longer, &policy), Some(BadCheckpoint::Damaged));
    }
}

#[test]
fn the_other_kind_of_checkpoint_is_refused() {
    let mut random = Random(3);
    let mut parts = random_parts(&mut random);
    parts.options.strict = false;
    let checkpoint = engine(&parts.clone().policy()).judge().checkpoint();
    parts.options.strict = true;
    let resumed = Engine::resume(parts.policy(), Box::new(RamMemory::default()), &checkpoint);
    assert_eq!(resumed.map(|_| ()).err(), Some(BadCheckpoint::OtherKind));
}

/// The same rules again, and rules before and behind the others that match nothing: whatever moves,
/// counts stay.
#[test]
fn a_reload_changes_nothing() {
    for seed in 0..RULE_SETS {
        let mut random = Random(seed);
        let parts = random_parts(&mut random);
        let mut more = parts.clone();
        let idle = |id: u32| {
            let text = format!(
                "<group name=\"idle,\"><rule id=\"{id}\" level=\"1\">\
                 <match>never-in-any-line</match></rule></group>"
            );
            (format!("idle {id}"), text.into_bytes())
        };
        // Where an overwrite changed a level, a new rule's place depends on all its neighbours.
        if !parts.rules[1].1.windows(9).any(|part| part == b"overwrite") {
            more.rules.insert(1, idle(209_998));
            more.rules.push(idle(209_999));
        }
        let policies = [parts.clone().policy(), parts.policy(), more.policy()];
        let events = generate::events(&mut random, EVENTS, 0);
        let mut engine = engine(&policies[0]);
        for (index, (event, whole)) in
            events.iter().zip(whole_run(&policies[0], &events)).enumerate()
        {
            if random.percent(20) {
                engine.replace(Arc::clone(&policies[random.below(policies.len())]));
            }
            let outcome = engine.process(event.clone());
            let parts = told(&outcome, engine.policy());
            assert_same(&format!("seed {seed}"), index, event, &parts, &whole);
        }
    }
}

/// A rule that goes takes its own counts with it and no others.
#[test]
fn a_rule_less_keeps_the_counts_of_the_others() {
    let rules = |with_second: bool| {
        let second = "<rule id=\"200003\" level=\"9\" frequency=\"3\">\
             <if_matched_sid>200001</if_matched_sid><same_user /></rule>";
        format!(
            "<group name=\"a,\"><rule id=\"200001\" level=\"3\"><match>knock</match></rule>\
             {}<rule id=\"200002\" level=\"5\" frequency=\"2\">\
             <if_matched_sid>200001</if_matched_sid><same_source_ip /></rule></group>",
            if with_second { second } else { "" }
        )
    };
    let policy = |with_second| {
        let mut parts = generate::parts(&mut Random(0), Options::default());
        parts.rules[1].1 = rules(with_second).into_bytes();
        parts.policy()
    };
    let event = Event {
        location: b"x".to_vec(),
        line: b"Mar  2 10:00:00 web1 door[7]: knock user=anna from=192.0.2.1".to_vec(),
        ..Event::default()
    };
    let (both, one) = (policy(true), policy(false));
    let options = Options { drop_repeated: false, ..Options::default() };
    assert!(both.options.drop_repeated && options != both.options);
    let mut engine = engine(&both);
    let mut ids = Vec::new();
    for step in 0..6_u8 {
        match step {
            2 => engine.replace(Arc::clone(&one)),
            4 => engine.replace(Arc::clone(&both)),
            _ => {}
        }
        let mut event = event.clone();
        event.line.extend_from_slice(format!(" {step}").as_bytes());
        let outcome = engine.process(event);
        ids.push(told(&outcome, engine.policy()).rule.unwrap());
    }
    // The third counts on; what the second rule had counted is gone.
    let expected =
        [(200_001, 1), (200_001, 2), (200_001, 3), (200_002, 1), (200_001, 4), (200_001, 5)];
    assert_eq!(ids, expected);
}

#[test]
fn history_stays_within_its_limit() {
    for strict in [false, true] {
        for seed in 0..RULE_SETS {
            let mut random = Random(seed);
            let mut parts = random_parts(&mut random);
            let events_max = random.pick(&[1, 2, 10, 50]);
            parts.options = Options { strict, history_events_max: events_max, ..parts.options };
            let policy = parts.policy();
            let mut engine = engine(&policy);
            for event in generate::events(&mut random, EVENTS, 0) {
                let _outcome = engine.process(event);
                let (kept, _) = engine.judge().remembered();
                assert!(kept <= events_max, "seed {seed}: {kept} of {events_max}");
            }
        }
    }
}

/// Every event counts for somebody, so each must push out another.
#[test]
fn what_is_forgotten_for_want_of_room_is_counted() {
    for (strict, seconds_apart) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        let options = Options { strict, history_events_max: 10, ..Options::default() };
        let mut parts = generate::parts(&mut Random(0), options);
        parts.rules[1].1 =
            b"<group name=\"a,\"><rule id=\"200001\" level=\"1\"><match>knock</match>\
            </rule><rule id=\"200002\" level=\"1\" frequency=\"1\" timeframe=\"9999\">\
            <if_matched_sid>200001</if_matched_sid><same_source_ip /></rule></group>"
                .to_vec();
        let mut engine = engine(&parts.policy());
        for index in 0..200 {
            let line = format!("Mar  2 10:00:00 web1 door[7]: knock from=a{index}");
            let event = Event {
                received: Timestamp::utc(index * seconds_apart),
                location: b"x".to_vec(),
                line: line.into_bytes(),
                ..Event::default()
            };
            let _outcome = engine.process(event);
            assert!(engine.judge().remembered().0 <= 10);
        }
        let (kept, forgotten) = engine.judge().remembered();
        assert_eq!(kept as u64 + forgotten, 200, "strict {strict}, {seconds_apart} s apart");
    }
}

/// Screens on so many threads, judges on this one.
fn spread_run(policy: &Arc<Policy>, events: &[Event], threads: usize, batch: usize) -> Vec<Told> {
    let batches: Vec<&[Event]> = events.chunks(batch).collect();
    let mut judge = Judge::new(Arc::clone(policy), Box::new(RamMemory::default()), 1);
    let mut own = Screener::new(Arc::clone(policy));
    thread::scope(|scope| {
        let results: Vec<_> = (0..threads)
            .map(|worker| {
                let (send, receive) = sync_channel(2);
                let batches = batches.iter().skip(worker).step_by(threads);
                scope.spawn(move || {
                    let mut screener = Screener::new(Arc::clone(policy));
                    for &batch in batches {
                        let screened: Vec<_> =
                            batch.iter().map(|event| screener.screen(event.clone())).collect();
                        send.send(screened).unwrap();
                    }
                });
                receive
            })
            .collect();
        let mut all = Vec::new();
        for (number, _) in batches.iter().enumerate() {
            for screened in results[number % threads].recv().unwrap() {
                let outcome = judge.judge(screened, &mut own);
                all.push(told(&outcome, policy));
            }
        }
        all
    })
}

const SPREADS: [(usize, usize); 5] = [(1, 1), (1, 500), (2, 1), (2, 500), (8, 3)];

#[track_caller]
fn assert_spreads(name: &str, policy: &Arc<Policy>, events: &[Event]) {
    let whole = whole_run(policy, events);
    for (threads, batch) in SPREADS {
        let spread = spread_run(policy, events, threads, batch);
        assert_eq!(spread.len(), whole.len());
        for (index, event) in events.iter().enumerate() {
            let name = format!("{name}, {threads} threads, batches of {batch}");
            assert_same(&name, index, event, &spread[index], &whole[index]);
        }
    }
}

#[test]
fn threads_and_batches_change_nothing() {
    everywhere(|name, policy, events, _| assert_spreads(name, policy, events));
}

/// Searching is limited for each event. Where the limit is must not depend on who searches, nor on
/// the events before.
#[test]
fn threads_and_batches_change_nothing_on_long_lines() {
    for strict in [false, true] {
        let options = Options { strict, drop_repeated: false, ..Options::default() };
        let mut parts = generate::parts(&mut Random(1), options);
        let rules = r#"<group name="long,">
            <rule id="208001" level="1">
                <pcre2>entry \d+: (?:user|from|closed).+p$</pcre2>
            </rule>
            <rule id="208002" level="2" frequency="2">
                <if_sid>208001</if_sid>
                <if_matched_regex>entry \d: \w+ \.+pp</if_matched_regex>
            </rule>
            </group>"#;
        parts.rules[1].1 = rules.as_bytes().to_vec();
        let mut events = generate::events(&mut Random(1), 2500, 6000);
        events.retain(|event| event.line.windows(6).any(|part| part == b": entr"));
        assert!(events.len() > 300);
        let policy = parts.policy();
        let whole = whole_run(&policy, &events);
        let late = whole.iter().rev().take(50).filter(|told| told.rule.is_some()).count();
        assert!(late > 40, "{late} of the last 50 events match");
        assert_spreads("long lines", &policy, &events);
    }
}
