//! Drops everything from an address: by nftables, or by iptables where the kernel lacks that.

use std::ffi::OsString;

use super::table::Table;
use super::{Action, ActionError, Aim, Kind, List, Options, Want, Work};
use crate::jobs::Job;
use crate::netlink::Conversation;
use crate::target::{Net, Target};

pub(super) const KIND: Kind = Kind {
    name: "firewall-drop",
    about: "drops what comes from an address before anything else sees it (nftables, else iptables)",
    executables: &["firewall-drop"],
    aim: Aim::Net,
    yields: false,
    open,
};

fn open(options: &Options) -> Result<Box<dyn Action>, ActionError> {
    if options.iptables {
        return Ok(Box::new(Iptables));
    }
    let kernel = Conversation::open(None).map_err(ActionError::io("reaching netfilter"));
    let table = kernel.and_then(|kernel| {
        let mut table = Table::new(kernel);
        table.prepare()?;
        Ok(table)
    });
    match table {
        Ok(table) => Ok(Box::new(Nftables(table))),
        Err(error) if is_in_path("iptables-restore") => {
            sys::log::info(format_args!("firewall-drop uses iptables: {error}"));
            Ok(Box::new(Iptables))
        }
        Err(error) => Err(error),
    }
}

struct Nftables(Table);

impl Action for Nftables {
    fn prepare(&mut self) -> Result<Work, ActionError> {
        self.0.prepare().map(|()| Work::Done)
    }

    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        self.0.put(wants).map(|()| Work::Done)
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        self.0.take(targets).map(|()| Work::Done)
    }

    fn list(&mut self) -> Result<List, ActionError> {
        self.0.list().map(List::Ours)
    }

    fn is_whole(&mut self) -> Result<bool, ActionError> {
        self.0.is_whole()
    }
}

/// A chain of our own in the table `raw`, which is passed before addresses are translated.
pub(super) struct Iptables;

const CHAIN: &str = "WACHTER";

impl Action for Iptables {
    /// Declaring the chain empties it; the way there is made if it is missing.
    fn prepare(&mut self) -> Result<Work, ActionError> {
        let declared = format!("*raw\n:{CHAIN} - [0:0]\nCOMMIT\n");
        let jump = format!("*raw\n-D PREROUTING -j {CHAIN}\nCOMMIT\n");
        let jump_anew = format!("*raw\n-I PREROUTING 1 -j {CHAIN}\nCOMMIT\n");
        let families = [true, false].into_iter();
        Ok(Work::Run(
            families
                .flat_map(|ipv4| {
                    let mut old = restore(ipv4, &jump);
                    old.may_fail = true;
                    [restore(ipv4, &declared), old, restore(ipv4, &jump_anew)]
                })
                .collect(),
        ))
    }

    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        Ok(rules('A', wants.iter().filter_map(|want| want.target.net)))
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        Ok(rules('D', targets.iter().filter_map(|target| target.net)))
    }
}

/// A rule that is there is taken first, so that it is there once. Each is a transaction of its own:
/// one that cannot be taken must not keep the others.
fn rules(verb: char, nets: impl Iterator<Item = Net>) -> Work {
    let mut jobs = Vec::new();
    for net in nets {
        let rule = |verb| format!("*raw\n-{verb} {CHAIN} -s {net} -j DROP\nCOMMIT\n");
        let mut old = restore(net.is_ipv4(), &rule('D'));
        old.may_fail = true;
        jobs.push(old);
        if verb == 'A' {
            jobs.push(restore(net.is_ipv4(), &rule('A')));
        }
    }
    Work::Run(jobs)
}

fn restore(ipv4: bool, text: &str) -> Job {
    let program = if ipv4 { "iptables-restore" } else { "ip6tables-restore" };
    let arguments = ["--noflush", "--wait", "5"].map(OsString::from).to_vec();
    Job { program: program.into(), arguments, input: text.as_bytes().to_vec(), may_fail: false }
}

pub(super) fn is_in_path(program: &str) -> bool {
    let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    folders.iter().any(|folder| std::path::Path::new(folder).join(program).is_file())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn want(net: &str) -> Want {
        Want { target: Target::address(net.parse().unwrap()), left: None }
    }

    #[test]
    fn what_iptables_is_told() {
        let wants = [want("203.0.113.7"), want("2001:db8::/64")];
        let Ok(Work::Run(jobs)) = Iptables.put(&wants) else { panic!() };
        let told: Vec<(&str, &str, bool)> = jobs
            .iter()
            .map(|job| {
                let input = std::str::from_utf8(&job.input).unwrap().lines().nth(1).unwrap();
                (job.program.to_str().unwrap(), input, job.may_fail)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("iptables-restore", "-D WACHTER -s 203.0.113.7 -j DROP", true),
                ("iptables-restore", "-A WACHTER -s 203.0.113.7 -j DROP", false),
                ("ip6tables-restore", "-D WACHTER -s 2001:db8::/64 -j DROP", true),
                ("ip6tables-restore", "-A WACHTER -s 2001:db8::/64 -j DROP", false),
            ]
        );
    }
}
