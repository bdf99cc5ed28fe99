//! Actions by programs of the host.

use std::process::Command;

use respond::gate::Gateway;
use respond::target::{Target, User};

use crate::namespace::Namespace;
use crate::stage::{Stage, against};

#[test]
fn iptables_has_each_rule_once() {
    let Some(namespace) = Namespace::with(&["iptables"]) else { return };
    namespace.enter();
    let mut stage = Stage::new("drop600 - firewall-drop.sh - 600\n");
    stage.settings.actions.iptables = true;
    let mut responder = stage.start();
    for address in ["203.0.113.7", "203.0.113.8", "2001:db8::7"] {
        stage.order(&mut responder, against("drop600", address));
    }
    let rules = |program: &str| namespace.run(program, "-t raw -S");
    let expected = "-A PREROUTING -j WACHTER\n-A WACHTER -s 203.0.113.7/32 -j DROP\n-A WACHTER -s 203.0.113.8/32 -j DROP\n";
    assert!(rules("iptables").ends_with(expected), "{}", rules("iptables"));
    assert!(rules("ip6tables").ends_with("-A WACHTER -s 2001:db8::7/128 -j DROP\n"));
    // Also after a start anew, with a rule that nobody wants.
    drop(responder);
    namespace.run("iptables", "-t raw -A WACHTER -s 198.51.100.1 -j DROP");
    let mut responder = stage.start();
    assert!(rules("iptables").ends_with(expected), "{}", rules("iptables"));
    stage.wait(601);
    stage.finish(&mut responder);
    assert!(rules("iptables").ends_with("-A PREROUTING -j WACHTER\n"));
    assert!(rules("ip6tables").ends_with("-A PREROUTING -j WACHTER\n"));
}

#[test]
fn the_gateway_gets_rules_that_use_its_sets() {
    let Some(namespace) = Namespace::with(&["iptables", "ipset"]) else { return };
    namespace.enter();
    let mut stage = Stage::new("ipset-drop600 - ipset.sh - 600\n");
    stage.settings.actions.gateway = Gateway { rule: true, ..Gateway::default() };
    for _ in 0..2 {
        drop(stage.start());
        for (program, set) in [("iptables", "global-blk4"), ("ip6tables", "global-blk6")] {
            let rules = namespace.run(program, "-t raw -S");
            let rule = format!("-A PREROUTING -m set --match-set {set} src -j DROP");
            assert_eq!(rules.matches(&rule).count(), 1, "{rules}");
        }
    }
}

#[test]
fn answers_go_nowhere_by_a_route() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.enter();
    let mut stage = Stage::new("null600 - route-null.sh - 600\n");
    let mut responder = stage.start();
    for address in ["203.0.113.7", "2001:db8::7"] {
        stage.order(&mut responder, against("null600", address));
    }
    drop(responder);
    let mut responder = stage.start();
    assert_eq!(namespace.run("ip", "-4 route show type blackhole").trim(), "blackhole 203.0.113.7");
    assert!(namespace.run("ip", "-6 route show type blackhole").contains("2001:db8::7"));
    stage.wait(601);
    stage.finish(&mut responder);
    assert_eq!(namespace.run("ip", "-4 route show type blackhole"), "");
    assert_eq!(responder.blocks().count(), 0);
}

#[test]
fn only_accounts_of_this_host_are_locked_and_never_roots() {
    let missing = Command::new("passwd").arg("--help").output().is_err();
    if missing {
        return println!("SKIPPED: passwd is missing");
    }
    let stage = Stage::new("lock600 - disable-account.sh - 600\n");
    let mut responder = stage.start();
    for (user, why) in
        [("root", "root is never locked out"), ("no-such-user", "not a user of this host")]
    {
        let mut order = against("lock600", "203.0.113.7");
        order.target = Target { user: User::parse(user.as_bytes()).ok(), ..Target::default() };
        let told = stage.order(&mut responder, order);
        assert_eq!(told, [format!("disable-account: user {user} is not blocked: {why}")]);
    }
    assert_eq!(responder.blocks().count(), 0);
}
