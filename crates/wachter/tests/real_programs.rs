//! Programs of the distribution write the logs, and are attacked for real.
//!
//! Each test has a machine of its own in namespaces, with Wachter installed as its users install it:
//! accounts, rights, and a configuration for what it found there. Asserted is what people see: the
//! rule, its level, the attacker and the user, in alerts.json and in alerts.log.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod installation;

use std::io::Write;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use installation::Installation;
use installation::world::World;
use serde_json::Value;

const ATTACKER: &str = "198.51.100.7";
const ATTACKER_V6: &str = "2001:db8::7";
/// Somebody who does nothing wrong.
const GUEST: &str = "198.51.100.8";

/// Alerts about what came from an address.
fn about(machine: &Installation, address: &str) -> Vec<Value> {
    machine.alerts().into_iter().filter(|alert| alert["srcip"] == address).collect()
}

/// Nobody is called for what came from this address.
fn assert_harmless(machine: &Installation, address: &str) {
    for alert in about(machine, address) {
        assert!(alert["rule"]["level"].as_u64().unwrap() < 7, "{alert}");
    }
}

fn world(machine: &Installation) -> &World {
    machine.world.as_ref().unwrap()
}

/// Starts sshd at port 22 of all addresses, with a key of its own.
fn start_sshd(world: &World) {
    world.run("ssh-keygen -q -t ed25519 -N '' -f /var/lib/host_key");
    let mut conf = "HostKey /var/lib/host_key\nPidFile /run/sshd.pid\nUsePAM no\n".to_owned();
    conf += "MaxStartups 100\nPasswordAuthentication yes\n";
    // Newer ones turn guessers away before they have tried six times.
    let penalties = "PerSourcePenalties no\n";
    world.write("/etc/ssh/test_config", &format!("{conf}{penalties}"));
    if !world.attempt("/usr/sbin/sshd -t -f /etc/ssh/test_config").status.success() {
        world.write("/etc/ssh/test_config", &conf);
    }
    world.run("/usr/sbin/sshd -f /etc/ssh/test_config");
}

/// Tries to log in; whether it worked.
fn log_in(world: &World, from: &str, user: &str, password: &str) -> bool {
    let to = if from.contains(':') { "::1" } else { "127.0.0.1" };
    let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
                   -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1";
    let script = format!("sshpass -p {password} ssh {options} -b {from} {user}@{to} true");
    world.attempt(&script).status.success()
}

#[test]
fn passwords_of_ssh_are_guessed() {
    let Some(world) = World::with(&["sshd", "ssh", "sshpass", "rsyslogd"]) else { return };
    world.start_rsyslogd();
    world.add_user("alice", "right");
    start_sshd(&world);
    world.add_address(ATTACKER);
    world.add_address(GUEST);
    let has_v6 = world.add_address(ATTACKER_V6);
    let machine = Installation::in_world(world, "");
    machine.start();
    let world = self::world(&machine);

    // The first time is told as such.
    assert!(log_in(world, GUEST, "alice", "right"));
    machine.tells(10100, 4, &[("srcip", GUEST), ("dstuser", "alice")]);
    assert!(log_in(world, GUEST, "alice", "right"));
    machine.tells(5715, 3, &[("srcip", GUEST), ("dstuser", "alice"), ("program_name", "sshd")]);

    for _ in 0..8 {
        assert!(!log_in(world, ATTACKER, "alice", "wrong"));
    }
    machine.tells(5716, 5, &[("srcip", ATTACKER), ("dstuser", "alice")]);
    let many = machine.tells(5720, 10, &[("srcip", ATTACKER), ("dstuser", "alice")]);
    let tries = many["previous_output"].as_str().unwrap_or_default();
    assert!(tries.contains("Failed password for alice from 198.51.100.7 port "), "{many}");

    // Whoever gets in after that has guessed it.
    assert!(log_in(world, ATTACKER, "alice", "right"));
    machine.tells(40112, 12, &[("srcip", ATTACKER), ("dstuser", "alice")]);

    if has_v6 {
        for number in 0..5 {
            assert!(!log_in(world, ATTACKER_V6, &format!("user{number}"), "any"));
        }
        machine.tells(5710, 5, &[("srcip", ATTACKER_V6), ("dstuser", "user0")]);
        machine.tells(5712, 10, &[("srcip", ATTACKER_V6)]);
    } else {
        println!("SKIPPED: this kernel has no IPv6");
    }
    assert_harmless(&machine, GUEST);
}

#[test]
fn users_become_root_and_fail_to() {
    let Some(world) = World::with(&["sudo", "su", "setpriv", "rsyslogd"]) else { return };
    world.start_rsyslogd();
    world.add_user("alice", "right");
    world.add_user("mallory", "right");
    world.write("/etc/sudoers", "root ALL=(ALL) ALL\nalice ALL=(root) /usr/bin/id\n");
    world.run("chmod 440 /etc/sudoers");
    // A wrong password costs two seconds else.
    world.run("sed -i '/pam_unix.so/s/$/ nodelay/' /etc/pam.d/common-auth");
    let machine = Installation::in_world(world, "");
    machine.start();
    let world = self::world(&machine);
    let as_user = |user: &str, script: &str| {
        let output = world
            .command("setpriv")
            .args(["--reuid", user, "--regid", user, "--init-groups", "sh", "-c", script])
            .output();
        output.unwrap().status.success()
    };

    let sudo = "echo right | sudo -k -S /usr/bin/id";
    assert!(as_user("alice", sudo));
    machine.tells(5403, 4, &[("dstuser", "alice"), ("program_name", "sudo")]);
    assert!(as_user("alice", sudo));
    machine.tells(5402, 3, &[("dstuser", "alice")]);
    assert!(!as_user("alice", "echo wrong | sudo -k -S /usr/bin/id"));
    machine.tells(5401, 5, &[("dstuser", "alice")]);
    assert!(!as_user("alice", "printf 'a\\nb\\nc\\n' | sudo -k -S /usr/bin/id"));
    machine.tells(5404, 10, &[("dstuser", "alice")]);
    assert!(!as_user("alice", "echo right | sudo -k -S /usr/bin/env"));
    assert!(!as_user("mallory", sudo));
    machine.tells(5405, 5, &[("dstuser", "alice")]);
    machine.tells(5405, 5, &[("dstuser", "mallory")]);

    assert!(as_user("mallory", "echo right | su alice -c id"));
    machine.tells(5305, 4, &[("srcuser", "mallory"), ("dstuser", "alice")]);
    assert!(as_user("mallory", "echo right | su alice -c id"));
    machine.tells(5304, 3, &[("srcuser", "mallory"), ("dstuser", "alice")]);
    assert!(!as_user("mallory", "echo wrong | su alice -c id"));
    machine.tells(5301, 5, &[("srcuser", "mallory"), ("dstuser", "alice")]);
    assert!(!as_user("mallory", "echo wrong | su root -c id"));
    machine.tells(5302, 9, &[("srcuser", "mallory"), ("dstuser", "root")]);
}

const NGINX_CONF: &str = "
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http {
    access_log /var/log/nginx/access.log;
    server { listen 80; listen [::]:80; root /var/www; }
}
";

#[test]
fn a_web_server_is_probed() {
    let Some(world) = World::with(&["nginx", "curl"]) else { return };
    world.write("/var/www/index.html", "<p>Welcome");
    world.write("/var/www/style.css", "p {}");
    world.write("/etc/nginx/test.conf", NGINX_CONF);
    world.run("mkdir -p /var/log/nginx /var/lib/nginx && nginx -c /etc/nginx/test.conf");
    world.add_address(ATTACKER);
    world.add_address(GUEST);
    let scanner = if world.add_address(ATTACKER_V6) { ATTACKER_V6 } else { ATTACKER };
    let machine = Installation::in_world(world, "");
    machine.start();
    let world = self::world(&machine);
    let ask = |from: &str, agent: &str, paths: &[&str]| {
        let to = if from.contains(':') { "[::1]" } else { "127.0.0.1" };
        for path in paths {
            let mut curl = world.command("curl");
            curl.args(["--silent", "--path-as-is", "--globoff", "--interface", from]);
            assert!(curl.args(["-A", agent]).arg(format!("http://{to}{path}")).output().is_ok());
        }
    };

    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let pages = ["/", "/style.css", "/index.html?q=union+station", "/favicon.ico", "/old-page"];
    ask(GUEST, browser, &pages);
    machine.tells(31101, 5, &[("srcip", GUEST), ("url", "/old-page")]);

    let guesses: Vec<String> = (0..16).map(|number| format!("/backup{number}.zip")).collect();
    ask(ATTACKER, "scanner", &guesses.iter().map(String::as_str).collect::<Vec<_>>());
    machine.tells(31101, 5, &[("srcip", ATTACKER), ("url", "/backup0.zip")]);
    machine.tells(31151, 10, &[("srcip", ATTACKER)]);

    let traversal = "/files?name=../../../../etc/passwd";
    let injection = "/item?id=1%27%20UNION%20SELECT%20name,pass%20FROM%20users--";
    ask(scanner, "curl", &[traversal, injection, "/?q=%3Cscript%3Ealert(1)%3C/script%3E"]);
    machine.tells(31104, 6, &[("srcip", scanner), ("url", traversal)]);
    machine.tells(31103, 6, &[("srcip", scanner), ("url", injection)]);
    // It was answered, which is worse.
    machine.tells(31106, 6, &[("srcip", scanner)]);
    assert_harmless(&machine, GUEST);
}

const POSTFIX_CONF: &str = "
compatibility_level = 3.6
myhostname = machine.example
mydestination = machine.example
mynetworks = 127.0.0.0/8
inet_interfaces = all
smtpd_peername_lookup = no
smtpd_helo_required = yes
smtpd_helo_restrictions = permit_mynetworks, reject_non_fqdn_helo_hostname
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
local_recipient_maps = proxy:unix:passwd.byname
alias_maps =
";

#[test]
fn a_mail_server_is_used_as_a_relay() {
    let Some(world) = World::with(&["postfix", "curl", "rsyslogd"]) else { return };
    world.write("/etc/postfix/main.cf", POSTFIX_CONF);
    world.write("/var/mail.txt", "Subject: hello\n\nhello\n");
    world.run("mkdir -p /var/spool/postfix /var/lib/postfix && chown postfix /var/lib/postfix");
    world.start_rsyslogd();
    world.add_user("alice", "right");
    world.add_address(ATTACKER);
    let machine = Installation::in_world(world, "");
    machine.start();
    let world = self::world(&machine);
    world.run("postfix start");
    let mail = |greeting: &str, recipient: &str| {
        let script = format!(
            "curl --silent --max-time 20 --interface {ATTACKER} --upload-file /var/mail.txt \
             --mail-from mallory@client.example --mail-rcpt {recipient} smtp://127.0.0.1/{greeting}"
        );
        world.attempt(&script).status.success()
    };

    // As it is installed postfix says "later", as one asks it to it says "never".
    let relay = || {
        for number in 0..12 {
            assert!(!mail("client.example", &format!("victim{number}@elsewhere.example")));
        }
    };
    relay();
    machine.tells(211_000, 6, &[("srcip", ATTACKER)]);
    machine.tells(211_007, 10, &[("srcip", ATTACKER)]);
    world.run(
        "postconf -e 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination'",
    );
    world.run("postfix reload");
    relay();
    machine.tells(3301, 6, &[("srcip", ATTACKER)]);
    machine.tells(3351, 6, &[("srcip", ATTACKER)]);
    assert!(!mail("client.example", "erika@machine.example"));
    machine.tells(3302, 6, &[("srcip", ATTACKER)]);
    assert!(!mail("client", "alice@machine.example"));
    machine.tells(3305, 5, &[("srcip", ATTACKER)]);
    // What is in order is taken, and nothing is told of it.
    let before = about(&machine, ATTACKER).len();
    assert!(mail("client.example", "alice@machine.example"));
    assert!(!mail("client.example", "hans@machine.example"));
    machine.until("the last mail is told", || about(&machine, ATTACKER).len() > before);
    let alerts = about(&machine, ATTACKER);
    assert_eq!(alerts.len(), before + 1, "{alerts:?}");
    assert!(alerts.last().unwrap()["full_log"].as_str().unwrap().contains("<hans@"));
}

const COUNTER_RULE: &str = r#"
<group name="local,">
  <rule id="100100" level="3">
    <program_name>^counter$</program_name>
    <description>A numbered message.</description>
  </rule>
</group>
"#;

/// What rsyslogd has open when it has let go of the rotated file.
const HANG_UP: &str = "
    sharedscripts
    postrotate
        daemon=$(cat /run/rsyslogd.pid)
        kill -HUP $daemon
        while ls -l /proc/$daemon/fd | grep -q 'counter.log[.-]'; do sleep 0.01; done
    endscript
";

/// The ways of rotating a log that distributions use.
const ROTATIONS: [&str; 4] = [
    "create 0640 root root",
    "create 0640 root root\n compress",
    "copytruncate",
    "create 0640 root root\n dateext\n dateformat -%Y%m%d-%s",
];

/// Stops the writer also where a test fails.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes numbered messages through syslog until it is told to stop; how many.
fn write_messages(world: &World, written: &Mutex<u64>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let mut last = written.lock().unwrap();
        let lines: String =
            (*last + 1..=*last + 50).map(|number| format!("number {number} .\n")).collect();
        let mut logger = world.command("logger");
        logger.args(["--tag", "counter", "--priority", "local0.info"]).stdin(Stdio::piped());
        let mut logger = logger.spawn().unwrap();
        logger.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(logger.wait().unwrap().success());
        *last += 50;
    }
}

#[test]
fn logs_are_rotated_while_messages_flow() {
    let Some(world) = World::with(&["logrotate", "rsyslogd", "logger"]) else { return };
    let to_file = "local0.* /var/log/counter.log\n& stop\n";
    world.write("/etc/rsyslog.d/00-counter.conf", to_file);
    world.start_rsyslogd();
    world.run("echo > /var/log/counter.log");
    let section = "<localfile><log_format>syslog</log_format>\
                   <location>/var/log/counter.log</location></localfile>";
    let machine = Installation::in_world(world, section);
    let local_rules = machine.read("rules/local_rules.xml");
    machine.write("rules/local_rules.xml", &(local_rules + COUNTER_RULE));
    machine.start();
    let world = self::world(&machine);
    machine.until("the log is followed", || machine.read("logs/ossec.log").contains("counter.log"));

    let (written, stop) = (Mutex::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| write_messages(world, &written, &stop));
        let _stops = StopWhenDropped(&stop);
        for how in ROTATIONS.iter().cycle().take(2 * ROTATIONS.len()) {
            let before = *written.lock().unwrap();
            machine.until("more messages", || *written.lock().unwrap() > before + 100);
            rotate(world, &machine, how, &written);
        }
    });
    let last = written.into_inner().unwrap();
    let end = format!("number {last} .");
    machine.until("the last message", || machine.read("logs/alerts/alerts.json").contains(&end));

    let mut times = vec![0; usize::try_from(last).unwrap()];
    for alert in machine.alerts().iter().filter(|alert| alert["rule"]["sidid"] == 100_100) {
        let (_, number) = alert["full_log"].as_str().unwrap().split_once(" number ").unwrap();
        let number: usize = number.trim_end_matches(" .").parse().unwrap();
        times[number - 1] += 1;
    }
    let wrong: Vec<(usize, u32)> = (1..).zip(times).filter(|(_, times)| *times != 1).collect();
    assert!(wrong.is_empty(), "of {last} messages, number and times told: {wrong:?}");
}

fn rotate(world: &World, machine: &Installation, how: &str, written: &Mutex<u64>) {
    let hang_up = if how.contains("copytruncate") { "" } else { HANG_UP };
    let conf = format!("/var/log/counter.log {{\n rotate 20\n {how}\n{hang_up}}}\n");
    world.write("/etc/logrotate.test", &conf);
    world.run("chmod 644 /etc/logrotate.test");
    // Between copying and truncating logrotate loses what is written; that is not our matter.
    let paused = how.contains("copytruncate").then(|| written.lock().unwrap());
    if let Some(last) = &paused {
        let end = format!("number {last} .");
        machine.until("rsyslogd writes", || world.read("/var/log/counter.log").contains(&end));
    }
    let logrotate = "logrotate --force --state /var/lib/logrotate.state /etc/logrotate.test";
    // Within a second it refuses to make a second file with the second in its name.
    machine.until("logrotate rotates", || world.attempt(logrotate).status.success());
}
