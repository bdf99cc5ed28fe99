//! The accounts that the parts of an installation run as.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::fs::{Gid, Uid};

use crate::home::files;

/// The group of all of them.
pub(super) const GROUP: &str = "ossec";

/// OSSEC's users, and one of our own for the log collector.
pub(super) const USERS: [&str; 4] = ["ossec", "ossecm", "ossecr", "ossecl"];

/// What an account that nobody logs into has as shell, the first that exists.
const SHELLS: [&str; 3] = ["/usr/sbin/nologin", "/sbin/nologin", "/bin/false"];

/// Where the programs that make accounts are.
const PROGRAM_DIRECTORIES: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Names and numbers of the machine below a root.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// `passwd` and `group`.
    users: String,
    groups: String,
}

impl Accounts {
    pub(super) fn read(root: &Path) -> Self {
        let text = |path| {
            let bytes = files::read(&root.join(path), FILE_BYTES_MAX).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self { users: text("etc/passwd"), groups: text("etc/group") }
    }

    /// The number of a user; that of root is known without any file.
    pub(super) fn uid(&self, name: &str) -> Option<Uid> {
        match name {
            "root" => Some(Uid::ROOT),
            name => number(&self.users, name).map(Uid::from_raw),
        }
    }

    pub(super) fn gid(&self, name: &str) -> Option<Gid> {
        match name {
            "root" => Some(Gid::ROOT),
            name => number(&self.groups, name).map(Gid::from_raw),
        }
    }
}

/// `name:password:number:…`
fn number(table: &str, name: &str) -> Option<u32> {
    let mut entries = table.lines().map(|line| line.split(':'));
    entries.find_map(|mut fields| (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?)
}

pub(super) fn add_group(root: &Path) -> Result<()> {
    if let Some(program) = program("groupadd") {
        return run(program, &["--system"], root, &[GROUP]);
    }
    match program("addgroup").filter(|_| is_running_system(root)) {
        Some(program) => run(program, &["-S"], root, &[GROUP]),
        None => bail!("{}", nothing_makes("group", GROUP)),
    }
}

/// Adds a user whose home is the installation, and who cannot log in.
pub(super) fn add_user(root: &Path, home: &Path, name: &str) -> Result<()> {
    let there = |shell: &&&str| root.join(shell.trim_start_matches('/')).symlink_metadata().is_ok();
    let shell = SHELLS.iter().find(there).unwrap_or(&"/bin/false");
    let home = home.to_str().context("the home of an account is UTF-8")?;
    if let Some(program) = program("useradd") {
        let options =
            ["--system", "--no-create-home", "--home-dir", home, "--shell", shell, "--gid", GROUP];
        return run(program, &options, root, &[name]);
    }
    match program("adduser").filter(|_| is_running_system(root)) {
        Some(program) => {
            let options = ["-S", "-D", "-H", "-h", home, "-s", shell, "-G", GROUP];
            run(program, &options, root, &[name])
        }
        None => bail!("{}", nothing_makes("user", name)),
    }
}

fn is_running_system(root: &Path) -> bool {
    root == Path::new("/")
}

fn nothing_makes(what: &str, name: &str) -> String {
    format!(
        "no program makes the {what} {name} (looked for useradd and adduser in {}): make it by \
         hand, or leave accounts and owners alone with --no-users",
        PROGRAM_DIRECTORIES.join(", ")
    )
}

fn program(name: &str) -> Option<PathBuf> {
    let paths = PROGRAM_DIRECTORIES.iter().map(|dir| Path::new(dir).join(name));
    paths.into_iter().find(|path| path.is_file())
}

/// Runs a program without a shell and without our environment. Options for another root are those of
/// the shadow suite.
fn run(program: PathBuf, options: &[&str], root: &Path, names: &[&str]) -> Result<()> {
    let mut command = Command::new(&program);
    command.args(options);
    if !is_running_system(root) {
        command.arg("--prefix").arg(root);
    }
    let output = command
        .args(names)
        .env_clear()
        .env("PATH", PROGRAM_DIRECTORIES.join(":"))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} {}: {} ({})", program.display(), names.join(" "), said.trim(), output.status);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_names() {
        let accounts = Accounts {
            users: "root:x:0:0::/:/bin/sh\nossecm:x:12:7::/:\nossec:x:11:7::/:\nbad\nossecr:x:y\n"
                .to_owned(),
            groups: "ossec:x:7:\n".to_owned(),
        };
        assert_eq!(accounts.uid("ossec").map(Uid::as_raw), Some(11));
        assert_eq!(accounts.uid("ossecr"), None);
        assert_eq!(accounts.uid("bad"), None);
        assert_eq!(accounts.gid("ossec").map(Gid::as_raw), Some(7));
        assert_eq!(Accounts::default().uid("root"), Some(Uid::ROOT));
    }
}
