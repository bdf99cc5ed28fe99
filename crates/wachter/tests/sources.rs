//! Where messages come from besides plain log files, with real processes: pipes, commands, the queue
//! socket, the journal of systemd, files of containers; and what people and tools are told of it.
//!
//! Messages are numbered. Whatever dies or is changed meanwhile, each of them is told once.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]
#![expect(clippy::disallowed_methods, reason = "real processes take real time")]

mod installation;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use installation::world::{World, is_installed};
use installation::{Installation, PATIENCE, WACHTER, is_root, pause, text};

const DECODERS: &str =
    r#"<decoder name="ossec"><type>ossec</type><prematch>^ossec: </prematch></decoder>"#;
const RULES: &str = r#"
<group name="test,">
  <rule id="1" level="0" noalert="1"><category>syslog</category><description>logs</description></rule>
  <rule id="2" level="0" noalert="1"><category>ossec</category><description>ours</description></rule>
  <rule id="100001" level="3"><if_sid>1, 2</if_sid><match>number </match>
    <description>a numbered message</description></rule>
</group>
"#;
const JSON: &str = "<global><jsonout_output>yes</jsonout_output></global>";

const ALERTS: &str = "logs/alerts/alerts.json";

fn installation(sections: &str) -> Installation {
    Installation::new(&format!("{JSON}{sections}"), DECODERS, RULES)
}

fn localfile(format: &str, location: &Path) -> String {
    format!(
        "<localfile><log_format>{format}</log_format><location>{}</location></localfile>",
        location.display()
    )
}

fn command(format: &str, alias: &str, command: &str) -> String {
    format!(
        "<localfile><log_format>{format}</log_format><command>{command}</command>\
         <alias>{alias}</alias><frequency>1</frequency></localfile>"
    )
}

/// How often each number was told.
fn times(installation: &Installation) -> BTreeMap<u64, u32> {
    let mut times = BTreeMap::new();
    for alert in installation.alerts() {
        let log = alert["full_log"].as_str().unwrap();
        let number = log.split_once("number ").and_then(|(_, rest)| rest.split(' ').next());
        *times.entry(number.unwrap().trim().parse().unwrap()).or_default() += 1;
    }
    times
}

/// Waits until the numbers up to this one are told, stops, and looks whether each was told once.
#[track_caller]
fn assert_each_once(installation: &Installation, last: u64) {
    let started = Instant::now();
    while times(installation).len() < usize::try_from(last).unwrap()
        && started.elapsed() < PATIENCE / 4
    {
        pause(Duration::from_millis(20));
    }
    installation.stop();
    let times = times(installation);
    let wrong: Vec<(u64, u32)> = (1..=last)
        .map(|number| (number, times.get(&number).copied().unwrap_or(0)))
        .filter(|(_, times)| *times != 1)
        .collect();
    assert!(wrong.is_empty(), "numbers and how often they were told: {wrong:?}");
    assert_eq!(times.len() as u64, last, "{:?}", times.last_key_value());
}

/// Kills a role and waits until its successor is at work.
fn kill(installation: &Installation, daemon: &str) {
    let process = || installation.roles().into_iter().find(|(name, _)| name == daemon);
    let (_, before) = process().unwrap();
    installation.signal("KILL", before);
    installation.until("the role is at work again", || {
        process().is_some_and(|(_, now)| now != before) && numbers(installation).is_some()
    });
}

/// The numbers that the metrics socket gives, but those with labels.
fn numbers(installation: &Installation) -> Option<BTreeMap<String, u64>> {
    let text = metrics(installation)?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("wachter_")?.split_once(' '));
    Some(lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}

fn number(installation: &Installation, name: &str) -> u64 {
    numbers(installation).and_then(|numbers| numbers.get(name).copied()).unwrap_or(0)
}

fn metrics(installation: &Installation) -> Option<String> {
    let mut stream = UnixStream::connect(installation.home.join("var/run/metrics")).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_named_pipe_is_read_whoever_writes_and_whatever_dies() {
    let installation = installation("");
    let pipe = installation.logs().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    installation.add_sections(&localfile("syslog", &pipe));
    installation.start();
    // Each writer comes, writes some lines and goes.
    let mut last = 0;
    for round in 0..60 {
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        for _ in 0..25 {
            last += 1;
            writeln!(writer, "Nov 25 10:00:00 host pipe: number {last} of many").unwrap();
        }
        drop(writer);
        if round % 20 == 10 {
            kill(&installation, "ossec-analysisd");
        }
    }
    // A line without its end is told when its writer is gone.
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    write!(writer, "Nov 25 10:00:00 host pipe: number {} .", last + 1).unwrap();
    drop(writer);
    assert_each_once(&installation, last + 1);
}

#[test]
fn datagrams_of_several_senders_are_told_once_while_analysis_dies() {
    const SENDERS: u64 = 4;
    const MESSAGES: u64 = 1500;
    let installation = installation("");
    installation.start();
    let queue = installation.home.join("queue/ossec/queue");
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let queue = &queue;
            scope.spawn(move || {
                let socket = UnixDatagram::unbound().unwrap();
                socket.connect(queue).unwrap();
                for message in 0..MESSAGES {
                    let number = sender * MESSAGES + message + 1;
                    let line = format!("1:sender {sender}:Nov 25 10:00:00 h p: number {number} .");
                    socket.send(line.as_bytes()).unwrap();
                }
            });
        }
        for _ in 0..3 {
            kill(&installation, "ossec-analysisd");
        }
        // What nobody sends is counted and harms nobody.
        let socket = UnixDatagram::unbound().unwrap();
        for bad in [&b"no"[..], b"1", b"1:no end", b"\0\0\0\0\0", b"1:../../etc:x"] {
            socket.send_to(bad, &queue).unwrap();
        }
    });
    installation
        .until("bad ones are counted", || number(&installation, "datagrams_bad_total") == 5);
    let alert = installation.tells(100_001, 3, &[("location", "sender 2")]);
    assert!(alert["full_log"].as_str().unwrap().contains("number "));
    assert_eq!(number(&installation, "datagrams_total"), SENDERS * MESSAGES + 5);
    assert_each_once(&installation, SENDERS * MESSAGES);
}

#[test]
fn commands_run_and_one_that_hangs_delays_nobody() {
    let installation = installation("");
    let logs = installation.logs();
    let log = logs.join("log");
    File::create(&log).unwrap();
    let count = logs.join("count");
    fs::write(&count, "0").unwrap();
    let counting =
        format!("n=$(($(cat {0}) + 1)); echo $n > {0}; echo number $n of runs", count.display());
    installation.add_sections(&localfile("syslog", &log));
    installation.add_sections(&command("command", "counting", &counting));
    installation.add_sections(&command("full_command", "whole", "echo first; echo number 0 ."));
    installation.add_sections(&command("command", "hanging", "echo number 0 here; sleep 987654"));
    installation.write("etc/wachter.toml", "[collect]\ncommand_timeout = 5\n");
    installation.start();
    installation.until("the command hangs", || is_running("sleep\x00987654"));

    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    writeln!(file, "Nov 25 10:00:00 host prog: number 0 in the file").unwrap();
    installation.tells(100_001, 3, &[("location", log.to_str().unwrap())]);
    assert_eq!(number(&installation, "commands_killed_total"), 0, "the file waited");

    let whole = installation.tells(100_001, 3, &[("location", "whole")]);
    assert_eq!(whole["full_log"], "ossec: output: 'whole':\nfirst\nnumber 0 .");
    let hanging = installation.tells(100_001, 3, &[("location", "hanging")]);
    assert_eq!(hanging["full_log"], "ossec: output: 'hanging': number 0 here");
    installation.until("it is killed", || number(&installation, "commands_killed_total") > 0);
    installation.until("it is told", || installation.read("logs/ossec.log").contains("is killed"));
    installation.until("it runs again", || is_running("sleep\x00987654"));

    kill(&installation, "ossec-logcollector");
    kill(&installation, "ossec-execd");
    installation.until("the command hangs again", || is_running("sleep\x00987654"));
    let told = || {
        let alerts = installation.alerts();
        let counting = alerts.iter().filter(|alert| alert["location"] == "counting");
        counting.map(|alert| alert["full_log"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = told().len();
    installation.until("commands run on", || told().len() > before);
    installation.stop();
    installation.until("nothing is left of commands", || !is_running("sleep\x00987654"));
    let told = told();
    let runs: Vec<u64> = told
        .iter()
        .map(|line| line.strip_prefix("ossec: output: 'counting': number ").unwrap())
        .map(|rest| rest.strip_suffix(" of runs").unwrap().parse().unwrap())
        .collect();
    assert_eq!(runs[0], 1);
    assert!(runs.is_sorted_by(|one, next| one < next), "told twice: {runs:?}");
    // The run that was cut off by the kill may have counted and not spoken.
    assert!(runs[runs.len() - 1] <= runs.len() as u64 + 1, "lost: {runs:?}");
}

/// Whether a process has this command line.
fn is_running(arguments: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.starts_with(arguments.as_bytes()))
}

#[test]
fn logs_of_new_containers_are_followed_from_their_first_line() {
    let installation = installation("");
    let lxc = installation.logs().join("lxc");
    fs::create_dir(&lxc).unwrap();
    let location = lxc.join("*/rootfs/var/log/secure");
    installation.add_sections(&localfile("syslog", &location));
    installation.start();
    let line = |number: u64| format!("Nov 25 10:00:00 guest sshd[1]: number {number} of these\n");
    let mut waits = Vec::new();
    let mut told = |last: u64| {
        let started = Instant::now();
        let end = format!("number {last} of");
        installation.until("a line of a container", || installation.read(ALERTS).contains(&end));
        waits.push(started.elapsed());
    };

    // Level by level, at once and with time to look between.
    for (number, time) in [(1, 0), (3, 0), (5, 20), (7, 50)] {
        let mut path = lxc.join(format!("made{number}"));
        for level in ["", "rootfs", "var", "log"] {
            path.push(level);
            fs::create_dir(&path).unwrap();
            pause(Duration::from_millis(time));
        }
        let mut file = File::create(path.join("secure")).unwrap();
        file.write_all(line(number).as_bytes()).unwrap();
        file.write_all(line(number + 1).as_bytes()).unwrap();
        told(number + 1);
    }
    // A whole tree is moved into place, and one that was there is taken away and comes again.
    for number in [9, 11] {
        let aside = installation.logs().join("aside");
        fs::create_dir_all(aside.join("rootfs/var/log")).unwrap();
        let text = line(number) + &line(number + 1);
        fs::write(aside.join("rootfs/var/log/secure"), text).unwrap();
        let place = lxc.join("moved");
        if number == 11 {
            fs::remove_dir_all(&place).unwrap();
        }
        fs::rename(aside, place).unwrap();
        told(number + 1);
    }
    // Also with a log that appears in a tree that is there.
    let log = lxc.join("late/rootfs/var/log");
    fs::create_dir_all(&log).unwrap();
    fs::write(log.join("secure"), line(13)).unwrap();
    told(13);

    waits.sort();
    let middle = waits[waits.len() / 2];
    assert!(middle < Duration::from_secs(1), "{waits:?}");
    assert_each_once(&installation, 13);
}

/// Writes a numbered line now and then, to one of two files, until it is told to stop.
fn write_lines(files: &[&Path], both: &AtomicBool, written: &AtomicU64, stop: &AtomicBool) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let second = both.load(Ordering::Relaxed) && number % 2 == 0;
        let mut file = OpenOptions::new().append(true).open(files[usize::from(second)]).unwrap();
        writeln!(file, "Nov 25 10:00:00 host prog: number {number} of many").unwrap();
        written.store(number, Ordering::Relaxed);
        pause(Duration::from_millis(1));
    }
}

/// Says stop also where a test fails.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_reload_while_lines_flow_loses_none() {
    let installation = installation("");
    let logs = installation.logs();
    let (first, second) = (logs.join("first"), logs.join("second"));
    fs::write(&first, "").unwrap();
    fs::write(&second, "Nov 25 10:00:00 host prog: number 0 was there before\n").unwrap();
    installation.add_sections(&localfile("syslog", &first));
    installation.start();
    let log_bytes = || installation.read("logs/ossec.log").len();
    let says = |after: usize, what: &str, times: usize| {
        installation.read("logs/ossec.log")[after..].matches(what).count() == times
    };
    let reload = || {
        let after = log_bytes();
        installation.signal("HUP", installation.supervisor().unwrap());
        installation.until("it is read anew", || says(after, "Configuration read anew", 2));
    };
    let (written, both) = (AtomicU64::new(0), AtomicBool::new(false));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stops = StopWhenDropped(&stop);
        scope.spawn(|| write_lines(&[&first, &second], &both, &written, &stop));
        installation.tells(100_001, 3, &[("location", first.to_str().unwrap())]);

        // One more file, and another level.
        installation.add_sections(&localfile("syslog", &second));
        installation.write("rules/test_rules.xml", &RULES.replace("level=\"3\"", "level=\"7\""));
        reload();
        installation.until("it is followed", || says(0, &format!("'{}'", second.display()), 1));
        both.store(true, Ordering::Relaxed);
        installation.tells(100_001, 7, &[("location", first.to_str().unwrap())]);
        installation.tells(100_001, 7, &[("location", second.to_str().unwrap())]);

        // A mistake leaves in force what was.
        installation.write("rules/test_rules.xml", &RULES.replace("</group>", "</gruop>"));
        let after = log_bytes();
        installation.signal("HUP", installation.supervisor().unwrap());
        installation.until("the mistake is told", || says(after, "errors and is not read", 1));
        let before = written.load(Ordering::Relaxed);
        let end = format!("number {} of", before + 100);
        installation.until("lines flow", || installation.read(ALERTS).contains(&end));

        installation.write("rules/test_rules.xml", &RULES.replace("level=\"3\"", "level=\"9\""));
        reload();
        installation.tells(100_001, 9, &[("location", second.to_str().unwrap())]);

        // A file that is named no more is followed no more.
        both.store(false, Ordering::Relaxed);
        let before = written.load(Ordering::Relaxed);
        let end = format!("number {} of", before + 100);
        installation.until("lines flow", || installation.read(ALERTS).contains(&end));
        let conf = installation.read("etc/ossec.conf");
        installation.write("etc/ossec.conf", &conf.replace(&localfile("syslog", &second), ""));
        reload();
        fs::write(&second, "Nov 25 10:00:00 host prog: number 1 of many\n").unwrap();
        let before = written.load(Ordering::Relaxed);
        installation.until("lines flow", || written.load(Ordering::Relaxed) > before + 100);
    });
    assert_each_once(&installation, written.into_inner());
}

#[test]
fn two_installations_do_not_disturb_each_other() {
    let installations = [installation(""), installation("")];
    let log = installations[0].logs().join("log");
    File::create(&log).unwrap();
    for installation in &installations {
        installation.add_sections(&localfile("syslog", &log));
        installation.start();
    }
    let append = |numbers: RangeInclusive<u64>| {
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        for number in numbers {
            writeln!(file, "Nov 25 10:00:00 host prog: number {number} of many").unwrap();
        }
    };
    append(1..=100);
    // One home has one supervisor; a second one says so and changes nothing.
    let second = installations[0].command("supervise").output().unwrap();
    assert!(!second.status.success());
    assert!(text(&second).contains("is already supervised by process"), "{}", text(&second));
    assert_each_once(&installations[0], 100);
    append(101..=200);
    assert_each_once(&installations[1], 200);
    // What was written meanwhile comes with the next start.
    installations[0].start();
    assert_each_once(&installations[0], 200);
}

#[test]
fn a_file_that_may_not_be_read_is_told_and_read_when_it_may() {
    let installation = installation("");
    let log = installation.logs().join("log");
    fs::write(&log, "Nov 25 10:00:00 host prog: number 0 from before\n").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o000)).unwrap();
    installation.add_sections(&localfile("syslog", &log));
    // An installation that belongs to somebody runs as that user, who may not read everything.
    let mut supervise = Command::new(WACHTER);
    if is_root() {
        let dir = installation.dir.path();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o711)).unwrap();
        let root = dir.join("root");
        assert!(
            Command::new("chown").args(["-R", "65534:65534"]).arg(root).status().unwrap().success()
        );
        supervise = Command::new("setpriv");
        supervise.args(["--reuid=65534", "--regid=65534", "--clear-groups", WACHTER]);
    }
    let output =
        supervise.args(["supervise", "--detach", "--home"]).arg(&installation.home).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", text(&output));

    let warning = format!("Could not open file '{}' due to [", log.display());
    installation.until("it is told", || installation.read("logs/ossec.log").contains(&warning));
    installation.until("it is counted", || number(&installation, "files_missing") == 1);
    let status = installation.command("status").output().unwrap();
    assert!(text(&status).contains("lacks:   own user (not started as root)"), "{}", text(&status));
    assert!(text(&status).contains(log.to_str().unwrap()), "{}", text(&status));
    let append = |number: u64| {
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        writeln!(file, "Nov 25 10:00:00 host prog: number {number} of many").unwrap();
    };
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    append(1);
    let there = format!("File is available again: '{}'.", log.display());
    installation.until("it is there", || installation.read("logs/ossec.log").contains(&there));
    append(2);
    let end = "number 2 of";
    installation.until("its lines are told", || installation.read(ALERTS).contains(end));
    installation.until("it is followed", || number(&installation, "files") == 2);
    installation.stop();
}

#[test]
fn status_and_metrics_say_how_it_is() {
    let installation = installation("");
    let log = installation.logs().join("log \"name\"");
    File::create(&log).unwrap();
    installation.add_sections(&localfile("syslog", &log));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    installation.write("etc/wachter.toml", &format!("[metrics]\nlisten = \"{port}\"\n"));
    let stopped = installation.command("status").output().unwrap();
    assert_eq!(stopped.status.code(), Some(1));
    assert!(text(&stopped).ends_with("is not running\n"), "{}", text(&stopped));

    installation.start();
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    writeln!(file, "Nov 25 10:00:00 host prog: number 1 of many").unwrap();
    let socket = UnixDatagram::unbound().unwrap();
    let datagram = b"1:there:Nov 25 10:00:00 host prog: number 2 of many";
    socket.send_to(datagram, installation.home.join("queue/ossec/queue")).unwrap();
    installation.until("both are told", || times(&installation).len() == 2);

    let output = installation.command("status").arg("--sources").output().unwrap();
    let status = text(&output);
    assert!(output.status.success(), "{status}");
    for (daemon, process) in installation.roles() {
        let line = status.lines().find(|line| line.starts_with(&daemon)).unwrap();
        assert!(line.contains(&format!("pid {process} ")) && line.ends_with(" MB"), "{line}");
    }
    assert_eq!(installation.roles().len(), 4);
    assert!(status.contains("no_new_privs"), "{status}");
    assert!(status.contains("\nevents              2  (0/s)\nalerts              2  "), "{status}");
    assert!(status.contains("queue socket  "), "{status}");

    // The socket and the port say the same, each line in its form.
    installation.until("sources are reported", || {
        let text = metrics(&installation).unwrap();
        text.contains("source_lines_total{source=\"queue socket\"} 1\n")
            && text.contains("log \\\"name\\\"\"} 1\n")
    });
    let answer = ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    assert_exposition(body);
    for line in ["wachter_events_total 2", "wachter_alerts_total 2", "wachter_datagrams_total 1"] {
        assert!(body.lines().any(|it| it == line), "{line} is not in\n{body}");
    }
    assert!(body.contains("wachter_role_up{role=\"ossec-analysisd\"} 1\n"), "{body}");
    assert!(ask(port, b"GET /etc/passwd HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));

    // Whoever says nothing, or says it slowly, keeps nobody waiting for long.
    let silent = TcpStream::connect(port).unwrap();
    let mut slow = TcpStream::connect(port).unwrap();
    slow.set_nonblocking(true).unwrap();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| ask(port, b"GET /metrics HTTP/1.1\r\n\r\n"));
        while !answer.is_finished() {
            let _ = slow.write(b"G");
            pause(Duration::from_millis(50));
        }
        assert!(answer.join().unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
    });
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop((silent, slow));
    kill(&installation, "ossec-analysisd");
    let status = text(&installation.command("status").output().unwrap());
    assert!(status.contains("1 restarts; last killed by signal 9"), "{status}");
}

fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Each line is of Prometheus' text form: help and type before the samples of a name, each name
/// once, labels quoted, numbers that are numbers.
#[track_caller]
fn assert_exposition(text: &str) {
    assert!(text.ends_with('\n'));
    let mut types: BTreeMap<String, &str> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (now, said) = help.split_once(' ').unwrap();
            assert!(!said.is_empty() && !types.contains_key(now), "{line}");
            name = now;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (of, kind) = kind.split_once(' ').unwrap();
            assert!(of == name && ["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            types.insert(name.to_owned(), kind);
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            let (of, labels) = sample.split_once('{').unwrap_or((sample, ""));
            assert!(of == name && types.contains_key(name), "{line}");
            let quoted = labels.split_once("=\"").and_then(|(_, rest)| rest.strip_suffix("\"}"));
            assert!(labels.is_empty() || quoted.is_some_and(is_escaped), "{line}");
        }
    }
    let is_name = |it: &String| it.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(types.len() > 30 && types.keys().all(is_name), "{types:?}");
}

/// Quotes and backslashes are escaped.
fn is_escaped(label: &str) -> bool {
    let mut characters = label.chars();
    while let Some(character) = characters.next() {
        let is_good = match character {
            '\\' => characters.next().is_some_and(|next| "\\\"n".contains(next)),
            '"' => false,
            _ => true,
        };
        if !is_good {
            return false;
        }
    }
    true
}

const REMOTE: &str = "/usr/lib/systemd/systemd-journal-remote";

/// Writes a journal as journald does, by another program of systemd that needs no running system.
struct JournalWriter {
    program: Child,
    input: ChildStdin,
    entries: u64,
    boot: String,
}

impl JournalWriter {
    fn start(world: &World) -> Self {
        let id = world.read("/etc/machine-id");
        let dir = format!("/var/log/journal/{}", id.trim());
        world.run(&format!("mkdir -p {dir}"));
        let mut program = world.command(REMOTE);
        program.arg(format!("--output={dir}/system.journal")).arg("-");
        let mut program = program.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = program.stdin.take().unwrap();
        Self { program, input, entries: 0, boot: "f7f9f4e5a2ad4ea39b8ba4d54a5e2a11".to_owned() }
    }

    /// What is written from now on is of this boot of the machine, not of an earlier one.
    fn begin_this_boot(&mut self) {
        self.boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().replace('-', "");
    }

    fn write(&mut self, seconds_ago: u64, identifier: &str, message: &str) {
        self.entries += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let realtime = now.as_micros() - u128::from(seconds_ago) * 1_000_000;
        let monotonic = self.entries;
        let entry = format!(
            "__REALTIME_TIMESTAMP={realtime}\n__MONOTONIC_TIMESTAMP={monotonic}\n\
             _BOOT_ID={}\n_HOSTNAME=machine\n_PID=77\n\
             SYSLOG_IDENTIFIER={identifier}\nMESSAGE={message}\n\n",
            self.boot.trim()
        );
        self.input.write_all(entry.as_bytes()).unwrap();
    }

    fn write_numbers(&mut self, numbers: RangeInclusive<u64>) {
        for number in numbers {
            self.write(0, "counter", &format!("number {number} of many"));
        }
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn the_journal_of_systemd_is_followed_over_restarts() {
    if !is_installed("journalctl") || !Path::new(REMOTE).is_file() {
        println!("SKIPPED: journalctl or {REMOTE} is not installed");
        return;
    }
    let Some(world) = World::with(&[]) else { return };
    world.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    let mut journal = JournalWriter::start(&world);
    journal.write(3600, "counter", "number 0 from before");
    world.run("until journalctl --quiet | grep -q 'number 0'; do sleep 0.05; done");
    let installation = Installation::in_world(world, "");
    let conf = installation.read("etc/ossec.conf");
    assert!(conf.contains("<log_format>journald</log_format>"), "a journal was there: {conf}");
    installation.write("etc/decoder.xml", DECODERS);
    installation.write("rules/test_rules.xml", RULES);
    let rules = conf.find("<rules>").zip(conf.find("</rules>")).unwrap();
    let include = "<rules><include>test_rules.xml</include>";
    installation.write("etc/ossec.conf", &conf.replace(&conf[rules.0..rules.1], include));
    // No entry yet: what comes between two runs still counts, though the machine boots meanwhile.
    installation.start();
    installation.stop();
    journal.write_numbers(1..=20);
    journal.begin_this_boot();
    journal.write_numbers(21..=30);
    installation.start();
    journal.write_numbers(31..=60);
    let end = |number: u64| {
        let end = format!("number {number} of");
        installation.until("entries are told", || installation.read(ALERTS).contains(&end));
    };
    end(60);
    for (round, daemon) in (0..).zip(["logcollector", "analysisd", "execd"]) {
        journal.write_numbers(61 + round * 100..=110 + round * 100);
        kill(&installation, &format!("ossec-{daemon}"));
        journal.write_numbers(111 + round * 100..=160 + round * 100);
        end(160 + round * 100);
    }
    installation.stop();
    journal.write_numbers(361..=400);
    installation.start();
    let alert = installation.tells(100_001, 3, &[("location", "journald")]);
    let log = alert["full_log"].as_str().unwrap();
    assert!(log.ends_with(" machine counter[77]: number 1 of many"), "{log}");
    assert_each_once(&installation, 400);
}
