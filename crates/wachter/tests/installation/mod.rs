//! A real installation in a folder of its own, with real processes, for tests.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "for tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub const WACHTER: &str = env!("CARGO_BIN_EXE_wachter");

/// How long anything may take that has to come.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Installation {
    pub dir: tempfile::TempDir,
    pub home: PathBuf,
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
        let generated = fs::read_to_string(home.join("etc/ossec.conf")).unwrap();
        let rules = generated.find("<rules>").zip(generated.find("</rules>"));
        let (start, end) = rules.expect("the bundled configuration names rules");
        let conf = format!(
            "<ossec_config>\n{}</rules>\n{sections}\n</ossec_config>\n",
            &generated[start..end]
        );
        let installation = Self { dir, home };
        installation.write("etc/ossec.conf", &conf);
        installation
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

    /// Starts all processes and waits until they are at work.
    pub fn start(&self) {
        let output = wachter(&["supervise", "--detach", "--home"], &self.home);
        assert!(output.status.success(), "{}{}", text(&output), self.read("logs/ossec.log"));
    }

    /// Stops all processes and waits until they are gone.
    pub fn stop(&self) {
        if let Some(supervisor) = self.supervisor() {
            signal("TERM", supervisor);
            self.until("the supervisor ends", || self.supervisor().is_none());
        }
    }

    /// The process that holds the installation's lock.
    pub fn supervisor(&self) -> Option<u32> {
        let process = self.read("var/run/wachter.lock").trim().parse().ok()?;
        let comm = fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
        comm.starts_with("wachter").then_some(process)
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

    /// The objects of alerts.json, of all days.
    pub fn alerts(&self) -> Vec<serde_json::Value> {
        let mut files = Vec::new();
        below(&self.home.join("logs/alerts"), &mut files);
        files.retain(|path| {
            path.extension().is_some_and(|it| it == "json") && !path.ends_with("alerts.json")
        });
        files.sort();
        let lines = files.iter().flat_map(|path| {
            let text = fs::read(path).unwrap();
            let text = String::from_utf8(text).unwrap();
            text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        lines.map(|line| serde_json::from_str(&line).expect(&line)).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor() {
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
#[expect(clippy::disallowed_methods, reason = "between two looks at what other processes do")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

fn below(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}
