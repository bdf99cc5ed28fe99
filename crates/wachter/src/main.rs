//! Host intrusion detection: the `wachter` binary.
//!
//! One file for each command in `tools/`. Under the name of an OSSEC program the binary behaves as
//! that program. `run-tests` offers test files to users, so this crate needs `testkit` at run time.
//!
//! # Invariants
//!
//! * No logic of detection: files are read here, values are made of them elsewhere.
//! * Every file that is read has a limit and stands with its path in every error.
//! * No command writes anything but its output, save that `makelists` writes compiled lists,
//!   `run-tests` rewrites cases where asked to, and `install`, `control`, `blocks`, `gate` and `notify`
//!   do what they are for.
//!
//! Start reading at `tools/mod.rs`; `home.rs` reads an installation.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command is for")]

mod alert_lines;
mod alert_view;
mod escape;
mod home;
mod host;
mod install;
mod live;
mod metrics;
mod parallel;
mod report;
mod roles;
mod sources;
mod tools;

use std::path::Path;
use std::process::ExitCode;

use lexopt::prelude::*;
use sys::allocation::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wachter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let called_as = std::env::args_os().next().unwrap_or_default();
    let called_as = Path::new(&called_as).file_name().unwrap_or_default();
    let mut arguments = lexopt::Parser::from_env();
    // The supervisor starts its roles under the names of OSSEC's daemons.
    if std::env::args_os().nth(1).is_some_and(|word| word == "role") {
        arguments.next()?;
        return roles::run(arguments);
    }
    if let Some(daemon) = called_as.to_str().and_then(tools::daemon::of_name) {
        return tools::daemon::run(daemon, arguments);
    }
    let stands_for = |tool: &&tools::Tool| tool.original.is_some_and(|name| called_as == name);
    if let Some(tool) = tools::ALL.iter().find(stands_for) {
        return (tool.run)(arguments);
    }
    let name = match arguments.next()? {
        Some(Value(name)) => name.string()?,
        Some(Short('h') | Long("help")) | None => "help".to_owned(),
        Some(Short('V') | Long("version")) => "version".to_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match tools::ALL.iter().find(|tool| tool.name == name) {
        Some(tool) => (tool.run)(arguments),
        None => anyhow::bail!(tools::unknown(&name)),
    }
}

/// Whether whoever read the output has gone, which is not an error of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
