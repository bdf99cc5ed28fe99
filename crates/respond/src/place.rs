//! The network namespace in which something is done: this host's, a named one, a container's.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Which network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    Here,
    /// One that `ip netns` has made.
    Namespace(Name),
    /// That of an LXC container on this host.
    Container(Name),
}

/// The name of a namespace or container: of a file in a folder, and of none elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Processes that are looked at, for the first one of a container.
const PROCESSES_MAX: usize = 1 << 20;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;

impl Name {
    /// `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= NAME_BYTES_MAX && crate::ar_conf::is_plain(text);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Where {
    /// The namespace's file; `None` for this host. A container has another one each time it starts.
    pub fn path(&self) -> io::Result<Option<PathBuf>> {
        match self {
            Self::Here => Ok(None),
            Self::Namespace(name) => Ok(Some(Path::new("/run/netns").join(name.as_str()))),
            Self::Container(name) => {
                let init = container_init(Path::new("/proc"), name.as_str())?;
                Ok(Some(Path::new("/proc").join(init.to_string()).join("ns/net")))
            }
        }
    }

    /// The namespace, open; `None` for this host.
    pub fn open(&self) -> io::Result<Option<File>> {
        self.path()?.map(File::open).transpose()
    }

    /// Tells the namespace from others, also from an earlier one of its name; 0 for this host.
    pub fn number(&self) -> io::Result<u64> {
        self.path()?.map_or(Ok(0), |path| Ok(fs::metadata(path)?.ino()))
    }
}

/// The first process of a container: in a control group of its name, and the first in its
/// namespace of processes.
fn container_init(proc: &Path, name: &str) -> io::Result<u32> {
    for process in fs::read_dir(proc)?.flatten().take(PROCESSES_MAX) {
        let Some(number) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let text = |file: &str| fs::read_to_string(process.path().join(file)).unwrap_or_default();
        if is_in_container(&text("cgroup"), name) && is_first(&text("status")) {
            return Ok(number);
        }
    }
    let text = format!("there is no running container `{name}`");
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// `…/lxc.payload.NAME/…` today, `…/lxc.payload/NAME/…` and `…/lxc/NAME/…` before.
fn is_in_container(cgroup: &str, name: &str) -> bool {
    let paths = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.flat_map(|path| path.split('/').zip(path.split('/').skip(1))).any(|(folder, inner)| {
        inner.strip_prefix("lxc.payload.") == Some(name)
            || (inner == name && (folder == "lxc" || folder == "lxc.payload"))
    })
}

/// Whether a process is the first of its own namespace, and not of this host.
fn is_first(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let mut numbers = numbers.unwrap_or_default().split_whitespace();
    numbers.next().is_some() && numbers.last() == Some("1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_of_a_container() {
        let proc = tempfile::tempdir().unwrap();
        let process = |number: u32, cgroup: &str, status: &str| {
            let folder = proc.path().join(number.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("cgroup"), cgroup).unwrap();
            fs::write(folder.join("status"), status).unwrap();
        };
        process(1, "0::/init.scope\n", "Name:\tinit\nNSpid:\t1\n");
        process(500, "0::/lxc.payload.gw/init.scope\n", "NSpid:\t500\t1\n");
        process(501, "0::/lxc.payload.gw/sshd\n", "NSpid:\t501\t30\n");
        process(600, "12:pids:/lxc/old\n1:name=systemd:/lxc/old\n", "NSpid:\t600\t1\n");
        process(700, "0::/lxc.payload.gw2\n", "NSpid:\t700\t1\n");
        for (name, expected) in
            [("gw", Some(500)), ("old", Some(600)), ("gw2", Some(700)), ("g", None)]
        {
            assert_eq!(container_init(proc.path(), name).ok(), expected, "{name}");
        }
    }

    #[test]
    fn names() {
        assert!(Name::parse("gw-1.lan").is_some());
        for bad in ["", "..", ".x", "a/b", "-x", "a b"] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }
}
