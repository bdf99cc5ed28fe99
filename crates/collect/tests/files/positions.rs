//! What outlives a restart.

use std::time::Duration;

use collect::files::Notice;
use collect::positions::Positions;

use crate::harness::Host;

#[test]
fn reading_goes_on_where_it_stopped() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb\n");
    host.settle();
    host.acknowledge(1);
    host.save();
    host.append("log", "c\n");
    host.restart();
    assert_eq!(host.lines(), ["a", "b", "c"]);
    assert!(host.own().is_empty());
}

#[test]
fn repeated_messages_have_the_same_source_and_end() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb\n");
    host.settle();
    let before = host.order.clone();
    host.restart();
    // The harness compares what comes again with what came before.
    assert_eq!(host.order, before);
    host.saved.clear();
    host.settings.from_start = true;
    host.restart();
    assert_eq!(host.order, before, "even without any positions");
}

#[test]
fn sources_can_be_saved_before_their_first_message() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    let now = host.now;
    host.running().notice(now);
    let mut turns = Vec::new();
    loop {
        let progress = host.turn();
        turns.push((progress.save, host.lines().len()));
        if !progress.more {
            break;
        }
    }
    let saved = turns.iter().position(|(save, _)| *save).unwrap();
    assert!(turns[..=saved].iter().all(|(_, lines)| *lines == 0));
    assert_eq!(turns.last(), Some(&(false, 1)));
}

#[test]
fn files_that_came_while_nobody_looked_are_read_from_their_start() {
    let mut host = Host::following(&["log", "logs/*"]);
    host.save();
    host.crash();
    host.append("log", "a\n");
    std::fs::create_dir(host.at("logs")).unwrap();
    host.append("logs/b", "b\n");
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "b"]);
}

#[test]
fn files_of_new_locations_begin_at_their_end() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.append("other", "old\n");
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("log", "b\n");
    host.entries = host.entries(&["log", "other"]);
    host.start();
    host.append("other", "new\n");
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "new"]);
}

#[test]
fn damage_costs_one_file_its_position() {
    let mut host = Host::new(&["a", "b"]);
    host.append("a", "");
    host.append("b", "");
    host.start();
    host.append("a", "a1\n");
    host.append("b", "b1\n");
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    let text = String::from_utf8(host.saved.clone()).unwrap();
    let damaged: Vec<String> = text
        .lines()
        .map(|line| if line.ends_with("/a -") { line.replace('4', "5") } else { line.to_owned() })
        .collect();
    host.saved = damaged.join("\n").into_bytes();
    assert_eq!(Positions::parse(&host.saved).len(), 1);
    host.append("b", "b2\n");
    host.start();
    host.settle();
    // The file whose position is lost is read again; its messages are known.
    assert_eq!(host.lines(), ["a1", "b1", "b2"]);
    assert!(host.notices.iter().any(|notice| matches!(notice, Notice::PositionsDamaged(_))));
}

#[test]
fn empty_positions_are_damaged_ones() {
    assert_eq!(Positions::parse(b"").len(), 0);
    let text = Positions::default().render();
    assert_eq!(Positions::parse(&text), Positions::default());
}

#[test]
fn own_messages_are_not_repeated_and_not_lost() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.acknowledge_all();
    host.rename("log", "log.1");
    host.append("log", "b\n");
    host.settle();
    assert_eq!(host.own().len(), 1);
    host.lose_unacknowledged();
    host.settle();
    assert_eq!(host.own().len(), 1, "it came again");
    host.acknowledge_all();
    host.save();
    host.restart();
    host.rename("log", "log.2");
    host.append("log", "c\n");
    host.settle();
    assert_eq!(host.own().len(), 2);
}

#[test]
fn files_are_remembered_after_they_were_closed() {
    let mut host = Host::following(&["*.log"]);
    host.append("a.log", "a\n");
    host.settle();
    host.acknowledge_all();
    host.rename("a.log", "a.old");
    for _ in 0..10 {
        host.pass(Duration::from_secs(61));
        host.settle();
    }
    assert_eq!(host.report("a.log"), None);
    host.save();
    host.restart();
    host.append("a.old", "b\n");
    host.rename("a.old", "a.log");
    host.settle();
    assert_eq!(host.lines(), ["a", "b"]);
}
