//! Ordinary lines raise no alarm: those in `tests/ordinary`, as programs of a Debian host print them,
//! and those of real logs that OSSEC's own rules do not mind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use engine::Outcome;
use model::Timestamp;
use testkit::oracle;

use crate::policy;
use crate::tables;

/// From this level on people are woken.
const ALARM_LEVEL_MIN: u16 = 7;

/// Seconds from one line of a file to the next.
const PACE_SECONDS: i64 = 10;

/// Lines there must be, so that nobody empties the files by mistake.
const LINES_MIN: usize = 400;

/// Rules that sound an alarm on ordinary lines all the same, and why.
const EXPECTED: [(u32, &str); 4] = [
    (2902, "OSSEC's level: somebody installed a package"),
    (2903, "OSSEC's level: somebody removed a package"),
    (53601, "OSSEC's level: somebody plugged something in"),
    (53603, "the same"),
];

/// The rule, if it is an alarm.
fn alarm(outcome: &Outcome) -> Option<u32> {
    let (id, level) = policy::rule(outcome, &policy::ours().policy)?;
    (outcome.is_alert() && level >= ALARM_LEVEL_MIN).then_some(id)
}

#[test]
fn ordinary_lines() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ordinary");
    let (mut total, mut alarms, mut met) = (0, Vec::new(), BTreeSet::new());
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut engine = policy::ours().engine();
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let mut event = policy::event(line.as_bytes());
            event.location = format!("/var/log/{name}").into_bytes();
            event.received = Timestamp::utc(1_772_400_000 + index as i64 * PACE_SECONDS);
            let outcome = engine.process(event);
            match alarm(&outcome) {
                Some(id) if EXPECTED.iter().any(|(expected, _)| *expected == id) => {
                    met.insert(id);
                }
                Some(id) => alarms.push(format!("{name}:{} rule {id}: {line}", index + 1)),
                None => {}
            }
            total += 1;
        }
    }
    assert!(total >= LINES_MIN, "{total}");
    assert!(alarms.is_empty(), "{} alarms:\n{}", alarms.len(), alarms.join("\n"));
    assert_eq!(met, EXPECTED.map(|(id, _)| id).into(), "expected, and met");
}

#[test]
fn lines_that_ossec_does_not_mind() {
    let Some(dir) = testkit::shared::path("corpus/oracle") else { return };
    let mut alarms = Vec::new();
    for name in ["Apache", "Linux", "Mac", "OpenSSH", "Thunderbird", "ini-pub"] {
        for recorded in oracle::read_single(&dir.join(format!("single-{name}.jsonl"))).unwrap() {
            if recorded.level.is_some_and(|level| level >= ALARM_LEVEL_MIN) {
                continue;
            }
            let mut engine = policy::ours().engine();
            let outcome = engine.process(policy::event(recorded.event.as_bytes()));
            alarms.extend(alarm(&outcome).map(|id| format!("rule {id}: {}", recorded.event)));
        }
    }
    assert!(alarms.is_empty(), "{} alarms:\n{}", alarms.len(), alarms.join("\n"));
}

/// Whole files at once: each rule that sounds an alarm where OSSEC's does not is one of the table,
/// which says why.
#[test]
fn files_that_ossec_does_not_mind() {
    let Some(dir) = testkit::shared::path("corpus/oracle") else { return };
    let rows = tables::rows("Answers that differ");
    let explained: BTreeSet<u32> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    for name in ["Apache", "Linux", "OpenSSH"] {
        let mut engine = policy::ours().engine();
        for recorded in oracle::read_seq(&dir.join(format!("seq-{name}.jsonl"))).unwrap() {
            let outcome = engine.process(policy::event(recorded.event.as_bytes()));
            if recorded.level.is_some_and(|level| level >= ALARM_LEVEL_MIN) {
                continue;
            }
            if let Some(id) = alarm(&outcome) {
                assert!(explained.contains(&id), "rule {id}: {}", recorded.event);
            }
        }
    }
}
