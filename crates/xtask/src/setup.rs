//! What a fresh machine with Rust lacks before the tests can run.

use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::command::command;
use crate::command::output;
use crate::command::run;
use crate::command::works;

/// Installs what is missing: a C compiler (PCRE2 is built from source), rustfmt, clippy.
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
    Ok(())
}

fn install_compiler() -> Result<()> {
    const HINT: &str = "the C and C++ compilers are missing: install them (Debian: apt-get install build-essential)";
    let root = output(&mut here("id -u")).is_some_and(|id| id.trim_ascii() == b"0");
    if !root || !works("apt-get --version") {
        bail!("{HINT}");
    }
    println!("installing build-essential");
    run(&mut here("apt-get update")).context(HINT)?;
    run(here("apt-get install -y --no-install-recommends build-essential")
        .env("DEBIAN_FRONTEND", "noninteractive"))
    .context(HINT)
}

fn here(line: &str) -> std::process::Command {
    command(Path::new("."), line)
}
