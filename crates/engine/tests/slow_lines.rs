//! Lines made to be slow: what an event costs is limited, whatever it says.
//!
//! Time is not asserted, since it says as much about the machine; the work is. The slowest lines are
//! printed: `cargo test --profile bench -p engine --test slow_lines -- --nocapture`.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Engine, Options, Policy};
use model::limits::LINE_BYTES_MAX;
use model::{Event, RamMemory, Timestamp};
use pattern::{PatternSet, SearchCounts};

use support::generate::{self, Random};

/// Headers that lead to different decoders and rules.
const HEADS: [&str; 16] = [
    "",
    "Mar  2 10:00:00 web1 sshd[7]: ",
    "Mar  2 10:00:00 web1 su: ",
    "Mar  2 10:00:00 web1 sudo: ",
    "Mar  2 10:00:00 web1 kernel: ",
    "Mar  2 10:00:00 web1 named[7]: ",
    "Mar  2 10:00:00 web1 postfix/smtpd[7]: ",
    "Mar  2 10:00:00 web1 snort: [1:1:1] ",
    "Mar  2 10:00:00 web1 vsftpd[7]: ",
    "Mar  2 10:00:00 web1 dovecot: ",
    "Mar  2 10:00:00 web1 unheard-of: ",
    "Mar  2 10:00:00 web1 door[7]: ",
    "192.0.2.7 - - [02/Mar/2026:10:00:00 +0000] \"GET /",
    "2026-03-02 10:00:00 192.0.2.7 GET /",
    "[Mon Mar 02 10:00:00 2026] [error] [client 192.0.2.7] ",
    "ossec: output: 'df -h': ",
];

/// Bytes of a policy's literals that go into one line.
const LITERALS_BYTES_MAX: usize = LINE_BYTES_MAX;

fn policy() -> Arc<Policy> {
    let options = Options { drop_repeated: false, ..Options::default() };
    support::ossec(options.clone())
        .unwrap_or_else(|| generate::parts(&mut Random(1), options).policy())
}

/// The texts that patterns look for, each once.
fn literals(sets: [&PatternSet; 2]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = sets
        .iter()
        .flat_map(|set| (0..set.len()).filter_map(|id| set.needles(pattern::PatternId(id as u32))))
        .flat_map(|needles| &needles.literals)
        .map(|literal| literal.bytes.to_vec())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Texts to put behind a header, each with a name.
fn baits(policy: &Policy) -> Vec<(String, Vec<u8>)> {
    let mut baits: Vec<(String, Vec<u8>)> = Vec::new();
    for unit in [
        "from ",
        "a",
        "a!",
        " ",
        "0",
        "=",
        "0.",
        "1.2.3.4 ",
        "user ",
        "for user ",
        "failed ",
        "error ",
        "../",
        "%00",
        "\"",
        "'",
        ":",
        ": ",
        "[",
        "](",
        "<",
        "(((",
        "\\",
        "-",
        "_",
        "@",
        "a=b ",
        "a@b.c ",
        "x;",
        "\t",
        "\n",
        "\r\n",
        "\0",
        "select ",
        "cmd.exe ",
        "\u{e4}",
        "k\u{17f}",
        "Failed password for ",
        "authentication failure; ",
        "rhost= ",
        "GET / HTTP/1.1 ",
        "/etc/passwd ",
        "0x41",
        "aB1_-. ",
    ] {
        baits.push((format!("{unit:?} over and over"), repeated(unit.as_bytes())));
    }
    for (unit, end) in [("a", "!"), ("ab", "c"), (" ", "x"), ("0", "x"), ("a.", "@"), ("1.", "!")] {
        let mut text = repeated(unit.as_bytes());
        text.extend_from_slice(end.as_bytes());
        baits.push((format!("{unit:?} over and over, then {end:?}"), text));
    }
    for byte in [0x80, 0xc3, 0xff] {
        baits.push((format!("byte {byte:#x} over and over"), vec![byte; LINE_BYTES_MAX]));
    }
    let mut random = Random(7);
    let noise: Vec<u8> = (0..LINE_BYTES_MAX).map(|_| random.next() as u8).collect();
    baits.push(("noise".to_owned(), noise));
    let words = literals([policy.decoders.patterns(), &policy.ruleset.patterns]);
    for separator in ["", " ", " 1 ", "=", "\""] {
        let mut text = words.join(separator.as_bytes());
        text.truncate(LITERALS_BYTES_MAX);
        baits.push((format!("all literals with {separator:?} between"), text));
    }
    for round in 0..20 {
        let mut text = Vec::new();
        while text.len() < LINE_BYTES_MAX {
            text.extend_from_slice(&words[random.below(words.len())]);
            text.extend_from_slice(
                random.pick(&[" ", "", "0", "a ", ": ", "192.0.2.7 "]).as_bytes(),
            );
        }
        baits.push((format!("literals at random, {round}"), text));
    }
    baits
}

/// Real lines drawn out: at their end, in the middle, and over and over.
fn drawn_out() -> Vec<(String, Vec<u8>)> {
    let Some(path) = testkit::shared::path("corpus/mix.tsv") else { return Vec::new() };
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate().step_by(CORPUS_STEP) {
        let Some(tab) = line.iter().position(|&byte| byte == b'\t') else { continue };
        let line = &line[tab + 1..];
        let behind_blanks = (0..line.len()).filter(|&at| line[at] == b' ').map(|at| at + 1);
        for at in behind_blanks.skip(4).step_by(3).chain([line.len()]) {
            for unit in ["a", "a ", "1", "from "] {
                let (before, after) = line.split_at(at);
                let mut text = before.to_vec();
                let room = LINE_BYTES_MAX.saturating_sub(line.len());
                text.extend(unit.bytes().cycle().take(room));
                text.extend_from_slice(after);
                lines.push((format!("mix.tsv:{} with {unit:?} at {at}", number + 1), text));
            }
        }
        let mut all = repeated(line);
        all.truncate(LINE_BYTES_MAX);
        lines.push((format!("mix.tsv:{} over and over", number + 1), all));
    }
    lines
}

fn repeated(unit: &[u8]) -> Vec<u8> {
    unit.iter().copied().cycle().take(LINE_BYTES_MAX).collect()
}

#[test]
fn long_lines_cost_a_limited_amount_of_work() {
    let policy = policy();
    let baits = baits(&policy);
    let mut engine = Engine::new(Arc::clone(&policy), Box::new(RamMemory::default()), 1);
    let mut times: Vec<(Duration, String)> = Vec::new();
    let mut lines = drawn_out();
    for head in HEADS {
        for (name, bait) in &baits {
            let mut line = head.as_bytes().to_vec();
            line.extend_from_slice(bait);
            line.truncate(LINE_BYTES_MAX);
            lines.push((format!("{head:?} and {name}"), line));
        }
    }
    for (what, line) in lines {
        // The first time builds what is needed; of the others the quickest was interrupted least.
        let mut best = Duration::MAX;
        let mut skipped = 0;
        for _ in 0..RUNS {
            let event = Event {
                received: Timestamp::utc(1_790_000_000),
                location: b"/var/log/messages".to_vec(),
                line: line.clone(),
                ..Event::default()
            };
            let before = counts(&engine);
            #[expect(clippy::disallowed_methods, reason = "the time is printed, not judged")]
            let start = Instant::now();
            let outcome = engine.process(event);
            best = best.min(start.elapsed());
            let after = counts(&engine);
            let _event = engine.reclaim(outcome);
            let limited = after.limited - before.limited;
            assert!(limited <= LIMITED_MAX, "{what}: {limited} limited");
            assert_eq!(after.undecided, before.undecided, "{what}: undecided");
            skipped = after.out_of_budget - before.out_of_budget;
        }
        times.push((best, format!("{what}; {skipped} skipped")));
    }
    times.sort();
    let all: Duration = times.iter().map(|(time, _)| *time).sum();
    println!("{} lines, {:?} on average; the slowest:", times.len(), all / times.len() as u32);
    for (time, what) in times.iter().rev().take(25) {
        println!("{time:?}  {what}");
    }
}

/// Every so many lines of the corpus one is drawn out.
const CORPUS_STEP: usize = if cfg!(debug_assertions) { 400 } else { 20 };
/// How often each line is tried.
const RUNS: usize = if cfg!(debug_assertions) { 1 } else { 5 };
/// Searches of one event that may run into PCRE2's limit; each counts as 64 KiB of the budget.
const LIMITED_MAX: u64 = 16;

/// What was cut short so far, in decoders and in rules.
fn counts(engine: &Engine) -> SearchCounts {
    let (decoders, rules) = engine.screener().search_counts();
    SearchCounts {
        limited: decoders.limited + rules.limited,
        undecided: decoders.undecided + rules.undecided,
        captures_lost: decoders.captures_lost + rules.captures_lost,
        out_of_budget: decoders.out_of_budget + rules.out_of_budget,
    }
}
