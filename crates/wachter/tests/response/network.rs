//! An attacker, a client, a gateway, and behind it a home server with two containers: network
//! namespaces of one machine, joined by wires.

use std::process::Output;

use crate::installation::world::World;

pub(crate) const ATTACKER: &str = "203.0.113.66";
pub(crate) const ATTACKER_V6: &str = "2001:db8:66::66";
pub(crate) const CLIENT: &str = "198.51.100.99";
pub(crate) const CLIENT_V6: &str = "2001:db8:99::99";
/// The container that is attacked, and another one.
pub(crate) const WEB1: &str = "10.20.0.11";
pub(crate) const WEB1_V6: &str = "fd00:20::11";
pub(crate) const WEB2: &str = "10.20.0.12";

/// What a test needs on the host.
pub(crate) const PROGRAMS: [&str; 8] =
    ["ip", "ipset", "iptables", "ip6tables", "sshd", "ssh", "sshpass", "rsyslogd"];

const NETWORK: &str = r"
for name in attacker client gateway web1 web2; do
    ip netns add $name
    ip -n $name link set lo up
done
for guest in attacker client; do
    ip -n gateway link add $guest type veth peer name eth0 netns $guest
    ip -n gateway link set $guest up
    ip -n $guest link set eth0 up
done
ip -n gateway link add lan type bridge
ip -n gateway link set lan up
for guest in web1 web2; do
    ip -n gateway link add $guest type veth peer name eth0 netns $guest
    ip -n gateway link set $guest master lan up
    ip -n $guest link set eth0 up
done
# The home server itself.
ip link add eth0 type veth peer name home netns gateway
ip -n gateway link set home master lan up
ip link set eth0 up
ip -n gateway address add 203.0.113.1/24 dev attacker
ip -n gateway address add 198.51.100.1/24 dev client
ip -n gateway address add 10.20.0.1/24 dev lan
ip -n attacker address add 203.0.113.66/24 dev eth0
ip -n client address add 198.51.100.99/24 dev eth0
ip address add 10.20.0.2/24 dev eth0
ip -n web1 address add 10.20.0.11/24 dev eth0
ip -n web2 address add 10.20.0.12/24 dev eth0
ip -n attacker route add default via 203.0.113.1
ip -n client route add default via 198.51.100.1
for guest in web1 web2; do ip -n $guest route add default via 10.20.0.1; done
ip route add default via 10.20.0.1
ip netns exec gateway sysctl -qw net.ipv4.ip_forward=1
";

const NETWORK_V6: &str = r"
ip netns exec gateway sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n gateway address add 2001:db8:66::1/64 dev attacker nodad
ip -n gateway address add 2001:db8:99::1/64 dev client nodad
ip -n gateway address add fd00:20::1/64 dev lan nodad
ip -n attacker address add 2001:db8:66::66/64 dev eth0 nodad
ip -n client address add 2001:db8:99::99/64 dev eth0 nodad
ip -n web1 address add fd00:20::11/64 dev eth0 nodad
ip -n attacker route add default via 2001:db8:66::1
ip -n client route add default via 2001:db8:99::1
ip -n web1 route add default via fd00:20::1
";

/// The firewall as the owner of the gateway has made it.
const FIREWALL: &str = r"
ipset create global-blk4 hash:net family inet timeout 0
ipset create global-blk6 hash:net family inet6 timeout 0
iptables -A FORWARD -m set --match-set global-blk4 src -j DROP
ip6tables -A FORWARD -m set --match-set global-blk6 src -j DROP
";

/// Gives root a home of its own, with a key and without a password.
const ROOT: &str = r#"
mkdir -p /var/root/.ssh
chmod 700 /var/root /var/root/.ssh
sed -i 's|^root:\([^:]*:[^:]*:[^:]*:[^:]*\):[^:]*:|root:\1:/var/root:|' /etc/passwd
sed -i 's|^root:[^:]*:|root:*:|' /etc/shadow
ssh-keygen -q -t ed25519 -N '' -f /var/root/.ssh/id_ed25519
"#;

/// A container: a root of its own in which the host's programs are, with sshd and rsyslogd.
const CONTAINER: &str = r#"
name=$1
root=/var/lib/lxc/$name/rootfs
mkdir -p $root/usr $root/proc $root/tmp $root/run/sshd $root/dev/pts $root/var/log $root/var/spool/rsyslog
for link in bin sbin lib lib32 lib64 libx32; do
    [ -L /$link ] && cp -a /$link $root/
done
mount --rbind /usr $root/usr
cp -a /etc $root/etc
for device in null zero full random urandom tty; do
    : > $root/dev/$device
    mount --bind /dev/$device $root/dev/$device
done
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
cat > $root/etc/rsyslog.conf <<'END'
module(load="imuxsock")
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
auth,authpriv.* /var/log/secure
*.info;auth,authpriv.none /var/log/messages
END
ssh-keygen -q -t ed25519 -N '' -f $root/etc/ssh/test_key
cat > $root/etc/ssh/test_config <<'END'
HostKey /etc/ssh/test_key
PidFile /run/sshd.pid
UsePAM no
MaxStartups 100
PasswordAuthentication yes
UseDNS no
END
chroot $root useradd --no-create-home --home-dir / --shell /bin/sh alice
echo alice:right | chroot $root chpasswd
cat > $root/start <<'END'
hostname $1
mount -t proc proc /proc
rsyslogd -i /run/rsyslogd.pid
# Newer ones turn guessers away before they have tried six times.
echo PerSourcePenalties no >> /etc/ssh/test_config
/usr/sbin/sshd -t -f /etc/ssh/test_config || sed -i '$d' /etc/ssh/test_config
exec /usr/sbin/sshd -D -f /etc/ssh/test_config
END
setsid ip netns exec $name unshare --mount --pid --uts --fork chroot $root \
    sh /start $name < /dev/null > /var/$name.out 2>&1 &
"#;

/// Lays the wires and starts the containers; whether there is IPv6.
pub(crate) fn lay_out(world: &World) -> bool {
    world.run(NETWORK);
    let has_v6 = world.attempt(NETWORK_V6).status.success();
    for name in ["web1", "web2"] {
        let started = world.command("sh").args(["-euc", CONTAINER, "container", name]).output();
        let started = started.unwrap();
        assert!(started.status.success(), "{}", crate::installation::text(&started));
    }
    has_v6
}

/// Gives root a key, in a home that is not this machine's.
pub(crate) fn give_root_a_key(world: &World) {
    world.run(ROOT);
}

/// Twelve failed logins of root from an address, as a container logs them.
pub(crate) fn failures(address: &str) -> String {
    let line = |port: u32| {
        let who = format!("root from {address} port {port} ssh2");
        format!("Nov 25 10:00:00 web1 sshd[1]: Failed password for {who}\n")
    };
    (1..=12).map(line).collect()
}

/// Makes the gateway's sets and rules; without it they are to be made by the response.
pub(crate) fn make_firewall(world: &World) {
    world.run(&format!("ip netns exec gateway sh -euc '{FIREWALL}'"));
}

/// What a script says in the namespace of a machine.
pub(crate) fn at(world: &World, name: &str, script: &str) -> Output {
    let mut command = world.command("ip");
    command.args(["netns", "exec", name, "sh", "-c", script]).output().unwrap()
}

/// Whether a machine can open a connection to the ssh of an address.
pub(crate) fn reaches(world: &World, name: &str, address: &str) -> bool {
    let script = format!("timeout 2 bash -c '< /dev/tcp/{address}/22'");
    at(world, name, &script).status.success()
}

/// Tries to log in at an address; whether it worked.
pub(crate) fn log_in(world: &World, name: &str, address: &str, password: &str) -> bool {
    let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=2 \
                   -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1";
    // Who is blocked in the middle of it would wait for ever.
    let script = format!("timeout 10 sshpass -p {password} ssh {options} alice@{address} true");
    at(world, name, &script).status.success()
}

/// Seconds for which an address is still in a set of the gateway; `None` if it is not in it.
pub(crate) fn seconds_left(world: &World, set: &str, address: &str) -> Option<u64> {
    let listed = at(world, "gateway", &format!("ipset list {set}"));
    let listed = crate::installation::text(&listed);
    let line = listed.lines().find(|line| line.split(' ').next() == Some(address))?;
    line.split_once("timeout ")?.1.split(' ').next()?.parse().ok()
}
