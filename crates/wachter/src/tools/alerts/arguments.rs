//! The command line of `wachter alerts`.

use std::path::PathBuf;

use lexopt::ValueExt;
use lexopt::prelude::*;
use model::Timestamp;

use super::filter::{Filter, Network};

use crate::home;
use crate::tools::moment;

pub(super) const USAGE: &str = "\
usage: wachter alerts [options]

Shows the alerts of an installation, oldest first: without --since the last 20.

  --home DIR            directory of the installation (default /var/ossec)
  -f, --follow          go on with alerts as they come
  --since TIME          alerts from that time on: 10m, 2h, 3d, today, yesterday, 14:30, 2026-11-24,
                        2026-11-24 14:30, or seconds since 1970 as @1795560317
  --level N             alerts of this level and above
  --rule ID[,ID...]     alerts of these rules
  --group GROUP         alerts of rules in this group
  --src ADDRESS[/BITS]  alerts whose source address is this one or in this network
  -n, --limit N         the last N of them at most
  --json                as lines of alerts.json
  --verify              check that nothing in the journal was changed, and show the hash that proves it
  -h, --help            show this

exit codes: 0, or 1 if something could not be read or was changed, 2 if the command line is wrong.
";

/// Alerts shown where neither a time nor a number is given.
const LIMIT_DEFAULT: usize = 20;
/// Alerts that `--limit` may ask for; who wants more asks by time.
const LIMIT_MAX: usize = 10_000_000;

#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) home: PathBuf,
    pub(super) follow: bool,
    pub(super) filter: Filter,
    /// The last so many; `None` for all.
    pub(super) limit: Option<usize>,
    pub(super) json: bool,
    pub(super) verify: bool,
}

/// `None` where help is wanted.
pub(super) fn parse(
    mut parser: lexopt::Parser,
    now: Timestamp,
) -> Result<Option<Arguments>, lexopt::Error> {
    let mut arguments = Arguments {
        home: home::DEFAULT.into(),
        follow: false,
        filter: Filter::default(),
        limit: None,
        json: false,
        verify: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('D') | Long("home") => arguments.home = parser.value()?.into(),
            Short('f') | Long("follow") => arguments.follow = true,
            Long("json") => arguments.json = true,
            Long("verify") => arguments.verify = true,
            Short('n') | Long("limit") => {
                let limit: usize = parser.value()?.parse()?;
                if limit > LIMIT_MAX {
                    return Err(format!("--limit takes at most {LIMIT_MAX}; use --since").into());
                }
                arguments.limit = Some(limit);
            }
            Long("since") => {
                let text = parser.value()?.string()?;
                arguments.filter.since = Some(moment::parse(&text, now)?);
            }
            Long("level") => arguments.filter.level = parser.value()?.parse()?,
            Long("rule") => {
                let ids = parser.value()?.string()?;
                for id in ids.split(',') {
                    let id = id.trim().parse().map_err(|_| format!("`{id}` is not a rule id"))?;
                    arguments.filter.rules.push(id);
                }
            }
            Long("group") => arguments.filter.group = Some(parser.value()?.string()?),
            Long("src") => {
                let text = parser.value()?.string()?;
                let network = Network::of(&text).ok_or_else(|| {
                    format!("`{text}` is not an address, nor a network like 192.0.2.0/24")
                })?;
                arguments.filter.source = Some(network);
            }
            other => return Err(other.unexpected()),
        }
    }
    if arguments.filter.since.is_none() {
        arguments.limit.get_or_insert(LIMIT_DEFAULT);
    }
    Ok(Some(arguments))
}
