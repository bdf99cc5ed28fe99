//! `wachter bench pipeline`: all processes together, from lines of log files to alerts.json.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::fs::inotify;

use super::throwaway::{Throwaway, print_latencies};
use super::{Line, read_lines, throwaway};
use crate::tools::status::numbers;

const USAGE: &str = "\
usage: wachter bench pipeline --rules DIR --log FILE [options]

Writes the lines of FILE, again and again, to log files of a throw-away installation, starts its
processes and measures: how many lines a second become lines of alerts.json; then, for single lines
that fire a rule, the time from writing the line to reading its alert, with nothing else to do and
while other lines come. A line of FILE may begin with its location and a tab.

  --rules DIR           a folder of rule files; its decoder file is beside or above it
  --include-order FILE  a <rules> section that says which files are read in which order
  --lines N             lines of the first measurement (default 2000000)
  --samples N           single lines (default 1000)
  --rate N              other lines a second in the last measurement (default 20000)
  --keep                leave the installation where it is, and tell where
";

struct Options {
    common: throwaway::Options,
    lines: usize,
    samples: usize,
    rate: usize,
}

/// How long to wait for what does not come.
const PATIENCE: Duration = Duration::from_secs(300);
/// The line of a single sample: any OSSEC rule set has a rule for it.
const SAMPLE: &str = "sshd[1]: Failed password for invalid user";

pub(super) fn run(arguments: lexopt::Parser) -> Result<()> {
    let numbers = [("lines", 2_000_000), ("samples", 1000), ("rate", 20_000)];
    let Some((common, numbers)) = throwaway::parse(arguments, "pipeline", numbers)? else {
        print!("{USAGE}");
        return Ok(());
    };
    let [lines, samples, rate] = numbers;
    let options = Options { common, lines, samples, rate };
    let lines = read_lines(&options.common.log)?;
    let bench = Bench(Throwaway::new());
    let result = bench.measure(&options, &lines);
    bench.0.leave(options.common.keep)?;
    result
}

struct Bench(Throwaway);

impl Bench {
    fn measure(&self, options: &Options, lines: &[Line]) -> Result<()> {
        let written = self.write_logs(options, lines)?;
        self.0.lay_out(&options.common, "")?;
        let started = Instant::now();
        self.0.run(|| {
            self.throughput(options, started, started.elapsed(), written)?;
            self.latencies(options, lines)
        })
    }

    /// Writes the lines to one file for each location, and says how many bytes they have.
    fn write_logs(&self, options: &Options, lines: &[Line]) -> Result<u64> {
        let mut files: BTreeMap<&[u8], BufWriter<File>> = BTreeMap::new();
        let mut written = 0;
        for line in lines.iter().cycle().take(options.lines) {
            if !files.contains_key(&line.location[..]) {
                let path = self.0.log(&line.location);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                files.insert(&line.location, BufWriter::new(File::create(&path)?));
            }
            if let Some(file) = files.get_mut(&line.location[..]) {
                file.write_all(&line.text)?;
                file.write_all(b"\n")?;
                written += line.text.len() as u64 + 1;
            }
        }
        for file in files.values_mut() {
            file.flush()?;
        }
        // Where the single lines go.
        File::create(self.0.log(b"/single"))?;
        File::create(self.0.log(b"/others"))?;
        Ok(written)
    }

    fn throughput(
        &self,
        options: &Options,
        started: Instant,
        ready: Duration,
        bytes: u64,
    ) -> Result<()> {
        let wanted = options.lines as u64;
        let mut most_behind = 0;
        let done = loop {
            let numbers = numbers(&self.0.home)?;
            let value = |name: &str| numbers.get(name).copied().unwrap_or(0);
            most_behind = most_behind.max(value("event_log_bytes"));
            if value("events_total") + value("repeats_dropped_total") >= wanted {
                break numbers;
            }
            if started.elapsed() > PATIENCE {
                bail!("only {} of {wanted} lines have arrived", value("events_total"));
            }
            sys::clock::pause(Duration::from_millis(20));
        };
        let taken = started.elapsed().saturating_sub(ready);
        let value = |name: &str| done.get(name).copied().unwrap_or(0);
        println!(
            "throughput  {wanted} lines ({:.0} MB) in {:.2} s: {:.0} lines/s; ready after {} ms",
            bytes as f64 / 1e6,
            taken.as_secs_f64(),
            wanted as f64 / taken.as_secs_f64(),
            ready.as_millis()
        );
        println!(
            "            {} alerts; waits for room {}; event log at most {:.0} MB",
            value("alerts_total"),
            value("waits_total"),
            most_behind as f64 / 1e6
        );
        self.print_memory()
    }

    fn print_memory(&self) -> Result<()> {
        let mut total = 0;
        for role in supervisor::read_state(&self.0.home)? {
            let kib = proportional_kib(role.process);
            total += kib;
            println!("memory      {:<20} {:>6.1} MB", role.daemon, kib as f64 / 1024.0);
        }
        println!("memory      {:<20} {:>6.1} MB", "together", total as f64 / 1024.0);
        Ok(())
    }

    fn latencies(&self, options: &Options, lines: &[Line]) -> Result<()> {
        // What the first measurement left behind is written first.
        sys::clock::pause(Duration::from_secs(2));
        let idle = self.samples(options.samples, 0)?;
        print_latencies("idle", &idle);
        let stop = AtomicBool::new(false);
        let (load, sent) = std::thread::scope(|scope| {
            let others = scope.spawn(|| self.0.write_others(lines, options.rate, &stop));
            let load = self.samples(options.samples, 1);
            stop.store(true, Ordering::Relaxed);
            (load, others.join())
        });
        let sent = sent.map_err(|_| anyhow::anyhow!("the writer of other lines failed"))??;
        print_latencies(&format!("at {sent:.0} lines/s"), &load?);
        Ok(())
    }

    /// Writes single lines, and measures until the alert of each can be read.
    fn samples(&self, count: usize, round: usize) -> Result<Vec<Duration>> {
        let alerts = self.0.home.join("logs/alerts/alerts.json");
        let mut watched = BufReader::new(File::open(&alerts).context("opening alerts.json")?);
        watched.seek(SeekFrom::End(0))?;
        let notices = inotify::init(inotify::CreateFlags::CLOEXEC)?;
        inotify::add_watch(&notices, &alerts, inotify::WatchFlags::MODIFY)?;
        let mut log = OpenOptions::new().append(true).open(self.0.log(b"/single"))?;
        let mut taken = Vec::with_capacity(count);
        for sample in 0..count {
            // Each from another address, so that no rule counts them together.
            let (high, low) = ((sample / 250) % 250, sample % 250);
            let token = format!("sample{round}x{sample}");
            let line = format!(
                "Nov 25 10:00:00 bench {SAMPLE} {token} from 10.{round}.{high}.{low} port 4242 ssh2\n"
            );
            let started = Instant::now();
            log.write_all(line.as_bytes())?;
            wait_for(&mut watched, &notices, &token, started)?;
            taken.push(started.elapsed());
            sys::clock::pause(Duration::from_millis(3 + (sample as u64 * 7) % 11));
        }
        Ok(taken)
    }
}

fn wait_for(
    file: &mut BufReader<File>,
    notices: &impl std::os::fd::AsFd,
    token: &str,
    started: Instant,
) -> Result<()> {
    let mut line = Vec::new();
    let mut events = [0; 4096];
    loop {
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            if memchr_find(&line, token.as_bytes()) {
                return Ok(());
            }
            line.clear();
        }
        if started.elapsed() > PATIENCE {
            bail!("the alert of {token} does not come");
        }
        let timeout = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
        let mut waited = [rustix::event::PollFd::new(notices, rustix::event::PollFlags::IN)];
        if rustix::event::poll(&mut waited, Some(&timeout))? > 0 {
            rustix::io::read(notices, &mut events)?;
        }
    }
}

fn memchr_find(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|part| part == wanted)
}

/// Memory of a process, what it shares with others counted in part; 0 where it cannot be read.
fn proportional_kib(process: u32) -> u64 {
    let mut text = String::new();
    let read = File::open(format!("/proc/{process}/smaps_rollup"))
        .and_then(|mut file| file.read_to_string(&mut text));
    let pss = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = pss.and_then(|pss| pss.split_whitespace().next()?.parse().ok());
    read.ok().and(kib).unwrap_or(0)
}
