//! What is said about files that cannot be had.

use std::io::{self, ErrorKind};
use std::path::Path;

use model::Diagnostic;

use crate::escape::escaped;

fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes())
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read {}: {error}", shown(path));
    Diagnostic::error("unreadable-file", message)
        .hint(cure(error).unwrap_or("create the file, or remove its name here"))
}

pub(super) fn no_configuration(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read {}: {error}", shown(path));
    Diagnostic::error("no-configuration", message).hint(cure(error).unwrap_or(
        "name the directory of the installation (logtest -D DIR, check DIR), or give bare files: \
         --rules DIR --decoders FILE",
    ))
}

/// What to do where a file cannot be read although something is there.
fn cure(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => None,
        ErrorKind::PermissionDenied => Some("run as root or as a member of the file's group"),
        ErrorKind::FileTooLarge => Some("split the file, or see whether it is the right one"),
        _ => Some("put a readable file in its place"),
    }
}

pub(super) fn no_directory(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::warning("unreadable-directory", format!("cannot read {}: {error}", shown(path)))
        .hint("its files are missing; OSSEC says nothing about this")
}

pub(super) fn bad_file_pattern(why: &str) -> Diagnostic {
    Diagnostic::error("bad-pattern", why).hint("an OS_Regex that is held against DIRECTORY/FILE")
}

pub(super) fn no_program(why: &respond::script::NoScript) -> Diagnostic {
    let message = format!("this response is never given: {}", escaped(why.to_string().as_bytes()));
    let built_in = respond::actions::ALL.iter().filter_map(|kind| kind.executables.first());
    let built_in: Vec<&str> = built_in.copied().collect();
    Diagnostic::warning("no-program", message).hint(format!(
        "put a script there that root alone can change, or name one that is built in: {}",
        built_in.join(", ")
    ))
}

pub(super) fn no_list(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read the list {}: {error}", shown(path));
    Diagnostic::warning("unreadable-list", message)
        .hint("rules find an empty list; neither the text nor the .cdb file can be read")
}

pub(super) fn bad_list(path: &Path, why: &str) -> Diagnostic {
    let message = format!("the list {} cannot be used: {why}", shown(path));
    Diagnostic::error("bad-list", message).hint("make it again with ossec-makelists")
}

pub(super) fn bad_geoip(path: &Path, why: &str) -> Diagnostic {
    let message = format!("{} cannot be used: {why}", shown(path));
    Diagnostic::warning("bad-geoip-database", message)
        .hint("a database in MaxMind's format (.mmdb) is needed; countries stay unknown")
}
