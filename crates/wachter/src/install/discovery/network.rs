//! Which addresses must never be blocked: this host's own, its gateway, its name servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::paths;
use crate::home::files;

/// An address that no response may block, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trusted {
    pub(crate) address: IpAddr,
    pub(crate) what: &'static str,
}

/// Addresses that are listed; a host of containers may have thousands.
const ADDRESSES_MAX: usize = 64;

/// Bytes of a file of the kernel that are read.
const FILE_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn trusted(root: &Path) -> Vec<Trusted> {
    let text = |path| {
        let bytes = files::read(&paths::below(root, path), FILE_BYTES_MAX).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let sources = [
        ("name server", resolvers(&text("/etc/resolv.conf"))),
        ("gateway", gateways(&text("/proc/net/route"))),
        ("gateway", gateways_v6(&text("/proc/net/ipv6_route"))),
        ("this host", own(&text("/proc/net/fib_trie"))),
        ("this host", own_v6(&text("/proc/net/if_inet6"))),
    ];
    let mut trusted: Vec<Trusted> = Vec::new();
    for (what, addresses) in sources {
        for address in addresses {
            let is_known = trusted.iter().any(|known| known.address == address);
            // The whole of the loopback is listed in any case.
            if !is_known && !address.is_loopback() && trusted.len() < ADDRESSES_MAX {
                trusted.push(Trusted { address, what });
            }
        }
    }
    trusted
}

fn resolvers(text: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then_some(())?;
        // Behind `%` stands the interface.
        words.next()?.split('%').next()?.parse().ok()
    };
    text.lines().filter_map(address).collect()
}

/// `Iface Destination Gateway …`, addresses as the machine keeps them, in hexadecimal.
fn gateways(text: &str) -> Vec<IpAddr> {
    let gateway = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let address = |word: &str| u32::from_str_radix(word, 16).ok();
        let (to, by) = (address(words.next()?)?, address(words.next()?)?);
        (to == 0 && by != 0).then(|| IpAddr::V4(Ipv4Addr::from(by.to_ne_bytes())))
    };
    text.lines().filter_map(gateway).collect()
}

/// `destination length source length gateway …`
fn gateways_v6(text: &str) -> Vec<IpAddr> {
    let gateway = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [to, "00", _, _, by, ..] = *words else { return None };
        let address = |word| u128::from_str_radix(word, 16).ok();
        let (to, by) = (address(to)?, address(by)?);
        (to == 0 && by != 0).then(|| IpAddr::V6(Ipv6Addr::from(by)))
    };
    text.lines().filter_map(gateway).collect()
}

/// A tree of prefixes: an address, and below it `/32 host LOCAL` if it is one of ours.
fn own(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut last: Option<IpAddr> = None;
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("|-- ") {
            Some(address) => last = address.parse().ok(),
            None if line == "/32 host LOCAL" => found.extend(last),
            None => {}
        }
    }
    found
}

/// `address index length scope flags interface`
fn own_v6(text: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let bits = u128::from_str_radix(line.split_whitespace().next()?, 16).ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(bits)))
    };
    text.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_kernel_and_the_resolver_say() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = paths::below(dir.path(), path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "/etc/resolv.conf",
            "# x\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n\
            nameserver 127.0.0.53\nnameserver <x>\nnameserver\nsearch example.org\n",
        );
        let gateway = u32::from_ne_bytes([192, 0, 2, 1]);
        write(
            "/proc/net/route",
            &format!(
                "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t{gateway:08X}\t0003\n\
             eth0\t000200C0\t00000000\t0001\nbad\n"
            ),
        );
        write(
            "/proc/net/ipv6_route",
            "00000000000000000000000000000000 00 \
            00000000000000000000000000000000 00 20010db8000000000000000000000001 00000400\n\
            20010db8000000000000000000000000 40 00000000000000000000000000000000 00 \
            00000000000000000000000000000000 00000100\n",
        );
        write(
            "/proc/net/fib_trie",
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.0.2.7\n        \
            /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        \
            /32 host LOCAL\n",
        );
        write(
            "/proc/net/if_inet6",
            "20010db8000000000000000000000007 02 40 00 80 eth0\n\
            00000000000000000000000000000001 01 80 10 80 lo\n",
        );
        let found = trusted(dir.path());
        let shown: Vec<String> =
            found.iter().map(|trusted| format!("{} {}", trusted.address, trusted.what)).collect();
        assert_eq!(
            shown,
            [
                "192.0.2.53 name server",
                "fe80::1 name server",
                "192.0.2.1 gateway",
                "2001:db8::1 gateway",
                "192.0.2.7 this host",
                "2001:db8::7 this host",
            ]
        );
    }

    #[test]
    fn a_bare_root_trusts_nobody() {
        assert_eq!(trusted(tempfile::tempdir().unwrap().path()), []);
    }
}
