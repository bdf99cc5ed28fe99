//! A brute-force attack on a container behind a gateway.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::installation::world::World;
use crate::installation::{Installation, pause, text};
use crate::network::{
    ATTACKER, ATTACKER_V6, CLIENT, CLIENT_V6, PROGRAMS, WEB1, WEB1_V6, WEB2, at, failures,
    give_root_a_key, lay_out, log_in, make_firewall, reaches, seconds_left,
};

/// As on the page that the owner of the home server follows, but for the timeout.
fn sections(timeout: u32) -> String {
    format!(
        "<localfile><log_format>syslog</log_format>
           <location>/var/lib/lxc/*/rootfs/var/log/secure</location></localfile>
         <command><name>ipset-drop</name><executable>ipset.sh</executable>
           <expect>srcip</expect><timeout_allowed>yes</timeout_allowed></command>
         <active-response><command>ipset-drop</command><location>local</location>
           <level>6</level><timeout>{timeout}</timeout></active-response>"
    )
}

const AT_NAMESPACE: &str = "[gateway]\nat = \"namespace:gateway\"\n";

pub(crate) fn machine(world: World, timeout: u32, settings: &str) -> Installation {
    let machine = Installation::in_world(world, &sections(timeout));
    machine.write("etc/wachter.toml", settings);
    machine.start();
    machine
}

pub(crate) fn world(machine: &Installation) -> &World {
    machine.world.as_ref().unwrap()
}

/// Guesses passwords until somebody stops it.
pub(crate) fn guess(machine: &Installation, address: &str) {
    let world = world(machine);
    machine.until("sshd listens", || reaches(world, "client", address));
    let started = Instant::now();
    while reaches(world, "attacker", address) {
        assert!(!log_in(world, "attacker", address, "wrong"));
        let told = || {
            let alerts = machine.alerts();
            alerts.iter().map(|it| format!("{}\n", it["full_log"])).collect::<String>()
        };
        let log = || machine.read("logs/ossec.log");
        assert!(started.elapsed() < Duration::from_secs(60), "{}\n{}", told(), log());
    }
}

pub(crate) fn blocks(machine: &Installation, arguments: &[&str]) -> String {
    text(&machine.command("blocks").args(arguments).output().unwrap())
}

#[test]
fn an_attacker_is_blocked_at_the_gateway() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    let machine = machine(world, 1800, AT_NAMESPACE);
    let world = self::world(&machine);
    for address in [WEB1, WEB2] {
        machine.until("sshd listens", || reaches(world, "attacker", address));
    }
    assert!(log_in(world, "client", WEB1, "right"));

    guess(&machine, WEB1);
    let left = seconds_left(world, "global-blk4", ATTACKER).unwrap();
    assert!((1700..=1800).contains(&left), "{left}");
    assert!(!reaches(world, "attacker", WEB2), "all of the home is behind the gateway");
    assert!(log_in(world, "client", WEB1, "right"));
    let alert = machine.tells(5720, 10, &[("srcip", ATTACKER)]);
    assert_eq!(alert["location"], "/var/lib/lxc/web1/rootfs/var/log/secure");
    let log = machine.read("logs/active-responses.log");
    let id = log.lines().next().unwrap();
    assert!(id.contains("/active-response/bin/ipset.sh add - 203.0.113.66 "), "{id}");

    let listed: serde_json::Value =
        serde_json::from_str(&blocks(&machine, &["--json", "list"])).unwrap();
    assert_eq!(listed["target"], ATTACKER);
    assert_eq!(listed["state"], "held");
    assert_eq!(listed["location"], "/var/lib/lxc/web1/rootfs/var/log/secure");
    assert!(listed["line"].as_str().unwrap().contains("alice"));
    assert!(blocks(&machine, &["show", ATTACKER]).contains("level"));

    // Nobody who is needed is blocked, whoever asks.
    for needed in ["10.20.0.2", "10.20.0.1", "203.0.113.1", "127.0.0.1", "0.0.0.0/0"] {
        let refused = machine.command("blocks").args(["add", needed]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{needed}: {}", text(&refused));
    }
    // A restart changes nothing.
    machine.stop();
    assert!(!reaches(world, "attacker", WEB1));
    machine.start();
    assert!(!reaches(world, "attacker", WEB1));
    let removed = machine.command("blocks").args(["remove", ATTACKER]).output().unwrap();
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed));
    assert_eq!(seconds_left(world, "global-blk4", ATTACKER), None);
    assert!(reaches(world, "attacker", WEB1));
    let removed = machine.command("blocks").args(["remove", ATTACKER]).output().unwrap();
    assert_eq!(removed.status.code(), Some(2), "{}", text(&removed));
}

#[test]
fn an_attacker_by_either_protocol_is_blocked_and_may_return() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    if !lay_out(&world) {
        println!("SKIPPED: this kernel has no IPv6");
        return;
    }
    // Sets and rules are made by the response.
    let settings = format!("{AT_NAMESPACE}rule = true\n");
    let machine = machine(world, 8, &settings);
    let world = self::world(&machine);
    machine.until("sshd listens", || reaches(world, "attacker", WEB1_V6));
    guess(&machine, WEB1_V6);
    assert!(seconds_left(world, "global-blk6", ATTACKER_V6).is_some());
    assert_eq!(at(world, "client", "true").status.code(), Some(0));
    assert!(log_in(world, "client", WEB1_V6, "right"), "from {CLIENT_V6}");
    machine.until("the attacker may return", || reaches(world, "attacker", WEB1_V6));
    assert_eq!(seconds_left(world, "global-blk6", ATTACKER_V6), None);
    // And by the other way, which it finds closed and open again.
    guess(&machine, WEB1);
    assert!(seconds_left(world, "global-blk4", ATTACKER).is_some());
    machine.until("the attacker may return", || reaches(world, "attacker", WEB1));
    machine.until("the block is past", || blocks(&machine, &["--json", "list"]).is_empty());
}

/// The user's own script, which knows its gateway.
const SCRIPT: &str = r#"#!/bin/sh
# add|delete user address id rule location file
case $3 in *:*) set=global-blk6 ;; *) set=global-blk4 ;; esac
echo "$(date) $0 $1 $2 $3 $4 $5" >> /var/ossec/logs/active-responses.log
case $1 in
add) ip netns exec gateway ipset -exist add $set $3 ;;
delete) ip netns exec gateway ipset -exist del $set $3 ;;
esac
"#;

#[test]
fn the_users_own_script_comes_first() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    // Elements of the script are there until it takes them away.
    let machine = Installation::in_world(world, &sections(6));
    let world = self::world(&machine);
    machine.write("active-response/bin/ipset.sh", SCRIPT);
    world.run("chmod 550 /var/ossec/active-response/bin/ipset.sh");
    machine.start();
    guess(&machine, WEB1);
    assert_eq!(seconds_left(world, "global-blk4", ATTACKER), Some(0));
    assert!(log_in(world, "client", WEB1, "right"));
    machine.until("the attacker may return", || reaches(world, "attacker", WEB1));
    let log = machine.read("logs/active-responses.log");
    let verbs: Vec<&str> =
        log.lines().filter_map(|line| line.split("ipset.sh ").nth(1)?.split(' ').next()).collect();
    assert_eq!(verbs, ["add", "delete"], "{log}");
}

/// Who decides and who acts are killed at every moment, and the block is there afterwards, once.
#[test]
fn a_block_outlives_whoever_makes_it() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    let machine = machine(world, 1800, AT_NAMESPACE);
    let world = self::world(&machine);
    let secure = "/var/lib/lxc/web1/rootfs/var/log/secure";
    let mut log = OpenOptions::new().append(true).create(true).open(world.path(secure)).unwrap();
    let process = |name: &str| {
        let roles = machine.roles();
        roles.into_iter().find(|(daemon, _)| daemon == name).map(|(_, process)| process)
    };
    const ATTACKERS: u32 = 200;
    for address in 0..ATTACKERS {
        let from = format!("198.18.{}.{}", address / 256, address % 256);
        log.write_all(failures(&from).as_bytes()).unwrap();
        if address % 10 == 0 {
            pause(Duration::from_micros(u64::from(address) * 97 % 5000));
            let name = if address % 20 == 0 { "ossec-execd" } else { "ossec-analysisd" };
            if let Some(process) = process(name) {
                machine.signal("KILL", process);
            }
        }
    }
    let listed = || {
        let list = text(&at(world, "gateway", "ipset list global-blk4"));
        let elements = list.lines().filter(|line| line.starts_with("198.18."));
        elements.map(str::to_owned).collect::<Vec<_>>()
    };
    machine.until("all are blocked", || listed().len() == ATTACKERS as usize);
    let added = machine.read("logs/active-responses.log");
    for address in 0..ATTACKERS {
        let address = format!(" 198.18.{}.{} ", address / 256, address % 256);
        let times = added.lines().filter(|line| line.contains(&address)).count();
        assert!((1..=1).contains(&times), "{address}: {times} times");
    }
    let known = blocks(&machine, &["--json", "list"]).lines().count();
    assert_eq!(known, ATTACKERS as usize);
}

/// Root logs in at the home server from there, by key.
const ROOT_LOGS_IN: &str = r#"
cp /var/root/.ssh/id_ed25519.pub /var/root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /var/lib/host_key
printf 'HostKey /var/lib/host_key\nPidFile /run/home.pid\nUsePAM no\nUseDNS no\n' > /etc/ssh/home_config
/usr/sbin/sshd -f /etc/ssh/home_config
setsid ip netns exec client ssh -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null root@10.20.0.2 'touch /var/session; sleep 100' \
    < /dev/null > /dev/null 2>&1 &
"#;

#[test]
fn root_is_not_locked_out() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    let machine = machine(world, 1800, AT_NAMESPACE);
    let world = self::world(&machine);
    // The session begins after the last look at what this host needs.
    give_root_a_key(world);
    world.run(ROOT_LOGS_IN);
    machine.until("root is logged in", || world.path("/var/session").exists());
    let secure = "/var/lib/lxc/web1/rootfs/var/log/secure";
    let mut log = OpenOptions::new().append(true).create(true).open(world.path(secure)).unwrap();
    let mut fail = |address: &str| {
        log.write_all(failures(address).as_bytes()).unwrap();
        machine.tells(5720, 10, &[("srcip", address)]);
    };
    fail(ATTACKER);
    machine.until("the attacker is blocked", || {
        seconds_left(world, "global-blk4", ATTACKER).is_some()
    });
    fail(CLIENT);
    machine.until("the mistake is put right", || {
        let log = machine.read("logs/active-responses.log");
        log.contains(&format!(" delete - {CLIENT} "))
    });
    assert_eq!(seconds_left(world, "global-blk4", CLIENT), None);
    fail(CLIENT);
    pause(Duration::from_millis(300));
    assert_eq!(seconds_left(world, "global-blk4", CLIENT), None);
    assert!(seconds_left(world, "global-blk4", ATTACKER).is_some());
    let refused = machine.command("blocks").args(["add", CLIENT]).output().unwrap();
    assert!(text(&refused).contains("on the allow list"), "{}", text(&refused));
}
