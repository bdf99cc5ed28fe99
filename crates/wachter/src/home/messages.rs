//! What is said about files that cannot be had.

use std::io;
use std::path::Path;

use model::Diagnostic;

use crate::escape::escaped;

fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes())
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read {}: {error}", shown(path));
    let finding = Diagnostic::error("unreadable-file", message);
    match error.kind() {
        io::ErrorKind::NotFound => finding.hint("create the file, or remove its name here"),
        io::ErrorKind::PermissionDenied => {
            finding.hint("run as root or as a member of the file's group")
        }
        _ => finding,
    }
}

pub(super) fn no_configuration(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read {}: {error}", shown(path));
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "run as root or as a member of the group ossec",
        _ => {
            "name the directory of the installation (logtest -D DIR, check DIR), or give bare \
             files: --rules DIR --decoders FILE"
        }
    };
    Diagnostic::error("no-configuration", message).hint(hint)
}

pub(super) fn no_directory(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::warning("unreadable-directory", format!("cannot read {}: {error}", shown(path)))
        .hint("its files are missing; OSSEC says nothing about this")
}

pub(super) fn bad_file_pattern(why: &str) -> Diagnostic {
    Diagnostic::error("bad-pattern", why).hint("an OS_Regex that is held against DIRECTORY/FILE")
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
