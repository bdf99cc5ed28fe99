//! `logs/ossec.log`: what the programs say of themselves, in OSSEC's form.
//!
//! The file is opened for each line, so that whoever rotates it need not tell anybody.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use model::Timestamp;
use model::text::shown;

use crate::clock;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// OSSEC's number of a message, which tools look for; 0 for messages of our own.
pub type Code = u16;

struct Log {
    program: String,
    path: Option<PathBuf>,
    to_terminal: bool,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Says where this process' lines go. Only the first call counts.
pub fn begin(program: &str, home: Option<&Path>, to_terminal: bool) {
    let path = home.map(|home| home.join("logs/ossec.log"));
    let _ = LOG.set(Log { program: program.to_owned(), path, to_terminal });
}

/// Writes a line. That it cannot be written is no reason to stop.
pub fn write(level: Level, code: Code, text: impl fmt::Display) {
    let Some(log) = LOG.get() else { return };
    let line = line(clock::wall(), &log.program, level, code, &text.to_string());
    if let Some(path) = &log.path {
        let opened = open(path, false).or_else(|error| match error.kind() {
            // Whoever rotates it leaves none; the first to write makes it, for all.
            io::ErrorKind::NotFound => open(path, true),
            _ => Err(error),
        });
        let _ = opened.and_then(|mut file| file.write_all(line.as_bytes()));
    }
    if log.to_terminal {
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

fn open(path: &Path, is_new: bool) -> io::Result<File> {
    const MODE: u32 = 0o660;
    let mut options = OpenOptions::new();
    options.append(true).create_new(is_new).mode(MODE).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    if is_new {
        rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(MODE))?;
        // Root makes it for whoever owns the folder.
        let folder = path.parent().map(std::fs::metadata).transpose()?;
        if let (Some(folder), true) = (folder, rustix::process::geteuid().is_root()) {
            std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
        }
    }
    Ok(file)
}

pub fn info(text: impl fmt::Display) {
    write(Level::Info, 0, text);
}

pub fn warning(text: impl fmt::Display) {
    write(Level::Warning, 0, text);
}

pub fn error(text: impl fmt::Display) {
    write(Level::Error, 0, text);
}

fn line(at: Timestamp, program: &str, level: Level, code: Code, text: &str) -> String {
    let civil = at.civil();
    let code = if code == 0 { String::new() } else { format!("({code})") };
    let level = match level {
        Level::Info => "INFO",
        Level::Warning => "WARN",
        Level::Error => "ERROR",
    };
    // Names of files and commands are hostile text.
    let text = shown(text);
    format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02} {program}{code}: {level}: {text}\n",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_line() {
        let at = Timestamp::utc(1_795_560_311);
        assert_eq!(
            line(at, "ossec-logcollector", Level::Info, 1950, "Analyzing file: '/a\nb\x1b'."),
            "2026/11/24 22:45:11 ossec-logcollector(1950): INFO: Analyzing file: \
             '/a\\nb\\u{1b}'.\n"
        );
        assert_eq!(
            line(at, "ossec-execd", Level::Error, 0, "no"),
            "2026/11/24 22:45:11 ossec-execd: ERROR: no\n"
        );
    }
}
