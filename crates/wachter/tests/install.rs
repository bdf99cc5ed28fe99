//! `wachter install` below a root of its own: what it makes, what it keeps, what it finds.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A machine that is only a folder.
struct Machine {
    dir: TempDir,
}

impl Drop for Machine {
    /// Whoever is not root cannot remove what is in directories that nobody may write to.
    fn drop(&mut self) {
        for path in tree(self.dir.path()) {
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                let _ = fs::set_permissions(path, Permissions::from_mode(0o700));
            }
        }
    }
}

/// Everything below a directory, outer directories first.
fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        if path.symlink_metadata().unwrap().is_dir() {
            let mut entries: Vec<PathBuf> = match fs::read_dir(&path) {
                Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
                Err(_) => continue,
            };
            entries.sort();
            found.extend(entries);
        }
    }
    found
}

impl Machine {
    /// One with these files. A name that ends in `/` is a directory.
    fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            machine.write(path, text);
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// A path in the installation.
    fn home(&self, path: &str) -> PathBuf {
        self.path("var/ossec").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let full = self.path(path);
        if path.ends_with('/') {
            fs::create_dir_all(full).unwrap();
            return;
        }
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wachter"));
        command.arg("install").arg("--root").arg(self.dir.path()).args(options);
        command
    }

    /// The report of a run without accounts.
    #[track_caller]
    fn install(&self, options: &[&str]) -> String {
        report(&self.command(&[&["--no-users"], options].concat()).output().unwrap())
    }

    /// What is said when it cannot be done.
    #[track_caller]
    fn refuse(&self, options: &[&str]) -> String {
        let output = self.command(&[&["--no-users"], options].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Modes and contents of everything there is.
    fn state(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let entry = |path: PathBuf| {
            let metadata = path.symlink_metadata().unwrap();
            let bytes = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            (path, (metadata.mode(), bytes))
        };
        tree(self.dir.path()).into_iter().map(entry).collect()
    }

    fn mode(&self, path: &str) -> u32 {
        self.home(path).symlink_metadata().unwrap().mode() & 0o7777
    }

    /// The logs of others that the written configuration names, with their formats. Ours is there
    /// always.
    fn watched(&self) -> Vec<(String, String)> {
        let text = self.read("var/ossec/etc/ossec.conf");
        let value = |section: &str, name: &str| {
            let (_, rest) = section.split_once(&format!("<{name}>"))?;
            Some(rest.split_once("</")?.0.to_owned())
        };
        let sections = text.split("<localfile>").skip(1);
        let mut watched: Vec<(String, String)> = sections
            .filter_map(|section| {
                Some((value(section, "location")?, value(section, "log_format")?))
            })
            .collect();
        let own = ("/var/ossec/logs/active-responses.log".to_owned(), "syslog".to_owned());
        assert!(watched.contains(&own));
        watched.retain(|log| *log != own);
        watched
    }

    fn locations(&self) -> Vec<String> {
        self.watched().into_iter().map(|(location, _)| location).collect()
    }
}

#[track_caller]
fn report(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"", "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn a_new_installation() {
    let machine = Machine::with(&[("etc/", ""), ("lib/systemd/system/", "")]);
    let report = machine.install(&[]);
    assert!(report.starts_with("/var/ossec (local): done\n"), "{report}");
    for (path, mode) in [
        ("", 0o550),
        ("bin", 0o550),
        ("etc", 0o550),
        ("etc/shared", 0o770),
        ("etc/ossec.conf", 0o640),
        ("etc/decoder.xml", 0o640),
        ("etc/internal_options.conf", 0o640),
        ("etc/local_internal_options.conf", 0o640),
        ("etc/ossec-init.conf", 0o640),
        ("logs", 0o750),
        ("logs/alerts", 0o750),
        ("logs/ossec.log", 0o660),
        ("logs/active-responses.log", 0o660),
        ("queue", 0o550),
        ("queue/alerts", 0o770),
        ("queue/ossec", 0o750),
        ("queue/journal", 0o750),
        ("queue/events", 0o750),
        ("queue/state", 0o750),
        ("queue/logcollector", 0o750),
        ("rules", 0o550),
        ("rules/local_rules.xml", 0o640),
        ("active-response/bin", 0o550),
        ("var", 0o550),
        ("var/run", 0o770),
        ("backup/agents", 0o750),
        ("tmp", 0o1550),
        (".ssh", 0o700),
        ("bin/wachter", 0o550),
    ] {
        assert_eq!(machine.mode(path), mode, "{path}");
    }
    let control = fs::read_link(machine.home("bin/ossec-control")).unwrap();
    assert_eq!(control, Path::new("wachter"));
    assert!(machine.home("bin/ossec-remoted").symlink_metadata().is_err());
    assert_eq!(machine.path("etc/ossec-init.conf").metadata().unwrap().mode() & 0o777, 0o600);
    let said = machine.read("etc/ossec-init.conf");
    assert!(said.starts_with("DIRECTORY=\"/var/ossec\"\nVERSION=\"v4.3.0\"\nDATE=\""), "{said}");
    assert!(said.ends_with("\"\nTYPE=\"local\"\n"), "{said}");
    let unit = machine.read("etc/systemd/system/ossec-hids.service");
    assert!(unit.contains("ExecStart=/var/ossec/bin/wachter supervise --home /var/ossec\n"));

    let state = machine.state();
    assert_eq!(machine.install(&[]), "/var/ossec (local) is complete; nothing to do\n");
    assert!(machine.state() == state, "the second run changed something");
}

/// The written configuration, with the bundled decoders and rules, has no findings.
#[test]
fn what_is_written_can_be_used() {
    let machine = Machine::with(&[
        ("var/log/messages", "x\n"),
        ("var/log/audit/audit.log", ""),
        ("etc/adjtime", ""),
        ("usr/bin/ss", ""),
        ("usr/bin/df", ""),
        ("usr/bin/last", ""),
        ("boot/", ""),
    ]);
    machine.install(&["--type", "server"]);
    let mut check = Command::new(env!("CARGO_BIN_EXE_wachter"));
    let output = check.arg("check").arg(machine.home("")).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    // What decoders and rules are doubtful about is another matter.
    assert!(!found.contains("etc/ossec.conf:"), "{found}");
    assert!(!found.contains("\nerror") && !found.starts_with("error"), "{found}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let machine = Machine::with(&[("etc/", ""), ("etc/init.d/", "")]);
    let state = machine.state();
    let output = machine.command(&["--dry-run"]).output().unwrap();
    let report = report(&output);
    for line in [
        "/var/ossec (local): this would be done",
        "  user ossecl: made",
        "  queue/state: directory, 0750 ossec:ossec",
        "  etc/ossec.conf: written",
        "  bin/ossec-control: link to wachter",
        "  /etc/init.d/ossec: written",
    ] {
        assert!(report.lines().any(|said| said == line), "{line}\n{report}");
    }
    assert!(machine.state() == state);
}

#[test]
fn an_upgrade_keeps_what_is_the_users() {
    let conf = "<ossec_config>\n  <global>\n    <email_notification>no</email_notification>\n  \
        </global>\n</ossec_config>\n";
    let users = [
        ("var/ossec/etc/ossec.conf", conf),
        ("var/ossec/etc/decoder.xml", "<!-- old -->\n"),
        ("var/ossec/etc/local_decoder.xml", "<!-- mine -->\n"),
        ("var/ossec/etc/client.keys", "001 a any 0123\n"),
        ("var/ossec/etc/local_internal_options.conf", "analysisd.debug=1\n"),
        ("var/ossec/rules/rules_config.xml", "<!-- old -->\n"),
        ("var/ossec/rules/local_rules.xml", "<!-- mine -->\n"),
        ("var/ossec/rules/guests", "gil:\n"),
        ("var/ossec/active-response/bin/ipset.sh", "#!/bin/sh\n"),
        ("var/ossec/logs/alerts/alerts.log", "** Alert\n"),
    ];
    let machine = Machine::with(&users);
    for (path, text) in [
        ("var/ossec/bin/ossec-analysisd", "\x7fELF analysisd"),
        ("var/ossec/bin/ossec-control", "#!/bin/sh\n"),
        ("var/ossec/bin/manage_agents", "\x7fELF agents"),
        ("etc/init.d/ossec", "#!/bin/sh\n# mine\n"),
    ] {
        machine.write(path, text);
    }
    let report = machine.install(&[]);
    for (path, text) in users {
        assert_eq!(machine.read(path), text, "{path}");
    }
    for line in [
        "  etc/decoder.xml: kept, differs from the bundled one (bundled copy: etc/decoder.xml.new)",
        "  rules/rules_config.xml: kept, differs from the bundled one (bundled copy: \
         rules/rules_config.xml.new)",
        "  etc/ossec.conf: kept, differs from what is written for this host today (written to: \
         etc/ossec.conf.new)",
        "  bin/ossec-analysisd: OSSEC's program, moved to bin/ossec-c/ossec-analysisd",
        "  bin: OSSEC's manage_agents stay; Wachter has none of its own",
        "  /etc/init.d/ossec: kept, differs from the bundled one (bundled copy: \
         /etc/init.d/ossec.new)",
    ] {
        assert!(report.lines().any(|said| said == line), "{line}\n{report}");
    }
    assert!(!report.contains("local_rules.xml: kept"), "{report}");
    assert_eq!(machine.read("var/ossec/bin/ossec-c/ossec-analysisd"), "\x7fELF analysisd");
    assert_eq!(machine.read("var/ossec/bin/ossec-c/ossec-control"), "#!/bin/sh\n");
    assert_eq!(fs::read_link(machine.home("bin/ossec-analysisd")).unwrap(), Path::new("wachter"));
    assert!(machine.home("rules/local_rules.xml.new").symlink_metadata().is_err());

    // The second time all is told again, and nothing is done.
    let state = machine.state();
    let again = machine.install(&[]);
    assert!(again.starts_with("/var/ossec (local) is complete; nothing to do\n"), "{again}");
    assert!(again.contains("  rules/rules_config.xml: kept, differs"), "{again}");
    assert!(machine.state() == state);

    // A copy from an older version gives way to today's.
    let bundled = machine.read("var/ossec/rules/rules_config.xml.new");
    fs::remove_file(machine.home("rules/rules_config.xml.new")).unwrap();
    machine.write("var/ossec/rules/rules_config.xml.new", "older\n");
    let third = machine.install(&[]);
    assert!(third.contains("  rules/rules_config.xml.new: written\n"), "{third}");
    assert_eq!(machine.read("var/ossec/rules/rules_config.xml.new"), bundled);
}

/// OSSEC's package put its program back: the one that was moved first stays as well.
#[test]
fn programs_that_come_back() {
    let machine = Machine::with(&[("var/ossec/bin/ossec-execd", "first")]);
    machine.install(&["--no-service"]);
    fs::set_permissions(machine.home("bin"), Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(machine.home("bin/ossec-execd")).unwrap();
    machine.write("var/ossec/bin/ossec-execd", "second");
    let report = machine.install(&["--no-service"]);
    assert!(report.contains("moved to bin/ossec-c/ossec-execd.2\n"), "{report}");
    assert_eq!(machine.read("var/ossec/bin/ossec-c/ossec-execd"), "first");
    assert_eq!(machine.read("var/ossec/bin/ossec-c/ossec-execd.2"), "second");
    assert_eq!(machine.mode("bin"), 0o550);
    assert!(report.contains("  bin: rights set to 0550 root:root\n"), "{report}");
}

#[test]
fn rights_are_put_right_and_links_left_alone() {
    let machine = Machine::with(&[("elsewhere/", "")]);
    machine.install(&["--no-service"]);
    fs::set_permissions(machine.home("queue/ossec"), Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(machine.home("etc/ossec.conf"), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(machine.home("queue"), Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir(machine.home("queue/diff")).unwrap();
    symlink(machine.path("elsewhere"), machine.home("queue/diff")).unwrap();
    let mode = machine.path("elsewhere").metadata().unwrap().mode();
    let report = machine.install(&["--no-service"]);
    assert!(report.contains("  queue/diff: a link; what it leads to is left alone\n"), "{report}");
    assert_eq!((machine.mode("queue/ossec"), machine.mode("etc/ossec.conf")), (0o750, 0o640));
    assert_eq!(machine.path("elsewhere").metadata().unwrap().mode(), mode);
}

/// Debian writes most messages twice; nobody wants to be told everything twice.
#[test]
fn logs_of_debian() {
    let machine = Machine::with(&[
        ("var/log/syslog", "Nov 25 15:00:01 h CRON[1]: x\nNov 25 15:00:02 h postfix/smtpd[2]: y\n"),
        ("var/log/auth.log", "Nov 25 15:00:03 h sshd[3]: z\n"),
        ("var/log/mail.log", "Nov 25 15:00:02 h postfix/smtpd[2]: y\n"),
        ("var/log/cron.log", ""),
        ("var/log/nginx/access.log", ""),
        ("var/log/nginx/shop-access.log", ""),
        ("var/log/nginx/access.log.1", ""),
        ("var/log/mysql/error.log", ""),
        ("var/log/journal/0123/system.journal", ""),
        ("usr/bin/journalctl", ""),
        ("usr/bin/df", ""),
        ("usr/bin/netstat", ""),
        ("etc/resolv.conf", "nameserver 192.0.2.53\n"),
    ]);
    let report = machine.install(&["--no-service"]);
    let expected = [
        ("/var/log/syslog", "syslog"),
        ("/var/log/auth.log", "syslog"),
        ("/var/log/mysql/error.log", "mysql_log"),
        ("/var/log/nginx/*access.log", "apache"),
    ];
    let expected = expected.map(|(location, format)| (location.to_owned(), format.to_owned()));
    assert_eq!(machine.watched(), expected);
    for name in ["mail.log", "cron.log"] {
        let line = format!("  not /var/log/{name}: what is in it is in /var/log/syslog as well\n");
        assert!(report.contains(&line), "{report}");
    }
    let conf = machine.read("var/ossec/etc/ossec.conf");
    assert!(conf.contains("<white_list>192.0.2.53</white_list> <!-- name server -->"), "{conf}");
    assert!(conf.contains("<command>df -P</command>") && conf.contains("<command>netstat "));
    assert!(!conf.contains("<command>ss ") && !conf.contains("<command>last "));
}

/// Slackware's files of the same names have different contents.
#[test]
fn logs_of_slackware_and_its_containers() {
    let containers = "var/lib/lxc";
    let machine = Machine::with(&[
        ("etc/rc.d/", ""),
        ("var/log/messages", "Nov 25 15:00:01 h sshd[1]: info\n"),
        ("var/log/syslog", "Nov 25 15:00:02 h kernel: warning\n"),
        ("var/log/secure", "Nov 25 15:00:03 h sshd[1]: secret\n"),
        ("var/log/maillog", "Nov 25 15:00:04 h sendmail[1]: mail\n"),
        (&format!("{containers}/01-web/rootfs/var/log/secure"), "Nov 25 15:00:05 w sshd[1]: z\n"),
        (&format!("{containers}/02-mail/rootfs/var/log/secure"), ""),
        (&format!("{containers}/02-mail/rootfs/var/log/maillog"), "Nov 25 15:00:06 m a[1]: z\n"),
        (&format!("{containers}/11-nginx/rootfs/var/log/nginx/access.log"), ""),
    ]);
    let report = machine.install(&[]);
    assert_eq!(
        machine.locations(),
        [
            "/var/log/syslog",
            "/var/log/messages",
            "/var/log/secure",
            "/var/log/maillog",
            "/var/lib/lxc/*/rootfs/var/log/secure",
            "/var/lib/lxc/*/rootfs/var/log/maillog",
            "/var/lib/lxc/*/rootfs/var/log/nginx/*access.log",
        ]
    );
    let script = machine.read("etc/rc.d/init.d/ossec");
    assert!(script.contains("DIRECTORY=/var/ossec\n"));
    assert_eq!(machine.path("etc/rc.d/init.d/ossec").metadata().unwrap().mode() & 0o777, 0o755);
    assert!(report.contains("start it with: /etc/rc.d/init.d/ossec start"), "{report}");
}

#[test]
fn the_journal_where_nothing_else_is_written() {
    let journal = "var/log/journal/0123/system.journal";
    let machine = Machine::with(&[(journal, ""), ("usr/bin/journalctl", "")]);
    // A log of long ago, when there was a syslog daemon.
    machine.write("var/log/auth.log", "Nov 25 15:00:03 h sshd[3]: z\n");
    let log = fs::File::options().write(true).open(machine.path("var/log/auth.log")).unwrap();
    log.set_modified(std::time::UNIX_EPOCH).unwrap();
    machine.install(&["--no-service"]);
    assert_eq!(machine.watched(), [("all".to_owned(), "journald".to_owned())]);
    let without = Machine::with(&[(journal, "")]);
    without.install(&["--no-service"]);
    assert!(without.watched().is_empty());
}

#[test]
fn alerts_of_snort() {
    let full = "[**] [1:1:1] x [**]\n[Classification: y] [Priority: 1]\n";
    let fast =
        "01/02-03:04:05.6 [**] [1:1:1] x [**] [Classification: y] {TCP} 192.0.2.1 -> 192.0.2.2\n";
    for (text, format) in [(full, "snort-full"), (fast, "snort-fast")] {
        let machine = Machine::with(&[("var/log/snort/alert", text)]);
        machine.install(&["--no-service"]);
        assert_eq!(machine.watched(), [("/var/log/snort/alert".to_owned(), format.to_owned())]);
    }
}

#[test]
fn types() {
    let machine = Machine::with(&[]);
    let refused = machine.refuse(&["--type", "agent"]);
    assert_eq!(refused, "wachter: an agent reports to a server: name it with --server ADDRESS\n");
    machine.install(&["--type", "agent", "--server", "hub.example.org", "--no-service"]);
    let conf = machine.read("var/ossec/etc/ossec.conf");
    assert!(conf.contains("<server-hostname>hub.example.org</server-hostname>"), "{conf}");
    assert!(machine.home("rules").symlink_metadata().is_err());
    assert!(machine.home("bin/ossec-agentd").symlink_metadata().is_ok());
    // The type is remembered, and cannot be changed by the way.
    let report = machine.install(&["--no-service"]);
    assert!(report.starts_with("/var/ossec (agent)"), "{report}");
    let refused = machine.refuse(&["--type", "server"]);
    assert!(refused.contains("/var/ossec is of type agent"), "{refused}");

    let machine = Machine::with(&[]);
    machine.install(&["--type", "server", "--active-response", "--no-service"]);
    let conf = machine.read("var/ossec/etc/ossec.conf");
    assert!(conf.contains("<connection>secure</connection>"));
    assert!(conf.contains("<disabled>no</disabled>") && !conf.contains("<disabled>yes</disabled>"));
    assert!(machine.home("bin/ossec-remoted").symlink_metadata().is_ok());
}

/// OSSEC before there was `ossec-init.conf`, or when it is lost.
#[test]
fn the_type_of_an_old_installation() {
    for (section, kind) in [("client", "agent"), ("remote", "server"), ("global", "local")] {
        let conf = format!("<ossec_config><{section}><x>1</x></{section}></ossec_config>\n");
        let machine = Machine::with(&[("var/ossec/etc/ossec.conf", &conf)]);
        let report = machine.install(&["--dry-run"]);
        assert!(report.starts_with(&format!("/var/ossec ({kind})")), "{report}");
    }
}

#[test]
fn what_is_refused() {
    let machine = Machine::with(&[]);
    for (options, said) in [
        (&["--type", "hybrid"][..], "the type is local, server or agent, not `hybrid`"),
        (&["--home", "var/ossec"], "the home is an absolute path"),
        (&["--home", "/"], "the home is an absolute path"),
        (&["--home", "/a/../b"], "the home is an absolute path"),
        (&["--home", "/var/os$(id)"], "the home is an absolute path"),
        (&["--type", "agent", "--server", "<x>"], "the server is an address or a name"),
        (&["--bogus"], "--bogus"),
    ] {
        let refused = machine.refuse(options);
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(fs::read_dir(machine.dir.path()).unwrap().count(), 0);
}

/// Someone who is not root puts a package together, and later adds to it.
#[test]
fn without_being_root() {
    const NOBODY: u32 = 65_534;
    let machine = Machine::with(&[]);
    if is_root() {
        chown(machine.dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let run = |options: &[&str]| {
        let mut command = machine.command(options);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY).current_dir("/");
        }
        command.output()
    };
    let output = match run(&[]) {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: another user cannot start the program here ({error})");
            return;
        }
    };
    let refused = String::from_utf8(output.stderr).unwrap();
    assert!(refused.contains("only root can make the accounts"), "{refused}");
    assert!(refused.contains("--no-users"), "{refused}");
    let done = report(&run(&["--no-users"]).unwrap());
    assert!(done.contains("owners are left alone"), "{done}");
    fs::set_permissions(machine.home("rules"), Permissions::from_mode(0o750)).unwrap();
    fs::remove_file(machine.home("rules/local_rules.xml")).unwrap();
    fs::set_permissions(machine.home("rules"), Permissions::from_mode(0o550)).unwrap();
    let again = report(&run(&["--no-users"]).unwrap());
    assert!(again.contains("  1 directories, files and links made\n"), "{again}");
    assert_eq!((machine.mode("rules"), machine.mode("rules/local_rules.xml")), (0o550, 0o640));
}

/// Accounts are made in the root's own files, so this machine's stay as they are.
#[test]
fn accounts_and_owners() {
    let has_useradd =
        ["/usr/sbin/useradd", "/sbin/useradd"].iter().any(|path| Path::new(path).is_file());
    if !is_root() || !has_useradd {
        println!("SKIPPED: only root can make accounts, with useradd");
        return;
    }
    let machine = Machine::with(&[
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/shadow", ""),
        ("etc/gshadow", ""),
        ("etc/login.defs", ""),
    ]);
    let report = report(&machine.command(&["--no-service"]).output().unwrap());
    assert!(report.contains("  group ossec: made\n  user ossec: made\n"), "{report}");
    let users = machine.read("etc/passwd");
    let number = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
        let fields: Vec<&str> = line.split(':').collect();
        assert_eq!(fields[5], "/var/ossec", "{line}");
        (fields[2].parse::<u32>().unwrap(), fields[3].parse::<u32>().unwrap())
    };
    let (ossec, group) = number("ossec");
    let owner = |path: &str| {
        let metadata = machine.home(path).metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(owner("etc/ossec.conf"), (0, group));
    assert_eq!(owner("bin/wachter"), (0, 0));
    assert_eq!(owner("queue/state"), (ossec, group));
    assert_eq!(owner("logs/ossec.log"), (ossec, group));
    assert_eq!(owner("queue/rids"), number("ossecr"));
    assert_eq!(owner("queue/logcollector"), number("ossecl"));
    number("ossecm");
    let again = machine.command(&["--no-service"]).output().unwrap();
    assert_eq!(again.stdout, b"/var/ossec (local) is complete; nothing to do\n");
}
