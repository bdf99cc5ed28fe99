//! `wachter alerts`: what the alert journal of an installation holds.

mod arguments;
mod filter;
mod follow;
mod newest;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::journal::{self, Record};
use store::{Error, JournalReader, verify};

use crate::alert_lines::{Alert, AlertLines};
use arguments::{Arguments, USAGE};
use filter::Filter;
use follow::{Follower, Woken};

pub(crate) fn run(parser: lexopt::Parser) -> Result<ExitCode> {
    let arguments = match arguments::parse(parser, sys::clock::wall()) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            write!(io::stdout(), "{USAGE}")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprintln!("wachter alerts: {error}; see wachter alerts --help");
            return Ok(ExitCode::from(2));
        }
    };
    let dir = arguments.home.join(journal::DIRECTORY);
    if arguments.verify {
        return check(&dir);
    }
    show(&dir, &arguments)
}

/// Says whether the journal is as it was written.
fn check(dir: &Path) -> Result<ExitCode> {
    match verify(dir) {
        Ok(verified) => {
            let dir = dir.display();
            let mut out = io::stdout().lock();
            if verified.last == 0 {
                writeln!(out, "{dir} is empty")?;
                return Ok(ExitCode::SUCCESS);
            }
            let (first, last) = (verified.first, verified.last);
            writeln!(
                out,
                "{dir} is as it was written: batches {first} to {last}, {} bytes",
                verified.bytes
            )?;
            writeln!(out, "hash of batch {last}: {}", verified.head)?;
            if verified.rest > 0 {
                let rest = verified.rest;
                writeln!(
                    out,
                    "{rest} bytes follow: a batch that is being written, or was cut off"
                )?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let error = explained(error, dir);
            eprintln!("wachter alerts: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Shows what is there, and goes on with what comes if asked to.
fn show(dir: &Path, arguments: &Arguments) -> Result<ExitCode> {
    // Before reading, so that nothing comes unnoticed between the two.
    let mut follower = match arguments.follow {
        true => Some(Follower::new(dir).map_err(|error| explained_io(error, dir))?),
        false => None,
    };
    let start = newest::start(dir, arguments).map_err(|error| explained(error, dir))?;
    let mut reader = JournalReader::new(dir, start);
    let mut printer = Printer::new(arguments);
    let mut code = ExitCode::SUCCESS;
    loop {
        match reader.next_record() {
            Ok(Some(record)) => printer.print(&record)?,
            Ok(None) => {
                printer.out.flush()?;
                match follower.as_mut().map(Follower::wait) {
                    None => return Ok(code),
                    Some(woken) => match woken.context("waiting for alerts")? {
                        Woken::Changed => {}
                        Woken::NobodyReads => return Ok(code),
                        Woken::Removed => anyhow::bail!("{} was removed", dir.display()),
                    },
                }
            }
            Err(error) if newest::can_go_on(&error) => {
                printer.out.flush()?;
                eprintln!("wachter alerts: {error}");
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(explained(error, dir)),
        }
    }
}

struct Printer<'a> {
    out: BufWriter<StdoutLock<'static>>,
    lines: AlertLines,
    filter: &'a Filter,
    json: bool,
}

impl<'a> Printer<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let stdout = io::stdout().lock();
        let lines = AlertLines::new(stdout.is_terminal());
        let out = BufWriter::new(stdout);
        Self { out, lines, filter: &arguments.filter, json: arguments.json }
    }

    fn print(&mut self, record: &Record<'_>) -> io::Result<()> {
        let alert = Alert::of(record.line);
        if !self.filter.passes(alert.as_ref()) {
            return Ok(());
        }
        match alert {
            _ if self.json => {
                self.out.write_all(record.line)?;
                self.out.write_all(b"\n")
            }
            Some(alert) => self.lines.write_alert(&alert, &mut self.out),
            None => self.lines.write_unreadable(record.line, &mut self.out),
        }
    }
}

/// The error, with what to do about it where that is known.
fn explained(error: Error, dir: &Path) -> anyhow::Error {
    match error {
        Error::Io { source, .. } if needs_explanation(&source) => explained_io(source, dir),
        error => error.into(),
    }
}

fn explained_io(error: io::Error, dir: &Path) -> anyhow::Error {
    let dir = dir.display();
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "there is no alert journal {dir}: ossec-analysisd makes it when it starts; \
             --home DIR names another installation"
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "the alert journal {dir} may not be read: it belongs to the group ossec; try sudo"
        ),
        _ => anyhow::Error::from(error).context(format!("reading {dir}")),
    }
}

fn needs_explanation(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}
