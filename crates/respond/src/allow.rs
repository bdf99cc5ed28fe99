//! Who is never acted against.
//!
//! What the configuration says, and what this host cannot do without: its own addresses, its
//! gateways and resolvers, and those from whom root is logged in. The list always wins: when a
//! response is decided, when it is done, and over blocks from before.

use std::net::{IpAddr, ToSocketAddrs};

use config::OssecConf;
use config::address::{AddressEntry, Network, is_listed};
use config::sections::Allowed;

use crate::target::Net;

/// Addresses found on this host; with more, the rest is left out.
pub const FOUND_MAX: usize = 4096;

/// Addresses, networks and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    configured: Vec<AddressEntry>,
    /// With what each stands for, as far as is known.
    names: Vec<(String, Vec<Net>)>,
    found: Vec<Found>,
}

/// An address that this host needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Found {
    pub net: Net,
    pub what: What,
}

/// What this host needs an address for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    Own,
    Gateway,
    Resolver,
    /// Root is logged in from there.
    Session,
}

impl AllowList {
    /// What `white_list` and `allow_list` say.
    pub fn of(conf: &OssecConf) -> Self {
        let mut list = Self::default();
        for entry in &conf.global.allow_list {
            match &entry.value {
                Allowed::Address(entry) => list.configured.push(*entry),
                Allowed::Name(name) => list.names.push((name.clone(), Vec::new())),
            }
        }
        list
    }

    /// Names stand for what they did on an earlier list, until they are looked up.
    pub fn remember(&mut self, before: &Self) {
        for (name, nets) in self.names.iter_mut().filter(|(_, nets)| nets.is_empty()) {
            let known = before.names.iter().find(|(other, _)| other == name);
            nets.extend(known.iter().flat_map(|(_, nets)| nets));
        }
    }

    /// Whether it is not known of some name what it stands for.
    pub fn has_unknown_names(&self) -> bool {
        self.names.iter().any(|(_, nets)| nets.is_empty())
    }

    /// The host names that are to be looked up, now and then.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Says what names stand for. One that cannot be looked up keeps what it had.
    pub fn resolved(&mut self, answers: &[(String, Vec<IpAddr>)]) {
        for (name, nets) in &mut self.names {
            let answer = answers.iter().find(|(other, found)| other == name && !found.is_empty());
            if let Some((_, addresses)) = answer {
                *nets = addresses.iter().copied().map(Net::single).collect();
            }
        }
    }

    /// Says what this host needs.
    pub fn found(&mut self, mut found: Vec<Found>) {
        found.truncate(FOUND_MAX);
        self.found = found;
    }

    /// Whether any address of a network is on the list.
    pub fn holds(&self, net: Net) -> bool {
        let by_configuration = if net.is_single() {
            is_listed(&self.configured, net.address())
        } else {
            is_listed(&self.configured, net.address()) || self.configured_overlaps(net)
        };
        by_configuration
            || self.names.iter().flat_map(|(_, nets)| nets).any(|allowed| allowed.overlaps(net))
            || self.found.iter().any(|found| found.net.overlaps(net))
    }

    /// Why this host needs an address of a network.
    pub fn needed_for(&self, net: Net) -> Option<What> {
        self.found.iter().find(|found| found.net.overlaps(net)).map(|found| found.what)
    }

    fn configured_overlaps(&self, net: Net) -> bool {
        let wanted = self.configured.iter().filter(|entry| !entry.negated);
        let mut networks = wanted.map(|entry| entry.network);
        networks.any(|network| match network {
            Network::Any => true,
            Network::Bits { address, bits } => {
                Net::new(address, bits).is_some_and(|allowed| allowed.overlaps(net))
            }
        })
    }
}

/// Looks names up. This waits for the network: not for a loop that has attackers to stop.
pub fn look_up(names: &[String]) -> Vec<(String, Vec<IpAddr>)> {
    let look_up = |name: &String| {
        let found = (name.as_str(), 0).to_socket_addrs();
        (name.clone(), found.into_iter().flatten().map(|address| address.ip()).collect())
    };
    names.iter().map(look_up).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::conf;

    fn list(entries: &[&str]) -> AllowList {
        let entries: String =
            entries.iter().map(|entry| format!("<white_list>{entry}</white_list>")).collect();
        AllowList::of(&conf(&format!("<ossec_config><global>{entries}</global></ossec_config>")))
    }

    #[test]
    fn configured_networks_and_names() {
        let mut list = list(&["192.0.2.0/24", "2001:db8::/32", "monitor.example"]);
        let table = [
            ("192.0.2.200", true),
            ("192.0.3.1", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("192.0.0.0/16", true),
            ("192.0.2.128/25", true),
            ("198.51.100.0/24", false),
            ("198.51.100.9", false),
        ];
        for (net, expected) in table {
            assert_eq!(list.holds(net.parse().unwrap()), expected, "{net}");
        }
        assert_eq!(list.names(), ["monitor.example"]);
        let name = "monitor.example".to_owned();
        list.resolved(&[(name.clone(), vec!["198.51.100.9".parse().unwrap()])]);
        assert!(list.holds("198.51.100.9".parse().unwrap()));
        assert!(list.holds("198.51.100.0/24".parse().unwrap()));
        list.resolved(&[(name.clone(), Vec::new())]);
        assert!(list.holds("198.51.100.9".parse().unwrap()));
        let mut anew = self::list(&["monitor.example", "other.example"]);
        assert!(anew.has_unknown_names());
        anew.remember(&list);
        assert!(anew.holds("198.51.100.9".parse().unwrap()) && anew.has_unknown_names());
        list.resolved(&[(name, vec!["198.51.100.8".parse().unwrap()])]);
        assert!(!list.holds("198.51.100.9".parse().unwrap()));
    }

    #[test]
    fn exceptions_of_ossec_hold() {
        let list = list(&["!192.0.2.9", "192.0.2.0/24"]);
        assert!(!list.holds("192.0.2.9".parse().unwrap()));
        assert!(list.holds("192.0.2.8".parse().unwrap()));
        assert!(list.holds("192.0.2.8/30".parse().unwrap()));
    }

    #[test]
    fn what_the_host_needs() {
        let mut list = list(&[]);
        let net = "203.0.113.1".parse().unwrap();
        assert!(!list.holds(net));
        list.found(vec![Found { net, what: What::Gateway }]);
        assert!(list.holds(net) && list.holds("203.0.113.0/24".parse().unwrap()));
        assert_eq!(list.needed_for(net), Some(What::Gateway));
    }

    proptest! {
        #[test]
        fn no_network_with_an_allowed_address_is_ever_free(address: u128, bits in 0_u8..=128) {
            let address = std::net::Ipv6Addr::from_bits(address | 1 << 127);
            let list = list(&[&address.to_string()]);
            prop_assert!(list.holds(Net::single(address.into()).aggregated(bits)));
        }
    }
}
