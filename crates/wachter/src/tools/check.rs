//! `wachter check`: what is wrong in configuration, decoders and rules.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;

use crate::home::{self, Depth, Origin, Parts, PartsOption};
use crate::report::{self, Counts};

const USAGE: &str = "\
usage: wachter check [HOME] [options]

Reads the configuration, decoders, rules and lists of the installation in HOME (default /var/ossec)
and reports everything that is wrong or doubtful. The exit code is 0 without findings, 1 with
warnings, 2 with errors.

  -c FILE               configuration file (default HOME/etc/ossec.conf)
";

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut parts = Parts::default();
    let (mut home, mut conf) = (None, None);
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
            Short('c') => conf = Some(PathBuf::from(arguments.value()?)),
            Value(value) if home.is_none() => home = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let installation = Origin::of(parts, home, conf).read(Depth::Lint);
    let mut findings = installation.diagnostics;
    findings.extend(installation.lints);
    let is_terminal = std::io::stdout().is_terminal();
    print!("{}", report::render(&installation.sources, &findings, is_terminal));
    Ok(ExitCode::from(match Counts::of(&findings) {
        Counts { errors: 0, warnings: 0 } => 0,
        Counts { errors: 0, .. } => 1,
        Counts { .. } => 2,
    }))
}
