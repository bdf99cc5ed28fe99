//! `wachter gate`: what another host may do with this host's sets. It is the forced command of a key.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::Parser;
use lexopt::prelude::*;
use respond::actions::open_gateway;
use respond::allow::{AllowList, look_up};
use respond::gate::{At, Gateway, LINE_BYTES_MAX, answer};
use respond::host;
use respond::place::Where;

use crate::home::{self, Origin};
use crate::roles::execd::settings::gateway;

const USAGE: &str = "\
usage: wachter gate [--home DIR]

Adds and takes addresses to and from the ipset sets of this gateway, as another host asks for by lines
on standard input: add ADDRESS SECONDS, delete ADDRESS, list. Nothing else is understood. Addresses of
the allow list and those that this host needs are refused. It is meant for authorized_keys:

  restrict,command=\"wachter gate\" ssh-ed25519 AAAA…

  --home DIR            whose etc/ossec.conf and etc/wachter.toml hold here, if they are there
                        (default /var/ossec)
";

/// What `ssh` has asked for; the answer is the same.
const ORIGINAL_COMMAND: &str = "SSH_ORIGINAL_COMMAND";

pub(crate) fn run(mut parser: Parser) -> Result<ExitCode> {
    let mut home = PathBuf::from(home::DEFAULT);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("home") | Short('D') => home = parser.value()?.into(),
            Long("help") | Short('h') => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    // Who called another command by this key gets no further than to an error.
    let asked = std::env::var_os(ORIGINAL_COMMAND);
    let asked = asked.as_deref().and_then(|text| text.to_str()).unwrap_or_default();
    if !["", "wachter gate"].contains(&asked) {
        println!("error this key is for `wachter gate` alone");
        return Ok(ExitCode::FAILURE);
    }
    let settings = Origin::home(&home).settings();
    let mut allow = AllowList::of(&settings.conf);
    allow.resolved(&look_up(&allow.names()));
    allow.found(host::gather(Path::new("/proc"), Path::new("/etc/resolv.conf")));
    let gateway = gateway(&settings);
    let gateway = match gateway.at {
        At::Host(_) => gateway,
        // A gate that leads to another gate would lead who knows where.
        At::Ssh(_) => Gateway { at: At::Host(Where::Here), ..gateway },
    };
    let mut action = open_gateway(&gateway).context("opening the sets")?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut all_well = true;
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = LINE_BYTES_MAX as u64 + 2;
        if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        // The rest of a line that is too long is more lines that are none.
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let answer = answer(text, &allow, &mut *action);
        all_well &= answer.ends_with("ok\n");
        output.write_all(answer.as_bytes())?;
        output.flush()?;
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
