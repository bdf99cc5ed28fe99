//! `wachter run-tests`: OSSEC's `.ini` tests and our `.case` files, against decoders and rules.
//!
//! OSSEC's tests were recorded with its logtest, which leaves the actions of firewall events as they
//! are. So do we for `.ini` files; everywhere else actions are normalised, as they are live.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use engine::{Engine, Options, Outcome, Policy};
use lexopt::prelude::*;
use model::limits::FILE_BYTES_MAX;
use model::{Event, RamMemory};
use testkit::case::{self, Answer, Case, Setting, StepInput};
use testkit::ini::{self, IniCase};

use super::logtest;
use super::logtest::verdict::{Decided, Verdict, decoder_name};
use crate::escape::escaped;
use crate::home::{self, Depth, Installation, Origin, Parts, PartsOption, files};
use crate::report;

const USAGE: &str = "\
usage: wachter run-tests DIR|FILE [options]

Runs OSSEC's .ini tests and .case files. Each log line of an .ini file is a test of its own, in a
fresh state, and so is each .case file. The exit code is 0 if all pass, 1 if not.

OSSEC's .ini tests were recorded with its logtest, which does not normalise the actions of firewall
events to ALLOW, DROP and CLOSED as the daemon does. The .ini tests are therefore run without it, too.

  --home DIR            installation whose decoders and rules the .ini tests are for
                        (default /var/ossec)
";

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut parts = Parts::default();
    let (mut home, mut tests) = (None, None);
    while let Some(argument) = arguments.next()? {
        if let Some(option) = PartsOption::of(&argument) {
            parts.take(option, &mut arguments)?;
            continue;
        }
        match argument {
            Short('h') | Long("help") => {
                print!("{USAGE}{}", home::USAGE);
                return Ok(ExitCode::SUCCESS);
            }
            Long("home") => home = Some(PathBuf::from(arguments.value()?)),
            Value(value) if tests.is_none() => tests = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let tests = tests.context("the directory of the tests is missing; see wachter run-tests -h")?;
    let paths = match tests.is_dir() {
        true => files::below(&tests, &[".ini", ".case"])
            .with_context(|| format!("reading {}", tests.display()))?,
        false => vec![tests],
    };
    let mut results = Results::default();
    let mut shared = Shared { origin: Origin::of(parts, home, None), policy: None };
    for path in &paths {
        if path.extension().is_some_and(|extension| extension == "case") {
            run_case(path, &mut results)?;
        } else {
            run_ini(path, shared.policy()?, &mut results)?;
        }
    }
    writeln!(io::stdout(), "{} passed, {} failed", results.passed, results.failed)?;
    Ok(if results.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Debug, Default)]
struct Results {
    passed: usize,
    failed: usize,
}

impl Results {
    fn add(&mut self, failure: Option<String>) -> io::Result<()> {
        match failure {
            Some(text) => {
                self.failed += 1;
                writeln!(io::stdout(), "{text}")?;
            }
            None => self.passed += 1,
        }
        Ok(())
    }
}

/// The policy of all `.ini` tests, loaded when the first one needs it.
struct Shared {
    origin: Origin,
    policy: Option<Arc<Policy>>,
}

impl Shared {
    fn policy(&mut self) -> Result<&Arc<Policy>> {
        let policy = match self.policy.take() {
            Some(policy) => policy,
            None => {
                let mut policy = usable(self.origin.read(Depth::Load))?;
                policy.options.normalise_firewall = false;
                Arc::new(policy)
            }
        };
        Ok(self.policy.insert(policy))
    }
}

/// The policy, with the options of logtest.
fn usable(installation: Installation) -> Result<Policy> {
    let Some(mut policy) = installation.policy else {
        let errors = report::errors(&installation.sources, &installation.diagnostics);
        bail!("decoders and rules cannot be used\n{errors}");
    };
    policy.options = logtest::options(&policy.options);
    Ok(policy)
}

/// What a case's `set:` lines say.
fn apply(settings: &[Setting], options: &mut Options) {
    for setting in settings {
        match setting {
            Setting::DropRepeated => options.drop_repeated = true,
            Setting::AlertNewFiles => options.alert_new_files = true,
            Setting::NoAutoIgnore => options.auto_ignore = false,
            Setting::NoFirewallActions => options.normalise_firewall = false,
        }
    }
}

fn run_ini(path: &Path, policy: &Arc<Policy>, results: &mut Results) -> Result<()> {
    let text =
        files::read(path, FILE_BYTES_MAX).with_context(|| format!("reading {}", path.display()))?;
    let cases = match ini::read(&text) {
        Ok(cases) => cases,
        Err(error) => {
            results.add(Some(format!("{}: {error:#}", path.display())))?;
            return Ok(());
        }
    };
    for case in &cases {
        results.add(ini_failure(path, case, policy))?;
    }
    Ok(())
}

/// What is wrong with the answer to a log line, if it is not the expected one.
fn ini_failure(path: &Path, case: &IniCase, policy: &Arc<Policy>) -> Option<String> {
    let verdict = Verdict {
        rule: case.rule.clone(),
        level: case.level.clone(),
        decoder: case.decoder.clone(),
    };
    let mut engine = Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 0);
    let mut last = None;
    for line in case.log.split(|&byte| byte == b'\n').filter(|line| line.len() > 1) {
        let outcome = engine.process(Event {
            received: sys::clock::wall(),
            location: b"stdin".to_vec(),
            line: line.to_vec(),
            ..Event::default()
        });
        let decided = verdict.of(&outcome, policy);
        last = Some((decided, answered(&outcome, policy)));
        if decided.ends_run() {
            break;
        }
    }
    let (decided, answered) = last?;
    if (decided == Decided::Equal) == case.expect_pass {
        return None;
    }
    let wanted = if case.expect_pass { "" } else { "anything but " };
    Some(format!(
        "{}:{}: [{}]\n  log      {}\n  expected {wanted}{}/{} {}\n  but got  {answered}",
        path.display(),
        case.line_number,
        case.section,
        escaped(&case.log),
        case.rule,
        case.level,
        case.decoder,
    ))
}

/// Rule, level and decoder of an answer.
fn answered(outcome: &Outcome, policy: &Policy) -> String {
    let decoder = decoder_name(outcome, policy).unwrap_or("(no decoder)");
    match outcome.matched() {
        Some(matched) => {
            let rule = policy.ruleset.rule(matched.rule);
            format!("{}/{} {decoder}", rule.id, rule.level)
        }
        None => format!("no rule, {decoder}"),
    }
}

fn run_case(path: &Path, results: &mut Results) -> io::Result<()> {
    let failures =
        case_failures(path).unwrap_or_else(|error| vec![format!("{}: {error:#}", path.display())]);
    results.add((!failures.is_empty()).then(|| failures.join("\n")))
}

/// Where the answers are not the expected ones; with `UPDATE_CASES=1` they are written instead.
fn case_failures(path: &Path) -> Result<Vec<String>> {
    let case = Case::read(path)?;
    let mut runner = CaseRunner::new(&case)?;
    let answers = case.run(|input| runner.answer(input));
    if std::env::var_os(case::UPDATE_VARIABLE).is_some_and(|value| value == "1") {
        std::fs::write(path, case.updated(&answers))?;
        return Ok(Vec::new());
    }
    let place = |failure: String| match failure.strip_prefix("line ") {
        Some(rest) => format!("{}:{rest}", path.display()),
        None => failure,
    };
    Ok(case.failures(&answers).into_iter().map(place).collect())
}

/// Answers the events of one case.
pub(crate) struct CaseRunner {
    /// One for each name that this server has in the case.
    policies: BTreeMap<String, Arc<Policy>>,
    engine: Engine,
    host: String,
}

impl CaseRunner {
    pub(crate) fn new(case: &Case) -> Result<Self> {
        let mut policies = BTreeMap::new();
        for step in &case.steps {
            let host = &step.first.host;
            if !policies.contains_key(host) {
                let mut policy = usable(home::read_case(case, host))?;
                apply(&case.settings, &mut policy.options);
                policies.insert(host.clone(), Arc::new(policy));
            }
        }
        let Some((host, policy)) = policies.first_key_value() else { bail!("there are no events") };
        let engine = Engine::new(Arc::clone(policy), Box::new(RamMemory::default()), 0);
        Ok(Self { engine, host: host.clone(), policies })
    }

    pub(crate) fn answer(&mut self, input: &StepInput) -> Answer {
        if input.host != self.host
            && let Some(policy) = self.policies.get(&input.host)
        {
            self.engine.replace(Arc::clone(policy));
            self.host.clone_from(&input.host);
        }
        let outcome = self.engine.process(input.event.clone());
        answer(&outcome, self.engine.policy())
    }
}

/// An outcome as cases describe it.
fn answer(outcome: &Outcome, policy: &Policy) -> Answer {
    let Some(decoded) = outcome.decoded() else { return Answer::default() };
    let value = |name| decoded.fields.value(name, decoded.full_log()).unwrap_or_default().to_vec();
    Answer {
        hostname: decoded.hostname().to_vec(),
        program: decoded.program_name().map(<[u8]>::to_vec),
        log: decoded.log().to_vec(),
        decoder: decoder_name(outcome, policy).map(str::to_owned),
        fields: decoded
            .fields
            .names()
            .iter()
            .map(|&name| (logtest::label(name, policy).to_owned(), value(name)))
            .collect(),
        rule: outcome.matched().map(|matched| {
            let rule = policy.ruleset.rule(matched.rule);
            (rule.id, rule.level, outcome.is_alert())
        }),
        context: outcome.matched().map_or(0, |matched| matched.context.len()),
    }
}
