//! `wachter install`: puts an installation on this host, or brings one up to date.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use jiff::ZonedDateTime;
use lexopt::prelude::*;
use model::limits::FILE_BYTES_MAX;

use super::control;
use crate::home::{self, files};
use crate::install::init_conf::InitConf;
use crate::install::{self, ConfOptions, Found, Kind, Plan, Request};

const USAGE: &str = "\
usage: wachter install [options]

Lays out OSSEC's tree, writes an ossec.conf for the logs of this host, and makes the accounts that the
parts run as. Over an installation of OSSEC or an earlier one of Wachter it adds what is missing and
changes no file of yours: where a bundled file differs from yours, it is put beside it as FILE.new.

  --type TYPE           local, server or agent (default: what is there, or local)
  --home DIR            where (default /var/ossec)
  --server ADDRESS      the server of an agent
  --active-response     attackers are blocked (default: the responses are written, but disabled)
  --root DIR            put everything below DIR, to make a package
  --no-users            make no accounts; needed where you are not root
  --no-service          leave alone what starts it at boot
  --dry-run             say what would be done
";

/// What the command line asks for.
#[derive(Debug)]
struct Arguments {
    kind: Option<Kind>,
    home: PathBuf,
    root: PathBuf,
    server: Option<String>,
    active_response: bool,
    with_users: bool,
    with_service: bool,
    dry_run: bool,
}

pub(crate) fn run(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(arguments) = parse(parser)? else {
        write!(io::stdout(), "{USAGE}")?;
        return Ok(ExitCode::SUCCESS);
    };
    let request = request(&arguments)?;
    let found = install::discover(&request.root);
    let plan = install::plan(&request, &found, &ZonedDateTime::now());
    let is_running =
        !arguments.dry_run && control::is_running(&below(&request.root, &request.conf.home));
    if !arguments.dry_run {
        install::apply(&plan)?;
    }
    let report = report(&request, &plan, &found, arguments.dry_run, is_running);
    write!(io::stdout(), "{report}")?;
    Ok(ExitCode::SUCCESS)
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>> {
    let mut arguments = Arguments {
        kind: None,
        home: home::DEFAULT.into(),
        root: "/".into(),
        server: None,
        active_response: false,
        with_users: true,
        with_service: true,
        dry_run: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("type") => {
                let word = parser.value()?.string()?;
                let kind = Kind::of(&word);
                arguments.kind = Some(kind.with_context(|| {
                    format!("the type is local, server or agent, not `{}`", word.escape_debug())
                })?);
            }
            Long("home") => arguments.home = parser.value()?.into(),
            Long("root") => arguments.root = parser.value()?.into(),
            Long("server") => arguments.server = Some(parser.value()?.string()?),
            Long("active-response") => arguments.active_response = true,
            Long("no-users") => arguments.with_users = false,
            Long("no-service") => arguments.with_service = false,
            Long("dry-run") => arguments.dry_run = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(arguments))
}

/// Checks what is asked for, and looks up what is not said.
fn request(arguments: &Arguments) -> Result<Request> {
    let home = checked_home(&arguments.home)?;
    let root = arguments
        .root
        .canonicalize()
        .with_context(|| format!("the root {} is no directory", arguments.root.display()))?;
    if arguments.with_users && !arguments.dry_run && !rustix::process::geteuid().is_root() {
        bail!(
            "only root can make the accounts that the parts run as: run it as root, or leave \
             accounts and owners alone with --no-users"
        );
    }
    if let Some(server) = &arguments.server {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || ".:-_".contains(c);
        ensure!(
            !server.is_empty() && server.chars().all(is_fit),
            "the server is an address or a name, not `{}`",
            server.escape_debug()
        );
    }
    let there = kind_there(&root, &home);
    let kind = arguments.kind.or(there).unwrap_or(Kind::Local);
    if let Some(there) = there.filter(|there| *there != kind) {
        bail!(
            "{} is of type {there}; its ossec.conf stays as it is, so it cannot become {kind}: \
             move its etc/ossec.conf away first",
            home.display()
        );
    }
    ensure!(
        kind != Kind::Agent || there.is_some() || arguments.server.is_some(),
        "an agent reports to a server: name it with --server ADDRESS"
    );
    Ok(Request {
        root,
        kind,
        conf: ConfOptions {
            home,
            active_response: arguments.active_response,
            server: arguments.server.clone(),
            only_readable: false,
        },
        with_users: arguments.with_users,
        with_service: arguments.with_service,
    })
}

/// The home stands in scripts and in a unit, so it consists of plain characters.
fn checked_home(home: &Path) -> Result<PathBuf> {
    let text = home.to_str().unwrap_or_default();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let has_names = |path: &Path| path.components().skip(1).all(|part| part.as_os_str() != "..");
    ensure!(
        text.starts_with('/') && text.len() > 1 && text.chars().all(is_fit) && has_names(home),
        "the home is an absolute path of letters, digits and ._-+/, not `{}`",
        home.display().to_string().escape_debug()
    );
    Ok(home.components().collect())
}

/// The type of the installation that is there.
fn kind_there(root: &Path, home: &Path) -> Option<Kind> {
    let conf = files::read(&below(root, home).join("etc/ossec.conf"), FILE_BYTES_MAX).ok()?;
    let said = InitConf::read(root);
    if said.directory.as_deref() == Some(home) && said.kind.is_some() {
        return said.kind;
    }
    let conf = String::from_utf8_lossy(&conf);
    Some(match (conf.contains("<client>"), conf.contains("<remote>")) {
        (true, _) => Kind::Agent,
        (false, true) => Kind::Server,
        (false, false) => Kind::Local,
    })
}

fn below(root: &Path, home: &Path) -> PathBuf {
    root.join(home.strip_prefix("/").unwrap_or(home))
}

/// What was done, or would be, in lines.
fn report(
    request: &Request,
    plan: &Plan,
    found: &Found,
    dry_run: bool,
    is_running: bool,
) -> String {
    let (home, kind) = (plan.home.display(), request.kind);
    let mut lines = Vec::new();
    match (plan.steps.is_empty(), dry_run) {
        (true, _) => lines.push(format!("{home} ({kind}) is complete; nothing to do")),
        (false, true) => lines.push(format!("{home} ({kind}): this would be done")),
        (false, false) => lines.push(format!("{home} ({kind}): done")),
    }
    let (many, few): (Vec<&install::Step>, Vec<_>) =
        plan.steps.iter().partition(|step| !dry_run && step.is_common());
    lines.extend(few.iter().map(|step| format!("  {}", plan.tell(step))));
    if !many.is_empty() {
        lines.push(format!("  {} directories, files and links made", many.len()));
    }
    lines.extend(plan.notes.iter().map(|note| format!("  {note}")));
    if plan.writes("etc/ossec.conf") {
        let logs = &found.logs;
        lines.push("watched (etc/ossec.conf):".to_owned());
        lines.extend(logs.logs.iter().map(|log| format!("  {} ({})", log.location, log.format)));
        lines.extend(logs.journal.then(|| "  the journal".to_owned()));
        lines
            .extend(logs.left_out.iter().map(|log| format!("  not {}: {}", log.location, log.why)));
    }
    if is_running && !plan.steps.is_empty() {
        lines.push(format!("the old program still runs: {home}/bin/ossec-control restart"));
    }
    lines.join("\n") + "\n"
}
