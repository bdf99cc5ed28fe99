//! Sends answers to an address nowhere, by a route.

use std::ffi::OsString;

use super::{Action, ActionError, Aim, Kind, Want, Work};
use crate::jobs::Job;
use crate::target::{Net, Target};

pub(super) const KIND: Kind = Kind {
    name: "route-null",
    about: "sends answers to an address nowhere, by a blackhole route",
    executables: &["route-null"],
    aim: Aim::Net,
    yields: false,
    open: |_| Ok(Box::new(RouteNull)),
};

struct RouteNull;

impl Action for RouteNull {
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        let nets = wants.iter().filter_map(|want| want.target.net);
        Ok(Work::Run(nets.map(|net| job(net, "replace", false)).collect()))
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        let nets = targets.iter().filter_map(|target| target.net);
        Ok(Work::Run(nets.map(|net| job(net, "del", true)).collect()))
    }
}

fn job(net: Net, verb: &str, may_fail: bool) -> Job {
    let family = if net.is_ipv4() { "-4" } else { "-6" };
    let prefix = format!("{}/{}", net.address(), net.bits());
    let words = [family, "route", verb, "blackhole", &prefix];
    let arguments = words.map(OsString::from).to_vec();
    Job { program: "ip".into(), arguments, input: Vec::new(), may_fail }
}

#[cfg(test)]
mod tests {
    use super::super::firewall_drop::tests::want;
    use super::*;

    #[test]
    fn what_ip_is_told() {
        let Ok(Work::Run(mut jobs)) = RouteNull.put(&[want("203.0.113.7")]) else { panic!() };
        let Ok(Work::Run(undo)) = RouteNull.take(&[want("2001:db8::/64").target]) else { panic!() };
        jobs.extend(undo);
        let lines = jobs.iter().map(|job| job.arguments.join(std::ffi::OsStr::new(" ")));
        let expected =
            ["-4 route replace blackhole 203.0.113.7/32", "-6 route del blackhole 2001:db8::/64"];
        assert!(lines.eq(expected));
    }
}
