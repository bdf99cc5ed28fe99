//! `bin/.process_list`: daemons that are started on request only. OSSEC's scripts source it, so a
//! variable has its last value.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::{Control, say};
use crate::home::files;

const FILE: &str = "bin/.process_list";
const BYTES_MAX: usize = 1024 * 1024;

/// What can be switched: its name, the variable, and the value that switches it on.
const SWITCHES: [(&str, &str, &str); 4] = [
    ("database", "DB_DAEMON", "ossec-dbd"),
    ("client-syslog", "CSYSLOG_DAEMON", "ossec-csyslogd"),
    ("agentless", "AGENTLESS_DAEMON", "ossec-agentlessd"),
    ("debug", "DEBUG_CLI", "\"-d\""),
];

pub(super) fn usage(verb: &str) -> String {
    let names = SWITCHES.map(|(name, _, _)| name).join("|");
    format!("\n{verb} options: {names}\nUsage: ossec-control {verb} [{names}]")
}

/// Switches something on or off.
pub(super) fn set(control: &Control, what: &str, on: bool) -> Result<ExitCode> {
    let Some((name, variable, value)) = SWITCHES.into_iter().find(|(name, _, _)| *name == what)
    else {
        say(usage(if on { "enable" } else { "disable" }))?;
        return Ok(ExitCode::FAILURE);
    };
    let path = control.home.join(FILE);
    let text = match files::read(&path, BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.with_context(|| format!("reading {}", path.display()))?,
    };
    let next = with(&text, variable, if on { value } else { "" });
    if next != text {
        replace(&path, &next).with_context(|| format!("writing {}", path.display()))?;
    }
    if on {
        eprintln!("ossec-control: {name} is noted in {FILE}; Wachter does not have it yet");
    }
    Ok(ExitCode::SUCCESS)
}

/// The text with one variable set, once.
fn with(text: &[u8], variable: &str, value: &str) -> Vec<u8> {
    let is_other = |line: &&[u8]| {
        let rest = line.trim_ascii_start().strip_prefix(variable.as_bytes());
        rest.is_none_or(|rest| !rest.starts_with(b"="))
    };
    let mut next = Vec::new();
    for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).filter(is_other) {
        next.extend_from_slice(line);
        next.push(b'\n');
    }
    next.extend_from_slice(format!("{variable}={value}\n").as_bytes());
    next
}

fn replace(path: &std::path::Path, text: &[u8]) -> io::Result<()> {
    let next = path.with_extension("new");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o640).open(&next)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(next, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_stands_once() {
        let text = with(b"", "DB_DAEMON", "ossec-dbd");
        assert_eq!(text, b"DB_DAEMON=ossec-dbd\n");
        assert_eq!(with(&text, "DB_DAEMON", "ossec-dbd"), text);
        let old = b"# mine\nDB_DAEMON=ossec-dbd\nDB_DAEMON_2=x\n DB_DAEMON=\nDEBUG_CLI=\"-d\"";
        let text = with(old, "DB_DAEMON", "");
        assert_eq!(text, b"# mine\nDB_DAEMON_2=x\nDEBUG_CLI=\"-d\"\nDB_DAEMON=\n");
    }
}
