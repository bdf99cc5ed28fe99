//! `wachter makelists` and `ossec-makelists`: compiles the lists of an installation.
//!
//! OSSEC looks into compiled lists only. Wachter reads the texts, and a compiled list where there is
//! no text.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::Parser;
use lexopt::prelude::*;
use model::limits::FILE_BYTES_MAX;
use rules::cdb;
use rules::lists::text_pairs;

use crate::escape;
use crate::home::{self, files};
use crate::report;

const USAGE: &str = "\
usage: wachter makelists [options]
       ossec-makelists [options]

Compiles each list of the installation whose text is newer than its .cdb file. Wachter itself reads
the texts; OSSEC needs the .cdb files.

  -V                    show the version
  -h                    show this
  -F                    compile all lists, and show each pair
  -t                    test the configuration only: exit code 0 or 1
  -D DIR                directory of the installation (default /var/ossec)
  -c FILE               configuration file (default DIR/etc/ossec.conf)
  -d, -u USER, -g GROUP accepted, without effect
";

/// The name under which messages are told.
const NAME: &str = "ossec-makelists";

#[derive(Debug)]
struct Arguments {
    home: PathBuf,
    conf: Option<PathBuf>,
    force: bool,
    test_only: bool,
}

enum Request {
    Run(Arguments),
    Help,
    Version,
}

pub(crate) fn run(parser: Parser) -> Result<ExitCode> {
    let arguments = match parse(parser) {
        Ok(Request::Run(arguments)) => arguments,
        Ok(Request::Help) => {
            print!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Request::Version) => {
            println!("{NAME}: wachter {}, for OSSEC HIDS 4.3", env!("CARGO_PKG_VERSION"));
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprint!("{NAME}: {error}\n{USAGE}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let (lists, read) = home::lists(&arguments.home, arguments.conf.as_deref());
    if read.has_errors() {
        let is_terminal = io::stderr().is_terminal();
        eprint!("{}", report::render_errors(&read.sources, &read.diagnostics, is_terminal));
        return Ok(ExitCode::FAILURE);
    }
    if arguments.test_only {
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for list in &lists {
        let made = make(&arguments.home, list, arguments.force, &mut out);
        // One that fails does not keep the others from being made.
        if let Err(error) = made {
            eprintln!("{NAME}: {error:#}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn parse(mut parser: Parser) -> Result<Request, lexopt::Error> {
    let mut arguments =
        Arguments { home: home::DEFAULT.into(), conf: None, force: false, test_only: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('V') | Long("version") => return Ok(Request::Version),
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('d') => {}
            Short('u' | 'g') => drop(parser.value()?),
            Short('F') => arguments.force = true,
            Short('t') => arguments.test_only = true,
            Short('D') => arguments.home = parser.value()?.into(),
            Short('c') => arguments.conf = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Request::Run(arguments))
}

/// Compiles a list if its text is newer, or in any case.
fn make(home: &Path, list: &Path, force: bool, out: &mut impl Write) -> Result<()> {
    let text = home.join(list);
    let compiled = with_ending(&text, ".cdb");
    let shown = escape::escaped(with_ending(list, ".cdb").as_os_str().as_encoded_bytes());
    let metadata = text.metadata().with_context(|| format!("reading {}", text.display()))?;
    if !force && !is_newer(&metadata, &compiled) {
        writeln!(out, " * File {shown} does not need to be compiled")?;
        return Ok(());
    }
    writeln!(out, " * File {shown} needs to be updated")?;
    let bytes = files::read(&text, FILE_BYTES_MAX)
        .with_context(|| format!("reading {}", text.display()))?;
    if force {
        for (key, value) in text_pairs(&bytes) {
            let mut line = b"  * adding - key: ".to_vec();
            escape::push(&mut line, key);
            line.extend_from_slice(b" value: ");
            escape::push(&mut line, value);
            line.push(b'\n');
            out.write_all(&line)?;
        }
    }
    let database =
        cdb::write(text_pairs(&bytes)).with_context(|| format!("compiling {}", text.display()))?;
    replace(&compiled, &with_ending(&text, ".tmp"), &database, &metadata)
        .with_context(|| format!("writing {}", compiled.display()))
}

/// Whether the text is at least as new as what was made of it, so that a text changed in the moment
/// after compiling is not missed.
fn is_newer(text: &Metadata, compiled: &Path) -> bool {
    let time = |metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec());
    compiled.metadata().map_or(true, |compiled| time(text) >= time(&compiled))
}

/// Puts a file in its place at once: those who have the old one open keep it. Those who may read
/// the text may read it.
fn replace(path: &Path, temporary: &Path, bytes: &[u8], like: &Metadata) -> io::Result<()> {
    // One may be left of a run that was cut short.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(temporary)?;
    // Only root may give a file away; for others it stays their own.
    let _ = fchown(&file, Some(like.uid()), Some(like.gid()));
    file.set_permissions(like.permissions())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
