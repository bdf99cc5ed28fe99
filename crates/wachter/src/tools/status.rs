//! `wachter status`: how the processes of an installation are, and what goes through them.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use lexopt::prelude::*;
use model::Timestamp;
use supervisor::RoleState;
use sys::clock;
use sys::lock::{Holder, Lock};

use crate::metrics::resident_bytes;
use crate::roles::METRICS_SOCKET;
use crate::sources::{self, SourceState};
use crate::tools::moment;
use crate::{escape, home};

const USAGE: &str = "\
usage: wachter status [options]

Shows the processes of an installation with their restarts, memory and sandbox; what went through
them, how fast, and what was lost on the way; and the sources that need attention. Run it as root or
as a member of the group ossec.

  --home DIR            the installation (default /var/ossec)
  --sources             all sources, not only those that need attention
";

const EXIT_CODES: &str = "
exit codes:
  0                     all processes are at work
  1                     it does not run, or not all of it does
";

/// Between the two looks that give a rate.
const RATE_PERIOD: Duration = Duration::from_secs(1);
const ANSWER_WAIT: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) type Numbers = BTreeMap<String, u64>;

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut home, mut all_sources) = (PathBuf::from(home::DEFAULT), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("home") | Short('D') => home = arguments.value()?.into(),
            Long("sources") => all_sources = true,
            Long("help") | Short('h') => {
                print!("{USAGE}{EXIT_CODES}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let lock = home.join(supervisor::roles::LOCK);
    let holder = Lock::holder(&lock).with_context(|| format!("looking at {}", lock.display()))?;
    let mut out = io::stdout().lock();
    let Holder::Process(process) = holder else {
        writeln!(out, "{} is not running", home.display())?;
        return Ok(ExitCode::FAILURE);
    };
    let now = clock::wall();
    writeln!(out, "{}, supervised by process {process}\n", home.display())?;
    let roles = supervisor::read_state(&home).context("reading the state of processes")?;
    print_roles(&mut out, &roles, now)?;
    match numbers(&home) {
        Ok(first) => {
            out.flush()?;
            sys::clock::pause(RATE_PERIOD);
            let second = numbers(&home).unwrap_or_else(|_| first.clone());
            print_numbers(&mut out, &first, &second)?;
        }
        Err(error) => writeln!(out, "\nno numbers: {error:#}")?,
    }
    print_sources(&mut out, &sources::read(&home).unwrap_or_default(), all_sources, now)?;
    let all_well = !roles.is_empty() && roles.iter().all(|role| role.is_ready);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_roles(out: &mut impl Write, roles: &[RoleState], now: Timestamp) -> io::Result<()> {
    for role in roles {
        let state = match (role.process, role.is_ready) {
            (0, _) => "ended".to_owned(),
            (process, true) => format!("pid {process}"),
            (process, false) => format!("pid {process}, starting"),
        };
        let up = moment::length(now.seconds.saturating_sub(role.since));
        let memory = resident_bytes(role.process) as f64 / (1024.0 * 1024.0);
        writeln!(out, "{:<20} {state:<12} up {up:<8} {memory:>5.1} MB", role.daemon)?;
        writeln!(out, "{:<20} held by: {}", "", role.layers)?;
        if !role.missing.is_empty() {
            writeln!(out, "{:<20} lacks:   {}", "", role.missing)?;
        }
        if role.restarts > 0 {
            writeln!(out, "{:<20} {} restarts; last {}", "", role.restarts, role.last_end)?;
        }
    }
    for daemon in supervisor::roles::NOT_BUILT {
        writeln!(out, "{daemon:<20} not built yet")?;
    }
    Ok(())
}

/// The numbers without labels, as the metrics socket gives them.
pub(super) fn numbers(home: &Path) -> Result<Numbers> {
    let path = home.join(METRICS_SOCKET);
    let mut stream =
        UnixStream::connect(&path).with_context(|| format!("connecting to {}", path.display()))?;
    stream.set_read_timeout(Some(ANSWER_WAIT))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut text).context("reading the numbers")?;
    let numbers = text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("wachter_")?.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(numbers.collect())
}

fn print_numbers(out: &mut impl Write, first: &Numbers, second: &Numbers) -> io::Result<()> {
    let value = |name: &str| second.get(name).copied().unwrap_or(0);
    let rate = |name: &str| value(name).saturating_sub(first.get(name).copied().unwrap_or(0));
    writeln!(
        out,
        "\nevents   {:>12}  ({}/s)\nalerts   {:>12}  ({}/s)\nlag      {:>10} s",
        value("events_total"),
        rate("events_total"),
        value("alerts_total"),
        rate("alerts_total"),
        value("lag_seconds"),
    )?;
    if value("blocks") + value("blocks_total") > 0 {
        let (blocks, made) = (value("blocks"), value("blocks_total"));
        writeln!(out, "blocks   {blocks:>12}  ({made} made; see wachter blocks list)")?;
    }
    if value("analysis_blocked") == 1 {
        writeln!(out, "analysis waits: it cannot write (see logs/ossec.log)")?;
    }
    // Nothing is said where nothing is amiss.
    for (name, what) in [
        ("poisoned_total", "events left out because analysis had ended over them again and again"),
        ("bad_batches_total", "packets between processes that were none"),
        ("write_errors_total", "tries to write that failed and were repeated"),
        ("alerts_not_kept_total", "alerts that found no room in the journal"),
        ("tables_not_kept_total", "remembered things that made room for others"),
        ("files_refused", "files beyond the number that is followed"),
        ("lines_cut_total", "lines cut by analysis"),
        ("collect_cut_total", "lines cut while they were collected"),
        ("collect_malformed_total", "inputs that were not of their configured format"),
        ("datagrams_bad_total", "datagrams that were no messages"),
        ("searches_cut_total", "searches cut short in slow lines"),
        ("history_forgotten_total", "events forgotten early by correlation"),
        ("orders_lost_total", "active responses lost because too many waited"),
        ("orders_elsewhere_total", "active responses for agents, which are not reached"),
        ("blocks_failed_total", "actions and scripts of responses that failed"),
        ("blocks_over_limit_total", "attackers beyond the number that may be blocked in a minute"),
        ("commands_failed_total", "commands that failed"),
        ("commands_killed_total", "commands that took too long"),
    ] {
        if value(name) > 0 {
            writeln!(out, "         {:>12}  {what}", value(name))?;
        }
    }
    Ok(())
}

fn print_sources(
    out: &mut impl Write,
    sources: &[SourceState],
    all: bool,
    now: Timestamp,
) -> io::Result<()> {
    let reading = sources.iter().filter(|source| source.state.starts_with("reading")).count();
    let silent = sources.iter().filter(|source| source.is_silent).count();
    writeln!(out, "\nsources  {:>12}  ({reading} read, {silent} unusually silent)", sources.len())?;
    let shown = sources.iter().filter(|it| all || it.is_silent || !it.state.starts_with("reading"));
    for source in shown {
        let last = match source.last {
            0 => "nothing yet".to_owned(),
            last => format!("last {} ago", moment::length(now.seconds.saturating_sub(last))),
        };
        let silent = if source.is_silent { ", unusually silent" } else { "" };
        writeln!(
            out,
            "  {:<40} {}, {} messages, {last}{silent}",
            escape::escaped(source.name.as_bytes()),
            escape::escaped(source.state.as_bytes()),
            source.lines
        )?;
    }
    Ok(())
}
