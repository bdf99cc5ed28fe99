//! Lines of case files that fire a rule.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use testkit::case::{Answer, Case};

use crate::escape::escaped;
use crate::home::files;
use crate::tools::run_tests::CaseRunner;

/// Lines that are kept for each rule.
const LINES_MAX: usize = 5;

/// For each rule the first lines that fire it, without what syslog puts before them.
#[derive(Debug, Default)]
pub(super) struct Examples(BTreeMap<u32, Vec<String>>);

impl Examples {
    /// Runs one case file, or all in a folder.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let paths = match path.is_dir() {
            true => files::below(path, &[".case"])
                .with_context(|| format!("reading {}", path.display()))?,
            false => vec![path.to_owned()],
        };
        let mut examples = Self::default();
        for path in &paths {
            let case = Case::read(path)?;
            let mut runner =
                CaseRunner::new(&case).with_context(|| format!("running {}", path.display()))?;
            for answer in case.run(|input| runner.answer(input)).iter().flatten() {
                examples.add(answer);
            }
        }
        Ok(examples)
    }

    pub(super) fn of(&self, rule: u32) -> &[String] {
        self.0.get(&rule).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, answer: &Answer) {
        let Some((rule, ..)) = answer.rule else { return };
        let log = escaped(&answer.log);
        let line = match &answer.program {
            Some(program) => format!("{}: {log}", escaped(program)),
            None => log,
        };
        let lines = self.0.entry(rule).or_default();
        if lines.len() < LINES_MAX && !lines.contains(&line) {
            lines.push(line);
        }
    }
}
