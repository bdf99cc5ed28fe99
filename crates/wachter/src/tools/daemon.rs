//! OSSEC's daemons by their own names: `ossec-analysisd -t` and the like. The processes themselves
//! are started by the supervisor.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;
use supervisor::roles;

use crate::home::{self, Depth, Origin};

/// OSSEC's number of the message about a configuration that cannot be used.
const BROKEN: u16 = 1202;

/// The daemon of a name, if it is one of OSSEC's.
pub(crate) fn of_name(name: &str) -> Option<&'static str> {
    let built = roles::ALL.iter().map(|role| role.daemon);
    built.chain(roles::NOT_BUILT.iter().copied()).find(|daemon| *daemon == name)
}

/// compat: the flags that all of OSSEC's daemons have, with their exit codes.
pub(crate) fn run(daemon: &str, mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut home, mut conf, mut test) = (PathBuf::from(home::DEFAULT), None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('V') => {
                println!("wachter {} ({daemon})", env!("CARGO_PKG_VERSION"));
                return Ok(ExitCode::SUCCESS);
            }
            Short('h') | Long("help") => {
                usage(daemon);
                return Ok(ExitCode::SUCCESS);
            }
            Short('t') => test = true,
            Short('c') => conf = Some(PathBuf::from(arguments.value()?)),
            Short('D') => home = arguments.value()?.into(),
            // Whom it runs as, and how much it says, is not for the command line.
            Short('u' | 'g') => drop(arguments.value()?),
            Short('d' | 'f') => {}
            other => {
                eprintln!("{daemon}: {}", other.unexpected());
                usage(daemon);
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    if !test {
        eprintln!("{daemon} is started with the others: ossec-control start, or wachter supervise");
        return Ok(ExitCode::FAILURE);
    }
    let installation = Origin::Home { home, conf }.read(Depth::Load);
    match installation.usable() {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(errors) => {
            eprint!("{errors}");
            eprintln!("{daemon}({BROKEN}): ERROR: Configuration error. Exiting.");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn usage(daemon: &str) {
    println!(
        "usage: {daemon} -[Vht] [-D home] [-c config]\n  \
         -V  version\n  -h  this\n  -t  test the configuration: exit 0 if it can be used, 1 if not"
    );
}
