//! OSSEC's tree: directories and files with the rights they must have, as a table.

use std::fmt;

use super::Kind;

/// Who may do what with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) mode: u32,
    pub(crate) user: &'static str,
    pub(crate) group: &'static str,
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o} {}:{}", self.mode, self.user, self.group)
    }
}

/// A directory or file of the tree, relative to the installation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) path: &'static str,
    pub(crate) rights: Rights,
    kinds: &'static [Kind],
}

const ALL: &[Kind] = &Kind::ALL;
const MANAGERS: &[Kind] = &[Kind::Local, Kind::Server];
const AGENTS: &[Kind] = &[Kind::Agent];

const fn rights(mode: u32, user: &'static str, group: &'static str) -> Rights {
    Rights { mode, user, group }
}

const fn place(
    path: &'static str,
    mode: u32,
    user: &'static str,
    group: &'static str,
    kinds: &'static [Kind],
) -> Place {
    Place { path, rights: rights(mode, user, group), kinds }
}

/// Directories, each after the one it is in.
#[rustfmt::skip]
const DIRECTORIES: &[Place] = &[
    place("",                    0o550, "root",   "ossec", ALL),
    place("bin",                 0o550, "root",   "root",  ALL),
    place("etc",                 0o550, "root",   "ossec", ALL),
    place("etc/shared",          0o770, "root",   "ossec", ALL),
    place("logs",                0o750, "ossec",  "ossec", ALL),
    place("logs/alerts",         0o750, "ossec",  "ossec", MANAGERS),
    place("logs/archives",       0o750, "ossec",  "ossec", MANAGERS),
    place("logs/firewall",       0o750, "ossec",  "ossec", MANAGERS),
    place("queue",               0o550, "root",   "ossec", ALL),
    place("queue/ossec",         0o750, "ossec",  "ossec", ALL),
    place("queue/alerts",        0o770, "ossec",  "ossec", ALL),
    place("queue/syscheck",      0o750, "ossec",  "ossec", ALL),
    place("queue/diff",          0o750, "ossec",  "ossec", ALL),
    place("queue/rids",          0o750, "ossecr", "ossec", MANAGERS),
    place("queue/rids",          0o750, "ossec",  "ossec", AGENTS),
    place("queue/agent-info",    0o750, "ossecr", "ossec", MANAGERS),
    place("queue/rootcheck",     0o750, "ossec",  "ossec", MANAGERS),
    place("queue/fts",           0o750, "ossec",  "ossec", MANAGERS),
    place("queue/agentless",     0o750, "ossec",  "ossec", MANAGERS),
    // Ours: alerts and events in order, what outlives a restart, positions in logs.
    place("queue/journal",       0o750, "ossec",  "ossec", ALL),
    place("queue/events",        0o750, "ossec",  "ossec", ALL),
    place("queue/state",         0o750, "ossec",  "ossec", ALL),
    place("queue/logcollector",  0o750, "ossecl", "ossec", ALL),
    place("stats",               0o750, "ossec",  "ossec", MANAGERS),
    place("rules",               0o550, "root",   "ossec", MANAGERS),
    place("active-response",     0o550, "root",   "ossec", ALL),
    place("active-response/bin", 0o550, "root",   "ossec", ALL),
    place("agentless",           0o550, "root",   "ossec", ALL),
    place("var",                 0o550, "root",   "ossec", ALL),
    place("var/run",             0o770, "root",   "ossec", ALL),
    place("backup",              0o550, "root",   "ossec", ALL),
    place("backup/agents",       0o750, "ossec",  "ossec", ALL),
    place("tmp",                 0o1550, "root",   "ossec", ALL),
    place(".ssh",                0o700, "root",   "ossec", ALL),
];

/// Files that are there from the beginning, empty.
#[rustfmt::skip]
const EMPTY_FILES: &[Place] = &[
    place("logs/ossec.log",            0o660, "ossec", "ossec", ALL),
    place("logs/active-responses.log", 0o660, "ossec", "ossec", MANAGERS),
];

/// Files whose rights are put right where they are, whoever wrote them.
const SETTINGS: &[&str] = &[
    "etc/ossec.conf",
    "etc/client.keys",
    "etc/decoder.xml",
    "etc/local_decoder.xml",
    "etc/internal_options.conf",
    "etc/local_internal_options.conf",
    "etc/wachter.toml",
];

/// Programs, and what is in `bin`.
pub(super) const PROGRAM: Rights = rights(0o550, "root", "root");

/// `etc/ossec-init.conf` of the host.
pub(super) const INIT_CONF: Rights = rights(0o600, "root", "root");

/// A script that starts or stops, and a unit.
pub(super) const SCRIPT: Rights = rights(0o755, "root", "root");
pub(super) const UNIT: Rights = rights(0o644, "root", "root");

const SETTING: Rights = rights(0o640, "root", "ossec");
const SHARED: Rights = rights(0o640, "ossec", "ossec");

pub(super) fn directories(kind: Kind) -> impl Iterator<Item = &'static Place> {
    DIRECTORIES.iter().filter(move |place| place.kinds.contains(&kind))
}

pub(super) fn empty_files(kind: Kind) -> impl Iterator<Item = &'static Place> {
    EMPTY_FILES.iter().filter(move |place| place.kinds.contains(&kind))
}

/// The rights of a bundled file or of settings, by its place.
pub(super) fn rights_of_file(path: &str) -> Rights {
    match path.starts_with("etc/shared/") {
        true => SHARED,
        false => SETTING,
    }
}

/// Files whose rights are put right if they exist.
pub(super) fn settings() -> impl Iterator<Item = (&'static str, Rights)> {
    SETTINGS.iter().map(|path| (*path, SETTING))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_directory_comes_after_the_one_it_is_in() {
        for kind in Kind::ALL {
            let mut known = HashSet::new();
            for place in directories(kind) {
                if let Some(parent) = Path::new(place.path).parent() {
                    assert!(known.contains(parent), "{}", place.path);
                }
                assert!(known.insert(Path::new(place.path)), "{} twice", place.path);
            }
            for file in empty_files(kind) {
                assert!(known.contains(Path::new(file.path).parent().unwrap()), "{}", file.path);
            }
        }
    }
}
