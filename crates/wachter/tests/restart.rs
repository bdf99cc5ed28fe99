//! Stops and starts that are not crashes: what is handed on, and what changed in between.
#![expect(clippy::unwrap_used, reason = "a test")]

mod installation;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use installation::{Installation, WACHTER, signal};

const DECODERS: &str =
    r#"<decoder name="counter"><program_name>^counter$</program_name></decoder>"#;
const RULES: &str = r#"
<group name="test,">
  <rule id="1" level="0" noalert="1"><category>syslog</category><description>logs</description></rule>
  <rule id="100001" level="3"><if_sid>1</if_sid><decoded_as>counter</decoded_as>
    <description>a numbered line</description></rule>
</group>
"#;
const SECTIONS: &str = "<global><jsonout_output>yes</jsonout_output></global>";

fn line(number: usize) -> String {
    format!("1:/var/log/counter:Nov 25 10:00:00 host counter: number {number} of all")
}

fn send(installation: &Installation, numbers: std::ops::Range<usize>) {
    let socket = UnixDatagram::unbound().unwrap();
    socket.connect(installation.home.join("queue/ossec/queue")).unwrap();
    for number in numbers {
        socket.send(line(number).as_bytes()).unwrap();
    }
}

/// The numbers told of, in their order.
fn told(installation: &Installation) -> Vec<usize> {
    let alerts = installation.alerts();
    let logs = alerts.iter().map(|alert| alert["full_log"].as_str().unwrap().to_owned());
    logs.map(|log| log.split(' ').nth(6).unwrap().parse().unwrap()).collect()
}

#[test]
fn a_stop_loses_no_datagram() {
    let installation = Installation::new(SECTIONS, DECODERS, RULES);
    let mut expected = 0;
    // Few fit into the socket's own queue and are not read yet when the stop comes.
    for (round, count) in [5, 2000, 5, 1, 2000, 5].into_iter().enumerate() {
        installation.start();
        send(&installation, expected..expected + count);
        expected += count;
        installation.stop();
        assert_eq!(told(&installation), (0..expected).collect::<Vec<_>>(), "round {round}");
    }
}

#[test]
fn a_checkpoint_of_the_other_correlation_is_no_obstacle() {
    let installation = Installation::new(SECTIONS, DECODERS, RULES);
    installation.start();
    send(&installation, 0..10);
    installation.stop();
    installation.write("etc/wachter.toml", "compat = \"strict\"\n");
    installation.start();
    send(&installation, 10..20);
    installation.stop();
    assert!(installation.read("logs/ossec.log").contains("what was counted is forgotten"));
    assert_eq!(told(&installation), (0..20).collect::<Vec<_>>());
}

#[test]
fn what_ossec_has_seen_is_taken_over_once() {
    let installation = Installation::new(SECTIONS, DECODERS, RULES);
    let queue = installation.home.join("queue/fts");
    fs::create_dir_all(&queue).unwrap();
    fs::write(queue.join("fts-queue"), "sshd root web1\nsshd alice web1\n").unwrap();
    installation.start();
    installation.stop();
    installation.start();
    installation.stop();
    let log = installation.read("logs/ossec.log");
    let taken = log.lines().filter(|line| line.contains("2 entries of queue/fts/fts-queue"));
    assert_eq!(taken.count(), 1, "{log}");
}

#[test]
fn the_service_manager_is_told() {
    let installation = Installation::new(SECTIONS, DECODERS, RULES);
    let path = installation.dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut service = Command::new(WACHTER)
        .args(["supervise", "--home"])
        .arg(&installation.home)
        .env("NOTIFY_SOCKET", &path)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = [0; 64];
    let bytes = manager.recv(&mut text).unwrap();
    assert_eq!(&text[..bytes], b"READY=1");
    assert_eq!(installation.roles().len(), 4);
    signal("TERM", service.id());
    assert!(service.wait().unwrap().success());
}
