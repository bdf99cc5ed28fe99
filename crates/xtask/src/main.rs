//! How do we know that the tree is sound? One entry point for everything that guards it.
//!
//! # Invariants
//!
//! * Nothing at run time depends on this crate.
//! * Only `cargo xtask test` installs anything, and only what the tests need.
//! * A step that cannot run here says so; it never counts as passed.
//!
//! Start reading at [`ci`] for the order of the steps, at [`tidy::CHECKS`] for the rules about the
//! source itself.
#![expect(clippy::print_stdout, reason = "xtask talks to the person who called it")]
#![expect(clippy::disallowed_methods, reason = "xtask measures how long its steps take")]

mod ci;
mod command;
mod fuzz;
mod setup;
mod tidy;

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use anyhow::bail;
use lexopt::Arg;
use lexopt::ValueExt;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test                        install what the tests need, then run ci
  ci                          format, clippy, tests, docs, tidy; stops at the first failure
  tidy                        rules about the source: layers, dead files, lengths, documents
  fuzz [TARGET] [--seconds N] run one or all fuzz targets, N seconds each (default 300)
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Command {
    Help,
    Test,
    Ci,
    Tidy,
    Fuzz { target: Option<String>, time: Duration },
}

fn run() -> Result<()> {
    let root = root();
    match parse(lexopt::Parser::from_env())? {
        Command::Help => {
            print!("{USAGE}");
            Ok(())
        }
        Command::Test => {
            setup::install()?;
            ci::run(&root)
        }
        Command::Ci => ci::run(&root),
        Command::Tidy => tidy::run(&root),
        Command::Fuzz { target, time } => fuzz::run(&root, target.as_deref(), time),
    }
}

fn parse(mut args: lexopt::Parser) -> Result<Command> {
    let command = match args.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Command::Help),
        Some(Arg::Value(word)) => word.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let mut target = None;
    let mut time = Duration::from_secs(300);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("seconds") if command == "fuzz" => {
                time = Duration::from_secs(args.value()?.parse()?);
            }
            Arg::Value(name) if command == "fuzz" && target.is_none() => {
                target = Some(name.string()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    match command.as_str() {
        "test" => Ok(Command::Test),
        "ci" => Ok(Command::Ci),
        "tidy" => Ok(Command::Tidy),
        "fuzz" => Ok(Command::Fuzz { target, time }),
        other => bail!("no command {other}\n\n{USAGE}"),
    }
}

/// The root of the checkout.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}
