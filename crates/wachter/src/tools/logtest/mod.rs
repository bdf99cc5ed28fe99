//! `wachter logtest` and `ossec-logtest`: what decoders and rules make of log lines.
//!
//! Messages go to standard error, everything about events to standard output; nothing else is
//! written, and no special rights are needed.

mod arguments;
mod input;
mod json;
mod phases;
mod trace;
pub(crate) mod verdict;

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use engine::{Engine, Options, Outcome, Policy};
use lexopt::Parser;
use model::Event;

use crate::alert_view::AlertWriter;
use crate::escape;
use crate::home::{self, Depth, Installation};
use crate::live::{self, Live, Reload};
use crate::report::{self, Counts};
pub(crate) use phases::label;

use arguments::{Arguments, Mode, Request};
use input::Lines;
use phases::Phases;
use trace::{Explanation, RuleDebugging};
use verdict::Verdict;

/// Where lines come from, for rules that ask.
const LOCATION: &[u8] = b"stdin";

/// The name under which messages are told.
const NAME: &str = "ossec-testrule";

/// Options of an engine that is shown single lines: repetitions count, statistics do not.
pub(crate) fn options(live: &Options) -> Options {
    Options { drop_repeated: false, statistics_level: 0, ..live.clone() }
}

pub(crate) fn run(parser: Parser) -> Result<ExitCode> {
    let arguments = match Arguments::parse(parser) {
        Ok(Request::Run(arguments)) => *arguments,
        Ok(Request::Help) => {
            print!("{}{}", arguments::USAGE, home::USAGE);
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Request::Version) => {
            println!("{NAME}: wachter {}, for OSSEC HIDS 4.3", env!("CARGO_PKG_VERSION"));
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprint!("{NAME}: {error}\n{}{}", arguments::USAGE, home::USAGE);
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut installation = arguments.origin.read(Depth::Load);
    let watched = std::mem::take(&mut installation.watched);
    let Some(policy) = usable(installation, &arguments) else { return Ok(ExitCode::FAILURE) };
    if arguments.test_only {
        return Ok(ExitCode::SUCCESS);
    }
    tell("INFO", &format!("Started (pid: {}).", std::process::id()));
    let policy = Arc::new(policy);
    let Arguments { origin, mode, watch, verdict, .. } = arguments;
    let memory = origin.memory();
    let mut session = Session {
        engine: Engine::new(Arc::clone(&policy), Box::new(memory), 0),
        phases: Phases::new(&policy),
        alerts: AlertWriter::new(Arc::clone(&policy)),
        live: watch.then(|| Live::new(origin, options, Arc::clone(&policy), watched)),
        policy,
        mode,
        verdict,
        out: Vec::new(),
    };
    session.run(io::stdin().lock(), io::stdout().lock())
}

/// The policy to go by; what is wrong with the files is told.
fn usable(installation: Installation, arguments: &Arguments) -> Option<Policy> {
    if !arguments.quiet {
        for notice in &installation.notices {
            tell("INFO", notice);
        }
    }
    let Some(mut policy) = installation.policy else {
        let Installation { sources, diagnostics, .. } = &installation;
        let is_terminal = io::stderr().is_terminal();
        eprint!("{}", report::render_errors(sources, diagnostics, is_terminal));
        tell("ERROR", "Configuration error. Exiting");
        return None;
    };
    let warnings = Counts::of(&installation.diagnostics).warnings;
    if warnings > 0 && !arguments.quiet {
        tell("INFO", &format!("{warnings} warnings about the files; wachter check shows them."));
    }
    policy.options = options(&policy.options);
    Some(policy)
}

/// Writes a message as OSSEC's programs do.
fn tell(kind: &str, message: &str) {
    let at = sys::clock::wall().civil();
    eprintln!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02} {NAME}: {kind}: {message}",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    );
}

/// One run over lines.
struct Session {
    engine: Engine,
    policy: Arc<Policy>,
    phases: Phases,
    alerts: AlertWriter,
    /// Where the files are watched.
    live: Option<Live>,
    mode: Mode,
    verdict: Option<Verdict>,
    /// What is written for the current event.
    out: Vec<u8>,
}

impl Session {
    fn run(&mut self, input: impl BufRead, mut output: impl Write) -> Result<ExitCode> {
        if self.mode.has_phases() {
            // compat: the title, an empty line, and two before each event.
            writeln!(output, "{NAME}: Type one log per line.\n")?;
            output.flush()?;
        }
        let mut lines = Lines::new(input);
        let mut line = Vec::new();
        let mut code = 0;
        while let Some(cut) = lines.next(&mut line)? {
            if cut > 0 {
                tell("WARN", &format!("{cut} bytes at the end of a line are left out."));
            }
            // compat: a line of one character is skipped as well.
            if line.len() <= 1 {
                continue;
            }
            self.reload_if_changed();
            let event = Event {
                received: sys::clock::wall(),
                location: LOCATION.to_vec(),
                line: std::mem::take(&mut line),
                ..Event::default()
            };
            let decided = self.event(event);
            output.write_all(&self.out)?;
            output.flush()?;
            if let Some(decided) = decided {
                code = decided.code();
                if decided.ends_run() {
                    break;
                }
            }
        }
        Ok(ExitCode::from(code))
    }

    /// Goes by the files as they are now, if they can be used. What is remembered stays.
    fn reload_if_changed(&mut self) {
        let Some(live) = self.live.as_ref().filter(|live| live.is_outdated()) else { return };
        match live.reload() {
            Reload::Replaced(findings) => {
                let policy = live.policy();
                let warnings = findings.counts().warnings;
                tell(
                    "INFO",
                    &format!(
                        "files have changed: {} decoders and {} rules are in force now, \
                         {warnings} warnings",
                        policy.decoders.iter().count(),
                        policy.ruleset.rules.len(),
                    ),
                );
                self.engine.replace(Arc::clone(&policy));
                self.phases = Phases::new(&policy);
                self.alerts = AlertWriter::new(Arc::clone(&policy));
                self.policy = policy;
            }
            Reload::KeptOld(findings) => {
                eprint!("{}", findings.errors(io::stderr().is_terminal()));
                tell("ERROR", live::KEPT);
            }
        }
    }

    /// Processes an event into `out`.
    fn event(&mut self, event: Event) -> Option<verdict::Decided> {
        self.out.clear();
        let (policy, out) = (&self.policy, &mut self.out);
        let outcome = match self.mode {
            Mode::Phases => {
                let outcome = self.engine.process(event);
                if let Some(decoded) = outcome.decoded() {
                    self.phases.decoding(decoded, policy, out);
                }
                self.phases.rule(&outcome, policy, out);
                outcome
            }
            Mode::RuleDebugging => {
                let mut trace = RuleDebugging { phases: &self.phases, out };
                let outcome = self.engine.explain(event, &mut trace);
                self.phases.rule(&outcome, policy, out);
                outcome
            }
            Mode::Trace => {
                let mut trace = Explanation::new(&self.phases, policy, out);
                let outcome = self.engine.explain(event, &mut trace);
                self.phases.rule(&outcome, policy, out);
                outcome
            }
            Mode::Alerts => {
                let outcome = self.engine.process(event);
                if let Outcome::Alert(alert) = &outcome {
                    let mut record = Vec::new();
                    self.alerts.text(alert, &mut record);
                    for line in record.split_inclusive(|&byte| byte == b'\n') {
                        let text = line.strip_suffix(b"\n").unwrap_or(line);
                        escape::push(out, text);
                        out.push(b'\n');
                    }
                }
                outcome
            }
            Mode::Json => {
                let outcome = self.engine.process(event);
                json::push(&outcome, policy, out);
                outcome
            }
        };
        let decided = self.verdict.as_ref().map(|verdict| {
            let decided = verdict.of(&outcome, policy);
            verdict.print(&decided, &outcome, policy, out);
            decided
        });
        self.engine.reclaim(outcome);
        decided
    }
}
