//! What a responder does with orders.

use respond::allow::{Found, What};
use respond::gate::Gateway;
use respond::target::{FileName, Target, User};
use wire::note::OrderId;

use crate::namespace::{Namespace, listed};
use crate::stage::{Stage, against};

const SCRIPT: &str = "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit 1\n{ for word in \"$@\"; do printf '<%s>' \"$word\"; done; echo; } >> ../../calls\n";

#[test]
fn scripts_are_called_as_ossec_does() {
    let mut stage = Stage::new("own60 - own.sh - 60\ntell0 - tell.sh - 0\nno0 - missing.sh - 0\n");
    stage.script("own.sh", SCRIPT);
    stage.script(
        "tell.sh",
        &format!("{SCRIPT}env | sort; printf 'a\\033[2J\\n'; echo oops >&2; exit 3\n"),
    );
    let mut responder = stage.start();
    let own = against("own60", "203.0.113.7");
    let told = stage.order(&mut responder, own.clone());
    assert_eq!(told, ["own: 203.0.113.7 is blocked for 60 s, by rule 5712"]);
    let add = "<add><-><203.0.113.7><1795560311.1><5712></var/log/auth.log><->\n";
    assert_eq!(stage.read("calls"), add);
    // A second offence renews, and so does one after a restart.
    stage.wait(30);
    assert!(stage.order(&mut responder, own.clone()).is_empty());
    drop(responder);
    let mut responder = stage.start();
    stage.wait(50);
    assert!(stage.finish(&mut responder).is_empty());
    assert_eq!(stage.read("calls"), add);
    stage.wait(10);
    assert_eq!(stage.finish(&mut responder), ["own: 203.0.113.7 is not blocked any more"]);
    let both = format!("{add}{}", add.replace("<add>", "<delete>"));
    assert_eq!(stage.read("calls"), both);
    assert!(responder.blocks().next().is_none());

    // What cannot be undone is done for each alert; how it ends does not matter.
    let mut tell = against("tell0", "203.0.113.7");
    tell.target = Target::default();
    for number in [2, 3] {
        tell.cause.alert.number = number;
        let told = stage.order(&mut responder, tell.clone());
        assert_eq!(
            told[0],
            format!(
                "tell.sh: {} has ended with exit status: 3",
                stage.folder.path().join("active-response/bin/tell.sh").display()
            )
        );
        assert_eq!(told[1], "tell was run for nobody, by rule 5712");
    }
    let calls = stage.read("calls");
    assert!(calls.ends_with("<add><-><-><1795560311.3><5712></var/log/auth.log><->\n"), "{calls}");
    let log = stage.read("logs/active-responses.log");
    let said: Vec<&str> =
        log.lines().filter_map(|line| line.split_once("tell.sh: ")).map(|it| it.1).collect();
    assert_eq!(said[said.len() - 2..], ["a\\u{1b}[2J", "oops"]);
    let names: Vec<&str> = said.iter().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(
        names
            .iter()
            .all(|name| ["LC_ALL", "PATH", "PWD", "OLDPWD", "TZ", "SHLVL", "_"].contains(name)),
        "{names:?}"
    );

    // One that is not there is told once.
    let missing = against("no0", "203.0.113.7");
    let unknown = against("unknown0", "203.0.113.7");
    assert!(stage.order(&mut responder, missing).is_empty(), "it was told at the start");
    let told = stage.order(&mut responder, unknown);
    assert_eq!(told, ["unknown0: `unknown0` is not blocked: not a response of this configuration"]);
}

#[test]
fn a_host_that_was_started_anew_gets_its_blocks_from_scripts_again() {
    let mut stage = Stage::new("own600 - own.sh - 600\n");
    stage.script("own.sh", SCRIPT);
    let mut responder = stage.start();
    stage.order(&mut responder, against("own600", "203.0.113.7"));
    for (boot, calls) in [("boot", 1), ("another", 2), ("another", 2)] {
        drop(responder);
        stage.boot = boot.to_owned();
        responder = stage.start();
        assert_eq!(stage.read("calls").lines().count(), calls, "{boot}");
    }
}

#[test]
fn hostile_names_reach_no_shell_and_no_file() {
    let stage = Stage::new("own0 - own.sh - 0\n");
    stage.script("own.sh", SCRIPT);
    let mut responder = stage.start();
    let mut order = against("own0", "203.0.113.7");
    order.target.user = User::parse(b"a@b.c").ok();
    order.target.filename =
        FileName::parse(b"/x;touch ../../evil `touch ../../evil` $(touch ../../evil)").ok();
    order.cause.location = b"$(touch ../../evil);`touch ../../evil`\n\x1b[2J".to_vec();
    order.cause.line = b"\x1b[2J$(touch ../../evil)".to_vec();
    for line in stage.order(&mut responder, order) {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    let calls = stage.read("calls");
    assert_eq!(calls.lines().count(), 1);
    assert!(!calls.trim_end().contains(char::is_control), "{calls:?}");
    assert!(!stage.folder.path().join("evil").is_file());
    for bad in ["-l", "$(id)", "a b", "../../x", "a\n"] {
        assert!(User::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn the_allow_list_always_wins() {
    let mut stage = Stage::new("deny600 - host-deny.sh - 600\n");
    stage.settings.ipv6_bits = 64;
    let found = |net: &str| Found { net: net.parse().unwrap(), what: What::Session };
    stage.allow.found(vec![found("203.0.113.7"), found("2001:db8::5")]);
    let mut responder = stage.start();
    let told = stage.order(&mut responder, against("deny600", "203.0.113.7"));
    assert_eq!(told, ["deny: `203.0.113.7` is not blocked: on the allow list"]);
    // Neighbours are blocked together, but not with somebody who is allowed.
    for (address, blocked) in [("2001:db8::6", "2001:db8::6"), ("2001:db8:1::6", "2001:db8:1::/64")]
    {
        let told = stage.order(&mut responder, against("deny600", address));
        assert_eq!(told, [format!("deny: {blocked} is blocked for 600 s, by rule 5712")]);
    }
    assert_eq!(stage.read("hosts.deny"), "ALL:[2001:db8::6]\nALL:[2001:db8:1::]/64\n");
    // By hand, too.
    let net = Target::address("203.0.113.0/24".parse().unwrap());
    assert!(responder.block("host-deny", net, 60, "root: why".to_owned(), stage.now()).is_err());
    let wide = Target::address("0.0.0.0/0".parse().unwrap());
    assert!(responder.block("host-deny", wide, 60, "root: why".to_owned(), stage.now()).is_err());
    // Who comes onto the list later is let in, now or at the next start.
    stage.allow.found(vec![found("2001:db8:1::9")]);
    let told = responder.set_allow(stage.allow.clone(), stage.now());
    assert_eq!(told.len(), 1);
    assert_eq!(stage.read("hosts.deny"), "ALL:[2001:db8::6]\n");
    drop(responder);
    stage.allow.found(vec![found("2001:db8::6")]);
    let responder = stage.start();
    assert_eq!(stage.read("hosts.deny"), "");
    assert_eq!(responder.blocks().count(), 0);
}

#[test]
fn a_flood_of_attackers_is_told_and_the_worst_go_first() {
    let mut stage = Stage::new("deny600 - host-deny.sh - 600\n");
    stage.settings.per_minute = 60;
    let mut responder = stage.start();
    let order = |last: u8, level| {
        let mut order = against("deny600", &format!("203.0.113.{last}"));
        order.cause.level = level;
        order
    };
    let orders = (0..=80).map(|last| order(last, if last == 77 { 15 } else { 5 }));
    responder.obey(stage.numbered(orders), stage.now());
    assert_eq!(stage.read("hosts.deny").lines().count(), 60);
    // Who is blocked already is renewed all the same.
    assert!(responder.obey(stage.numbered([order(7, 5)]), stage.now()).is_empty());
    stage.wait(1);
    let told = stage.finish(&mut responder);
    assert!(
        told.contains(
            &"21 more attackers than may be blocked in a minute: only the worst are".to_owned()
        ),
        "{told:?}"
    );
    let deny = stage.read("hosts.deny");
    assert!(deny.lines().count() == 61 && deny.contains("ALL:203.0.113.77\n"), "{deny}");
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let mut stage = Stage::new("deny600 - host-deny.sh - 600\n");
    stage.settings.dry_run.insert("deny".to_owned());
    let mut responder = stage.start();
    let told = stage.order(&mut responder, against("deny600", "203.0.113.7"));
    assert_eq!(told, ["deny: 203.0.113.7 would be blocked, by rule 5712"]);
    assert_eq!((stage.read("hosts.deny").as_str(), responder.blocks().count()), ("", 0));
}

#[test]
fn people_block_and_lift() {
    let stage = Stage::new("deny600 - host-deny.sh - 600\n");
    let mut responder = stage.start();
    let target = Target::address("198.51.100.0/24".parse().unwrap());
    let why = "root: no \u{1b}[2J reason".to_owned();
    let told = responder.block("host-deny.sh", target.clone(), 7200, why, stage.now()).unwrap();
    assert_eq!(
        told[0].to_string(),
        "host-deny.sh: 198.51.100.0/24 is blocked for 7200 s: root: no \\u{1b}[2J reason"
    );
    stage.order(&mut responder, against("deny600", "203.0.113.7"));
    let address = "198.51.100.9".parse().unwrap();
    let (count, _) = responder
        .lift(|it| it.key.target.net.is_some_and(|net| net.contains(address)), stage.now());
    assert_eq!((count, stage.read("hosts.deny").as_str()), (1, "ALL:203.0.113.7\n"));
    let (count, _) = responder.lift(|it| it.since >= stage.now().wall.seconds, stage.now());
    assert_eq!((count, stage.read("hosts.deny").as_str()), (1, ""));
    assert!(
        responder.block("host-deny", Target::default(), 60, String::new(), stage.now()).is_err()
    );
    assert!(responder.block("missing.sh", target, 60, String::new(), stage.now()).is_err());
}

#[test]
fn what_fails_is_tried_again() {
    let Some(namespace) = Namespace::with(&["nft"]) else { return };
    namespace.enter();
    let mut stage = Stage::new("sets600 - nftables-drop.sh - 600\n");
    let mut responder = stage.start();
    let told = stage.order(&mut responder, against("sets600", "203.0.113.7"));
    assert!(told[0].contains("is tried again: there is no nftables set"), "{told:?}");
    namespace.run("nft", "add table inet filter");
    namespace.run("nft", "add set inet filter ossec_ar4 '{ type ipv4_addr; }'");
    stage.wait(300);
    let told = stage.finish(&mut responder);
    assert!(told.iter().any(|line| line.contains("203.0.113.7 is blocked")), "{told:?}");
    assert!(namespace.run("nft", "list set inet filter ossec_ar4").contains("203.0.113.7"));
    // A set without timeouts is cleared by us, when the time comes.
    stage.wait(301);
    stage.finish(&mut responder);
    assert!(!namespace.run("nft", "list set inet filter ossec_ar4").contains("203.0.113.7"));
    // What it cannot do is told and forgotten.
    let told = stage.order(&mut responder, against("sets600", "2001:db8::1"));
    assert_eq!(
        told,
        [
            "nftables-drop: 2001:db8::1 is not blocked: there is no nftables set for this kind of address"
        ]
    );
    assert_eq!(responder.blocks().count(), 0);
}

#[test]
fn the_gateway_of_a_home_server() {
    let Some(namespace) = Namespace::with(&["ipset"]) else { return };
    namespace.enter();
    let mut stage = Stage::new("ipset-drop1800 - ipset.sh - 1800\n");
    // Without a script of the name, the action that is built in.
    let mut responder = stage.start();
    let told = stage.order(&mut responder, against("ipset-drop1800", "203.0.113.7"));
    assert_eq!(told, ["ipset-drop: 203.0.113.7 is blocked for 1800 s, by rule 5712"]);
    let mut sets =
        (respond::actions::for_executable("ipset.sh").unwrap().open)(&stage.settings.actions)
            .unwrap();
    namespace.run("ipset", "add global-blk4 198.51.100.1");
    assert_eq!(listed(&mut *sets), ["198.51.100.1 0", "203.0.113.7 1800"]);
    // What others have put there is theirs. What is over while we are down is taken out.
    drop(responder);
    stage.wait(2000);
    let responder = stage.start();
    assert_eq!(listed(&mut *sets), ["198.51.100.1 0"]);
    drop(responder);
    // With a script of the name, that; unless the settings say otherwise.
    stage.script("ipset.sh", SCRIPT);
    let mut responder = stage.start();
    stage.order(&mut responder, against("ipset-drop1800", "203.0.113.8"));
    assert_eq!(stage.read("calls").lines().count(), 1);
    assert_eq!(listed(&mut *sets), ["198.51.100.1 0"]);
    stage.settings.actions.gateway = Gateway { script_first: false, ..Gateway::default() };
    responder.replace(stage.settings.clone(), stage.responses.clone(), stage.now());
    stage.order(&mut responder, against("ipset-drop1800", "203.0.113.9"));
    assert_eq!(stage.read("calls").lines().count(), 1);
    assert_eq!(listed(&mut *sets), ["198.51.100.1 0", "203.0.113.9 1800"]);
}

#[test]
fn an_order_that_comes_again_is_done_once() {
    let mut stage = Stage::new("own60 - own.sh - 60\ntell0 - tell.sh - 0\n");
    stage.script("own.sh", SCRIPT);
    stage.script("tell.sh", SCRIPT);
    let mut responder = stage.start();
    let orders = stage.numbered([
        against("own60", "203.0.113.7"),
        against("tell0", "203.0.113.7"),
        against("own60", "203.0.113.8"),
    ]);
    responder.obey(orders.clone(), stage.now());
    stage.finish(&mut responder);
    let calls = stage.read("calls").lines().count();
    assert_eq!(calls, 3);
    // By the same process, and by its successor, after the blocks were lifted by hand.
    assert!(responder.obey(orders.clone(), stage.now()).is_empty());
    responder.lift(|_| true, stage.now());
    stage.finish(&mut responder);
    let calls = calls + 2;
    drop(responder);
    let mut responder = stage.start();
    assert!(responder.obey(orders.clone(), stage.now()).is_empty());
    stage.finish(&mut responder);
    assert_eq!(stage.read("calls").lines().count(), calls);
    assert_eq!(responder.blocks().count(), 0);
    // Another log begins its numbers anew, and a machine that went down may have lost some.
    let renamed = orders.iter().cloned().map(|(id, order)| (OrderId { epoch: 2, ..id }, order));
    responder.obey(renamed, stage.now());
    stage.finish(&mut responder);
    assert_eq!(stage.read("calls").lines().count(), calls + 3);
    drop(responder);
    stage.boot = "another".to_owned();
    let mut responder = stage.start();
    let before = stage.read("calls").lines().count();
    responder.obey(orders.into_iter().skip(1).take(1), stage.now());
    stage.finish(&mut responder);
    assert_eq!(stage.read("calls").lines().count(), before + 1);
}

#[test]
fn who_attacks_many_times_takes_the_room_of_one() {
    let mut stage = Stage::new("own60 - own.sh - 60\ntell0 - tell.sh - 0\n");
    stage.settings.per_minute = 2;
    stage.script("own.sh", SCRIPT);
    stage.script("tell.sh", SCRIPT);
    let mut responder = stage.start();
    let again = |number| {
        let mut order = against("own60", "203.0.113.7");
        order.cause.alert.number = number;
        order
    };
    // What is done for each alert has room of its own.
    let tell = |number| {
        let mut order = against("tell0", "203.0.113.7");
        order.cause.alert.number = number;
        order
    };
    let orders = (1..=50).map(again).chain((1..=50).map(tell));
    let orders = stage.numbered(orders.chain([against("own60", "203.0.113.8")]));
    responder.obey(orders, stage.now());
    stage.finish(&mut responder);
    let blocked: Vec<String> =
        responder.blocks().map(|block| block.key.target.to_string()).collect();
    assert_eq!(blocked.len(), 2, "{blocked:?}");
    assert_eq!(stage.read("calls").lines().count(), 52);
}

#[test]
fn a_reload_calls_nothing_twice() {
    let stage = Stage::new("own60 - own.sh - 60\ntell0 - tell.sh - 0\n");
    stage.script("own.sh", &format!("{SCRIPT}sleep 0.3\n"));
    stage.script("tell.sh", &format!("{SCRIPT}sleep 0.3\n"));
    let mut responder = stage.start();
    let orders = (1..=20).flat_map(|last| {
        let address = format!("203.0.113.{last}");
        [against("own60", &address), against("tell0", &address)]
    });
    responder.obey(stage.numbered(orders), stage.now());
    for _ in 0..3 {
        responder.replace(stage.settings.clone(), stage.responses.clone(), stage.now());
    }
    stage.finish(&mut responder);
    assert_eq!(stage.read("calls").lines().count(), 40);
    responder.lift(|_| true, stage.now());
    responder.replace(stage.settings.clone(), stage.responses.clone(), stage.now());
    stage.finish(&mut responder);
    assert_eq!(stage.read("calls").lines().count(), 60);
    assert_eq!(responder.blocks().count(), 0);
}
