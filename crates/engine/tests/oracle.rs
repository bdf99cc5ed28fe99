//! The engine's answers against those that OSSEC 4.3 gave to the same lines with the same rules.
//! What differs on purpose stands in `deviations.txt`, with the reason; the list is exact.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use decode::Name;
use engine::{Engine, Outcome, Policy};
use model::{Event, RamMemory, Timestamp};
use testkit::deviations::Deviations;
use testkit::oracle::{self, Single};

fn event(line: &str) -> Event {
    Event {
        received: Timestamp::utc(1_790_000_000),
        location: b"stdin".to_vec(),
        line: line.as_bytes().to_vec(),
        ..Event::default()
    }
}

fn engine(policy: &Arc<Policy>) -> Engine {
    Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 1)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Rule, level, alert.
fn verdict(outcome: &Outcome, policy: &Policy) -> (Option<u32>, Option<u16>, bool) {
    let rule = outcome.matched().map(|matched| policy.ruleset.rule(matched.rule));
    (rule.map(|rule| rule.id), rule.map(|rule| rule.level), outcome.is_alert())
}

fn deviations() -> Deviations {
    Deviations::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deviations.txt")).unwrap()
}

fn answer(outcome: &Outcome, policy: &Policy, recorded: &Single) -> Single {
    let decoded = outcome.decoded().unwrap();
    let decoder = decoded.decoder.and_then(|index| policy.decoders.decoder(index));
    let fields: BTreeMap<String, String> = decoded
        .fields
        .names()
        .iter()
        .map(|&name| {
            let label = match name {
                Name::Static(field) => field.label().to_owned(),
                Name::Dynamic(field) => policy.decoders.dynamic_names()[field.0 as usize].clone(),
            };
            (label, text(decoded.fields.value(name, decoded.full_log()).unwrap()))
        })
        .collect();
    let (rule, level, alert) = verdict(outcome, policy);
    Single {
        event: recorded.event.clone(),
        // Without a host in the header it is the name of the machine that answered.
        hostname: match decoded.header.hostname {
            Some(_) => text(decoded.hostname()),
            None => recorded.hostname.clone(),
        },
        program_name: decoded.program_name().map(text),
        log: text(decoded.log()),
        decoder: decoder.map(|decoder| decoder.name.clone()),
        fields,
        rule,
        level,
        alert,
    }
}

#[test]
fn each_line_in_a_fresh_state() {
    let Some(policy) = support::ossec(support::logtest_options()) else { return };
    let mut deviations = deviations();
    let names = ["Apache", "Linux", "Mac", "OpenSSH", "Thunderbird", "ini-pub"];
    let files: Vec<String> = names.iter().map(|name| format!("single-{name}.jsonl")).collect();
    let mut total = 0;
    for file in &files {
        let path = testkit::shared::path(&format!("corpus/oracle/{file}")).unwrap();
        for (index, recorded) in oracle::read_single(&path).unwrap().into_iter().enumerate() {
            let outcome = engine(&policy).process(event(&recorded.event));
            let ours = answer(&outcome, &policy, &recorded);
            let at = (file.as_str(), index + 1);
            deviations.compare(at, "hostname", &recorded.hostname, &ours.hostname);
            deviations.compare(at, "program_name", &recorded.program_name, &ours.program_name);
            deviations.compare(at, "log", &recorded.log, &ours.log);
            deviations.compare(at, "decoder", &recorded.decoder, &ours.decoder);
            deviations.compare(at, "fields", &recorded.fields, &ours.fields);
            deviations.compare(at, "rule", &recorded.rule, &ours.rule);
            deviations.compare(at, "level", &recorded.level, &ours.level);
            deviations.compare(at, "alert", &recorded.alert, &ours.alert);
            total += 1;
        }
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_problems(&deviations, &files, total);
}

#[test]
fn whole_files_in_one_run() {
    let Some(policy) = support::ossec(support::logtest_options()) else { return };
    let mut deviations = deviations();
    let files = ["seq-Apache.jsonl", "seq-Linux.jsonl", "seq-OpenSSH.jsonl"];
    let mut total = 0;
    for file in files {
        let path = testkit::shared::path(&format!("corpus/oracle/{file}")).unwrap();
        let mut engine = engine(&policy);
        for (index, recorded) in oracle::read_seq(&path).unwrap().into_iter().enumerate() {
            let outcome = engine.process(event(&recorded.event));
            let (rule, level, alert) = verdict(&outcome, &policy);
            let at = (file, index + 1);
            deviations.compare(at, "rule", &recorded.rule, &rule);
            deviations.compare(at, "level", &recorded.level, &level);
            deviations.compare(at, "alert", &recorded.alert, &alert);
            total += 1;
        }
    }
    assert_problems(&deviations, &files, total);
}

/// With `compat strict` there is nothing to list.
#[test]
fn whole_files_in_strict_mode() {
    let options = engine::Options { strict: true, ..support::logtest_options() };
    let Some(policy) = support::ossec(options) else { return };
    let mut differences = Vec::new();
    for file in ["seq-Apache.jsonl", "seq-Linux.jsonl", "seq-OpenSSH.jsonl"] {
        let path = testkit::shared::path(&format!("corpus/oracle/{file}")).unwrap();
        let mut engine = engine(&policy);
        for (index, recorded) in oracle::read_seq(&path).unwrap().into_iter().enumerate() {
            let ours = verdict(&engine.process(event(&recorded.event)), &policy);
            let recorded = (recorded.rule, recorded.level, recorded.alert);
            if ours != recorded {
                differences.push(format!("{file}:{} {recorded:?}, ours {ours:?}", index + 1));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} lines differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[track_caller]
fn assert_problems(deviations: &Deviations, files: &[&str], total: usize) {
    let problems = deviations.problems(files, total);
    assert!(total > 0);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
