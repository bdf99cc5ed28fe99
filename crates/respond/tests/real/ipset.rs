//! The kernel's ipset, in a network namespace of each test.

use std::time::{Duration, Instant};

use crate::namespace::{Namespace, listed, want};
use respond::actions::{ALL, Action, ActionError, List, Options, Want, Work};
use respond::allow::AllowList;
use respond::gate::{At, Gateway, answer};
use respond::place::{Name, Where};
use respond::target::{Net, Target};

fn open(gateway: Gateway) -> Result<Box<dyn Action>, ActionError> {
    let kind = ALL.iter().find(|kind| kind.name == "ipset").unwrap();
    (kind.open)(&Options { gateway, ..Options::default() })
}

#[test]
fn sets_that_are_missing_are_made_if_they_may_be() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    namespace.enter();
    let none = open(Gateway { create: false, ..Gateway::default() });
    assert!(none.err().unwrap().to_string().contains("global-blk4"));
    let mut action = open(Gateway::default()).unwrap();
    let wants = [
        want("203.0.113.7", 600),
        want("203.0.113.8", 0),
        want("203.0.113.0/24", 60),
        want("2001:db8::/64", 600),
        want("2001:db8::7", 9_999_999),
    ];
    for _ in 0..2 {
        action.put(&wants).unwrap();
        let expected = [
            "203.0.113.0/24 60",
            "203.0.113.7 600",
            "203.0.113.8 0",
            "2001:db8::/64 600",
            "2001:db8::7 2147490",
        ];
        assert_eq!(listed(&mut *action), expected);
    }
    action.put(&[want("203.0.113.7", 30)]).unwrap();
    assert!(listed(&mut *action).contains(&"203.0.113.7 30".to_owned()));
    let shown = namespace.run("ipset", "list global-blk4");
    assert!(
        shown.contains("Type: hash:net") && shown.contains("203.0.113.0/24 timeout"),
        "{shown}"
    );
    let targets: Vec<Target> = wants[1..].iter().map(|want| want.target.clone()).collect();
    for _ in 0..2 {
        action.take(&targets).unwrap();
        assert_eq!(listed(&mut *action), ["203.0.113.7 30"]);
    }
    assert!(action.is_whole().unwrap());
    namespace.run("ipset", "destroy global-blk6");
    assert!(!action.is_whole().unwrap());
    action.prepare().unwrap();
    assert!(action.is_whole().unwrap());
}

#[test]
fn sets_of_the_user_are_used_as_they_are() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    namespace.enter();
    namespace.run("ipset", "create global-blk4 hash:ip");
    namespace.run("ipset", "create global-blk6 hash:net family inet6 timeout 50");
    let mut action = open(Gateway { create: false, ..Gateway::default() }).unwrap();
    let wants = [want("203.0.113.7", 600), want("2001:db8::/64", 600), want("2001:db8:1::/64", 0)];
    action.put(&wants).unwrap();
    let expected = ["203.0.113.7 0", "2001:db8::/64 600", "2001:db8:1::/64 0"];
    assert_eq!(listed(&mut *action), expected);
    assert!(action.refuses(&want("203.0.113.0/24", 0).target).is_some());
    assert!(action.refuses(&want("2001:db8::/64", 0).target).is_none());
    action.take(&[wants[0].target.clone()]).unwrap();
    assert_eq!(listed(&mut *action), expected[1..]);

    namespace.run("ipset", "create other bitmap:ip range 10.0.0.0/24");
    for (ipv4, why) in [
        ("other", "neither hash:ip nor hash:net"),
        ("global-blk6", "other kind"),
        ("a b", "cannot be"),
    ] {
        let gateway = Gateway { ipv4: ipv4.to_owned(), ..Gateway::default() };
        let error = open(gateway).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_full_set_says_so() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    namespace.enter();
    namespace.run("ipset", "create global-blk4 hash:ip maxelem 2");
    let mut action = open(Gateway::default()).unwrap();
    let wants = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|net| want(net, 0));
    let error = action.put(&wants).unwrap_err().to_string();
    assert_eq!(error, "changing the set global-blk4: the set is full");
    assert_eq!(listed(&mut *action).len(), 2);
}

#[test]
fn the_gateway_may_be_another_namespace() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    let at = At::Host(Where::Namespace(Name::parse(&namespace.name).unwrap()));
    let mut action = open(Gateway { at, ..Gateway::default() }).unwrap();
    action.put(&[want("203.0.113.7", 600)]).unwrap();
    let shown = namespace.run("ipset", "list global-blk4");
    assert!(shown.contains("203.0.113.7 timeout"), "{shown}");
    let at = At::Host(Where::Namespace(Name::parse("no-such-namespace").unwrap()));
    assert!(open(Gateway { at, ..Gateway::default() }).is_err());
}

#[test]
fn the_gate_does_three_things_and_no_other() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    namespace.enter();
    let mut action = open(Gateway::default()).unwrap();
    let mut allow = AllowList::default();
    let net = "192.0.2.1".parse().unwrap();
    allow.found(vec![respond::allow::Found { net, what: respond::allow::What::Gateway }]);
    let dialogue = [
        ("add 203.0.113.7 0", "ok\n"),
        ("add 2001:db8::/64 0", "ok\n"),
        ("add 192.0.2.1 600", "error 192.0.2.1: on the allow list\n"),
        ("add 192.0.2.0/24 600", "error 192.0.2.0/24: on the allow list\n"),
        ("add 127.0.0.1 600", "error not a line of the gate\n"),
        ("list", "add 203.0.113.7 0\nadd 2001:db8::/64 0\nok\n"),
        ("delete 203.0.113.7", "ok\n"),
        ("delete 203.0.113.7", "ok\n"),
        ("list", "add 2001:db8::/64 0\nok\n"),
        ("flush", "error not a line of the gate\n"),
    ];
    for (line, expected) in dialogue {
        assert_eq!(answer(line.as_bytes(), &allow, &mut *action), expected, "{line}");
    }
}

#[test]
fn a_hundred_thousand_are_loaded_in_less_than_two_seconds() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let mut action = open(Gateway::default()).unwrap();
    assert_eq!(action.prepare().unwrap(), Work::Done);
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
    let List::Shared(found) = action.list().unwrap() else { panic!() };
    assert_eq!(found.len(), wants.len());
}
