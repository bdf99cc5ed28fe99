//! The kernel's nftables, in a network namespace of each test.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::namespace::{Namespace, listed, want};
use respond::actions::{ALL, Action, Kind, List, Options, Want, Work};
use respond::target::{Net, Target};

fn kind(name: &str) -> &'static Kind {
    ALL.iter().find(|kind| kind.name == name).unwrap()
}

fn firewall_drop() -> Box<dyn Action> {
    let mut action = (kind("firewall-drop").open)(&Options::default()).unwrap();
    assert_eq!(action.prepare().unwrap(), Work::Done, "the kernel has nftables");
    action
}

#[test]
fn what_is_put_is_there_once_and_for_its_time() {
    let Some(namespace) = Namespace::with(&["nft"]) else { return };
    namespace.enter();
    let mut action = firewall_drop();
    let wants = [
        want("203.0.113.7", 600),
        want("203.0.113.8", 0),
        want("203.0.113.0/24", 60),
        want("203.0.0.0/16", 3600),
        want("2001:db8::7", 600),
        want("2001:db8::/64", 600),
    ];
    let expected = [
        "203.0.0.0/16 3600",
        "203.0.113.0/24 60",
        "203.0.113.7 600",
        "203.0.113.8 0",
        "2001:db8::/64 600",
        "2001:db8::7 600",
    ];
    for _ in 0..3 {
        action.put(&wants).unwrap();
        assert_eq!(listed(&mut *action), expected);
        assert!(action.is_whole().unwrap());
    }
    // A new time begins anew, shorter or longer.
    action.put(&[want("203.0.113.7", 9000), want("203.0.113.8", 10)]).unwrap();
    let found = listed(&mut *action);
    assert!(found.contains(&"203.0.113.7 9000".to_owned()), "{found:?}");
    assert!(found.contains(&"203.0.113.8 10".to_owned()), "{found:?}");
    let targets: Vec<Target> = wants[1..].iter().map(|want| want.target.clone()).collect();
    for _ in 0..2 {
        action.take(&targets).unwrap();
        assert_eq!(listed(&mut *action), ["203.0.113.7 9000"]);
    }
    action.take(&[want("192.0.2.0/29", 0).target]).unwrap();
    // Who starts anew finds it, and what nft shows is what people would write.
    assert_eq!(listed(&mut *firewall_drop()), ["203.0.113.7 9000"]);
    let shown = namespace.run("nft", "list chain inet wachter prerouting");
    for line in [
        "type filter hook prerouting priority raw; policy accept;",
        "ip saddr @blocked4 counter packets 0 bytes 0 drop",
        "ip saddr & 255.255.255.0 == @blocked4_24 counter packets 0 bytes 0 drop",
        "ip6 saddr & ffff:ffff:ffff:ffff:: == @blocked6_64 counter packets 0 bytes 0 drop",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn a_firewall_that_others_clear_is_noticed_and_made_again() {
    let Some(namespace) = Namespace::with(&["nft"]) else { return };
    namespace.enter();
    let mut action = firewall_drop();
    action.put(&[want("203.0.113.7", 600), want("198.51.100.0/24", 600)]).unwrap();
    for clear in
        ["flush ruleset", "flush chain inet wachter prerouting", "delete table inet wachter"]
    {
        namespace.run("nft", clear);
        assert!(!action.is_whole().unwrap(), "{clear}");
        action.prepare().unwrap();
        assert!(action.is_whole().unwrap(), "{clear}");
        action.put(&[want("203.0.113.7", 600), want("198.51.100.0/24", 600)]).unwrap();
        assert_eq!(listed(&mut *action), ["198.51.100.0/24 600", "203.0.113.7 600"], "{clear}");
    }
    // Without having looked, too.
    namespace.run("nft", "flush ruleset");
    assert!(action.put(&[want("203.0.113.7", 600)]).is_err());
}

/// Joins two namespaces by a wire, with these addresses.
fn join(one: (&Namespace, &str, &str), other: (&Namespace, &str, &str)) {
    let (name, peer) = (one.1, other.1);
    let link = format!("link add {name} type veth peer name {peer} netns {}", other.0.name);
    one.0.run("ip", &link);
    for (namespace, device, address) in [one, other] {
        namespace.run("ip", &format!("addr add {address} dev {device}"));
        namespace.run("ip", &format!("link set {device} up"));
    }
}

#[test]
fn the_attacker_is_out_also_for_what_is_passed_on() {
    let (Some(attacker), Some(host), Some(container)) =
        (Namespace::with(&["nft", "sysctl"]), Namespace::new(), Namespace::new())
    else {
        return;
    };
    join((&host, "inner", "192.0.2.1/24"), (&attacker, "outer", "192.0.2.7/24"));
    join((&host, "bridge", "10.9.0.1/24"), (&container, "eth0", "10.9.0.2/24"));
    host.run("sysctl", "-qw net.ipv4.ip_forward=1");
    attacker.run("ip", "route add 10.9.0.0/24 via 192.0.2.1");
    container.run("ip", "route add default via 10.9.0.1");
    // Published ports: what comes for one address is passed to another, here or in a container.
    host.run("ip", "addr add 198.51.100.1/32 dev lo");
    host.run("nft", "add table ip nat");
    host.run("nft", "add chain ip nat pre '{ type nat hook prerouting priority dstnat; }'");
    host.run("nft", "add rule ip nat pre tcp dport 8080 dnat to 198.51.100.1:80");
    host.run("nft", "add rule ip nat pre tcp dport 8082 dnat to 10.9.0.2:82");
    let listen =
        |port: u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).unwrap();
    container.enter();
    let in_container = listen(82);
    host.enter();
    let here = [80, 81].map(listen);
    let reach = |address: [u8; 4], port: u16| {
        attacker.enter();
        let address = SocketAddr::from((address, port));
        let reached = TcpStream::connect_timeout(&address, Duration::from_millis(300));
        host.enter();
        reached.map(drop).map_err(|error| error.kind())
    };
    // This host, two published ports, and a container by its own address.
    let reach_all = || {
        let host = [192, 0, 2, 1];
        [reach(host, 81), reach(host, 8080), reach(host, 8082), reach([10, 9, 0, 2], 82)]
    };
    let mut action = firewall_drop();
    for (net, is_out) in [("192.0.2.7", true), ("192.0.2.0/29", true), ("192.0.2.8", false)] {
        assert_eq!(reach_all(), [Ok(()); 4]);
        action.put(&[want(net, 600)]).unwrap();
        let expected = if is_out { Err(ErrorKind::TimedOut) } else { Ok(()) };
        assert_eq!(reach_all(), [expected; 4], "{net}");
        action.take(&[want(net, 600).target]).unwrap();
    }
    drop((here, in_container));
}

#[test]
fn a_hundred_thousand_are_loaded_in_less_than_two_seconds() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let mut action = firewall_drop();
    let net = |number: u32| Net::single((0x0b00_0000 + number).to_be_bytes().into());
    let left = Some(Duration::from_secs(86_400));
    let wants: Vec<Want> =
        (0..100_000).map(|number| Want { target: Target::address(net(number)), left }).collect();
    #[expect(clippy::disallowed_methods, reason = "this is about time")]
    let start = Instant::now();
    action.put(&wants).unwrap();
    let taken = start.elapsed();
    println!("100,000 blocks in {taken:?}");
    assert!(taken < Duration::from_secs(2), "{taken:?}");
    let List::Ours(found) = action.list().unwrap() else { panic!() };
    assert_eq!(found.len(), wants.len());
}

#[test]
fn sets_of_the_administrator_are_filled_as_they_are() {
    let Some(namespace) = Namespace::with(&["nft"]) else { return };
    namespace.enter();
    let open = || (kind("nftables-drop").open)(&Options::default());
    assert!(open().err().unwrap().to_string().contains("ossec_ar4"));
    namespace.run("nft", "add table inet filter");
    for (flags, ipv4, expected) in [
        ("", "203.0.113.7", "203.0.113.7 0"),
        ("flags timeout;", "203.0.113.7", "203.0.113.7 600"),
        ("flags interval;", "203.0.113.7", "203.0.113.7 0"),
        ("flags interval, timeout;", "255.255.255.255", "255.255.255.255 600"),
    ] {
        namespace
            .run("nft", &format!("add set inet filter ossec_ar4 '{{ type ipv4_addr; {flags} }}'"));
        let mut action = open().unwrap();
        for _ in 0..2 {
            action.put(&[want(ipv4, 600)]).unwrap();
            assert_eq!(listed(&mut *action), [expected], "{flags}");
        }
        assert!(action.refuses(&want("203.0.113.0/24", 0).target).is_some());
        assert!(action.refuses(&want("2001:db8::1", 0).target).is_some());
        assert!(action.refuses(&want("203.0.113.7", 0).target).is_none());
        action.take(&[want(ipv4, 600).target]).unwrap();
        action.take(&[want(ipv4, 600).target]).unwrap();
        assert!(listed(&mut *action).is_empty());
        assert!(action.is_whole().unwrap());
        namespace.run("nft", "delete set inet filter ossec_ar4");
        assert!(!action.is_whole().unwrap());
    }
}
