//! Adds attackers to the sets of the gateway, `global-blk4` and `global-blk6`, which its rules use.

use std::ffi::OsString;

use super::{Action, ActionError, Aim, Kind, List, Want, Work};
use crate::gate::{At, Gateway, Line, SshHost};
use crate::jobs::Job;
use crate::netlink::Conversation;
use crate::netlink::ipset::{self, Element, Header, NAME_BYTES_MAX, Step};
use crate::place::Where;
use crate::target::Target;

pub(super) const KIND: Kind = Kind {
    name: "ipset",
    about: "adds an address to the ipset sets of the gateway (global-blk4, global-blk6)",
    executables: &["ipset", "ipset-drop"],
    aim: Aim::Net,
    yields: true,
    open: |options| open(&options.gateway),
};

/// The gateway's sets, ready for use.
///
/// # Errors
///
/// Where they cannot be reached or made.
pub fn open(gateway: &Gateway) -> Result<Box<dyn Action>, ActionError> {
    let place = match &gateway.at {
        At::Ssh(host) => return Ok(Box::new(Remote(host.clone()))),
        At::Host(place) => place,
    };
    for name in [&gateway.ipv4, &gateway.ipv6] {
        if !is_name(name) {
            return Err(ActionError::Unavailable(format!("`{name}` cannot be the name of a set")));
        }
    }
    let (kernel, number) = connect(place)?;
    let (place, gateway) = (place.clone(), gateway.clone());
    let mut sets = Sets { kernel, number, place, gateway, headers: [None; 2] };
    sets.prepare()?;
    Ok(Box::new(sets))
}

struct Sets {
    kernel: Conversation,
    /// Of the namespace that it is in.
    number: u64,
    place: Where,
    gateway: Gateway,
    /// What the sets are like: IPv4, IPv6.
    headers: [Option<Header>; 2],
}

impl Sets {
    fn name(&self, ipv4: bool) -> String {
        if ipv4 { self.gateway.ipv4.clone() } else { self.gateway.ipv6.clone() }
    }

    fn header(&self, ipv4: bool) -> Option<Header> {
        self.headers.get(usize::from(!ipv4)).copied().flatten()
    }

    fn look(&mut self, ipv4: bool) -> Result<Option<Header>, ActionError> {
        let name = self.name(ipv4);
        let found = ipset::header(&mut self.kernel, &name);
        let found = found.map_err(ActionError::io(format!("looking for the set {name}")))?;
        match found {
            Some(header) if header.ipv4 != ipv4 => {
                let text = format!("the set {name} is for addresses of the other kind");
                Err(ActionError::Unavailable(text))
            }
            found => Ok(found),
        }
    }

    fn change(&mut self, wants: &[Want], step: Step) -> Result<Work, ActionError> {
        for ipv4 in [true, false] {
            let Some(header) = self.header(ipv4) else { continue };
            let elements = wants.iter().filter_map(|want| {
                let net = want.target.net.filter(|net| net.is_ipv4() == ipv4)?;
                Some(Element { net, left: want.left })
            });
            let elements: Vec<Element> = elements.collect();
            let name = self.name(ipv4);
            let done = ipset::change(&mut self.kernel, &name, header, step, &elements);
            done.map_err(ActionError::io(format!("changing the set {name}")))?;
        }
        Ok(Work::Done)
    }
}

impl Action for Sets {
    fn prepare(&mut self) -> Result<Work, ActionError> {
        if self.number != number(&self.place)? {
            (self.kernel, self.number) = connect(&self.place)?;
        }
        for (place, ipv4) in [(0, true), (1, false)] {
            let name = self.name(ipv4);
            let mut found = self.look(ipv4)?;
            if found.is_none() && self.gateway.create {
                let made = ipset::create(&mut self.kernel, &name, ipv4);
                made.map_err(ActionError::io(format!("making the set {name}")))?;
                found = self.look(ipv4)?;
            }
            if let Some(header) = self.headers.get_mut(place) {
                *header = found;
            }
        }
        if self.headers == [None, None] {
            let Gateway { ipv4, ipv6, .. } = &self.gateway;
            let text = format!("the gateway has no set {ipv4} or {ipv6}, and none is to be made");
            return Err(ActionError::Unavailable(text));
        }
        if !self.gateway.rule {
            return Ok(Work::Done);
        }
        rules(&self.gateway).map(Work::Run)
    }

    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        self.change(wants, Step::Put)
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        let wants = targets.iter().map(|target| Want { target: target.clone(), left: None });
        self.change(&wants.collect::<Vec<_>>(), Step::Take)
    }

    fn list(&mut self) -> Result<List, ActionError> {
        let mut all = Vec::new();
        for ipv4 in [true, false] {
            let name = self.name(ipv4);
            let found = ipset::elements(&mut self.kernel, &name);
            let found = found.map_err(ActionError::io(format!("listing the set {name}")))?;
            let wants = found.iter();
            all.extend(wants.map(|it| Want { target: Target::address(it.net), left: it.left }));
        }
        Ok(List::Shared(all))
    }

    fn is_whole(&mut self) -> Result<bool, ActionError> {
        // A container that was started anew has another namespace, perhaps with the same sets, but
        // with nobody in them.
        if self.number != number(&self.place)? {
            return Ok(false);
        }
        Ok([self.look(true)?, self.look(false)?] == self.headers)
    }

    fn refuses(&self, target: &Target) -> Option<&'static str> {
        let net = target.net?;
        match self.header(net.is_ipv4()) {
            None => Some("the gateway has no set for this kind of address"),
            Some(header) if header.singles && !net.is_single() => {
                Some("the gateway's set is of type hash:ip, which is for single addresses")
            }
            Some(_) => None,
        }
    }
}

/// Another host, told by lines to its gate.
struct Remote(SshHost);

impl Remote {
    fn tell(&self, lines: impl Iterator<Item = Line>) -> Work {
        let input: String = lines.map(|line| line.render()).collect();
        let arguments = [
            "-T",
            "-oBatchMode=yes",
            "-oConnectTimeout=10",
            "-oStrictHostKeyChecking=yes",
            "--",
            self.0.as_str(),
            "wachter gate",
        ];
        Work::Run(vec![Job {
            program: "ssh".into(),
            arguments: arguments.map(OsString::from).to_vec(),
            input: input.into_bytes(),
            may_fail: false,
        }])
    }
}

impl Action for Remote {
    fn put(&mut self, wants: &[Want]) -> Result<Work, ActionError> {
        let nets = wants.iter().filter_map(|want| Some((want.target.net?, want.left)));
        Ok(self.tell(nets.map(|(net, left)| Line::Add { net, left })))
    }

    fn take(&mut self, targets: &[Target]) -> Result<Work, ActionError> {
        Ok(self.tell(targets.iter().filter_map(|target| target.net).map(Line::Delete)))
    }
}

/// With the number of the namespace.
fn connect(place: &Where) -> Result<(Conversation, u64), ActionError> {
    let number = number(place)?;
    let namespace = place.open().map_err(ActionError::io("opening the gateway's namespace"))?;
    let namespace = namespace.as_ref().map(std::os::fd::AsFd::as_fd);
    let kernel = Conversation::open(namespace);
    Ok((kernel.map_err(ActionError::io("reaching the gateway's netfilter"))?, number))
}

fn number(place: &Where) -> Result<u64, ActionError> {
    place.number().map_err(ActionError::io("looking for the gateway"))
}

/// Drops what comes from the sets, before addresses are translated. A rule that is there is taken
/// first, so that it is there once.
fn rules(gateway: &Gateway) -> Result<Vec<Job>, ActionError> {
    let namespace = match &gateway.at {
        At::Host(place) => place.path().map_err(ActionError::io("finding the gateway"))?,
        At::Ssh(_) => None,
    };
    let mut jobs = Vec::new();
    for (program, name) in [("iptables", &gateway.ipv4), ("ip6tables", &gateway.ipv6)] {
        for (verb, may_fail) in [("-D", true), ("-I", false)] {
            let rule =
                ["-w", "5", "-t", "raw", verb, "PREROUTING", "-m", "set", "--match-set", name];
            let rule = rule.into_iter().chain(["src", "-j", "DROP"]).map(OsString::from);
            let job = match &namespace {
                None => Job {
                    program: program.into(),
                    arguments: rule.collect(),
                    input: Vec::new(),
                    may_fail,
                },
                Some(path) => {
                    let mut net = OsString::from("--net=");
                    net.push(path);
                    let start = [net, OsString::from("--"), OsString::from(program)].into_iter();
                    let arguments = start.chain(rule).collect();
                    Job { program: "nsenter".into(), arguments, input: Vec::new(), may_fail }
                }
            };
            jobs.push(job);
        }
    }
    Ok(jobs)
}

/// What ipset takes, and no option.
fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(known) && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::super::firewall_drop::tests::want;
    use super::*;

    #[test]
    fn what_another_host_is_told() {
        let mut remote = Remote(SshHost::parse("wachter@gateway").unwrap());
        let Ok(Work::Run(jobs)) = remote.put(&[want("203.0.113.7"), want("2001:db8::/64")]) else {
            panic!()
        };
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].input, b"add 203.0.113.7 0\nadd 2001:db8::/64 0\n");
        let words: Vec<&str> = jobs[0].arguments.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(words[4..], ["--", "wachter@gateway", "wachter gate"]);
    }

    #[test]
    fn names_of_sets() {
        for good in ["global-blk4", "x", "a_b.c"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-x", "a b", "a;b", &"x".repeat(NAME_BYTES_MAX + 1)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
