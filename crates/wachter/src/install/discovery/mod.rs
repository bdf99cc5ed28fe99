//! What is on this host that is worth watching?
//!
//! All paths are looked up below a root, which is `/` on a living machine and a folder for packages
//! and tests. Nothing is started and nothing is written.

mod candidates;
mod copies;
pub(super) mod logs;
mod network;
mod paths;

use std::path::Path;

pub(crate) use logs::Logs;
pub(crate) use network::Trusted;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) logs: Logs,
    /// Whose files are checked for changes.
    pub(crate) directories: Vec<&'static str>,
    /// Files in them that change all the time.
    pub(crate) volatile: Vec<&'static str>,
    pub(crate) programs: Programs,
    pub(crate) trusted: Vec<Trusted>,
}

/// Programs whose output is watched, and that of the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) df: bool,
    pub(crate) last: bool,
    pub(crate) ports: Option<Ports>,
}

/// What lists listening ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    Ss,
    Netstat,
}

/// As OSSEC's installer, and where people put programs by hand.
const DIRECTORIES: &[&str] = &[
    "/etc",
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/boot",
    "/usr/local/bin",
    "/usr/local/sbin",
];

/// Files below `/etc` that programs rewrite while nothing happens.
const VOLATILE: &[&str] = &[
    "/etc/adjtime",
    "/etc/blkid.tab",
    "/etc/cups/certs",
    "/etc/cups/classes.conf",
    "/etc/cups/printers.conf",
    "/etc/cups/subscriptions.conf",
    "/etc/dumpdates",
    "/etc/hosts.deny",
    "/etc/httpd/logs",
    "/etc/ld.so.cache",
    "/etc/lvm/archive",
    "/etc/lvm/backup",
    "/etc/lvm/cache",
    "/etc/mail/statistics",
    "/etc/mnttab",
    "/etc/mtab",
    "/etc/ntp/drift",
    "/etc/ntp/ntp.drift",
    "/etc/prelink.cache",
    "/etc/printcap",
    "/etc/random-seed",
    "/etc/random.seed",
    "/etc/utmpx",
    "/etc/wtmpx",
];

/// Where programs lie.
const PROGRAM_DIRECTORIES: &[&str] = &["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Looks around below `root`.
pub(crate) fn discover(root: &Path) -> Found {
    // A link leads to a directory that is listed itself (/bin to /usr/bin), or out of the way.
    let is_own = |path: &&str| {
        paths::below(root, path).symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink())
    };
    Found {
        logs: logs::look(root, has_program(root, "journalctl")),
        directories: DIRECTORIES.iter().copied().filter(is_own).collect(),
        volatile: VOLATILE.iter().copied().filter(is_own).collect(),
        programs: Programs {
            df: has_program(root, "df"),
            last: has_program(root, "last"),
            ports: match (has_program(root, "ss"), has_program(root, "netstat")) {
                (true, _) => Some(Ports::Ss),
                (false, true) => Some(Ports::Netstat),
                (false, false) => None,
            },
        },
        trusted: network::trusted(root),
    }
}

/// Whether a program is installed below `root`.
pub(crate) fn has_program(root: &Path, name: &str) -> bool {
    // A link that is absolute leads out of a root that is not `/`, so its target is not asked for.
    let is_there = |dir: &&str| paths::below(root, dir).join(name).symlink_metadata().is_ok();
    PROGRAM_DIRECTORIES.iter().any(is_there)
}
