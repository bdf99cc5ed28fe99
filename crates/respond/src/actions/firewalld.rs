//! Drops what comes from an address by a rich rule of firewalld, which ends with its time.

use std::ffi::OsString;

use super::{Action, ActionError, Aim, Kind, Want, Work};
use crate::jobs::Job;
use crate::target::{Net, Target};

pub(super) const KIND: Kind = Kind {
    name: "firewalld",
    about: "drops what comes from an address by a rich rule of firewalld",
    executables: &["firewalld-drop", "firewalld"],
    aim: Aim::Net,
    yields: false,
    open: |_| Ok(Box::new(Firewalld)),
};

struct Firewalld;

impl Action for Firewalld {
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        let mut jobs = Vec::new();
        for want in wants {
            let Some(net) = want.target.net else { continue };
            // A rule that is there keeps its time, so it is taken first.
            jobs.push(job(net, "remove", None, true));
            jobs.push(job(net, "add", want.left.map(|left| left.as_secs().max(1)), false));
        }
        Ok(Work::Run(jobs))
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        let nets = targets.iter().filter_map(|target| target.net);
        Ok(Work::Run(nets.map(|net| job(net, "remove", None, true)).collect()))
    }
}

fn job(net: Net, verb: &str, seconds: Option<u64>, may_fail: bool) -> Job {
    let family = if net.is_ipv4() { "ipv4" } else { "ipv6" };
    let rule = format!("--{verb}-rich-rule=rule family='{family}' source address='{net}' drop");
    let timeout = seconds.map(|seconds| OsString::from(format!("--timeout={seconds}")));
    let arguments = [OsString::from(rule)].into_iter().chain(timeout).collect();
    Job { program: "firewall-cmd".into(), arguments, input: Vec::new(), may_fail }
}

#[cfg(test)]
mod tests {
    use super::super::firewall_drop::tests::want;
    use super::*;

    #[test]
    fn what_firewalld_is_told() {
        let left = Some(std::time::Duration::from_millis(600_500));
        let Ok(Work::Run(jobs)) = Firewalld.put(&[Want { left, ..want("2001:db8::7") }]) else {
            panic!()
        };
        let words: Vec<_> = jobs.iter().flat_map(|job| &job.arguments).collect();
        assert_eq!(
            words,
            [
                "--remove-rich-rule=rule family='ipv6' source address='2001:db8::7' drop",
                "--add-rich-rule=rule family='ipv6' source address='2001:db8::7' drop",
                "--timeout=600"
            ]
        );
    }
}
