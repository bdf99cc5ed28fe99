//! A real installation in a folder of its own, with real processes, for tests.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail anywhere")]
#![allow(clippy::print_stdout, unreachable_pub, reason = "for tests")]
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

pub mod world;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use world::{WACHTER_THERE, World};

/// The program under test.
pub const WACHTER: &str = env!("CARGO_BIN_EXE_wachter");

/// How long anything may take that has to come.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Installation {
    pub dir: tempfile::TempDir,
    pub home: PathBuf,
    /// Where it runs, if not here.
    pub world: Option<World>,
}

impl Installation {
    /// Lays out a local installation with these sections in its `ossec.conf`, and these rules and
    /// decoders in place of the bundled ones.
    pub fn new(sections: &str, decoders: &str, rules: &str) -> Self {
        let installation = Self::bundled(sections);
        let conf = format!(
            "<ossec_config>\n<rules><include>test_rules.xml</include></rules>\n{sections}\n\
             </ossec_config>\n"
        );
        installation.write("etc/ossec.conf", &conf);
        installation.write("etc/decoder.xml", decoders);
        installation.write("rules/test_rules.xml", rules);
        installation
    }

    /// The same with the bundled rules and decoders.
    pub fn bundled(sections: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let output = wachter(&["install", "--no-users", "--no-service", "--root"], &root);
        assert!(output.status.success(), "{}", text(&output));
        let home = root.join("var/ossec");
        // What only root may change otherwise.
        assert!(Command::new("chmod").args(["-R", "u+w"]).arg(&root).status().unwrap().success());
        let generated = fs::read_to_string(home.join("etc/ossec.conf")).unwrap();
        let rules = generated.find("<rules>").zip(generated.find("</rules>"));
        let (start, end) = rules.expect("the bundled configuration names rules");
        let conf = format!(
            "<ossec_config>\n{}</rules>\n{sections}\n</ossec_config>\n",
            &generated[start..end]
        );
        let installation = Self { dir, home, world: None };
        installation.write("etc/ossec.conf", &conf);
        installation
    }

    /// What `wachter install` makes on a machine of its own, accounts and all, and these sections
    /// besides those for what it found there.
    pub fn in_world(world: World, sections: &str) -> Self {
        world.run(&format!("{WACHTER_THERE} install --no-service"));
        let home = world.path("/var/ossec");
        let installation = Self { dir: tempfile::tempdir().unwrap(), home, world: Some(world) };
        installation.add_sections(sections);
        installation
    }

    /// Adds sections to `ossec.conf`, and alerts.json to what is written.
    pub fn add_sections(&self, sections: &str) {
        let path = self.home.join("etc/ossec.conf");
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        let json = "<global><jsonout_output>yes</jsonout_output></global>";
        writeln!(file, "<ossec_config>{json}{sections}</ossec_config>").unwrap();
    }

    /// A place for logs beside the installation.
    pub fn logs(&self) -> PathBuf {
        let logs = self.dir.path().join("logs");
        fs::create_dir_all(&logs).unwrap();
        logs
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.home.join(path);
        if path.exists_now() {
            fs::remove_file(&path).unwrap();
        }
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.home.join(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A command of the program under test, on this installation.
    pub fn command(&self, name: &str) -> Command {
        let (mut command, home) = match &self.world {
            Some(world) => (world.command("/var/ossec/bin/wachter"), Path::new("/var/ossec")),
            None => (Command::new(WACHTER), self.home.as_path()),
        };
        command.arg(name).arg("--home").arg(home).stdin(Stdio::null());
        command
    }

    /// Starts all processes and waits until they are at work.
    pub fn start(&self) {
        let output = self.command("supervise").arg("--detach").output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output), self.read("logs/ossec.log"));
    }

    /// Stops all processes and waits until they are gone.
    pub fn stop(&self) {
        if let Some(supervisor) = self.supervisor() {
            self.signal("TERM", supervisor);
            self.until("the supervisor ends", || self.supervisor().is_none());
        }
    }

    /// The process that holds the installation's lock.
    pub fn supervisor(&self) -> Option<u32> {
        let process = self.read("var/run/wachter.lock").trim().parse().ok()?;
        let path = format!("/proc/{process}/comm");
        let comm = match &self.world {
            Some(world) => text(&world.command("cat").arg(path).output().unwrap()),
            None => fs::read_to_string(path).ok()?,
        };
        comm.starts_with("wachter").then_some(process)
    }

    /// Sends a signal to a process of the installation.
    pub fn signal(&self, name: &str, process: u32) {
        match &self.world {
            Some(world) => drop(world.attempt(&format!("kill -{name} {process}"))),
            None => signal(name, process),
        }
    }

    /// The processes of roles, by the daemon's name.
    pub fn roles(&self) -> Vec<(String, u32)> {
        let state = self.read("var/run/wachter.state");
        let roles = state.lines().filter_map(|line| {
            let mut values = line.split('\t');
            let daemon = values.next()?.to_owned();
            let process: u32 = values.next()?.parse().ok()?;
            (process > 0).then_some((daemon, process))
        });
        roles.collect()
    }

    /// Waits for what has to come.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            let log = || self.read("logs/ossec.log");
            assert!(started.elapsed() < PATIENCE, "{what} does not come\n{}", log());
            pause(Duration::from_millis(10));
        }
    }

    /// Waits for an alert of this rule and level with these fields, which is in alerts.json and in
    /// alerts.log.
    #[track_caller]
    pub fn tells(&self, rule: u64, level: u64, fields: &[(&str, &str)]) -> Value {
        let is_it = |alert: &Value| {
            alert["rule"]["sidid"] == rule
                && alert["rule"]["level"] == level
                && fields.iter().all(|(name, value)| alert[name] == *value)
        };
        let started = Instant::now();
        let alert = loop {
            let alerts = self.alerts();
            if let Some(alert) = alerts.iter().find(|alert| is_it(alert)) {
                break alert.clone();
            }
            let told = || alerts.iter().map(summary).collect::<String>();
            let waited = started.elapsed();
            assert!(
                waited < PATIENCE / 4,
                "no {rule} (level {level}), {fields:?}; but\n{}",
                told()
            );
            pause(Duration::from_millis(20));
        };
        self.assert_recorded(&alert);
        alert
    }

    /// alerts.log says the same as this alert of alerts.json.
    #[track_caller]
    fn assert_recorded(&self, alert: &Value) {
        let head = format!("** Alert {}:", alert["id"].as_str().unwrap());
        self.until("the record in alerts.log", || {
            let records = self.read("logs/alerts/alerts.log");
            let Some((_, record)) = records.split_once(&head) else { return false };
            record.split_once("\n\n").is_some_and(|(record, _)| says_the_same(record, alert))
        });
    }

    /// The objects of alerts.json, of all days.
    pub fn alerts(&self) -> Vec<Value> {
        let mut files = Vec::new();
        below(&self.home.join("logs/alerts"), &mut files);
        files.retain(|path| {
            path.extension().is_some_and(|it| it == "json") && !path.ends_with("alerts.json")
        });
        files.sort();
        let lines = files.iter().flat_map(|path| {
            let text = fs::read(path).unwrap();
            let text = String::from_utf8(text).unwrap();
            // What is being written is not whole yet.
            let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
            whole.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        lines.map(|line| serde_json::from_str(&line).expect(&line)).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if self.world.is_none()
            && let Some(supervisor) = self.supervisor()
        {
            signal("KILL", supervisor);
        }
    }
}

trait ExistsNow {
    fn exists_now(&self) -> bool;
}

impl ExistsNow for PathBuf {
    fn exists_now(&self) -> bool {
        self.symlink_metadata().is_ok()
    }
}

pub fn wachter(arguments: &[&str], last: &Path) -> Output {
    Command::new(WACHTER).args(arguments).arg(last).stdin(Stdio::null()).output().unwrap()
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub fn signal(name: &str, process: u32) {
    // It may be gone already, which is not to be told.
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .stderr(Stdio::null())
        .status();
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

/// Real processes do not come in virtual time.
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Whether a record of alerts.log says what an alert of alerts.json does.
fn says_the_same(record: &str, alert: &Value) -> bool {
    let rule = &alert["rule"];
    let comment = rule["comment"].as_str().unwrap();
    let mut lines =
        vec![format!("Rule: {} (level {}) -> '{comment}'", rule["sidid"], rule["level"])];
    for (name, title) in [("srcip", "Src IP"), ("srcport", "Src Port"), ("dstuser", "User")] {
        lines.extend(alert[name].as_str().map(|value| format!("{title}: {value}")));
    }
    lines.push(alert["full_log"].as_str().unwrap().replace('\n', "\\n"));
    lines.iter().all(|line| record.lines().any(|it| it == line))
}

/// One line about an alert, for people who look for what is wrong.
fn summary(alert: &Value) -> String {
    let rule = &alert["rule"];
    format!("{} (level {}): {}\n", rule["sidid"], rule["level"], alert["full_log"])
}

fn below(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}
