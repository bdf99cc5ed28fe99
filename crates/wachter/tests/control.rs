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

/// A whole installation with the small rule set, which is stopped in the end.
struct Installed {
    root: TempDir,
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = self.control("stop");
        // Whoever is not root cannot remove what is in directories that nobody may write to.
        let home = self.home();
        for dir in ["", "bin", "etc", "queue", "rules", "active-response", "var", "backup", "tmp"] {
            let _ = fs::set_permissions(home.join(dir), fs::Permissions::from_mode(0o700));
        }
    }
}

impl Installed {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/rc.d")).unwrap();
        // Where this machine has OSSEC's accounts, root's daemons run as them: they must get there.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for file in ["etc/passwd", "etc/group"] {
            fs::copy(Path::new("/").join(file), root.path().join(file)).unwrap();
        }
        let mut install = Command::new(env!("CARGO_BIN_EXE_wachter"));
        install.args(["install", "--no-users", "--root"]).arg(root.path());
        let output = install.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let installed = Self { root };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home");
        let rules = installed.home().join("rules");
        fs::set_permissions(&rules, fs::Permissions::from_mode(0o750)).unwrap();
        for entry in fs::read_dir(&rules).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for folder in ["etc", "rules"] {
            let to = installed.home().join(folder);
            fs::set_permissions(&to, fs::Permissions::from_mode(0o750)).unwrap();
            for entry in fs::read_dir(from.join(folder)).unwrap() {
                let entry = entry.unwrap();
                let to = to.join(entry.file_name());
                fs::copy(entry.path(), &to).unwrap();
                fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
        installed
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("var/ossec")
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(self.home().join("bin/ossec-control"));
        command.arg(verb).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What is said and the exit code.
    fn control(&self, verb: &str) -> (String, i32) {
        let output = self.command(verb).output().unwrap();
        (text(&output.stdout), output.status.code().unwrap())
    }

    #[track_caller]
    fn check(&self, verb: &str, said: &str) {
        assert_eq!(self.control(verb), (said.to_owned(), 0));
    }

    fn supervisor(&self) -> u32 {
        let lock = fs::read_to_string(self.home().join("var/run/wachter.lock")).unwrap();
        lock.trim().parse().unwrap()
    }

    /// The pid files, one a daemon that runs.
    fn pid_files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home().join("var/run")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".pid")).collect();
        names.sort();
        names
    }

    fn break_conf(&self) {
        let path = self.home().join("etc/ossec.conf");
        fs::write(&path, fs::read_to_string(&path).unwrap() + "<bad").unwrap();
    }
}

/// The daemons that there are, as they are told of when they start.
fn started(line: impl Fn(&str) -> String) -> String {
    let daemons = ["ossec-execd", "ossec-analysisd", "ossec-logcollector", "ossec-monitord"];
    daemons.map(|daemon| line(daemon) + "\n").concat() + "Completed.\n"
}

fn running() -> String {
    lines(|daemon| match is_built(daemon) {
        true => format!("{daemon} is running..."),
        false => format!("{daemon} not running (not built yet)..."),
    })
}

fn stopped() -> String {
    let killed = lines(|daemon| match is_built(daemon) {
        true => format!("Killing {daemon} .. "),
        false => format!("{daemon} not running .."),
    });
    killed + "OSSEC HIDS v4.3.0 Stopped\n"
}

#[test]
fn from_start_to_stop() {
    let installed = Installed::new();
    let start = STARTING.to_owned() + &started(|daemon| format!("Started {daemon}..."));
    installed.check("start", &start);
    installed.check("status", &running());
    assert_eq!(installed.pid_files().len(), 4);
    let supervisor = installed.supervisor();
    let again = STARTING.to_owned() + &started(|daemon| format!("{daemon} already running..."));
    installed.check("start", &again);
    let before = installed.pid_files();
    installed.check("reload", "Reloading OSSEC HIDS v4.3.0...\nCompleted.\n");
    assert_eq!((installed.supervisor(), installed.pid_files()), (supervisor, before));
    installed.check("restart", &(stopped() + &start));
    assert_ne!(installed.supervisor(), supervisor);
    installed.check("stop", &stopped());
    assert_eq!(installed.pid_files(), [""; 0]);
    assert!(installed.home().join("queue/ossec/queue").symlink_metadata().is_err());
    assert_eq!(installed.control("status").1, 1);
}

/// The first thing that is typed after an installation, word for word.
#[test]
fn as_the_init_script_does_it() {
    let installed = Installed::new();
    let script = fs::read_to_string(installed.root.path().join("etc/rc.d/init.d/ossec")).unwrap();
    let home = installed.home();
    let script = script.replace("/var/ossec", home.to_str().unwrap());
    let script = script.replace("/etc/ossec-init.conf", "/nowhere");
    let path = installed.root.path().join("ossec");
    fs::write(&path, script).unwrap();
    let run = |verb: &str| {
        let output = Command::new("/bin/sh").arg(&path).arg(verb).output().unwrap();
        (text(&output.stdout), output.status.code().unwrap())
    };
    assert_eq!(run("start"), ("Starting OSSEC-HIDS \n".to_owned(), 0));
    assert_eq!(run("status"), (running(), 0));
    assert_eq!(run("stop"), ("Stopping OSSEC-HIDS \n".to_owned(), 0));
}

#[test]
fn two_starts_at_once() {
    let installed = Installed::new();
    let both = [installed.command("start").spawn(), installed.command("start").spawn()];
    let outputs = both.map(|child| child.unwrap().wait_with_output().unwrap());
    let mut said = outputs.map(|output| {
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    });
    said.sort();
    let first = STARTING.to_owned() + &started(|daemon| format!("Started {daemon}..."));
    let second = STARTING.to_owned() + &started(|daemon| format!("{daemon} already running..."));
    assert_eq!(said, [first, second]);
    assert_eq!(installed.pid_files().len(), 4);
}

#[test]
fn a_broken_configuration_changes_nothing_that_runs() {
    let installed = Installed::new();
    assert_eq!(installed.control("start").1, 0);
    let before = (installed.supervisor(), installed.pid_files());
    installed.break_conf();
    for verb in ["restart", "reload"] {
        let refused = "ossec-analysisd: Configuration error. Exiting.\n".to_owned();
        assert_eq!(installed.control(verb), (refused, 1));
    }
    installed.check("status", &running());
    assert_eq!((installed.supervisor(), installed.pid_files()), before);
    installed.check("stop", &stopped());
}

/// A supervisor that is killed takes its daemons with it, and nothing keeps the next from starting.
#[test]
fn a_supervisor_that_is_killed() {
    let installed = Installed::new();
    assert_eq!(installed.control("start").1, 0);
    let files = installed.pid_files();
    let pid = rustix::process::Pid::from_raw(installed.supervisor().cast_signed()).unwrap();
    let pidfds: Vec<_> = files
        .iter()
        .map(|name| {
            let number = name.rsplit('-').next().unwrap().strip_suffix(".pid").unwrap();
            let pid = rustix::process::Pid::from_raw(number.parse().unwrap()).unwrap();
            rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap()
        })
        .collect();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    for pidfd in &pidfds {
        let mut ended = [rustix::event::PollFd::new(pidfd, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut ended, None).unwrap();
    }
    let (said, code) = installed.control("status");
    assert_eq!(code, 1);
    for name in &files {
        let path = installed.home().join("var/run").join(name);
        assert!(said.contains(&format!("Deleting PID file '{}' not used...\n", path.display())));
    }
    assert!(said.contains("ossec-analysisd not running...\n"), "{said}");
    assert_eq!(installed.control("start").1, 0);
    installed.check("status", &running());
}
