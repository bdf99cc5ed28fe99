//! Our own tests: a text file of timed events and the answers they must get.
//!
//! ```text
//! # A comment. The head names the rules and decoders, by path or in place.
//! rules: fixture/sshd.xml
//! decoders <<EOF
//! <decoder name="sshd"> …
//! EOF
//! list blocked <<EOF
//! 192.0.2.7:since march
//! EOF
//! compat: strict
//! set: drop_repeated
//!
//! @ 2026-03-01 10:00:00  web1  /var/log/auth.log
//! Mar  1 10:00:00 web1 sshd[9]: Failed password for root from 192.0.2.7 port 4242 ssh2
//! = decoder sshd  srcip 192.0.2.7  dstuser root
//! = rule 5716 level 5  alert
//! repeat 4 every 5s
//! = rule 5716 level 5  alert
//! then +5s
//! = rule 5720 level 10  alert  context 5
//! ```
//!
//! A `list` is one that rules look things up in, in its text form; `set` names a [`Setting`]. In place
//! of `rules` and `decoders`, or before them, `ruleset: DIR` names a folder whose `decoders/*.xml` are
//! read by name and whose `rules/` in the order of its `include-order.xml`, as an installation has them.
//! The first `@` line ends the head. Then each line is one of these:
//!
//! | Line | Meaning |
//! |---|---|
//! | `@ DATE TIME  HOST  LOCATION` | sets the time, the name of the host and the location; host and location may be left out and stay, first `host` and `/var/log/messages` |
//! | `@ +90s` | moves the time on |
//! | `queue 8` | sets the queue letter, first `1` |
//! | `\| TEXT` | an event; `\xNN`, `\t`, `\n`, `\r` and `\\` are escapes |
//! | `repeat 4 every 5s` | the last event again, four times, each 5 seconds after the one before; the answers below it hold for each |
//! | `then +5s` | the last event once more, 5 seconds later |
//! | `= …` | what the event above must give, see below |
//! | `# …`, empty | comment |
//! | anything else | an event as it stands |
//!
//! Times are UTC. Parts of a line that may hold blanks stand two blanks apart. Answers:
//!
//! ```text
//! = decoder NAME  FIELD VALUE  FIELD VALUE …      all fields, in the order they were assigned
//! = no decoder  FIELD VALUE …
//! = rule N level L  alert  context C              or silent; context is left out when 0
//! = no rule
//! = program NAME        = no program
//! = hostname NAME       = log TEXT
//! ```
//!
//! Values are escaped like `|` events; an empty one is `""`. Only the kinds of answers that are
//! given are compared. `UPDATE_CASES=1` rewrites them, and gives decoder and rule to events that
//! have none.

mod answer;
mod bytes;
mod parse;
mod setting;
mod update;

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;
use model::Event;

pub use answer::Answer;
pub use answer::Expected;
pub use answer::Kind;
pub use setting::Setting;

/// Tells [`check`] to rewrite the answers when it is `1`.
pub const UPDATE_VARIABLE: &str = "UPDATE_CASES";

/// A case file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The folder of a whole rule set, which comes before the files that are named one by one.
    pub ruleset: Option<PathBuf>,
    pub rules: Vec<Source>,
    pub decoders: Vec<Source>,
    pub lists: Vec<List>,
    /// What `set:` lines say: options that the case is about.
    pub settings: Vec<Setting>,
    /// `compat: strict`: OSSEC's quirks are wanted too.
    pub is_strict: bool,
    pub steps: Vec<Step>,
    /// The file's lines, for rewriting.
    lines: Vec<String>,
}

/// Where rules or decoders come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    /// Written in the case file, from that line on.
    Inline {
        line_number: usize,
        text: String,
    },
}

/// A key-value list, written in the case file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub name: String,
    /// Lines of `key:value`.
    pub text: String,
}

/// One event, or the repetitions of one, and the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the event, `repeat` or `then` stands, counted from 1.
    pub line_number: usize,
    /// What is put in first.
    pub first: StepInput,
    /// How often it is put in; not 0.
    pub times: u32,
    /// Seconds from one time to the next.
    pub interval_seconds: i64,
    pub expectations: Vec<Expectation>,
}

/// What is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepInput {
    pub event: Event,
    /// The name of the host that analyses.
    pub host: String,
}

/// One `=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub line_number: usize,
    pub expected: Expected,
}

impl Case {
    /// Reads a case; paths in it are relative to `dir`. All mistakes are reported at once.
    pub fn parse(text: &str, dir: &Path) -> Result<Self> {
        parse::parse(text, dir)
    }

    /// Reads a case file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let dir = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, dir).with_context(|| format!("reading {}", path.display()))
    }

    /// Puts all events in; the answers stand by step and repetition.
    pub fn run(&self, mut answer: impl FnMut(&StepInput) -> Answer) -> Vec<Vec<Answer>> {
        self.steps.iter().map(|step| step.inputs().map(|input| answer(&input)).collect()).collect()
    }

    /// Where the answers are not the expected ones, one text each.
    pub fn failures(&self, answers: &[Vec<Answer>]) -> Vec<String> {
        let mut failures = Vec::new();
        for (step, answers) in self.steps.iter().zip(answers) {
            for (index, answer) in answers.iter().enumerate() {
                failures.extend(step.failures(index, answer));
            }
        }
        failures
    }

    /// The file's text with these answers. Repetitions that differ get a `repeat` line each.
    pub fn updated(&self, answers: &[Vec<Answer>]) -> String {
        update::updated(self, answers)
    }
}

impl Step {
    /// Everything that is put in, in order.
    pub fn inputs(&self) -> impl Iterator<Item = StepInput> {
        (0..i64::from(self.times)).map(|index| {
            let mut input = self.first.clone();
            input.event.received.seconds += index * self.interval_seconds;
            input
        })
    }

    fn failures(&self, index: usize, answer: &Answer) -> Vec<String> {
        let differing = self.expectations.iter().filter_map(|expectation| {
            let actual = Expected::of(expectation.expected.kind(), answer);
            (actual != expectation.expected).then_some((expectation, actual))
        });
        let time = if self.times == 1 { String::new() } else { format!(", time {}", index + 1) };
        differing
            .map(|(expectation, actual)| {
                format!(
                    "line {}{time}\n  expected = {}\n  but got  = {actual}",
                    expectation.line_number, expectation.expected
                )
            })
            .collect()
    }
}

/// Runs the case file at `path` and compares, or rewrites it if `UPDATE_CASES=1` says so. `start`
/// makes what answers, once the rules and decoders are known.
pub fn check<F>(path: &Path, start: impl FnOnce(&Case) -> Result<F>) -> Result<()>
where
    F: FnMut(&StepInput) -> Answer,
{
    let case = Case::read(path)?;
    let answer = start(&case).with_context(|| format!("starting {}", path.display()))?;
    let answers = case.run(answer);
    if env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1") {
        let text = case.updated(&answers);
        return fs::write(path, text).with_context(|| format!("writing {}", path.display()));
    }
    let failures = case.failures(&answers);
    if !failures.is_empty() {
        bail!("{}: {}", path.display(), failures.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
