//! `wachter check`: what is wrong in configuration, decoders and rules.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;
use model::Severity;

use crate::home::{self, Depth, Origin, Parts, PartsOption};
use crate::report::{self, Counts};

const USAGE: &str = "\
usage: wachter check [HOME] [options]

Reads the configuration, decoders, rules and lists of the installation in HOME (default /var/ossec)
and reports everything that is wrong or doubtful, each with its place and what to do about it.
Nothing is written.

  -c FILE               configuration file (default HOME/etc/ossec.conf)
  --errors              errors only: exit 0 if it can be used, and sooner
";

const EXIT_CODES: &str = "
exit codes:
  0                     nothing was found
  1                     there are warnings: it works, but perhaps not as meant
  2                     there are errors: it cannot be used; or the command line is wrong
";

pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let (origin, errors_only) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            write!(io::stdout(), "{USAGE}{}{EXIT_CODES}", home::USAGE)?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprintln!("wachter check: {error}; see wachter check --help");
            return Ok(ExitCode::from(2));
        }
    };
    let depth = if errors_only { Depth::Load } else { Depth::Lint };
    let installation = origin.read(depth);
    let mut findings = installation.diagnostics;
    findings.extend(installation.lints);
    if errors_only {
        findings.retain(|finding| finding.severity == Severity::Error);
    }
    let is_terminal = io::stdout().is_terminal();
    write!(io::stdout(), "{}", report::render(&installation.sources, &findings, is_terminal))?;
    Ok(ExitCode::from(match Counts::of(&findings) {
        Counts { errors: 0, warnings: 0 } => 0,
        Counts { errors: 0, .. } => 1,
        Counts { .. } => 2,
    }))
}

/// What is to be checked and whether for errors only, or `None` where help is wanted.
fn parse(mut arguments: lexopt::Parser) -> Result<Option<(Origin, bool)>, lexopt::Error> {
    let (mut parts, mut home, mut conf) = (Parts::default(), None, None);
    let mut errors_only = false;
    while let Some(argument) = arguments.next()? {
        if let Some(option) = PartsOption::of(&argument) {
            parts.take(option, &mut arguments)?;
            continue;
        }
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("errors") => errors_only = true,
            Short('c') => conf = Some(PathBuf::from(arguments.value()?)),
            Value(value) if home.is_none() => home = Some(PathBuf::from(value)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some((Origin::of(parts, home, conf), errors_only)))
}
