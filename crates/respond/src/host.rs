//! What this host needs: read from `/proc` and `resolv.conf`.
//!
//! The parsers take texts. [`gather`] reads them; only root sees who is logged in.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::allow::{FOUND_MAX, Found, What};
use crate::place::Where;
use crate::target::Net;

/// Bytes of one file that are read.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Bytes that are read at once.
const READ_BYTES: u64 = 64 * 1024;
/// Bytes of a process' title.
const TITLE_BYTES_MAX: u64 = 4096;

/// Reads what can be read; `proc` is `/proc`, `resolv_conf` is `/etc/resolv.conf`.
pub fn gather(proc: &Path, resolv_conf: &Path) -> Vec<Found> {
    let net = |name: &str| text(&proc.join("net").join(name), FILE_BYTES_MAX);
    let mut found = needed(&net);
    add(&mut found, What::Resolver, resolvers(&text(resolv_conf, FILE_BYTES_MAX)));
    let sockets = session_sockets(proc);
    if !sockets.is_empty() {
        add(&mut found, What::Session, peers(&net("tcp"), &sockets));
        add(&mut found, What::Session, peers(&net("tcp6"), &sockets));
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(FOUND_MAX);
    found
}

/// The same for a part of this host with a network of its own, but for its sessions.
///
/// # Errors
///
/// Where it is not there.
pub fn gather_in(place: &Where) -> io::Result<Vec<Found>> {
    let Some(namespace) = place.open()? else { return Ok(Vec::new()) };
    // A thread of its own goes there: this one stays where it is.
    let gathered = std::thread::spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let net = |name: &str| text(&Path::new("/proc/thread-self/net").join(name), FILE_BYTES_MAX);
        Ok(needed(&net))
    });
    gathered.join().unwrap_or_else(|_| Err(io::Error::other("looking at a network failed")))
}

/// Whether somebody in these networks has an open connection with this host.
pub fn is_connected(proc: &Path, nets: &[Net]) -> bool {
    let has_one = |name: &str| {
        let table = text(&proc.join("net").join(name), FILE_BYTES_MAX);
        established(&table).any(|(peer, _)| nets.iter().any(|net| net.contains(peer)))
    };
    !nets.is_empty() && (has_one("tcp") || has_one("tcp6"))
}

/// As what the host was started: another text each time; empty where that is not known.
pub fn boot_id(proc: &Path) -> String {
    text(&proc.join("sys/kernel/random/boot_id"), 64).trim().to_owned()
}

/// What the tables of a network say.
fn needed(net: &dyn Fn(&str) -> String) -> Vec<Found> {
    let mut found = Vec::new();
    add(&mut found, What::Own, own_ipv4(&net("fib_trie")));
    add(&mut found, What::Own, own_ipv6(&net("if_inet6")));
    add(&mut found, What::Gateway, gateways_ipv4(&net("route")));
    add(&mut found, What::Gateway, gateways_ipv6(&net("ipv6_route")));
    found
}

fn add(found: &mut Vec<Found>, what: What, addresses: Vec<IpAddr>) {
    let nets = addresses.into_iter().filter(|address| !address.is_unspecified());
    found.extend(nets.map(|address| Found { net: Net::single(address), what }));
}

/// The leaves of the routing table that are this host: `|-- ADDRESS`, then `/32 host LOCAL`.
pub fn own_ipv4(fib_trie: &str) -> Vec<IpAddr> {
    let mut leaf = None;
    let mut found = Vec::new();
    for line in fib_trie.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            leaf = address.trim().parse::<Ipv4Addr>().ok();
        } else if line.contains("/32 host LOCAL") {
            found.extend(leaf.map(IpAddr::V4));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// `ADDRESS INDEX LENGTH SCOPE FLAGS NAME`, hexadecimal.
pub fn own_ipv6(if_inet6: &str) -> Vec<IpAddr> {
    let first = if_inet6.lines().filter_map(|line| line.split_whitespace().next());
    first.filter_map(ipv6_plain).collect()
}

/// `Iface Destination Gateway …`, addresses in the host's byte order.
pub fn gateways_ipv4(route: &str) -> Vec<IpAddr> {
    let gateways = route.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2));
    gateways.filter_map(ipv4_word).collect()
}

/// The fifth word is the next hop.
pub fn gateways_ipv6(ipv6_route: &str) -> Vec<IpAddr> {
    let hops = ipv6_route.lines().filter_map(|line| line.split_whitespace().nth(4));
    hops.filter_map(ipv6_plain).collect()
}

/// `nameserver ADDRESS[%ZONE]`.
pub fn resolvers(resolv_conf: &str) -> Vec<IpAddr> {
    let servers = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = servers.filter_map(|rest| rest.trim().split('%').next()?.parse().ok());
    addresses.collect()
}

/// The peers of established connections by inode, from `net/tcp` or `net/tcp6`.
pub fn peers(tcp: &str, inodes: &HashSet<u64>) -> Vec<IpAddr> {
    let of_them = established(tcp).filter(|(_, inode)| inodes.contains(inode));
    of_them.map(|(peer, _)| peer).collect()
}

/// The peers of established connections, with the inodes of their sockets.
fn established(tcp: &str) -> impl Iterator<Item = (IpAddr, u64)> {
    const ESTABLISHED: &str = "01";
    let peer = |line: &str| {
        let mut words = line.split_whitespace();
        let (remote, state) = (words.nth(2)?, words.next()?);
        let inode: u64 = words.nth(5)?.parse().ok()?;
        let (address, _port) = remote.split_once(':')?;
        let address = if address.len() == 8 { ipv4_word(address) } else { ipv6_words(address) };
        address.filter(|_| state == ESTABLISHED).map(|address| (address, inode))
    };
    tcp.lines().skip(1).filter_map(peer)
}

/// Whether a process' title is that of a session of root, with its authentication behind it.
///
/// Before that the title reads `sshd: USER [priv]`, with a name that whoever knocks has chosen: a
/// brute-force attack on root must not protect itself.
pub fn is_root_session(title: &str) -> bool {
    let session = title.strip_prefix("sshd: ").or_else(|| title.strip_prefix("sshd-session: "));
    let Some(terminals) = session.and_then(|rest| rest.strip_prefix("root@")) else { return false };
    let is_terminal = |name: &str| {
        let number = name.strip_prefix("pts/").or_else(|| name.strip_prefix("tty"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        name == "notty" || number.is_some_and(digits)
    };
    terminals.split(',').all(is_terminal)
}

/// The inodes of all sockets of root's sessions.
fn session_sockets(proc: &Path) -> HashSet<u64> {
    let mut found = HashSet::new();
    let Ok(processes) = fs::read_dir(proc) else { return found };
    for process in processes.flatten() {
        let is_number =
            process.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
        let folder = process.path();
        // Titles are the processes' own words; only those of root count.
        let of_root = is_number && folder.metadata().is_ok_and(|it| it.uid() == 0);
        if !of_root || !text(&folder.join("comm"), TITLE_BYTES_MAX).starts_with("sshd") {
            continue;
        }
        let title = text(&folder.join("cmdline"), TITLE_BYTES_MAX);
        if is_root_session(title.trim_end_matches(['\0', ' '])) {
            found.extend(sockets(&folder.join("fd")));
        }
    }
    found
}

fn sockets(descriptors: &Path) -> Vec<u64> {
    let Ok(descriptors) = fs::read_dir(descriptors) else { return Vec::new() };
    let links = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let inode =
        |link: &Path| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    links.filter_map(|link| inode(&link)).collect()
}

fn text(path: &Path, bytes_max: u64) -> String {
    // The kernel walks all of a table for each read of it: few reads, then.
    let mut bytes = Vec::with_capacity(bytes_max.min(READ_BYTES) as usize);
    let read = File::open(path).and_then(|file| file.take(bytes_max).read_to_end(&mut bytes));
    if read.is_err() {
        bytes.clear();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ipv4_word(text: &str) -> Option<IpAddr> {
    let word = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8)?;
    Some(Ipv4Addr::from(word.to_ne_bytes()).into())
}

/// 32 hexadecimal digits, in their order.
fn ipv6_plain(text: &str) -> Option<IpAddr> {
    let bits = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(IpAddr::V6(Ipv6Addr::from_bits(bits)).to_canonical())
}

/// Four words, each in the host's byte order.
fn ipv6_words(text: &str) -> Option<IpAddr> {
    let mut octets = [0; 16];
    for (index, place) in octets.chunks_exact_mut(4).enumerate() {
        let word = u32::from_str_radix(text.get(index * 8..index * 8 + 8)?, 16).ok()?;
        place.copy_from_slice(&word.to_ne_bytes());
    }
    (text.len() == 32).then(|| IpAddr::V6(octets.into()).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(addresses: Vec<IpAddr>) -> Vec<String> {
        addresses.iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn own_addresses() {
        let trie = "Local:\n  +-- 192.0.2.0/24 2 0 2\n     |-- 192.0.2.0\n        /24 link UNICAST\n     \
                    |-- 192.0.2.7\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n";
        assert_eq!(texts(own_ipv4(trie)), ["192.0.2.7"]);
        let inet6 = "20010db8000000000000000000000007 02 40 00 80     eth0\nbad 1\n";
        assert_eq!(texts(own_ipv6(inet6)), ["2001:db8::7"]);
    }

    #[test]
    fn gateways_and_resolvers() {
        let word = format!("{:08X}", u32::from_ne_bytes([192, 0, 2, 1]));
        let route = format!("Iface\tDestination\tGateway\neth0\t00000000\t{word}\t0003\nx\n");
        assert_eq!(texts(gateways_ipv4(&route)), ["192.0.2.1"]);
        let route = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400\n";
        assert_eq!(texts(gateways_ipv6(route)), ["fe80::1"]);
        let conf = "search x\nnameserver 192.0.2.53\n nameserver fe80::53%eth0\nnameserver\n#nameserver 1.2.3.4\n";
        assert_eq!(texts(resolvers(conf)), ["192.0.2.53", "fe80::53"]);
    }

    #[test]
    fn peers_of_the_sessions_and_no_others() {
        let word = |octets| format!("{:08X}", u32::from_ne_bytes(octets));
        let line = |peer: &str, state, inode| {
            format!(
                "   0: 0100007F:0016 {peer}:D431 {state} 00000000:00000000 02:0008 0 0 0 {inode} 2\n"
            )
        };
        let line = |peer: &str, state, inode| {
            line(peer, state, inode).replace(" 0 0 0 ", " 00000000     0        0 ")
        };
        let tcp = [
            "  sl  local_address rem_address\n".to_owned(),
            line(&word([203, 0, 113, 7]), "01", 77),
            line(&word([203, 0, 113, 8]), "01", 78),
            line(&word([203, 0, 113, 9]), "06", 77),
        ];
        let sessions = HashSet::from([77]);
        assert_eq!(texts(peers(&tcp.concat(), &sessions)), ["203.0.113.7"]);
        let mapped =
            ["0000000000000000", &word([0, 0, 0xff, 0xff]), &word([203, 0, 113, 7])].concat();
        let tcp6 = format!("head\n{}", line(&mapped, "01", 77));
        assert_eq!(texts(peers(&tcp6, &sessions)), ["203.0.113.7"]);
    }

    #[test]
    fn only_a_session_of_root_is_one() {
        for title in [
            "sshd: root@pts/0",
            "sshd-session: root@notty",
            "sshd: root@pts/0,pts/12",
            "sshd: root@tty1",
        ] {
            assert!(is_root_session(title), "{title}");
        }
        for title in [
            "sshd: root [priv]",
            "sshd: root@evil [priv]",
            "sshd: root@pts/0 [priv]",
            "sshd: alice@pts/0",
            "sshd: root@",
            "sshd: root@pts/",
            "bash: root@pts/0",
            "sshd: [accepted]",
            "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
        ] {
            assert!(!is_root_session(title), "{title}");
        }
    }

    #[test]
    fn this_host_has_addresses() {
        let found = gather(Path::new("/proc"), Path::new("/etc/resolv.conf"));
        let own = Found { net: "127.0.0.1".parse().unwrap(), what: What::Own };
        assert!(found.contains(&own), "{found:?}");
    }
}
