//! Refuses an address in `/etc/hosts.deny`, which programs with TCP wrappers read.
//!
//! A line `ALL:ADDRESS` is as OSSEC writes it. The file is written anew beside itself and put in
//! its place, with every other line as it was.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::PathBuf;

use rustix::fs::OFlags;

use super::{Action, ActionError, Aim, Kind, List, Options, Want, Work};
use crate::target::{Net, Target};

pub(super) const KIND: Kind = Kind {
    name: "host-deny",
    about: "refuses an address in /etc/hosts.deny, which programs with TCP wrappers read",
    executables: &["host-deny"],
    aim: Aim::Net,
    yields: false,
    open: |options: &Options| Ok(Box::new(HostDeny { path: options.hosts_deny.clone() })),
};

/// Bytes of the file: with more it is left alone.
const FILE_BYTES_MAX: u64 = 16 << 20;

struct HostDeny {
    path: PathBuf,
}

impl HostDeny {
    fn read(&self) -> io::Result<Vec<u8>> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(&self.path);
        let file = match file {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too long"));
        }
        Ok(bytes)
    }

    fn change(&self, add: &[Net], remove: &[Net]) -> Result<Work, ActionError> {
        let told = format!("changing {}", self.path.display());
        self.read()
            .and_then(|old| {
                let new = changed(&old, add, remove);
                if new == old { Ok(()) } else { self.replace(&new) }
            })
            .map(|()| Work::Done)
            .map_err(ActionError::io(told))
    }

    /// Puts a new file in the place of the old one, with its owner and rights.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".wachter");
        let beside = self.path.with_file_name(name);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o644).open(&beside)?;
        if let Ok(old) = fs::symlink_metadata(&self.path) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))?;
        }
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&beside, &self.path)?;
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

impl Action for HostDeny {
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        self.change(&nets(wants.iter().map(|want| &want.target)), &[])
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        self.change(&[], &nets(targets.iter()))
    }

    fn list(&mut self) -> Result<List, ActionError> {
        let bytes =
            self.read().map_err(ActionError::io(format!("reading {}", self.path.display())))?;
        let nets = bytes.split(|&byte| byte == b'\n').filter_map(parse);
        Ok(List::Shared(
            nets.map(|net| Want { target: Target::address(net), left: None }).collect(),
        ))
    }
}

fn nets<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<Net> {
    targets.filter_map(|target| target.net).collect()
}

fn changed(old: &[u8], add: &[Net], remove: &[Net]) -> Vec<u8> {
    let mut add: BTreeSet<Net> = add.iter().copied().collect();
    let remove: BTreeSet<Net> = remove.iter().copied().collect();
    let mut new = Vec::with_capacity(old.len() + 32 * add.len());
    for line in old.split_inclusive(|&byte| byte == b'\n') {
        let net = parse(line.strip_suffix(b"\n").unwrap_or(line));
        if net.is_none_or(|net| !remove.contains(&net)) {
            new.extend_from_slice(line);
        }
        if let Some(net) = net {
            add.remove(&net);
        }
    }
    if !add.is_empty() && !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    for net in add {
        new.extend_from_slice(render(net).as_bytes());
    }
    new
}

/// IPv6 addresses stand in brackets, the bits of their networks behind them.
fn render(net: Net) -> String {
    let (address, bits) = (net.address(), net.bits());
    match (net.is_ipv4(), net.is_single()) {
        (true, _) => format!("ALL:{net}\n"),
        (false, true) => format!("ALL:[{address}]\n"),
        (false, false) => format!("ALL:[{address}]/{bits}\n"),
    }
}

fn parse(line: &[u8]) -> Option<Net> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix("ALL:")?;
    let plain = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, bits)) => format!("{address}{bits}"),
        None => text.to_owned(),
    };
    plain.parse().ok().filter(|net| render(*net).trim_end() == format!("ALL:{text}"))
}

#[cfg(test)]
mod tests {
    use super::super::firewall_drop::tests::want;
    use super::*;

    #[test]
    fn lines_come_and_go_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts.deny");
        let own = "# by hand\nALL:203.0.113.77 # no\nsshd: 192.0.2.1";
        fs::write(&path, own).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let mut action = HostDeny { path: path.clone() };
        let wants =
            ["203.0.113.7", "203.0.113.70", "198.51.100.0/24", "2001:db8::7", "2001:db8:1::/48"]
                .map(want);
        for _ in 0..2 {
            action.put(&wants).unwrap();
            let expected = format!(
                "{own}\nALL:198.51.100.0/24\nALL:203.0.113.7\nALL:203.0.113.70\nALL:[2001:db8::7]\n\
                 ALL:[2001:db8:1::]/48\n"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
        let List::Shared(listed) = action.list().unwrap() else { panic!() };
        assert_eq!(listed.len(), wants.len());
        let targets: Vec<Target> = wants.iter().map(|want| want.target.clone()).collect();
        action.take(&targets[..1]).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("ALL:203.0.113.70\n"));
        action.take(&targets).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{own}\n"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_link_or_a_file_without_end_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts.deny");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        let mut action = HostDeny { path: path.clone() };
        assert!(action.put(&[want("203.0.113.7")]).is_err());
        fs::remove_file(&path).unwrap();
        File::create(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(action.put(&[want("203.0.113.7")]).is_err());
    }
}
