//! `wachter bench engine`: how fast events are decoded, matched and written as alerts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use engine::{Engine, Judge, Outcome, Policy};
use lexopt::prelude::*;
use model::{Event, RamMemory, Timestamp};
use sys::allocation::allocations;

use super::{Line, read_lines};
use crate::alert_view::AlertWriter;
use crate::home::{self, Parts};
use crate::parallel::{self, Spread};

const USAGE: &str = "\
usage: wachter bench engine --rules DIR --log FILE [options]

Runs the lines of FILE through decoders and rules, again and again, and writes alerts as lines of
alerts.json to memory. A line of FILE may begin with its location and a tab.

  --rules DIR         a folder of rule files
  --decoders FILE     decoder file (default: decoder.xml beside or above DIR)
  --include-order FILE  a <rules> section that says which files are read in which order
  --passes N          measured passes over FILE (default 15)
  --threads N         worker threads of the second measurement (default: all processors)
  --batch N           events in a batch of the second measurement (default 500)
  --strict            correlation as OSSEC has it
";

struct Options {
    parts: Parts,
    log: PathBuf,
    passes: usize,
    threads: usize,
    batch: usize,
}

/// The moment of the first pass. Each pass is a second later.
const START: i64 = 1_790_000_000;

pub(super) fn run(arguments: lexopt::Parser) -> Result<()> {
    let Some(options) = parse(arguments)? else {
        print!("{USAGE}");
        return Ok(());
    };
    let resident_before = resident_kib();
    let started = Instant::now();
    let policy = Arc::new(home::load_parts(&options.parts)?);
    let loading = started.elapsed();
    println!(
        "loaded      {} decoders, {} rules in {:.1} ms",
        policy.decoders.iter().count(),
        policy.ruleset.rules.len(),
        loading.as_secs_f64() * 1000.0
    );
    let lines = read_lines(&options.log)?;
    let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
    println!(
        "log         {} lines, {:.0} bytes on average",
        lines.len(),
        bytes as f64 / lines.len() as f64
    );
    let loaded = resident_kib();
    one_thread(&options, &policy, &lines);
    println!(
        "resident    {:.1} MB before loading, {:.1} loaded, {:.1} after one thread's passes",
        resident_before as f64 / 1024.0,
        loaded as f64 / 1024.0,
        resident_kib() as f64 / 1024.0
    );
    all_threads(&options, &policy, &lines);
    Ok(())
}

fn parse(mut arguments: lexopt::Parser) -> Result<Option<Options>> {
    let mut parts = Parts::default();
    let (mut log, mut passes, mut batch) = (None, 15, 500);
    let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("rules") => parts.rules = vec![arguments.value()?.into()],
            Long("decoders") => parts.decoders.push(arguments.value()?.into()),
            Long("include-order") => parts.include_order = Some(arguments.value()?.into()),
            Long("log") => log = Some(PathBuf::from(arguments.value()?)),
            Long("passes") => passes = arguments.value()?.parse()?,
            Long("threads") => threads = arguments.value()?.parse()?,
            Long("batch") => batch = arguments.value()?.parse()?,
            Long("strict") => parts.strict = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    let log = log.context("--log FILE is missing; see wachter bench engine --help")?;
    if parts.rules.is_empty() {
        bail!("--rules DIR is missing; see wachter bench engine --help");
    }
    Ok(Some(Options { parts, log, passes: passes.max(1), threads: threads.max(1), batch }))
}

fn fill(event: &mut Event, line: &Line, seconds: i64) {
    event.received = Timestamp::utc(seconds);
    event.location.extend_from_slice(&line.location);
    event.line.extend_from_slice(&line.text);
}

fn one_thread(options: &Options, policy: &Arc<Policy>, lines: &[Line]) {
    let writer = AlertWriter::new(Arc::clone(policy));
    let mut engine = Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 1);
    let mut out = Vec::with_capacity(1 << 24);
    let mut event = Event::default();
    let mut nanoseconds = Vec::new();
    let (mut alerts, mut written, mut allocated) = (0, 0, (0, 0));
    // Two passes to warm up: tables grow, patterns are built.
    for pass in 0..options.passes + 2 {
        (alerts, written) = (0, 0);
        let before = allocations();
        let started = Instant::now();
        for line in lines {
            fill(&mut event, line, START + pass as i64);
            let outcome = engine.process(event);
            if let Outcome::Alert(alert) = &outcome {
                alerts += 1;
                out.clear();
                writer.json(alert, &mut out);
                written += out.len();
            }
            event = engine.reclaim(outcome);
        }
        if pass >= 2 {
            nanoseconds.push(started.elapsed().as_nanos() as f64 / lines.len() as f64);
            let after = allocations();
            allocated = (after.count - before.count, after.bytes - before.bytes);
        }
    }
    nanoseconds.sort_by(f64::total_cmp);
    let median = nanoseconds[nanoseconds.len() / 2];
    let per_event = |value: u64| value as f64 / lines.len() as f64;
    println!(
        "one thread  {:.0} events/s; {median:.0} ns per event (median of {}; best {:.0})",
        1e9 / median,
        nanoseconds.len(),
        nanoseconds[0]
    );
    println!(
        "            {:.4} allocations and {:.1} bytes per event; {alerts} alerts, {written} bytes \
         of JSON a pass",
        per_event(allocated.0),
        per_event(allocated.1)
    );
    let (decoders, rules) = engine.screener().search_counts();
    println!("            cut short: decoders {decoders:?}, rules {rules:?}");
}

fn all_threads(options: &Options, policy: &Arc<Policy>, lines: &[Line]) {
    let writer = AlertWriter::new(Arc::clone(policy));
    let mut judge = Judge::new(Arc::clone(policy), Box::new(RamMemory::default()), 1);
    let spread = Spread { threads: options.threads, batch: options.batch };
    let total = lines.len() * options.passes;
    let mut position = 0;
    let mut written = 0;
    let started = Instant::now();
    parallel::run(
        policy,
        &mut judge,
        spread,
        |event| {
            if position == total {
                return false;
            }
            let pass = position / lines.len();
            fill(event, &lines[position % lines.len()], START + pass as i64);
            position += 1;
            true
        },
        |outcome, out| {
            if let Outcome::Alert(alert) = outcome {
                writer.json(alert, out);
            }
        },
        |out| written += out.len(),
    );
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{:<11} {:.0} events/s; {:.0} ns per event, batches of {}; {} bytes of JSON a pass",
        format!("{} threads", options.threads),
        total as f64 / seconds,
        seconds * 1e9 / total as f64,
        options.batch,
        written / options.passes
    );
}

/// Memory of this process that is in RAM.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
