//! Nothing is lost and nothing told twice, whatever dies, fills up or jumps meanwhile.
//!
//! A writer appends numbered lines to a file that is rotated in four ways, while each process is
//! killed at random, the disk fills and, where this may be done, the clock jumps. Afterwards every
//! line has its alert, once, in alerts.json, alerts.log and the journal.
#![expect(clippy::disallowed_methods, reason = "real processes in real time")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod installation;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use installation::{Installation, WACHTER, is_root, pause, signal, text};

const LINES: u64 = 200_000;
const KILLS: u64 = 50;
/// Lines between two rotations.
const ROTATION: u64 = 4_000;

const DECODERS: &str =
    r#"<decoder name="counter"><program_name>^counter$</program_name></decoder>"#;
const RULES: &str = r#"
<group name="test,">
  <rule id="1" level="0" noalert="1"><category>syslog</category><description>logs</description></rule>
  <rule id="100001" level="3"><if_sid>1</if_sid><decoded_as>counter</decoded_as>
    <description>a numbered line</description></rule>
  <rule id="100002" level="5" frequency="4" timeframe="3600" ignore="0">
    <if_matched_sid>100001</if_matched_sid><match>never</match><description>no</description></rule>
</group>
"#;

/// The same numbers each time, without a seed from outside.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn every_line_has_its_alert_once() {
    let watched = "<global><jsonout_output>yes</jsonout_output><stats>0</stats></global>";
    let installation = Installation::new(watched, DECODERS, RULES);
    let disk = SmallDisk::mount(&installation);
    let log = installation.logs().join("counter.log");
    File::create(&log).unwrap();
    let section = format!(
        "<localfile><log_format>syslog</log_format><location>{}</location></localfile>",
        log.display()
    );
    let conf =
        installation.read("etc/ossec.conf").replace("</global>", &format!("</global>{section}"));
    installation.write("etc/ossec.conf", &conf);
    installation.start();
    // The first line tells that the file is followed.
    installation.until("the file is followed", || {
        installation.read("logs/ossec.log").contains("Analyzing file")
    });

    let (written, log) = (&AtomicU64::new(0), &log);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_told = |number: u64| {
            let told = installation.read("logs/alerts/alerts.json");
            told.contains(&format!("number {number} "))
        };
        scope.spawn(move || write_lines(log, written, &is_told));
        let troubles = scope.spawn(|| make_trouble(&installation, &disk, written, &stop));
        installation.until("all lines are written", || written.load(Ordering::Relaxed) >= LINES);
        stop.store(true, Ordering::Relaxed);
        troubles.join().unwrap();
    });
    if installation.supervisor().is_none() {
        installation.start();
    }
    let last = format!("number {LINES} ");
    installation.until("the last line is told", || {
        installation.read("logs/alerts/alerts.json").contains(&last)
    });
    installation.stop();

    let count = |numbers: &mut dyn Iterator<Item = u64>| {
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        numbers.for_each(|number| *times.entry(number).or_default() += 1);
        times
    };
    let json = installation.alerts();
    let of_json = json.iter().map(|alert| number_of(alert["full_log"].as_str().unwrap()));
    assert_whole("alerts.json", &count(&mut of_json.map(Option::unwrap)));
    let records = all_text(&installation, "log");
    assert_whole("alerts.log", &count(&mut records.lines().filter_map(number_of)));
    let journal = Command::new(WACHTER)
        .args(["alerts", "--json", "--since", "1970-01-01", "--home"])
        .arg(&installation.home)
        .output()
        .unwrap();
    assert!(journal.status.success(), "{}", text(&journal));
    let journal = String::from_utf8(journal.stdout).unwrap();
    assert_whole("journal", &count(&mut journal.lines().filter_map(number_of)));
    let ids: Vec<&str> = json.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "alert ids are unique");
    let verified = Command::new(WACHTER)
        .args(["alerts", "--verify", "--home"])
        .arg(&installation.home)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", text(&verified));
    println!("{}", restarts(&installation));
}

/// Appends numbered lines, in pieces, and rotates the file in four ways in turn.
fn write_lines(log: &Path, written: &AtomicU64, is_told: &dyn Fn(u64) -> bool) {
    let mut random = Random(7);
    let mut file = OpenOptions::new().append(true).open(log).unwrap();
    let mut number = 0;
    while number < LINES {
        let until = (number + 1 + random.below(200)).min(LINES);
        let mut block = Vec::new();
        while number < until {
            number += 1;
            let line = format!("Nov 25 10:00:00 host counter: number {number} of {LINES}\n");
            block.extend_from_slice(line.as_bytes());
            if number % ROTATION == 0 {
                break;
            }
        }
        // Lines also come in halves.
        let half = random.below(block.len() as u64) as usize;
        file.write_all(&block[..half]).unwrap();
        file.write_all(&block[half..]).unwrap();
        written.store(number, Ordering::Relaxed);
        if number % ROTATION == 0 {
            rotate(log, number / ROTATION, &mut file, is_told);
        }
        pause(Duration::from_millis(2 + random.below(14)));
    }
}

fn rotate(log: &Path, round: u64, file: &mut File, is_told: &dyn Fn(u64) -> bool) {
    let aside = log.with_extension(format!("log.{round}"));
    let create = || OpenOptions::new().append(true).create(true).open(log).unwrap();
    match round % 4 {
        0 => {
            fs::rename(log, &aside).unwrap();
            *file = create();
        }
        1 => {
            // As logrotate's copytruncate, by the one who writes, so that no line falls between.
            fs::copy(log, &aside).unwrap();
            file.set_len(0).unwrap();
        }
        2 => {
            // Recreated: what was told of is removed, also while somebody has it open.
            fs::rename(log, &aside).unwrap();
            *file = create();
            for earlier in (2..round).step_by(4).filter(|earlier| is_told(earlier * ROTATION)) {
                let _ = fs::remove_file(log.with_extension(format!("log.{earlier}")));
            }
        }
        _ => {
            fs::rename(log, &aside).unwrap();
            *file = create();
            assert!(Command::new("gzip").arg(&aside).status().unwrap().success());
        }
    }
}

/// Kills processes at random moments, fills the disk once and makes the clock jump.
fn make_trouble(
    installation: &Installation,
    disk: &SmallDisk,
    written: &AtomicU64,
    stop: &AtomicBool,
) {
    let mut random = Random(11);
    for kill in 0..KILLS {
        let due = LINES * (kill + 1) / (KILLS + 1);
        while written.load(Ordering::Relaxed) < due && !stop.load(Ordering::Relaxed) {
            pause(Duration::from_millis(2));
        }
        pause(Duration::from_millis(random.below(30)));
        let roles = installation.roles();
        // Each in turn, and the supervisor with them.
        match roles.get(kill as usize % (roles.len() + 1)) {
            Some((_, process)) => signal("KILL", *process),
            None => {
                if let Some(supervisor) = installation.supervisor() {
                    signal("KILL", supervisor);
                    installation.until("the lock is free", || installation.supervisor().is_none());
                }
                installation.start();
            }
        }
        if kill == KILLS / 2 {
            disk.fill(installation);
        }
        if kill == KILLS / 3 {
            jump_clock();
        }
    }
}

/// Puts the clock forth and back. It is everybody's clock, so only where it is asked for.
fn jump_clock() {
    if std::env::var_os("WACHTER_TEST_CLOCK").is_none() || !is_root() {
        println!("SKIPPED: the clock does not jump without root and WACHTER_TEST_CLOCK=1");
        return;
    }
    let set = |time: &str| {
        let mut date = Command::new("date");
        date.args(["-s", time]).stdout(std::process::Stdio::null());
        date.status().unwrap().success()
    };
    let started = Instant::now();
    let before = std::time::SystemTime::now();
    if !set("+2 hours") {
        println!("SKIPPED: the clock cannot be set here");
        return;
    }
    pause(Duration::from_millis(100));
    assert!(set("-3 hours"));
    pause(Duration::from_millis(100));
    let now = before + started.elapsed();
    let seconds = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(set(&format!("@{seconds:.3}")));
}

/// A file system of little room for what is written, where one may be mounted.
struct SmallDisk {
    mounted: Option<std::path::PathBuf>,
}

impl SmallDisk {
    /// Puts queue and logs of the installation on it.
    fn mount(installation: &Installation) -> Self {
        if !is_root() {
            println!("SKIPPED: the disk does not fill without root");
            return Self { mounted: None };
        }
        let disk = installation.dir.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=400m", "wachter-test"])
            .arg(&disk)
            .status();
        if !mount.is_ok_and(|status| status.success()) {
            println!("SKIPPED: the disk does not fill where nothing can be mounted");
            return Self { mounted: None };
        }
        let home = disk.join("home");
        let copied = Command::new("cp").arg("-a").arg(&installation.home).arg(&home).status();
        assert!(copied.unwrap().success());
        fs::remove_dir_all(&installation.home).unwrap();
        fs::create_dir(&installation.home).unwrap();
        let bound = Command::new("mount").arg("--bind").arg(&home).arg(&installation.home).status();
        assert!(bound.unwrap().success());
        Self { mounted: Some(disk) }
    }

    /// Leaves no room for a moment.
    fn fill(&self, installation: &Installation) {
        let Some(disk) = &self.mounted else { return };
        let path = disk.join("filling");
        let mut file = File::create(&path).unwrap();
        let block = vec![0; 1 << 20];
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            if file.write_all(&block).is_err() {
                pause(Duration::from_millis(5));
            }
        }
        fs::remove_file(&path).unwrap();
        let log = installation.read("logs/ossec.log");
        println!("the disk was full: {}", log.contains("analysis waits"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Some(disk) = &self.mounted {
            let home = disk.parent().unwrap().join("root/var/ossec");
            for path in [&home, disk] {
                let _ = Command::new("umount").arg("-l").arg(path).status();
            }
        }
    }
}

fn number_of(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(" number ")?;
    rest.split(' ').next()?.parse().ok()
}

fn assert_whole(what: &str, times: &BTreeMap<u64, u64>) {
    let missing: Vec<u64> = (1..=LINES).filter(|number| !times.contains_key(number)).collect();
    let doubled: Vec<(&u64, &u64)> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        missing.is_empty() && doubled.is_empty(),
        "{what}: {} missing: {}; {} doubled: {}",
        missing.len(),
        ranges(&missing),
        doubled.len(),
        ranges(&doubled.iter().map(|(number, _)| **number).collect::<Vec<_>>())
    );
}

/// `1-4000 8001-8002` for the numbers of a sorted list.
fn ranges(numbers: &[u64]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(first) = numbers.get(at) {
        let mut last = *first;
        while numbers.get(at + 1) == Some(&(last + 1)) {
            at += 1;
            last += 1;
        }
        at += 1;
        text.push_str(&format!("{first}-{last} "));
    }
    text
}

/// The text of all dated files of alerts with this ending.
fn all_text(installation: &Installation, ending: &str) -> String {
    let output = Command::new("find")
        .arg(installation.home.join("logs/alerts"))
        .args(["-mindepth", "2", "-name", &format!("*.{ending}"), "-exec", "cat", "{}", "+"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn restarts(installation: &Installation) -> String {
    let log = installation.read("logs/ossec.log");
    let ended = log.lines().filter(|line| line.contains("started again")).count();
    format!("{ended} processes were started again")
}
