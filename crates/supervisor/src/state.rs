//! What the supervisor knows of its roles, in a file for those who ask: `var/run/wachter.state`.
//!
//! One line a role, its values parted by tabs.

use std::fs;
use std::io;
use std::path::Path;

use sys::files;

/// Below the home.
const FILE: &str = "var/run/wachter.state";
/// Bytes of the file that are read.
const BYTES_MAX: u64 = 64 * 1024;

/// One role as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleState {
    pub daemon: String,
    /// The running process; 0 if it has ended and is to be started again.
    pub process: u32,
    /// Seconds since 1970 of its last start.
    pub since: i64,
    /// How often it was started again.
    pub restarts: u64,
    /// How it ended last; empty if it never did.
    pub last_end: String,
    /// Whether it has said that it is at work.
    pub is_ready: bool,
    /// The layers of its sandbox, and what the host lacks for more.
    pub layers: String,
    pub missing: String,
}

pub(crate) fn write(home: &Path, states: &[RoleState], group: Option<u32>) -> io::Result<()> {
    let path = home.join(FILE);
    let mut text = String::new();
    for state in states {
        // What a role says may be anything.
        let clean = |text: &str| text.replace(|c: char| c.is_control(), " ");
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            state.daemon,
            state.process,
            state.since,
            state.restarts,
            u8::from(state.is_ready),
            clean(&state.last_end),
            clean(&state.layers),
            clean(&state.missing),
        ));
    }
    files::write_fresh(&path, text.as_bytes(), group)
}

pub(crate) fn remove(home: &Path) {
    let _ = fs::remove_file(home.join(FILE));
}

/// The roles of the supervisor that runs in a home; none if the file is not there.
///
/// # Errors
///
/// Where the file cannot be read.
pub fn read_state(home: &Path) -> io::Result<Vec<RoleState>> {
    let file = match fs::File::open(home.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = io::read_to_string(io::Read::take(file, BYTES_MAX))?;
    Ok(text.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<RoleState> {
    let mut values = line.split('\t');
    Some(RoleState {
        daemon: values.next()?.to_owned(),
        process: values.next()?.parse().ok()?,
        since: values.next()?.parse().ok()?,
        restarts: values.next()?.parse().ok()?,
        is_ready: values.next()? == "1",
        last_end: values.next()?.to_owned(),
        layers: values.next()?.to_owned(),
        missing: values.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read_state(home.path()).unwrap(), []);
        fs::create_dir_all(home.path().join("var/run")).unwrap();
        let state = RoleState {
            daemon: "ossec-execd".to_owned(),
            process: 7,
            since: 1_795_560_311,
            restarts: 2,
            last_end: "killed by\tsignal 9".to_owned(),
            is_ready: true,
            layers: "user ossec, seccomp".to_owned(),
            missing: String::new(),
        };
        write(home.path(), &[RoleState::default(), state.clone()], None).unwrap();
        let last_end = "killed by signal 9".to_owned();
        let expected = RoleState { last_end, ..state };
        assert_eq!(read_state(home.path()).unwrap(), [RoleState::default(), expected]);
    }
}
