//! `ossec-control`: the installed program under that name, in an installation of its own.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const STARTING: &str =
    concat!("Starting OSSEC HIDS v4.3.0 (wachter ", env!("CARGO_PKG_VERSION"), ")...\n");

/// All daemons, as `status` tells of them.
const DAEMONS: [&str; 7] = [
    "ossec-monitord",
    "ossec-logcollector",
    "ossec-remoted",
    "ossec-syscheckd",
    "ossec-analysisd",
    "ossec-maild",
    "ossec-execd",
];

/// An installation with the small rule set of the other tests.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home");
        for folder in ["etc", "rules"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            for entry in fs::read_dir(from.join(folder)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
        for folder in ["bin", "logs", "queue/ossec", "var/run"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_wachter"), dir.path().join("bin/ossec-control")).unwrap();
        Self { dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.path("bin/ossec-control"));
        command.args(words).stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs it and compares what it says and its exit code.
    #[track_caller]
    fn check(&self, words: &[&str], said: &str, code: i32) {
        let output = self.run(words);
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!((out.as_str(), output.status.code()), (said, Some(code)), "{errors}");
    }

    /// A process that only has the name of a daemon, with its pid file: one of OSSEC's own.
    fn daemon(&self, name: &str) -> Child {
        let mut command = Command::new("/bin/sh");
        let child =
            command.arg0(name).args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
        fs::write(self.path(&format!("var/run/{name}-{}.pid", child.id())), "").unwrap();
        child
    }

    fn break_rules(&self) {
        fs::write(self.path("rules/gate.xml"), "<group name=\"gate,\">").unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One line a daemon.
fn lines(line: impl Fn(&str) -> String) -> String {
    DAEMONS.map(|daemon| line(daemon) + "\n").concat()
}

fn is_built(daemon: &str) -> bool {
    !["ossec-remoted", "ossec-syscheckd", "ossec-maild"].contains(&daemon)
}

#[test]
fn nothing_runs() {
    let home = Home::new();
    let status = lines(|daemon| match is_built(daemon) {
        true => format!("{daemon} not running..."),
        false => format!("{daemon} not running (not built yet)..."),
    });
    home.check(&["status"], &status, 1);
    let stopped =
        lines(|daemon| format!("{daemon} not running ..")) + "OSSEC HIDS v4.3.0 Stopped\n";
    home.check(&["stop"], &stopped, 0);
    let by_name = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["control", "--home"])
        .arg(home.dir.path())
        .arg("status")
        .output()
        .unwrap();
    assert_eq!(text(&by_name.stdout), status);
}

#[test]
fn help_and_mistakes() {
    let home = Home::new();
    let script = home.path("bin/ossec-control");
    let usage = format!(
        "Usage: {} {{start|stop|reload|restart|status|enable|disable}}\n",
        script.display()
    );
    for words in [&["help"][..], &["info"], &[], &["start", "now"], &["--help"]] {
        let output = home.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(text(&output.stdout).starts_with(&usage), "{words:?}");
    }
    let output = home.run(&["enable"]);
    assert!(text(&output.stdout).contains("database|client-syslog|agentless|debug"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(home.run(&["enable", "everything"]).status.code(), Some(1));
    let nowhere = home.run(&["-D", "/nowhere", "start"]);
    assert!(text(&nowhere.stderr).contains("/nowhere/var/wachter-control.lock"));
    assert_eq!(nowhere.status.code(), Some(1));
}

#[test]
fn a_broken_configuration_is_not_started() {
    let home = Home::new();
    home.break_rules();
    let said = format!("{STARTING}ossec-analysisd: Configuration error. Exiting.\n");
    home.check(&["start"], &said, 1);
    let errors = text(&home.run(&["start"]).stderr);
    assert!(errors.contains("rules/gate.xml:1:"), "{errors}");
}

/// OSSEC stops everything first, and then fails to start.
#[test]
fn a_broken_configuration_does_not_stop_what_runs() {
    let home = Home::new();
    home.break_rules();
    let mut daemon = home.daemon("ossec-analysisd");
    for (verb, kept) in [
        ("restart", "ossec-control: nothing was stopped\n"),
        ("reload", "ossec-control: the old configuration stays in force\n"),
    ] {
        let output = home.run(&[verb]);
        assert_eq!(text(&output.stdout), "ossec-analysisd: Configuration error. Exiting.\n");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).ends_with(kept));
    }
    assert_eq!(daemon.try_wait().unwrap(), None);
    drop(daemon.stdin.take());
    daemon.wait().unwrap();
}

/// Daemons of OSSEC from before the upgrade: told, not started beside, and stopped.
#[test]
fn daemons_of_ossec() {
    let home = Home::new();
    let mut daemon = home.daemon("ossec-analysisd");
    let status = text(&home.run(&["status"]).stdout);
    assert!(status.contains("ossec-analysisd is running...\n"), "{status}");
    let started = home.run(&["start"]);
    assert_eq!(text(&started.stdout), format!("{STARTING}ossec-analysisd already running...\n"));
    assert_eq!(started.status.code(), Some(1));
    assert!(text(&started.stderr).contains("stop them first"));
    // Someone has to take note that it ended; else it stays on the list of processes. While this
    // end of its input is held, it does not end by itself.
    let held = daemon.stdin.take();
    let waiting = std::thread::spawn(move || daemon.wait().unwrap());
    let stopped = lines(|name| match name == "ossec-analysisd" {
        true => format!("Killing {name} .. "),
        false => format!("{name} not running .."),
    });
    home.check(&["stop"], &format!("{stopped}OSSEC HIDS v4.3.0 Stopped\n"), 0);
    assert!(!waiting.join().unwrap().success());
    drop(held);
    assert_eq!(fs::read_dir(home.path("var/run")).unwrap().count(), 0);
}

#[test]
fn files_of_processes_that_are_gone() {
    let home = Home::new();
    let file = home.path("var/run/ossec-execd-2147483647.pid");
    fs::write(&file, "2147483647\n").unwrap();
    let status = text(&home.run(&["status"]).stdout);
    let line = format!("Deleting PID file '{}' not used...\n", file.display());
    assert!(status.starts_with(&line), "{status}");
    assert!(file.symlink_metadata().is_err());
}

/// Who may write to `var/run` must not have root signal any process.
#[test]
fn a_lock_that_names_another_process() {
    let home = Home::new();
    let mut other =
        Command::new("/bin/sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
    let path = home.path("var/run/wachter.lock");
    fs::write(&path, format!("{}\n", other.id())).unwrap();
    let lock = fs::File::open(&path).unwrap();
    lock.lock().unwrap();
    let output = home.run(&["stop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("holds the lock and is no supervisor"));
    assert_eq!(other.try_wait().unwrap(), None);
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn what_is_started_on_request() {
    let home = Home::new();
    let list = || fs::read_to_string(home.path("bin/.process_list")).unwrap();
    let enabled = home.run(&["enable", "client-syslog"]);
    assert!(enabled.status.success() && enabled.stdout.is_empty());
    let note = "ossec-control: client-syslog is noted in bin/.process_list; Wachter does not have it yet\n";
    assert_eq!(text(&enabled.stderr), note);
    home.check(&["enable", "client-syslog"], "", 0);
    home.check(&["enable", "debug"], "", 0);
    assert_eq!(list(), "CSYSLOG_DAEMON=ossec-csyslogd\nDEBUG_CLI=\"-d\"\n");
    home.check(&["disable", "client-syslog"], "", 0);
    assert_eq!(list(), "DEBUG_CLI=\"-d\"\nCSYSLOG_DAEMON=\n");
}

/// The scripts that start it at boot, word for word.
#[test]
fn init_scripts() {
    let home = Home::new();
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    let script = |name: &str| {
        let text = fs::read_to_string(dist.join(name)).unwrap();
        let text = text.replace("/var/ossec", home.dir.path().to_str().unwrap());
        // This machine may have an installation.
        let text = text.replace("/etc/ossec-init.conf", "/nowhere");
        let path = home.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let run = |path: &Path, verb: &str| {
        let output = Command::new("/bin/sh").arg(path).arg(verb).output().unwrap();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
    };
    let (slackware, lsb) = (script("ossec.init"), script("ossec.lsb"));
    let status = text(&home.run(&["status"]).stdout);
    assert_eq!(run(&slackware, "status"), (status.clone(), String::new(), 1));
    assert_eq!(run(&lsb, "status"), (status, String::new(), 3));
    assert_eq!(run(&slackware, "stop"), ("Stopping OSSEC-HIDS \n".to_owned(), String::new(), 0));
    assert_eq!(run(&lsb, "try-restart").2, 0);
    assert_eq!((run(&slackware, "x").2, run(&lsb, "x").2), (2, 2));
    home.break_rules();
    let (out, errors, code) = run(&slackware, "start");
    assert_eq!((out.as_str(), code), ("Starting OSSEC-HIDS \n", 1));
    assert!(errors.contains("Configuration error. Exiting.\n"), "{errors}");
    fs::remove_file(home.path("bin/ossec-control")).unwrap();
    assert_eq!((run(&lsb, "stop").2, run(&lsb, "start").2, run(&slackware, "stop").2), (0, 5, 5));
}
