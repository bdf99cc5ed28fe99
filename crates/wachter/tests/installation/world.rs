//! A machine of its own for a test, in namespaces of this one: mounts, network, processes, names.
//!
//! `/etc` is a copy, `/var`, `/run` and `/dev` are new, the network is a loopback with the addresses
//! that a test asks for. Whatever a test does there (users, daemons, mounts) is gone with the last
//! process, and all processes are gone when the value is dropped or the test ends however it does:
//! the first of them reads from a pipe that only the test holds.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::{is_root, pause, text};

/// Where the program under test is, inside, before it is installed.
pub const WACHTER_THERE: &str = "/var/wachter";

/// Run by the first process of the machine with the directory of its files and the program.
const SETUP: &str = r#"
read -r first _ < /proc/self/stat
mount -t proc proc /proc
cp -a /etc "$1/etc"
mount --bind "$1/etc" /etc
: > "$1/var/wachter"
mount --bind "$2" "$1/var/wachter"
mount --rbind "$1/var" /var
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sshd
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero full random urandom tty; do
    : > "$1/dev/$device"
    mount --bind "/dev/$device" "$1/dev/$device"
done
mkdir "$1/dev/pts" "$1/dev/shm"
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts "$1/dev/pts"
mount -t tmpfs tmpfs "$1/dev/shm"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
ln -s /proc/self/fd/0 "$1/dev/stdin"
ln -s /proc/self/fd/1 "$1/dev/stdout"
ln -s /proc/self/fd/2 "$1/dev/stderr"
mount --move "$1/dev" /dev
echo machine > /proc/sys/kernel/hostname
echo machine > /etc/hostname
echo '127.0.0.1 localhost machine' > /etc/hosts
echo 'nameserver 127.0.0.1' > /etc/resolv.conf
ip link set lo up
echo "$first"
# Nobody waits for what daemons leave behind.
exec env --ignore-signal=CHLD cat
"#;

pub struct World {
    dir: tempfile::TempDir,
    holder: Child,
    /// Its first process, as this machine counts.
    first: u32,
}

impl World {
    /// A machine on which these programs are; `None`, and a line about it, where it cannot be.
    pub fn with(programs: &[&str]) -> Option<Self> {
        if !is_root() {
            println!("SKIPPED: a machine in namespaces needs root");
            return None;
        }
        for program in programs.iter().chain(&["unshare", "nsenter", "ip"]) {
            if !is_installed(program) {
                println!("SKIPPED: {program} is not installed");
                return None;
            }
        }
        let probe = Command::new("unshare").args(NAMESPACES).arg("true").output().unwrap();
        if !probe.status.success() {
            let said = String::from_utf8_lossy(&probe.stderr);
            println!("SKIPPED: no namespaces can be made here: {}", said.trim());
            return None;
        }
        Some(Self::make())
    }

    fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["var", "var/log", "var/lib", "var/spool", "var/cache", "var/tmp", "dev"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("/run", dir.path().join("var/run")).unwrap();
        let mut holder = Command::new("unshare")
            .args(NAMESPACES)
            .args(["sh", "-euc", SETUP, "setup"])
            .arg(dir.path())
            .arg(super::WACHTER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let first = line.trim().parse().expect("the machine is set up");
        Self { dir, holder, first }
    }

    /// Where a path below `/etc` or `/var` of the machine is on this one.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.dir.path().join(inside.trim_start_matches('/'))
    }

    pub fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, inside: &str) -> String {
        let bytes = fs::read(self.path(inside)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A program that runs there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--net", "--pid", "--ipc", "--uts", "--wdns=/"]);
        command.args(["--target", &self.first.to_string(), "--", program]);
        command.env_clear().env("PATH", SEARCH_PATH).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// What the shell of the machine says to a script, whether it succeeds or not.
    pub fn attempt(&self, script: &str) -> Output {
        self.command("sh").args(["-c", script]).output().unwrap()
    }

    /// The same of a script that has to succeed.
    pub fn run(&self, script: &str) -> String {
        let output = self.attempt(script);
        let text = text(&output);
        assert!(output.status.success(), "{script}: {}\n{text}", output.status);
        text
    }

    /// Gives the machine one more address; `false` if its kernel does not know such addresses.
    pub fn add_address(&self, address: &str) -> bool {
        let bits = if address.contains(':') { "128 nodad" } else { "32" };
        self.attempt(&format!("ip address add {address}/{bits} dev lo")).status.success()
    }

    /// Adds a user who can log in with this password.
    pub fn add_user(&self, name: &str, password: &str) {
        self.run(&format!("useradd --no-create-home --home-dir / --shell /bin/sh {name}"));
        self.run(&format!("echo '{name}:{password}' | chpasswd"));
    }

    /// Starts the distribution's rsyslogd as it is configured there, behind `/dev/log`.
    pub fn start_rsyslogd(&self) {
        // The kernel's messages are the host's; its users may not own what is below `/var`.
        self.run("sed -i '/imklog/d; /PrivDrop/d; /^\\$FileGroup/d' /etc/rsyslog.conf");
        self.run("mkdir -p /var/spool/rsyslog");
        self.run("touch /var/log/auth.log /var/log/mail.log /var/log/syslog");
        self.run("rsyslogd -i /run/rsyslogd.pid");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // `unshare` takes the first process with it, and the kernel all others.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let process = Path::new("/proc").join(self.first.to_string());
        while process.symlink_metadata().is_ok() {
            pause(Duration::from_millis(5));
        }
    }
}

/// Whether the machine has a program.
pub fn is_installed(program: &str) -> bool {
    SEARCH_PATH.split(':').any(|dir| Path::new(dir).join(program).is_file())
}

const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const NAMESPACES: [&str; 7] =
    ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"];
