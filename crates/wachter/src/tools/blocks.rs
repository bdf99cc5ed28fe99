//! `wachter blocks`: who is blocked and why; blocks and lifts by hand.
//!
//! Who is blocked is read from the ledger, so that it can be seen while nothing runs. Blocks are made
//! and lifted by ossec-execd alone, which is asked through its socket.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lexopt::Parser;
use lexopt::prelude::*;
use respond::blocks::{Block, By, State};
use respond::ledger;
use respond::responder::Files;
use respond::target::Target;
use serde::Serialize;
use sys::clock;

use crate::escape::{escaped, json as json_text};
use crate::home;
use crate::roles::execd::control::{self, Request};
use crate::tools::moment;

const USAGE: &str = "\
usage: wachter blocks [options] list
       wachter blocks [options] show TARGET
       wachter blocks [options] add TARGET [TIME] [WHY]
       wachter blocks [options] remove TARGET
       wachter blocks [options] undo --since TIME
       wachter blocks [options] flush

Shows who is blocked, until when and why; blocks somebody, and lifts blocks. TARGET is an address, a
network such as 203.0.113.0/24, or a user name. Run it as root.

  list                  all blocks, those that end first before the others
  show                  all that is known of the blocks of a target
  add                   blocks a target for TIME (10m, 2h, 3d or forever), else as long as the
                        configuration does
  remove                lifts the blocks of a target, and those of all within a network
  undo                  lifts all that was blocked in the last TIME (10m, 2h, 3d)
  flush                 lifts all blocks

  --with COMMAND        blocks by this command of ossec.conf, or by an action that is built in; else
                        by the configuration's first response against such a target
  --json                one JSON object a line
  --home DIR            the installation (default /var/ossec)

exit codes:
  0                     done
  1                     not done; what is in the way is said
  2                     nobody of that kind is blocked
";

/// The exit code where nobody is blocked who could be shown or lifted.
const NOBODY: u8 = 2;
/// How long an answer may take: a hundred thousand blocks are lifted in less.
const PATIENCE: Duration = Duration::from_secs(60);
/// Characters of a reason in the table.
const WHY_SHOWN: usize = 48;

struct Arguments {
    home: PathBuf,
    json: bool,
    task: Task,
}

enum Task {
    List,
    Show(String),
    Ask(Request),
}

pub(crate) fn run(parser: Parser) -> Result<ExitCode> {
    let Some(Arguments { home, json, task }) = parse(parser)? else {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    let mut out = io::stdout().lock();
    match task {
        Task::List => {
            let blocks = current(&home)?;
            if json {
                print_json(&mut out, &blocks)?
            } else {
                print_table(&mut out, &blocks)?
            }
            Ok(ExitCode::SUCCESS)
        }
        Task::Show(target) => {
            let mut blocks = current(&home)?;
            let meant = control::target(&target).context(NO_TARGET)?;
            blocks.retain(|block| control::is_meant(&block.key.target, &meant));
            if json {
                print_json(&mut out, &blocks)?
            } else {
                print_all(&mut out, &blocks)?
            }
            Ok(if blocks.is_empty() { ExitCode::from(NOBODY) } else { ExitCode::SUCCESS })
        }
        Task::Ask(request) => ask(&mut out, &home, json, &request),
    }
}

const NO_TARGET: &str = "that is neither an address, a network nor a user name";

fn parse(mut parser: Parser) -> Result<Option<Arguments>> {
    let (mut home, mut json) = (PathBuf::from(home::DEFAULT), false);
    let (mut since, mut command, mut words) = (None, None, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("home") | Short('D') => home = parser.value()?.into(),
            Long("json") => json = true,
            Long("with") => command = Some(parser.value()?.string()?),
            Long("since") => since = Some(parser.value()?.string()?),
            Long("help") | Short('h') => return Ok(None),
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut words = words.into_iter();
    let task = match words.next().as_deref() {
        None | Some("list") => Task::List,
        Some("show") => Task::Show(words.next().context("show whom? see wachter blocks --help")?),
        Some("add") => {
            let target = words.next().context("block whom? see wachter blocks --help")?;
            let mut rest: Vec<String> = words.by_ref().collect();
            // The first word may be a time, or begin the reason.
            let seconds = rest.first().and_then(|word| seconds(word));
            if seconds.is_some() {
                rest.remove(0);
            }
            let (who, why) = (who(), rest.join(" "));
            Task::Ask(Request::Add { command: command.take(), target, seconds, who, why })
        }
        Some("remove") => Task::Ask(Request::Lift {
            target: words.next().context("lift whose block? see wachter blocks --help")?,
        }),
        Some("undo") => {
            let text = since.take().context("undo since when? as in --since 10m")?;
            let length = moment::span(&text).with_context(|| {
                format!("`{}` is not a time like 10m, 2h or 3d", text.escape_debug())
            })?;
            Task::Ask(Request::Undo { seconds: length.as_secs() })
        }
        Some("flush") => Task::Ask(Request::Flush),
        Some(other) => {
            bail!("there is no `{}` here; see wachter blocks --help", other.escape_debug())
        }
    };
    if let Some(word) = words.next() {
        bail!("`{}` is too much; see wachter blocks --help", word.escape_debug());
    }
    if since.is_some() || command.is_some() {
        bail!("--since is for undo, --with for add; see wachter blocks --help");
    }
    Ok(Some(Arguments { home, json, task }))
}

/// Seconds of `600`, `10m` or `forever`, which is 0.
fn seconds(word: &str) -> Option<u32> {
    if word == "forever" {
        return Some(0);
    }
    let length = word.parse().ok().or_else(|| moment::span(word).map(|span| span.as_secs()));
    length.and_then(|seconds: u64| u32::try_from(seconds).ok())
}

/// Who asks, for the ledger: with sudo, who is behind it.
fn who() -> String {
    let name = |variable: &str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let name = name("SUDO_USER").or_else(|| name("USER")).or_else(|| name("LOGNAME"));
    name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

/// The blocks that are in force or on their way, those that end first before the others.
fn current(home: &Path) -> Result<Vec<Block>> {
    let path = Files::of(home).ledger;
    let loaded = match ledger::read(&path) {
        Ok(loaded) => loaded,
        // Nobody was blocked yet; but if the folder cannot be read, that is not known.
        Err(error) if error.kind() == io::ErrorKind::NotFound && home.is_dir() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let mut blocks = loaded.blocks;
    blocks.retain(|block| block.state != State::Past);
    blocks.sort_by(|one, other| {
        let end = |block: &Block| block.until.unwrap_or(i64::MAX);
        (end(one), &one.key).cmp(&(end(other), &other.key))
    });
    Ok(blocks)
}

fn ask(out: &mut impl Write, home: &Path, json: bool, request: &Request) -> Result<ExitCode> {
    let answer = control::ask(home, request, PATIENCE)
        .with_context(|| format!("asking ossec-execd of {}: is it running?", home.display()))?;
    if json {
        writeln!(out, "{}", json_text(&serde_json::to_string(&answer)?))?;
    } else {
        for line in &answer.told {
            writeln!(out, "{}", escaped(line.as_bytes()))?;
        }
        if answer.done && answer.told.is_empty() {
            let what = match (request, answer.count) {
                (_, 0) => "nobody of that kind is blocked".to_owned(),
                (Request::Add { .. }, _) => "it is blocked".to_owned(),
                (_, count) => format!("{count} blocks are lifted"),
            };
            writeln!(out, "{what}")?;
        }
    }
    Ok(match (answer.done, answer.count) {
        (false, _) => ExitCode::FAILURE,
        (true, 0) if !matches!(request, Request::Flush) => ExitCode::from(NOBODY),
        (true, _) => ExitCode::SUCCESS,
    })
}

fn print_table(out: &mut impl Write, blocks: &[Block]) -> io::Result<()> {
    let now = clock::wall().seconds;
    let head = ["target", "by", "since", "left", "times", "why"].map(str::to_owned);
    let row = |block: &Block| {
        [
            escaped(block.key.target.to_string().as_bytes()),
            escaped(block.command.as_bytes()),
            format!("{} ago", moment::length(now.saturating_sub(block.since))),
            left(block, now),
            block.offences.to_string(),
            why(block),
        ]
    };
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(blocks.iter().map(row)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn left(block: &Block, now: i64) -> String {
    match block.state {
        State::Wanted => "being made".to_owned(),
        State::Lifting | State::Past => "being lifted".to_owned(),
        State::Held => match block.left(now) {
            Some(left) => moment::length(i64::try_from(left).unwrap_or(i64::MAX)),
            None => "for ever".to_owned(),
        },
    }
}

fn why(block: &Block) -> String {
    let why = match &block.by {
        By::Rule => {
            let line = escaped(&block.cause.line);
            format!("rule {}: {line}", block.cause.rule)
        }
        By::Person(why) => escaped(why.as_bytes()),
    };
    match why.char_indices().nth(WHY_SHOWN) {
        Some((end, _)) => format!("{}…", why.get(..end).unwrap_or_default()),
        None => why,
    }
}

fn print_all(out: &mut impl Write, blocks: &[Block]) -> io::Result<()> {
    let now = clock::wall().seconds;
    let at = |seconds: i64| {
        let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    };
    if blocks.is_empty() {
        return writeln!(out, "nobody of that kind is blocked");
    }
    for block in blocks {
        let Block { key, command, since, until, offences, by, cause, .. } = block;
        writeln!(out, "{}", escaped(key.target.to_string().as_bytes()))?;
        let command = escaped(command.as_bytes());
        writeln!(out, "  by       {command} ({})", escaped(key.executable.as_bytes()))?;
        writeln!(out, "  since    {}, {} times", at(*since), offences)?;
        match until {
            Some(until) => writeln!(out, "  until    {}, {} left", at(*until), left(block, now))?,
            None => writeln!(out, "  until    it is lifted")?,
        }
        match by {
            By::Rule => {
                writeln!(out, "  rule     {} (level {})", cause.rule, cause.level)?;
                writeln!(out, "  alert    {}", cause.alert)?;
                writeln!(out, "  location {}", escaped(&cause.location))?;
                writeln!(out, "  line     {}", escaped(&cause.line))?;
            }
            By::Person(why) => writeln!(out, "  person   {}", escaped(why.as_bytes()))?,
        }
    }
    Ok(())
}

/// A block as programs read it.
#[derive(Serialize)]
struct JsonBlock<'a> {
    target: String,
    command: &'a str,
    executable: &'a str,
    state: &'static str,
    since: i64,
    until: Option<i64>,
    times: u32,
    rule: Option<u32>,
    level: Option<u16>,
    alert: Option<String>,
    location: Option<String>,
    line: Option<String>,
    person: Option<&'a str>,
}

fn print_json(out: &mut impl Write, blocks: &[Block]) -> Result<()> {
    for block in blocks {
        let cause = Some(&block.cause).filter(|_| block.by == By::Rule);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let block = JsonBlock {
            target: target_text(&block.key.target),
            command: &block.command,
            executable: &block.key.executable,
            state: match block.state {
                State::Wanted => "wanted",
                State::Held => "held",
                State::Lifting => "lifting",
                State::Past => "past",
            },
            since: block.since,
            until: block.until,
            times: block.offences,
            rule: cause.map(|cause| cause.rule),
            level: cause.map(|cause| cause.level),
            alert: cause.map(|cause| cause.alert.to_string()),
            location: cause.map(|cause| text(&cause.location)),
            line: cause.map(|cause| text(&cause.line)),
            person: match &block.by {
                By::Rule => None,
                By::Person(why) => Some(why),
            },
        };
        writeln!(out, "{}", json_text(&serde_json::to_string(&block)?))?;
    }
    Ok(())
}

/// The target alone, without words about it.
fn target_text(target: &Target) -> String {
    match (target.net, &target.user) {
        (Some(net), _) => net.to_string(),
        (None, Some(user)) => user.as_str().to_owned(),
        (None, None) => target.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Result<Task> {
        let arguments = std::iter::once(&"blocks").chain(words);
        Ok(parse(Parser::from_args(arguments.skip(1).copied()))?.unwrap().task)
    }

    #[test]
    fn what_people_ask_for() {
        for (words, seconds, why) in [
            (&["add", "203.0.113.7"][..], None, ""),
            (&["add", "203.0.113.7", "600"], Some(600), ""),
            (&["add", "203.0.113.7", "2h", "port", "scan"], Some(7200), "port scan"),
            (&["add", "203.0.113.7", "forever", "enough"], Some(0), "enough"),
            (&["add", "203.0.113.7", "it is loud"], None, "it is loud"),
        ] {
            let Ok(Task::Ask(Request::Add { seconds: found, why: reason, .. })) = request(words)
            else {
                panic!("{words:?}")
            };
            assert_eq!((found, reason.as_str()), (seconds, why), "{words:?}");
        }
        assert!(matches!(request(&[]), Ok(Task::List)));
        let undo = request(&["undo", "--since", "10m"]);
        assert!(matches!(undo, Ok(Task::Ask(Request::Undo { seconds: 600 }))));
    }

    #[test]
    fn mistakes_are_told() {
        for words in [
            &["add"][..],
            &["remove"],
            &["remove", "203.0.113.7", "203.0.113.8"],
            &["undo"],
            &["undo", "--since", "yesterday"],
            &["list", "--with", "x"],
            &["unban", "203.0.113.7"],
            &["--jason"],
        ] {
            assert!(request(words).is_err(), "{words:?}");
        }
    }
}
