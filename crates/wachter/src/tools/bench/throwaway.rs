//! A throw-away installation that is measured.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use super::Line;
use crate::install;
use crate::tools::supervise::{self, start_attached};

/// What every benchmark of all processes is told.
pub(super) struct Options {
    pub(super) rules: PathBuf,
    pub(super) order: Option<PathBuf>,
    pub(super) log: PathBuf,
    pub(super) keep: bool,
}

/// Reads the arguments of a benchmark, and its own numbers with their defaults. `None`: it is asked
/// for help.
pub(super) fn parse<const NUMBERS: usize>(
    mut arguments: lexopt::Parser,
    bench: &str,
    numbers: [(&str, usize); NUMBERS],
) -> Result<Option<(Options, [usize; NUMBERS])>> {
    let (mut rules, mut order, mut log, mut keep) = (None, None, None, false);
    let mut numbers = numbers;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("rules") => rules = Some(PathBuf::from(arguments.value()?)),
            Long("include-order") => order = Some(PathBuf::from(arguments.value()?)),
            Long("log") => log = Some(PathBuf::from(arguments.value()?)),
            Long("keep") => keep = true,
            Long("help") | Short('h') => return Ok(None),
            Long(name) => match numbers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, number)) => *number = arguments.value()?.parse()?,
                None => return Err(Long(name).unexpected().into()),
            },
            other => return Err(other.unexpected().into()),
        }
    }
    let missing = |what: &str| format!("{what} is missing; see wachter bench {bench} --help");
    let options = Options {
        rules: rules.with_context(|| missing("--rules DIR"))?,
        log: log.with_context(|| missing("--log FILE"))?,
        order,
        keep,
    };
    Ok(Some((options, numbers.map(|(_, number)| number))))
}

pub(super) struct Throwaway {
    dir: PathBuf,
    pub(super) home: PathBuf,
    logs: PathBuf,
}

impl Throwaway {
    pub(super) fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("wachter-bench-{}", std::process::id()));
        Self { home: dir.join("home"), logs: dir.join("logs"), dir }
    }

    /// Removes it, or says where it is.
    pub(super) fn leave(&self, keep: bool) -> Result<()> {
        if keep {
            println!("installation {}", self.home.display());
            return Ok(());
        }
        fs::remove_dir_all(&self.dir).with_context(|| format!("removing {}", self.dir.display()))
    }

    /// Does something while its processes are at work.
    pub(super) fn run(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let supervised = supervise::Options { home: self.home.clone(), from_start: true };
        let mut supervisor = start_attached(&supervised)?;
        let result = work();
        sys::process::terminate(&supervisor);
        let status = supervisor.wait()?;
        result?;
        if !status.success() {
            bail!("the supervisor ended with {status}");
        }
        Ok(())
    }

    /// Makes an empty log.
    pub(super) fn make_log(&self, location: &[u8]) -> Result<File> {
        let path = self.log(location);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create(&path).with_context(|| format!("making {}", path.display()))
    }

    pub(super) fn log(&self, location: &[u8]) -> PathBuf {
        self.logs.join(String::from_utf8_lossy(location).trim_start_matches('/'))
    }

    /// Lays it out with the logs that are there, the rules of a folder, in an order if one is given,
    /// and other sections of `ossec.conf`.
    pub(super) fn lay_out(&self, options: &Options, sections: &str) -> Result<()> {
        let Options { rules, order, .. } = options;
        let order = match order {
            Some(path) => {
                fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?
            }
            None => "<rules><rule_dir>rules</rule_dir></rules>".to_owned(),
        };
        let mut conf = format!(
            "<ossec_config>\n<global><jsonout_output>yes</jsonout_output></global>\n{order}\n{sections}\n"
        );
        for path in below(&self.logs)? {
            conf.push_str(&format!(
                "<localfile><log_format>syslog</log_format><location>{}</location></localfile>\n",
                path.display()
            ));
        }
        conf.push_str("</ossec_config>\n");
        install::lay_out_plain(&self.home, &conf).context("laying out the installation")?;
        for entry in fs::read_dir(rules)? {
            let path = entry?.path();
            if let Some(name) = path.file_name() {
                fs::copy(&path, self.home.join("rules").join(name))?;
            }
        }
        let beside = [rules.join("decoder.xml"), rules.join("../decoder.xml")];
        let decoders = beside.iter().find(|path| path.is_file());
        let decoders = decoders.context("there is no decoder.xml in DIR or above it")?;
        fs::copy(decoders, self.home.join("etc/decoder.xml"))?;
        Ok(())
    }

    /// Writes lines at a rate until it is told to stop; the rate that came of it.
    pub(super) fn write_others(
        &self,
        lines: &[Line],
        rate: usize,
        stop: &AtomicBool,
    ) -> Result<f64> {
        const TICK: Duration = Duration::from_millis(5);
        let mut file = OpenOptions::new().append(true).open(self.log(b"/others"))?;
        let started = Instant::now();
        let mut lines = lines.iter().cycle();
        let mut written = 0;
        let mut block = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let wanted = (started.elapsed().as_secs_f64() * rate as f64) as usize;
            block.clear();
            for line in lines.by_ref().take(wanted.saturating_sub(written)) {
                block.extend_from_slice(&line.text);
                block.push(b'\n');
                written += 1;
            }
            file.write_all(&block)?;
            sys::clock::pause(TICK);
        }
        Ok(written as f64 / started.elapsed().as_secs_f64())
    }
}

/// Prints how long single lines took.
pub(super) fn print_latencies(what: &str, taken: &[Duration]) {
    let mut sorted = taken.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| {
        let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    println!(
        "latency     {what}: p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, worst {:.2} ms, {} lines",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        sorted.len()
    );
}

/// The files below a folder.
fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(below(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
