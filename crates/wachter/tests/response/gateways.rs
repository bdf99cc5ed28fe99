//! Where the gateway may be: in a container of this host, and on another host behind ssh.

use std::fs;
use std::path::{Path, PathBuf};

use crate::attacks::{blocks, guess, machine, world as world_of};
use crate::installation::text;
use crate::installation::world::World;
use crate::network::{
    ATTACKER, PROGRAMS, WEB1, WEB2, at, give_root_a_key, lay_out, log_in, make_firewall, reaches,
    seconds_left,
};

/// A control group as LXC makes one for a container, gone when it is dropped.
struct ControlGroup(PathBuf);

impl ControlGroup {
    fn new(container: &str) -> Option<Self> {
        let roots = ["pids", "freezer", ""].map(|name| Path::new("/sys/fs/cgroup").join(name));
        let made =
            roots.iter().filter(|root| root.join("cgroup.procs").exists()).find_map(|root| {
                let path = root.join(format!("lxc.payload.{container}"));
                fs::create_dir(&path).ok().map(|()| Self(path))
            });
        if made.is_none() {
            println!("SKIPPED: no control group can be made here");
        }
        made
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_container_of_this_host() {
    let container = format!("gateway-{}", std::process::id());
    // It is removed after the last process in it.
    let Some(group) = ControlGroup::new(&container) else { return };
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    // Its first process, in the gateway's network.
    let start = |network: &str| {
        format!(
            "setsid nsenter --net=/run/netns/{network} sh -c 'echo $$ > {}/cgroup.procs && \
             exec unshare --pid --fork --kill-child sleep 1000' < /dev/null > /dev/null 2>&1 &",
            group.0.display()
        )
    };
    world.run(&start("gateway"));
    let settings = format!("[gateway]\nat = \"container:{container}\"\n");
    let machine = machine(world, 1800, &settings);
    guess(&machine, WEB1);
    let world = world_of(&machine);
    assert!(seconds_left(world, "global-blk4", ATTACKER).is_some());
    assert!(log_in(world, "client", WEB1, "right"));
    // The gateway's own addresses are needed, too.
    let refused = machine.command("blocks").args(["add", "198.51.100.1"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));

    // It is started anew: another network, and sets with nobody in them.
    world.run("ip netns add again && pkill -KILL -x sleep");
    world.run("ip netns exec again ipset create global-blk4 hash:net family inet timeout 0");
    world.run("ip netns exec again ipset create global-blk6 hash:net family inet6 timeout 0");
    world.run(&start("again"));
    machine.until("the attacker is in the new set", || {
        text(&at(world, "again", "ipset list global-blk4")).contains(ATTACKER)
    });
}

/// An sshd on the gateway that knows one key, which opens the gate alone.
const GATE: &str = r#"
mkdir -p /var/gate
ssh-keygen -q -t ed25519 -N '' -f /var/gate/host_key
printf 'restrict,command="/var/wachter gate --home /var/gate" %s\n' \
    "$(cat /var/root/.ssh/id_ed25519.pub)" > /var/gate/keys
printf '10.20.0.1 %s\n' "$(cut -d' ' -f1-2 /var/gate/host_key.pub)" > /var/root/.ssh/known_hosts
cat > /var/gate/sshd_config <<'END'
HostKey /var/gate/host_key
PidFile /run/gate.pid
AuthorizedKeysFile /var/gate/keys
StrictModes no
UsePAM no
PasswordAuthentication no
UseDNS no
END
ip netns exec gateway /usr/sbin/sshd -f /var/gate/sshd_config
"#;

#[test]
fn another_host_through_ssh() {
    let Some(world) = World::with(&PROGRAMS) else { return };
    lay_out(&world);
    make_firewall(&world);
    give_root_a_key(&world);
    world.run(GATE);
    let machine = machine(world, 1800, "[gateway]\nat = \"ssh:root@10.20.0.1\"\n");
    let world = world_of(&machine);
    guess(&machine, WEB1);
    let left = seconds_left(world, "global-blk4", ATTACKER).unwrap();
    assert!((1700..=1800).contains(&left), "{left}");
    assert!(!reaches(world, "attacker", WEB2));
    assert!(log_in(world, "client", WEB1, "right"));
    machine.until("the block is known to be made", || {
        blocks(&machine, &["--json", "show", ATTACKER]).contains(r#""state":"held""#)
    });
    machine.command("blocks").args(["remove", ATTACKER]).output().unwrap();
    machine.until("it is gone", || seconds_left(world, "global-blk4", ATTACKER).is_none());

    // Who has the key can do nothing else.
    let say = |command: &str, lines: &str| {
        let script = format!("printf '{lines}' | ssh -T -oBatchMode=yes root@10.20.0.1 {command}");
        text(&world.attempt(&script))
    };
    assert_eq!(say("id", ""), "error this key is for `wachter gate` alone\n");
    let answers = say(
        "wachter gate",
        "add 10.20.0.1 60\\nadd 0.0.0.0/0 0\\nadd 203.0.113.7 60; reboot\\n$(reboot)\\n\
         add 203.0.113.9 60\\nlist\\ndelete 203.0.113.9\\nlist\\n",
    );
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers[0], "error 10.20.0.1: on the allow list");
    assert_eq!(answers[1..4], ["error not a line of the gate"; 3]);
    assert_eq!(answers[4], "ok");
    assert!(answers[5].starts_with("add 203.0.113.9 "), "{answers:?}");
    assert_eq!(answers[6..], ["ok", "ok", "ok"]);
    let listed = text(&at(world, "gateway", "ipset list global-blk4"));
    assert!(!listed.contains("203.0.113"), "{listed}");
}
