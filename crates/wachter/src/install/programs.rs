//! `bin/`: this program under OSSEC's names, and what OSSEC left there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Kind;

/// The program itself, in `bin`. Everything else there is a link to it.
pub(super) const NAME: &str = "wachter";

/// Where OSSEC's programs of the same names go.
pub(super) const OF_OSSEC: &str = "bin/ossec-c";

/// OSSEC's names under which this program answers.
pub(super) fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Local => &[
            "ossec-control",
            "ossec-logtest",
            "ossec-makelists",
            "ossec-analysisd",
            "ossec-logcollector",
            "ossec-execd",
            "ossec-monitord",
            "ossec-syscheckd",
            "ossec-maild",
        ],
        Kind::Server => &[
            "ossec-control",
            "ossec-logtest",
            "ossec-makelists",
            "ossec-analysisd",
            "ossec-logcollector",
            "ossec-execd",
            "ossec-monitord",
            "ossec-syscheckd",
            "ossec-maild",
            "ossec-remoted",
        ],
        Kind::Agent => &[
            "ossec-control",
            "ossec-agentd",
            "ossec-logcollector",
            "ossec-execd",
            "ossec-syscheckd",
        ],
    }
}

/// What stands at the place of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    Nobody,
    Ours,
    Other,
}

/// What `bin/NAME` is.
pub(super) fn occupant(bin: &Path, name: &str) -> Occupant {
    let path = bin.join(name);
    let Ok(metadata) = path.symlink_metadata() else { return Occupant::Nobody };
    if metadata.is_symlink() {
        let is_ours = fs::read_link(&path).is_ok_and(|target| target == Path::new(NAME));
        return if is_ours { Occupant::Ours } else { Occupant::Other };
    }
    match bin.join(NAME).metadata() {
        Ok(own) if (own.dev(), own.ino()) == (metadata.dev(), metadata.ino()) => Occupant::Ours,
        _ => Occupant::Other,
    }
}

/// A free name in [`OF_OSSEC`] for a program: one that was moved there before keeps its name.
pub(super) fn free_name(home: &Path, name: &str) -> PathBuf {
    let dir = Path::new(OF_OSSEC);
    let numbered = (2..).map(|number| format!("{name}.{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let is_free = |path: &PathBuf| home.join(path).symlink_metadata().is_err();
    names.find_map(|name| Some(dir.join(name)).filter(is_free)).unwrap_or_else(|| dir.join(name))
}

/// The running program.
pub(super) fn running() -> io::Result<File> {
    File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?))
}

/// Whether a file is the running program, or a copy of it.
pub(super) fn is_running(path: &Path) -> bool {
    let same = || -> io::Result<bool> {
        let (ours, theirs) = (running()?, File::open(path)?);
        let (a, b) = (ours.metadata()?, theirs.metadata()?);
        if (a.dev(), a.ino()) == (b.dev(), b.ino()) {
            return Ok(true);
        }
        Ok(a.len() == b.len() && is_same(ours, theirs)?)
    };
    same().unwrap_or(false)
}

fn is_same(one: File, other: File) -> io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let bytes = a.len().min(b.len());
        if bytes == 0 {
            return Ok(a.len() == b.len());
        }
        if a.get(..bytes) != b.get(..bytes) {
            return Ok(false);
        }
        one.consume(bytes);
        other.consume(bytes);
    }
}

/// OSSEC's programs in `bin` that nothing here replaces: they are left alone.
pub(super) fn left_alone(bin: &Path) -> Vec<&'static str> {
    const OTHERS: &[&str] = &[
        "agent_control",
        "clear_stats",
        "list_agents",
        "manage_agents",
        "ossec-agentlessd",
        "ossec-authd",
        "ossec-csyslogd",
        "ossec-dbd",
        "ossec-regex",
        "ossec-reportd",
        "rootcheck_control",
        "syscheck_control",
        "syscheck_update",
        "util.sh",
        "verify-agent-conf",
    ];
    OTHERS.iter().copied().filter(|name| bin.join(name).is_file()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn who_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path(NAME), "program").unwrap();
        fs::write(path("c"), "\x7fELF").unwrap();
        fs::hard_link(path(NAME), path("hard")).unwrap();
        symlink(NAME, path("soft")).unwrap();
        symlink("elsewhere", path("away")).unwrap();
        let found = ["none", "c", "hard", "soft", "away"].map(|name| occupant(dir.path(), name));
        let Occupant::Nobody = found[0] else { panic!("{found:?}") };
        assert_eq!(&found[1..], [Occupant::Other, Occupant::Ours, Occupant::Ours, Occupant::Other]);
        assert!(!is_running(&path(NAME)) && is_running(Path::new("/proc/self/exe")));
    }

    #[test]
    fn a_second_program_of_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let first = free_name(dir.path(), "ossec-execd");
        assert_eq!(first, Path::new("bin/ossec-c/ossec-execd"));
        fs::create_dir_all(dir.path().join(OF_OSSEC)).unwrap();
        fs::write(dir.path().join(first), "").unwrap();
        assert_eq!(free_name(dir.path(), "ossec-execd"), Path::new("bin/ossec-c/ossec-execd.2"));
    }
}
