//! The user's own programs in `active-response/bin`, with OSSEC's arguments.
//!
//! ```text
//! add|delete USER ADDRESS SECONDS.NUMBER RULE LOCATION FILE
//! add|delete USER ADDRESS SECONDS.NUMBER RULE (AGENT) ADDRESS->LOCATION FILE
//! ```

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::ar_conf::is_plain;
use crate::jobs::Job;
use crate::order::Cause;
use crate::target::{FileName, Target, User};

/// Which of the two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Add,
    Delete,
}

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub enum NoScript {
    #[error("`{0}` is not the plain name of a file")]
    Name(String),
    /// Said once: agents of other systems have other programs.
    #[error("active response command not present: `{}`", .0.display())]
    Missing(PathBuf),
    #[error("`{}` is not run: {why}", path.display())]
    Unsafe { path: PathBuf, why: &'static str },
    #[error("`{}`: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Delete => "delete",
        }
    }
}

/// The path of an executable, if it may be run.
///
/// It runs as root, so it must be nobody's to change but root's (or whoever we run as).
pub fn find(bin: &Path, executable: &str) -> Result<PathBuf, NoScript> {
    if !is_plain(executable) {
        return Err(NoScript::Name(executable.to_owned()));
    }
    let path = bin.join(executable);
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(NoScript::Missing(path));
        }
        Err(error) => return Err(NoScript::Io { path, error }),
    };
    let folder = match fs::metadata(bin) {
        Ok(folder) => folder,
        Err(error) => return Err(NoScript::Io { path: bin.to_owned(), error }),
    };
    let own = rustix::process::geteuid().as_raw();
    let others_can_write = |it: &fs::Metadata| {
        it.mode() & 0o002 != 0
            || (it.mode() & 0o020 != 0 && it.gid() != 0)
            || ![0, own].contains(&it.uid())
    };
    let why = if !metadata.is_file() {
        "not a regular file"
    } else if metadata.permissions().mode() & 0o111 == 0 {
        "not executable"
    } else if others_can_write(&metadata) {
        "others than root can change it"
    } else if others_can_write(&folder) {
        "others than root can change its folder"
    } else {
        return Ok(path);
    };
    Err(NoScript::Unsafe { path, why })
}

/// The call of a program.
pub fn job(path: PathBuf, verb: Verb, target: &Target, cause: &Cause) -> Job {
    let user = target.user.as_ref().map_or("-", User::as_str);
    let net = target.net.map_or("-".to_owned(), |net| net.to_string());
    let words = [
        verb.as_str().to_owned(),
        user.to_owned(),
        net,
        cause.alert.to_string(),
        cause.rule.to_string(),
    ];
    let mut arguments: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let location = printable(&cause.location);
    let is_agent = location.starts_with(b"(");
    // compat: an agent's location is two arguments. Others are one, blanks or not, so that what
    // follows has its place.
    match location.iter().position(|&byte| byte == b' ').filter(|_| is_agent) {
        Some(blank) => {
            let (agent, place) = location.split_at(blank);
            arguments.push(OsString::from_vec(agent.to_vec()));
            arguments.push(OsString::from_vec(place.get(1..).unwrap_or_default().to_vec()));
        }
        None => arguments.push(OsString::from_vec(location)),
    }
    arguments.push(match &target.filename {
        Some(name) => OsString::from_vec(escaped(name)),
        // compat: what OSSEC's server sends to agents.
        None => if is_agent { "(null)" } else { "-" }.into(),
    });
    Job { program: path, arguments, ..Job::default() }
}

/// compat: with a backslash before what means something to a shell, as scripts expect; but one
/// argument, blanks or not.
fn escaped(name: &FileName) -> Vec<u8> {
    const SPECIAL: &[u8] = b"\\\"' \t;`><|#*[]{}&$!:()";
    let mut out = Vec::with_capacity(name.as_bytes().len());
    for &byte in name.as_bytes() {
        if SPECIAL.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// A location as an argument: anybody can write to the queue socket.
fn printable(location: &[u8]) -> Vec<u8> {
    let plain = location.iter().map(|&byte| if byte.is_ascii_control() { b'?' } else { byte });
    let mut out: Vec<u8> = plain.collect();
    if out.is_empty() || out.starts_with(b"-") {
        out.insert(0, b'?');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::AlertId;
    use crate::target::Net;

    fn call(verb: Verb, target: &Target, location: &str) -> Vec<String> {
        let alert = AlertId { seconds: 1_795_560_311, number: 1 };
        let location = location.as_bytes().to_vec();
        let cause = Cause { alert, rule: 5710, location, ..Cause::default() };
        let job = job("/x.sh".into(), verb, target, &cause);
        job.arguments.iter().map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn arguments() {
        let address = Target::address(Net::of_attacker(b"203.0.113.7").unwrap());
        let file = Target { filename: FileName::parse(b"/etc/a b$(id)").ok(), ..Target::default() };
        let user = Target { user: User::parse(b"root").ok(), ..Target::default() };
        let table: [(_, _, _, &[&str]); 5] = [
            (
                Verb::Add,
                &address,
                "/var/log/auth.log",
                &["add", "-", "203.0.113.7", "1795560311.1", "5710", "/var/log/auth.log", "-"],
            ),
            (
                Verb::Delete,
                &user,
                "df -h",
                &["delete", "root", "-", "1795560311.1", "5710", "df -h", "-"],
            ),
            (
                Verb::Add,
                &address,
                "(agent1) 192.0.2.5->/var/log/auth.log",
                &[
                    "add",
                    "-",
                    "203.0.113.7",
                    "1795560311.1",
                    "5710",
                    "(agent1)",
                    "192.0.2.5->/var/log/auth.log",
                    "(null)",
                ],
            ),
            (
                Verb::Add,
                &file,
                "syscheck",
                &["add", "-", "-", "1795560311.1", "5710", "syscheck", "/etc/a\\ b\\$\\(id\\)"],
            ),
            (
                Verb::Add,
                &user,
                "-x\n\u{1b}[2J",
                &["add", "root", "-", "1795560311.1", "5710", "?-x??[2J", "-"],
            ),
        ];
        for (verb, target, location, expected) in table {
            assert_eq!(call(verb, target, location), expected, "{location}");
        }
    }

    #[test]
    fn what_may_be_run() {
        let bin = tempfile::tempdir().unwrap();
        let make = |name: &str, mode| {
            let path = bin.path().join(name);
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let good = make("good.sh", 0o550);
        assert_eq!(find(bin.path(), "good.sh").unwrap(), good);
        make("plain.sh", 0o640);
        make("open.sh", 0o777);
        std::os::unix::fs::symlink("/bin/sh", bin.path().join("link.sh")).unwrap();
        fs::create_dir(bin.path().join("folder")).unwrap();
        let table = [
            ("plain.sh", "not executable"),
            ("open.sh", "others than root can change it"),
            ("link.sh", "not a regular file"),
            ("folder", "not a regular file"),
            ("missing.sh", "not present"),
            ("../bin/good.sh", "plain name"),
            ("/bin/sh", "plain name"),
            ("", "plain name"),
            ("-x", "plain name"),
            ("..", "plain name"),
        ];
        for (name, why) in table {
            let error = find(bin.path(), name).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
        fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(find(bin.path(), "good.sh").is_err());
    }
}
