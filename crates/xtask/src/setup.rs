//! What a fresh machine with Rust lacks before the tests can run.

use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::command::command;
use crate::command::output;
use crate::command::run;
use crate::command::works;

/// Programs of the distribution that tests run for real, and the packages they come in. A test
/// whose program is missing skips itself and says so.
const PROGRAMS: &[(&str, &str)] = &[
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("sshpass", "sshpass"),
    ("sudo", "sudo"),
    ("rsyslogd", "rsyslog"),
    ("nginx", "nginx-light"),
    ("postfix", "postfix"),
    ("curl", "curl"),
    ("logrotate", "logrotate"),
    ("ip", "iproute2"),
    ("ps", "procps"),
    ("systemd-journal-remote", "systemd-journal-remote"),
    ("ipset", "ipset"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
];

/// Installs what is missing: a C compiler (PCRE2 is built from source), rustfmt, clippy, and what
/// the tests run.
pub(crate) fn install() -> Result<()> {
    if !works("cc --version") || !works("c++ --version") {
        install_compiler()?;
    }
    for (component, probe) in
        [("rustfmt", "cargo fmt --version"), ("clippy", "cargo clippy --version")]
    {
        if !works(probe) {
            println!("installing {component}");
            run(&mut here(&format!("rustup component add {component}"))).with_context(|| {
                format!("{component} is missing: rustup component add {component}")
            })?;
        }
    }
    install_programs()
}

fn install_compiler() -> Result<()> {
    const HINT: &str = "the C and C++ compilers are missing: install them (Debian: apt-get install build-essential)";
    if !may_install() {
        bail!("{HINT}");
    }
    install_packages("build-essential").context(HINT)
}

fn install_programs() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_in_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !may_install() {
        println!("SKIPPED: tests that run programs of these packages: {packages}");
        return Ok(());
    }
    install_packages(&packages).with_context(|| format!("installing {packages}"))
}

fn is_in_path(program: &str) -> bool {
    let folders = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
        "/usr/lib/systemd",
        "/lib/systemd",
    ];
    folders.iter().any(|folder| Path::new(folder).join(program).is_file())
}

/// Whether this is a Debian and we are root.
fn may_install() -> bool {
    let root = output(&mut here("id -u")).is_some_and(|id| id.trim_ascii() == b"0");
    root && works("apt-get --version")
}

fn install_packages(packages: &str) -> Result<()> {
    println!("installing {packages}");
    run(&mut here("apt-get update"))?;
    run(here(&format!("apt-get install -y --no-install-recommends {packages}"))
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

fn here(line: &str) -> std::process::Command {
    command(Path::new("."), line)
}
