//! What is promised: all attackers out at once, the right set after a restart, nothing lost by a kill.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use respond::actions::{ALL, Action, Options};
use respond::blocks::{Block, By, Key, State};
use respond::ledger::Ledger;
use respond::responder::Files;
use respond::target::{Net, Target};

use crate::namespace::{Namespace, listed, want};
use crate::stage::{Stage, against};

fn firewall() -> Box<dyn Action> {
    (ALL[0].open)(&Options::default()).unwrap()
}

fn address(number: u32) -> String {
    std::net::Ipv4Addr::from(0x0b00_0000 + number).to_string()
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is about time")]
    Instant::now()
}

#[test]
fn five_hundred_attackers_in_a_second_are_all_out_in_milliseconds() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let stage = Stage::new("firewall-drop600 - firewall-drop.sh - 600\n");
    let mut responder = stage.start();
    let begin = now();
    let mut taken: Vec<Duration> = Vec::new();
    for number in 0..500 {
        let order = against("firewall-drop600", &address(number));
        let start = now();
        let told = responder.obey(stage.numbered([order]), stage.now());
        taken.push(start.elapsed());
        assert_eq!(told.len(), 1, "{told:?}");
    }
    let total = begin.elapsed();
    taken.sort_unstable();
    println!("median {:?}, 99 of 100 {:?}, all {total:?}", taken[250], taken[495]);
    assert!(taken[250] < Duration::from_millis(5), "{:?}", taken[250]);
    let expected: BTreeSet<String> =
        (0..500).map(|number| format!("{} 600", address(number))).collect();
    assert_eq!(listed(&mut *firewall()).into_iter().collect::<BTreeSet<_>>(), expected);
    let log = stage.read("logs/active-responses.log");
    assert_eq!(log.lines().count(), 500);
    assert!(
        log.contains("/active-response/bin/firewall-drop.sh add - 11.0.0.7 1795560311.1 5712\n")
    );
}

#[test]
fn a_restart_leaves_exactly_the_right_set() {
    let Some(namespace) = Namespace::with(&["nft"]) else { return };
    namespace.enter();
    let mut stage = Stage::new(
        "drop600 - firewall-drop.sh - 600\ndrop60 - firewall-drop - 60\ndrop0 - firewall-drop.sh - 0\n",
    );
    let mut responder = stage.start();
    for (response, address) in [
        ("drop600", "203.0.113.1"),
        ("drop600", "203.0.113.2"),
        ("drop600", "2001:db8::1"),
        ("drop60", "203.0.113.3"),
        ("drop0", "203.0.113.4"),
    ] {
        responder.obey(stage.numbered([against(response, address)]), stage.now());
    }
    drop(responder);
    let before = [
        "203.0.113.1 600",
        "203.0.113.2 600",
        "203.0.113.3 60",
        "203.0.113.4 0",
        "2001:db8::1 600",
    ];
    assert_eq!(listed(&mut *firewall()), before);
    // Meanwhile one is removed by hand, one is added, one gets another time, and one is over.
    firewall().take(&[want("203.0.113.1", 0).target]).unwrap();
    firewall()
        .put(&[want("198.51.100.1", 0), want("198.51.0.0/16", 0), want("203.0.113.2", 90)])
        .unwrap();
    stage.wait(100);
    let after = ["203.0.113.1 500", "203.0.113.2 500", "203.0.113.4 0", "2001:db8::1 500"];
    for _ in 0..2 {
        // What is in force is only compared roughly: 600 and 500 are not the same.
        drop(stage.start());
        assert_eq!(listed(&mut *firewall()), after);
    }
    // A host that was started anew has nothing at all.
    namespace.run("nft", "flush ruleset");
    stage.boot = "another".to_owned();
    drop(stage.start());
    assert_eq!(listed(&mut *firewall()), after);
    // Others may do that while we run.
    let mut responder = stage.start();
    namespace.run("nft", "flush ruleset");
    stage.wait(20);
    let told = stage.finish(&mut responder);
    assert!(told[0].contains("made again"), "{told:?}");
    let after = after.map(|line| line.replace("500", "480"));
    assert_eq!(listed(&mut *firewall()), after);
}

#[test]
fn a_kill_between_decision_and_action_loses_nothing() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let stage = Stage::new("drop600 - firewall-drop.sh - 600\n");
    drop(stage.start());
    let cause = against("drop600", "203.0.113.1").cause;
    let block = |last: u8, state| {
        let net = Net::single([203, 0, 113, last].into());
        let key = Key {
            executable: "firewall-drop".to_owned(),
            target: Target::address(net),
            once: None,
        };
        let since = stage.now().wall.seconds;
        let (command, until, by, cause) =
            ("drop".to_owned(), Some(since + 600), By::Rule, cause.clone());
        Block { key, command, since, until, offences: 1, by, cause, state }
    };
    // The ledger of a process that was killed: before an action, after one, and the same for an end.
    let path = Files::of(stage.folder.path()).ledger;
    let (mut ledger, _) = Ledger::open(&path).unwrap();
    ledger.note(&block(1, State::Wanted));
    ledger.note(&block(2, State::Wanted));
    ledger.note(&block(3, State::Lifting));
    ledger.note(&block(4, State::Lifting));
    ledger.flush().unwrap();
    drop(ledger);
    firewall().put(&[want("203.0.113.2", 600), want("203.0.113.3", 600)]).unwrap();
    let responder = stage.start();
    assert_eq!(listed(&mut *firewall()), ["203.0.113.1 600", "203.0.113.2 600"]);
    assert_eq!(responder.blocks().count(), 2);
    assert!(responder.blocks().all(|block| block.state == State::Held));
    drop(responder);
    let log = stage.read("logs/active-responses.log");
    for (verb, last) in [("add", 1), ("add", 2), ("delete", 3), ("delete", 4)] {
        let line = format!("{verb} - 203.0.113.{last} ");
        assert_eq!(log.matches(&line).count(), 1, "{line} in {log}");
    }
    // And once again.
    drop(stage.start());
    assert_eq!(stage.read("logs/active-responses.log"), log);
}

#[test]
fn a_hundred_thousand_blocks_are_in_force_in_two_seconds() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let mut stage = Stage::new("drop86400 - firewall-drop.sh - 86400\n");
    stage.settings.per_minute = 1_000_000;
    let mut responder = stage.start();
    let orders = (0..100_000).map(|number| against("drop86400", &address(number)));
    responder.obey(stage.numbered(orders), stage.now());
    drop(responder);
    clear();
    let start = now();
    let responder = stage.start();
    let taken = start.elapsed();
    println!("100,000 blocks from the ledger in {taken:?}");
    assert_eq!(responder.blocks().count(), 100_000);
    assert_eq!(listed(&mut *firewall()).len(), 100_000);
    assert!(taken < Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 }), "{taken:?}");
}

/// Takes all out again.
fn clear() {
    let mut action = firewall();
    let respond::actions::List::Ours(wants) = action.list().unwrap() else { panic!() };
    let targets: Vec<Target> = wants.into_iter().map(|want| want.target).collect();
    action.take(&targets).unwrap();
    assert!(listed(&mut *action).is_empty());
}
