//! Which alerts are asked for.

use std::net::IpAddr;

use crate::alert_lines::Alert;

/// All that is said here must hold. The default lets everything pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) level: u16,
    /// One of these; any if there are none.
    pub(super) rules: Vec<u32>,
    pub(super) group: Option<String>,
    pub(super) source: Option<Network>,
    /// Milliseconds since the epoch.
    pub(super) since: Option<i64>,
}

impl Filter {
    /// Whether the alert is asked for. What is not an alert is, where anything is.
    pub(super) fn passes(&self, alert: Option<&Alert<'_>>) -> bool {
        let Some(alert) = alert else { return self.is_open() };
        let rule = &alert.rule;
        let is_in = |group: &String| rule.groups.split(',').any(|other| other == group);
        let comes_from =
            |network: &Network| alert.srcip.parse().is_ok_and(|address| network.contains(address));
        rule.level >= self.level
            && (self.rules.is_empty() || self.rules.contains(&rule.id))
            && self.group.as_ref().is_none_or(is_in)
            && self.source.as_ref().is_none_or(comes_from)
            && self.since.is_none_or(|since| alert.time >= since)
    }

    fn is_open(&self) -> bool {
        let Self { level, rules, group, source, since: _ } = self;
        *level == 0 && rules.is_empty() && group.is_none() && source.is_none()
    }
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// `ADDRESS` or `ADDRESS/BITS`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(bits_max);
        (bits <= bits_max).then_some(Self { address, bits })
    }

    fn contains(self, other: IpAddr) -> bool {
        // An IPv4 address may come written as IPv6.
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                let differing = ours.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(ours), _) => {
                let other = match other {
                    IpAddr::V4(other) => other.to_ipv6_mapped(),
                    IpAddr::V6(other) => other,
                };
                (ours.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"{"rule":{"level":7,"sidid":5720,"group":"syslog,sshd,"},"TimeStamp":5000,"srcip":"192.0.2.7"}"#;

    #[test]
    fn each_condition_counts() {
        let all = Filter::default;
        let source = |text: &str| Network::of(text);
        for (filter, passes) in [
            (all(), true),
            (Filter { level: 7, ..all() }, true),
            (Filter { level: 8, ..all() }, false),
            (Filter { rules: vec![1, 5720], ..all() }, true),
            (Filter { rules: vec![572], ..all() }, false),
            (Filter { group: Some("sshd".to_owned()), ..all() }, true),
            (Filter { group: Some("ssh".to_owned()), ..all() }, false),
            (Filter { source: source("192.0.2.0/24"), ..all() }, true),
            (Filter { source: source("192.0.2.8"), ..all() }, false),
            (Filter { since: Some(5000), ..all() }, true),
            (Filter { since: Some(5001), ..all() }, false),
            (Filter { level: 8, since: Some(1), ..all() }, false),
        ] {
            assert_eq!(filter.passes(Alert::of(LINE).as_ref()), passes, "{filter:?}");
        }
    }

    #[test]
    fn what_is_not_an_alert_or_has_no_source() {
        assert!(Filter::default().passes(None));
        assert!(Filter { since: Some(5), ..Filter::default() }.passes(None));
        assert!(!Filter { level: 1, ..Filter::default() }.passes(None));
        let any = Filter { source: Network::of("0.0.0.0/0"), ..Filter::default() };
        for line in [&b"{}"[..], br#"{"srcip":"192.0.2"}"#, br#"{"srcip":"fe80::1%eth0"}"#] {
            assert!(!any.passes(Alert::of(line).as_ref()));
        }
    }

    #[test]
    fn addresses_and_networks() {
        for (network, address, is_in) in [
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("192.0.2.7", "::1", false),
            ("192.0.2.0/25", "192.0.2.127", true),
            ("192.0.2.0/25", "192.0.2.128", false),
            ("192.0.2.9/0", "255.255.255.255", true),
            ("::ffff:192.0.2.0/120", "192.0.2.7", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::/32", "32.1.13.184", false),
            ("::/0", "::1", true),
        ] {
            let contains = Network::of(network).unwrap().contains(address.parse().unwrap());
            assert_eq!(contains, is_in, "{address} in {network}");
        }
        for text in ["", "a", "192.0.2", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1"] {
            assert_eq!(Network::of(text), None, "{text:?}");
        }
    }
}
