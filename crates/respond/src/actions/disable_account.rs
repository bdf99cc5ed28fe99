//! Locks the password of a user.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::{Action, ActionError, Aim, Kind, Options, Want, Work};
use crate::jobs::Job;
use crate::target::Target;

pub(super) const KIND: Kind = Kind {
    name: "disable-account",
    about: "locks the password of a user of this host, but never that of root",
    executables: &["disable-account"],
    aim: Aim::User,
    yields: false,
    open: |options: &Options| Ok(Box::new(DisableAccount { passwd: options.passwd.clone() })),
};

/// Bytes of the list of users that are read.
const PASSWD_BYTES_MAX: u64 = 16 << 20;

struct DisableAccount {
    passwd: PathBuf,
}

impl Action for DisableAccount {
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        let targets = wants.iter().map(|want| &want.target);
        Ok(Work::Run(targets.filter_map(|target| job(target, "-l")).collect()))
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        Ok(Work::Run(targets.iter().filter_map(|target| job(target, "-u")).collect()))
    }

    fn refuses(&self, target: &Target) -> Option<&'static str> {
        let Some(user) = &target.user else { return Some("there is no user") };
        let mut users = String::new();
        let read = File::open(&self.passwd)
            .and_then(|file| file.take(PASSWD_BYTES_MAX).read_to_string(&mut users));
        if read.is_err() {
            return Some("the list of users cannot be read");
        }
        match uid(&users, user.as_str()) {
            None => Some("not a user of this host"),
            Some(0) => Some("root is never locked out"),
            Some(_) => None,
        }
    }
}

fn uid(passwd: &str, name: &str) -> Option<u32> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}

fn job(target: &Target, verb: &str) -> Option<Job> {
    let user = target.user.as_ref()?.as_str();
    let arguments = [verb, "--", user].map(OsString::from).to_vec();
    Some(Job { program: "passwd".into(), arguments, input: Vec::new(), may_fail: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::User;

    #[test]
    fn users_of_this_host_but_not_root() {
        let folder = tempfile::tempdir().unwrap();
        let passwd = folder.path().join("passwd");
        let users = "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n";
        std::fs::write(&passwd, users).unwrap();
        let mut action = DisableAccount { passwd };
        let target = |name: &str| Target {
            user: Some(User::parse(name.as_bytes()).unwrap()),
            ..Target::default()
        };
        for (name, expected) in [
            ("alice", None),
            ("root", Some("root is never locked out")),
            ("toor", Some("root is never locked out")),
            ("bob", Some("not a user of this host")),
            ("ali", Some("not a user of this host")),
        ] {
            assert_eq!(action.refuses(&target(name)), expected, "{name}");
        }
        assert!(action.refuses(&Target::default()).is_some());
        let Ok(Work::Run(jobs)) = action.take(&[target("alice")]) else { panic!() };
        assert_eq!(jobs[0].arguments, ["-u", "--", "alice"]);
    }
}
