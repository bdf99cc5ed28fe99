//! What must not happen: root locked out, floods of blocks, hostile names that do anything.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::installation::world::{WACHTER_THERE, World};
use crate::installation::{Installation, pause, text};

/// Decoders and rules for lines that name address, user and file as they are.
const DECODERS: &str = r#"
<decoder name="guard"><program_name>^guard$</program_name></decoder>
<decoder name="guard-who">
  <parent>guard</parent><use_own_name>true</use_own_name>
  <prematch>^ip=</prematch>
  <regex offset="after_prematch">^(\S*) user=(\.*) file=(\.*)$</regex>
  <order>srcip,dstuser,filename</order>
</decoder>
<decoder name="ossec"><prematch>^ossec: </prematch><type>ossec</type></decoder>"#;
const RULES: &str = r#"
<group name="test,">
  <rule id="1" level="0" noalert="1"><category>syslog</category><description>logs</description></rule>
  <rule id="2" level="0" noalert="1"><category>ossec</category><description>ours</description></rule>
  <rule id="100001" level="7"><if_sid>1</if_sid><decoded_as>guard-who</decoded_as>
    <description>an attack</description></rule>
  <rule id="100002" level="9"><if_sid>2</if_sid><match>^ossec: Active response: </match>
    <description>responses</description></rule>
</group>"#;

/// Writes the words it is called with, each in brackets, in one go: there are others at it.
const SCRIPT: &str = r#"#!/bin/sh
line=
for word in "$@"; do line="$line<$word>"; done
printf '%s\n' "$line" >> "$(dirname "$0")/../../tmp/calls"
"#;

/// Commands that expect one thing each, for every attack.
fn sections(log: &str, rest: &str) -> String {
    let mut text = format!(
        "<global><jsonout_output>yes</jsonout_output></global>
         <localfile><log_format>syslog</log_format><location>{log}</location></localfile>{rest}"
    );
    for expect in ["srcip", "user", "filename"] {
        text.push_str(&format!(
            "<command><name>of-{expect}</name><executable>of-{expect}.sh</executable>
               <expect>{expect}</expect></command>
             <active-response><command>of-{expect}</command><location>local</location>
               <rules_id>100001</rules_id></active-response>"
        ));
    }
    text
}

fn prepare(rest: &str) -> (Installation, std::fs::File) {
    let machine = Installation::new("", DECODERS, RULES);
    let path = machine.logs().join("guard.log");
    let log = OpenOptions::new().append(true).create(true).open(&path).unwrap();
    let conf = machine.read("etc/ossec.conf");
    let sections = sections(path.to_str().unwrap(), rest);
    let conf = conf.replace("</ossec_config>", &format!("{sections}</ossec_config>"));
    machine.write("etc/ossec.conf", &conf);
    for expect in ["srcip", "user", "filename"] {
        let script = format!("active-response/bin/of-{expect}.sh");
        machine.write(&script, SCRIPT);
        let path = machine.home.join(script);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o550)).unwrap();
    }
    let bin = machine.home.join("active-response/bin");
    std::fs::set_permissions(bin, std::fs::Permissions::from_mode(0o755)).unwrap();
    (machine, log)
}

fn attack(log: &mut std::fs::File, ip: &str, user: &str, file: &str) {
    let line = format!("Nov 25 10:00:00 host guard: ip={ip} user={user} file={file}\n");
    log.write_all(line.as_bytes()).unwrap();
}

#[test]
fn hostile_names_reach_no_shell_no_file_and_no_terminal() {
    let (machine, mut log) = prepare("");
    let evil = machine.dir.path().join("evil");
    let touch = format!("touch {}", evil.display());
    machine.start();
    let long = "x".repeat(60_000);
    let hostile = [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("x;{touch}"),
        format!("x|{touch}"),
        format!("\"; {touch}; \""),
        format!("'; {touch}; '"),
        "-rf".to_owned(),
        "--help".to_owned(),
        "../../../../etc/passwd".to_owned(),
        "x\u{1b}[2J\u{7}".to_owned(),
        "x\r\ty".to_owned(),
        "\u{202e}gpj.exe".to_owned(),
        long,
    ];
    for (number, text) in hostile.iter().enumerate() {
        // Each in every place, beside good values in the others.
        attack(&mut log, text, "alice", "/etc/good");
        attack(&mut log, &format!("203.0.113.{number}"), text, "/etc/good");
        attack(&mut log, &format!("198.51.100.{number}"), "alice", &format!("/etc/{text}"));
    }
    attack(&mut log, "203.0.113.200", "last", "/etc/last");
    // Programs run side by side.
    let done = ["<203.0.113.200>", "<last>", "/etc/last", "<203.0.113.0>", "<alice>"];
    machine.until("all is done", || {
        let calls = machine.read("tmp/calls");
        done.iter().all(|call| calls.contains(call))
    });
    let calls = machine.read("tmp/calls");
    assert!(!evil.exists(), "{calls}");
    for line in calls.lines() {
        let words: Vec<&str> = line.trim_matches(['<', '>']).split("><").collect();
        let &[verb, user, net, _, rule, _, file] = &words[..] else { panic!("{line}") };
        assert_eq!((verb, rule), ("add", "100001"), "{line}");
        assert!(net == "-" || net.parse::<std::net::IpAddr>().is_ok(), "{line}");
        assert!(["-", "alice", "last"].contains(&user), "{line}");
        assert!(file == "-" || file.starts_with("/etc/"), "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    // Good values beside bad ones are acted on all the same.
    assert!(calls.contains("<add><-><203.0.113.0>") && calls.contains("<add><alice><-"), "{calls}");
    for path in ["logs/ossec.log", "logs/active-responses.log", "queue/execd/blocks"] {
        let text = machine.read(path);
        let control = |it: char| it.is_control() && it != '\n';
        assert!(!text.chars().any(control), "{path}");
    }
    let said = machine.read("logs/ossec.log");
    assert!(said.contains("(1271): WARN: of-srcip: `-rf` is not an address."), "{said}");
    assert!(said.contains("Possible logging attack"), "{said}");
}

#[test]
fn too_many_attackers_are_told_and_only_the_worst_are_blocked() {
    let (machine, mut log) = prepare(
        "<command><name>host-deny</name><executable>host-deny.sh</executable>
           <expect>srcip</expect><timeout_allowed>yes</timeout_allowed></command>
         <active-response><command>host-deny</command><location>local</location>
           <rules_id>100001</rules_id><timeout>600</timeout></active-response>",
    );
    let deny = machine.dir.path().join("hosts.deny");
    machine.write(
        "etc/wachter.toml",
        &format!(
            "[response]\nblocks_per_minute = 10\nhosts_deny = \"{}\"\n\
             dry_run = [\"of-srcip\", \"of-user\", \"of-filename\"]\n",
            deny.display()
        ),
    );
    machine.start();
    for number in 1..=60 {
        attack(&mut log, &format!("203.0.113.{number}"), "alice", "/etc/x");
    }
    let denied = || std::fs::read_to_string(&deny).unwrap_or_default();
    machine.until("ten are blocked", || denied().lines().count() >= 10);
    let alert = machine.tells(100002, 9, &[("location", "ossec-execd")]);
    let said = alert["full_log"].as_str().unwrap();
    assert!(said.contains(" more attackers than may be blocked in a minute"), "{said}");
    assert!(denied().lines().count() < 20, "{}", denied());
    // A dry run tells and does nothing.
    assert_eq!(machine.read("tmp/calls"), "");
    let log = machine.read("logs/ossec.log");
    assert!(log.contains("of-user: user alice would be blocked, by rule 100001"), "{log}");
}

#[test]
fn people_block_and_undo() {
    let (machine, _log) = prepare("");
    let deny = machine.dir.path().join("hosts.deny");
    machine
        .write("etc/wachter.toml", &format!("[response]\nhosts_deny = \"{}\"\n", deny.display()));
    let denied = || std::fs::read_to_string(&deny).unwrap_or_default();
    let blocks = |arguments: &[&str]| {
        let output = machine.command("blocks").args(arguments).output().unwrap();
        (output.status.code(), text(&output))
    };
    let (code, said) = blocks(&["add", "203.0.113.7"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("is it running?"), "{said}");
    assert_eq!(blocks(&["list"]).0, Some(0));
    machine.start();
    let by_host_deny = ["--with", "host-deny"];
    let add =
        |target: &str, rest: &[&str]| blocks(&[&by_host_deny[..], &["add", target], rest].concat());
    assert_eq!(add("203.0.113.7", &["2h", "port scan \u{1b}[2J"]).0, Some(0));
    assert_eq!(add("2001:db8::7", &["forever"]).0, Some(0));
    assert_eq!(add("127.0.0.1", &[]).0, Some(1));
    assert_eq!(add("203.0.113", &[]).0, Some(1));
    assert_eq!(denied(), "ALL:203.0.113.7\nALL:[2001:db8::7]\n");
    let (_, table) = blocks(&["list"]);
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("target "), "{table}");
    assert!(rows[1].starts_with("203.0.113.7  ") && rows[1].contains("port scan"), "{table}");
    assert!(rows[2].contains("for ever"), "{table}");
    assert!(!table.contains('\u{1b}'));
    let (code, shown) = blocks(&["show", "203.0.113.0/24"]);
    assert!(code == Some(0) && shown.contains("person "), "{shown}");
    assert_eq!(blocks(&["show", "198.51.100.1"]).0, Some(2));
    // As root alone: nobody else reaches the socket or the ledger.
    for path in ["queue/execd", "queue/execd/control", "queue/execd/blocks"] {
        let mode = std::fs::metadata(machine.home.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    let (code, said) = blocks(&["undo", "--since", "10m"]);
    assert!(code == Some(0), "{said}");
    assert_eq!(denied(), "");
    assert_eq!(blocks(&["undo", "--since", "10m"]).0, Some(2));
    assert_eq!(add("203.0.113.8", &["forever"]).0, Some(0));
    assert_eq!(add("203.0.113.9", &[]).0, Some(0));
    let (code, said) = blocks(&["flush"]);
    assert!(code == Some(0) && said.lines().count() == 2, "{said}");
    assert_eq!((denied(), blocks(&["flush"]).0), (String::new(), Some(0)));
}

#[test]
fn a_restart_is_a_reload() {
    let rest = "<command><name>restart-ossec</name><executable>restart-ossec.sh</executable>
                  <expect></expect></command>
                <active-response><command>restart-ossec</command><location>local</location>
                  <rules_id>100001</rules_id></active-response>";
    let (machine, mut log) = prepare(rest);
    machine.start();
    let before = machine.roles();
    attack(&mut log, "203.0.113.7", "alice", "/etc/x");
    machine.until("the configuration is read anew", || {
        let log = machine.read("logs/ossec.log");
        log.contains("ossec-analysisd: INFO: Configuration read anew.")
            && log.contains("ossec-logcollector: INFO: Configuration read anew.")
    });
    assert_eq!(machine.roles(), before, "nobody was restarted");
    let ar_conf = machine.read("etc/shared/ar.conf");
    assert!(ar_conf.starts_with("restart-ossec0 - restart-ossec.sh - 0\n"), "{ar_conf}");
    assert!(ar_conf.contains("of-srcip0 - of-srcip.sh - 0\n"), "{ar_conf}");
}

/// The next who calls.
fn accept(machine: &Installation, listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let found = std::cell::RefCell::new(None);
    machine.until("a call", || {
        *found.borrow_mut() = listener.accept().ok();
        found.borrow().is_some()
    });
    let (client, _) = found.into_inner().unwrap();
    client.set_nonblocking(false).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client
}

#[test]
fn alerts_are_told_by_webhook() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let rest = "<command><name>webhook</name><executable>webhook</executable>
                  <expect></expect></command>
                <active-response><command>webhook</command><location>local</location>
                  <rules_id>100001</rules_id></active-response>";
    let (machine, mut log) = prepare(rest);
    let address = listener.local_addr().unwrap();
    machine.write("etc/wachter.toml", &format!("[webhook]\nurl = \"http://{address}/in?key=k\"\n"));
    machine.start();
    attack(&mut log, "203.0.113.7", "<!channel>", "/etc/x");
    let mut client = accept(&machine, &listener);
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let body = loop {
        let bytes = client.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..bytes]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str::<Value>(body)
        {
            assert!(head.starts_with("POST /in?key=k HTTP/1.1\r\n"), "{head}");
            break body;
        }
        assert!(bytes > 0, "{text}");
    };
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!((&body["rule"], &body["level"]), (&Value::from(100001), &Value::from(7)));
    assert!(body["line"].as_str().unwrap().contains("<!channel>"), "{body}");
    machine.until("it is done", || machine.read("queue/execd/blocks").contains("forget"));
    // Who does not answer well is told of, and the secret is not.
    attack(&mut log, "203.0.113.8", "alice", "/etc/y");
    let mut client = accept(&machine, &listener);
    let _ = client.read(&mut buffer).unwrap();
    client.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").unwrap();
    machine.until("the failure is told", || {
        machine.read("logs/active-responses.log").contains("the webhook answers 500")
    });
    pause(Duration::from_millis(50));
    for log in ["logs/ossec.log", "logs/active-responses.log", "queue/execd/blocks"] {
        assert!(!machine.read(log).contains("key=k"), "{log}");
    }
}

const WEB_CONF: &str = "
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http {
    access_log /var/log/nginx/access.log;
    server {
        listen 443 ssl;
        ssl_certificate /var/lib/web.crt;
        ssl_certificate_key /var/lib/web.key;
        location / { return 204; }
    }
}
";

/// A name server that knows one address for every name.
const NAME_SERVER: &str = r#"
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\0", 12) + 5
    question, is_ipv4 = query[12:end], query[end - 4:end - 2] == b"\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if is_ipv4 else b""
    head = query[:2] + b"\x81\x80\0\1\0" + bytes([is_ipv4]) + b"\0\0\0\0"
    server.sendto(head + question + answer, client)
"#;

#[test]
fn a_webhook_is_told_over_tls_if_it_is_trusted() {
    let Some(world) = World::with(&["nginx", "openssl", "python3"]) else { return };
    world.write("/var/names.py", NAME_SERVER);
    world.run("setsid python3 /var/names.py < /dev/null > /var/names.out 2>&1 &");
    world.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=wachter-test \
         -addext subjectAltName=DNS:hooks.test -addext basicConstraints=critical,CA:FALSE \
         -keyout /var/lib/web.key -out /var/lib/web.crt",
    );
    world.write("/etc/nginx/test.conf", WEB_CONF);
    world.run("mkdir -p /var/log/nginx /var/lib/nginx && nginx -c /etc/nginx/test.conf");
    let notify =
        format!("printf 'https://hooks.test/in?key=k\\n{{}}' | {WACHTER_THERE} notify 2>&1");
    let mut refused = world.attempt(&notify);
    // Until the name server is there.
    for _ in 0..100 {
        if !text(&refused).contains("lookup") {
            break;
        }
        pause(Duration::from_millis(50));
        refused = world.attempt(&notify);
    }
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused);
    assert!(said.contains("invalid peer certificate: UnknownIssuer"), "{said}");
    assert!(!said.contains("key=k"), "{said}");
    world.run("cat /var/lib/web.crt >> /etc/ssl/certs/ca-certificates.crt");
    assert_eq!(world.run(&notify), "");
    assert!(world.read("/var/log/nginx/access.log").contains("\"POST /in?key=k HTTP/1.1\" 204"));
}

#[test]
fn an_account_is_locked_and_opened_again_but_not_roots() {
    let Some(world) = World::with(&["passwd", "useradd", "chpasswd"]) else { return };
    world.add_user("eve", "right");
    let machine = Installation::in_world(world, "");
    machine.start();
    let world = machine.world.as_ref().unwrap();
    let state = |user: &str| {
        let told = world.run(&format!("passwd -S {user}"));
        told.split(' ').nth(1).unwrap().to_owned()
    };
    let before = state("root");
    let lock = |user: &str| {
        let arguments = ["--with", "disable-account", "add", user, "3s", "a test"];
        text(&machine.command("blocks").args(arguments).output().unwrap())
    };
    assert_eq!(state("eve"), "P");
    lock("eve");
    machine.until("the account is locked", || state("eve") == "L");
    machine.until("it is opened again", || state("eve") == "P");
    let said = lock("root");
    assert!(said.contains("root") && state("root") == before, "{said}");
    let log = machine.read("logs/active-responses.log");
    let verbs: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once("disable-account.sh ")?.1.split(' ').next())
        .collect();
    assert_eq!(verbs, ["add", "delete"], "{log}");
}
