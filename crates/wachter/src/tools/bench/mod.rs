//! `wachter bench`: how fast it is, the engine alone and all processes together.
#![expect(clippy::disallowed_methods, reason = "it measures how long things take")]

mod engine;
mod pipeline;
mod response;
mod throwaway;

use std::path::Path;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

const USAGE: &str = "\
usage: wachter bench engine --rules DIR --log FILE [options]
       wachter bench pipeline --rules DIR --log FILE [options]
       wachter bench response --rules DIR --log FILE [options]

engine: decoders and rules alone. pipeline: all processes of an installation, from lines of log
files to lines of alerts.json. response: from lines of log files to addresses in the kernel's sets.
Each takes --help.
";

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    match arguments.next()? {
        Some(Value(what)) if what == "engine" => engine::run(arguments),
        Some(Value(what)) if what == "pipeline" => pipeline::run(arguments),
        Some(Value(what)) if what == "response" => response::run(arguments),
        Some(Value(other)) => bail!(
            "unknown benchmark `{}`; there are `engine`, `pipeline` and `response`",
            other.to_string_lossy().escape_debug()
        ),
        Some(Short('h') | Long("help")) | None => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

/// One line of a log.
struct Line {
    location: Vec<u8>,
    text: Vec<u8>,
}

/// The lines of a file, each with its location and a tab before it, or without.
fn read_lines(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let lines: Vec<Line> = text
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| match line.iter().position(|&byte| byte == b'\t') {
            Some(tab) if line.starts_with(b"/") => {
                Line { location: line[..tab].to_vec(), text: line[tab + 1..].to_vec() }
            }
            _ => Line { location: b"/var/log/messages".to_vec(), text: line.to_vec() },
        })
        .collect();
    if lines.is_empty() {
        bail!("{} has no lines", path.display());
    }
    Ok(lines)
}
