//! The commands, one file each.

pub(crate) mod alerts;
pub(crate) mod bench;
pub(crate) mod blocks;
pub(crate) mod check;
pub(crate) mod control;
pub(crate) mod daemon;
pub(crate) mod gate;
pub(crate) mod install;
pub(crate) mod logtest;
pub(crate) mod makelists;
pub(crate) mod moment;
pub(crate) mod notify;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod run_tests;
pub(crate) mod status;
pub(crate) mod supervise;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use lexopt::Parser;
use model::diagnostic::nearest;

/// A command.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// The program of OSSEC that it stands for: under that name the binary is this command alone.
    pub(crate) original: Option<&'static str>,
    /// What it does, for the help.
    pub(crate) about: &'static str,
    pub(crate) run: fn(Parser) -> Result<ExitCode>,
}

pub(crate) const ALL: &[Tool] = &[
    Tool {
        name: "run",
        original: None,
        about: "watches this host and shows alerts as they come",
        run: run::run,
    },
    Tool {
        name: "logtest",
        original: Some("ossec-logtest"),
        about: "says what decoders and rules make of log lines",
        run: logtest::run,
    },
    Tool {
        name: "alerts",
        original: None,
        about: "shows and follows the alerts of an installation",
        run: alerts::run,
    },
    Tool {
        name: "blocks",
        original: None,
        about: "shows who is blocked; blocks and lifts by hand",
        run: blocks::run,
    },
    Tool {
        name: "check",
        original: None,
        about: "reports what is wrong in configuration, decoders and rules",
        run: check::run,
    },
    Tool {
        name: "run-tests",
        original: None,
        about: "runs .ini and .case files against decoders and rules",
        run: run_tests::run,
    },
    Tool {
        name: "rules",
        original: None,
        about: "lists rules, or tells all about one",
        run: rules::run,
    },
    Tool {
        name: "makelists",
        original: Some("ossec-makelists"),
        about: "compiles lists for OSSEC",
        run: makelists::run,
    },
    Tool {
        name: "install",
        original: None,
        about: "puts an installation on this host, or brings one up to date",
        run: install::run,
    },
    Tool {
        name: "control",
        original: Some("ossec-control"),
        about: "starts, stops, reloads an installation, says what runs",
        run: control::run,
    },
    Tool {
        name: "bench",
        original: None,
        about: "measures how fast events are processed",
        run: |arguments| bench::run(arguments).map(|()| ExitCode::SUCCESS),
    },
    Tool {
        name: "status",
        original: None,
        about: "shows how an installation is and what goes through it",
        run: status::run,
    },
    Tool {
        name: "gate",
        original: None,
        about: "lets another host add addresses to this gateway's sets",
        run: gate::run,
    },
    Tool {
        name: "notify",
        original: None,
        about: "sends a message of an active response to the web",
        run: notify::run,
    },
    Tool {
        name: "supervise",
        original: None,
        about: "starts the processes of an installation and keeps them running",
        run: supervise::run,
    },
    Tool { name: "help", original: None, about: "shows this", run: help },
    Tool { name: "version", original: None, about: "shows the version", run: version },
];

/// What is said about a command that does not exist.
pub(crate) fn unknown(name: &str) -> String {
    let meant = nearest(name, ALL.iter().map(|tool| tool.name));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "see wachter help".to_owned(),
    };
    format!("there is no command `{}`; {hint}", name.escape_debug())
}

fn help(_: Parser) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    writeln!(out, "usage: wachter COMMAND [options]\n")?;
    for tool in ALL {
        writeln!(out, "  {:<10}{}", tool.name, tool.about)?;
    }
    writeln!(out, "\nwachter COMMAND --help tells more.")?;
    Ok(ExitCode::SUCCESS)
}

fn version(_: Parser) -> Result<ExitCode> {
    println!("wachter {}", env!("CARGO_PKG_VERSION"));
    Ok(ExitCode::SUCCESS)
}
