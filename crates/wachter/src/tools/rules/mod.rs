//! `wachter rules`: which rules there are and what they mean, for a person or as a page.

mod examples;
mod page;
mod show;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use engine::Policy;
use lexopt::prelude::*;
use model::Sources;
use rules::ruleset::Rule;

use crate::home::{self, Depth, Origin, Parts, PartsOption};
use crate::report;
use examples::Examples;

const USAGE: &str = "\
usage: wachter rules [ID] [options]

Lists the rules of an installation, one a line: id, level, description. With ID, tells all about one.

  --group GROUP         only rules of this group, mitre_T1110 for example
  --level N             only rules of this level or higher
  --cases DIR|FILE      .case files, to show lines that fire a rule
  --markdown            as a page, in the order of the files
  -D DIR                directory of the installation (default /var/ossec)
";

/// Which rules are asked for.
#[derive(Debug, Default)]
struct Filter {
    group: Option<String>,
    level: u16,
}

#[derive(Debug, Default)]
struct Arguments {
    id: Option<u32>,
    filter: Filter,
    cases: Option<PathBuf>,
    markdown: bool,
    home: Option<PathBuf>,
    parts: Parts,
}

/// Rules with the files they stand in.
struct Loaded {
    policy: Policy,
    sources: Sources,
}

pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(Arguments { id, filter, cases, markdown, home, parts }) = parse(arguments)? else {
        write!(io::stdout(), "{USAGE}{}", home::USAGE)?;
        return Ok(ExitCode::SUCCESS);
    };
    let installation = Origin::of(parts, home, None).read(Depth::Load);
    let Some(policy) = installation.policy else {
        let errors = report::errors(&installation.sources, &installation.diagnostics);
        bail!("decoders and rules cannot be used\n{errors}");
    };
    let loaded = Loaded { policy, sources: installation.sources };
    let examples = cases.map_or_else(|| Ok(Examples::default()), |path| Examples::read(&path))?;
    let text = match id {
        Some(id) => match loaded.policy.ruleset.find(id) {
            Some(rule) => show::one(rule, &loaded, &examples),
            None => bail!("there is no rule {id}"),
        },
        None if markdown => page::page(&loaded, &filter, &examples),
        None => show::list(&loaded, &filter),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// `None` where help is wanted.
fn parse(mut arguments: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let mut parsed = Arguments::default();
    while let Some(argument) = arguments.next()? {
        if let Some(option) = PartsOption::of(&argument) {
            parsed.parts.take(option, &mut arguments)?;
            continue;
        }
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("group") => parsed.filter.group = Some(arguments.value()?.string()?),
            Long("level") => parsed.filter.level = arguments.value()?.parse()?,
            Long("cases") => parsed.cases = Some(arguments.value()?.into()),
            Long("markdown") => parsed.markdown = true,
            Short('D') => parsed.home = Some(arguments.value()?.into()),
            Value(value) if parsed.id.is_none() => parsed.id = Some(value.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(parsed))
}

impl Filter {
    fn takes(&self, rule: &Rule) -> bool {
        let has = |group: &String| groups(rule).any(|name| name == group);
        rule.level >= self.level && self.group.as_ref().is_none_or(has)
    }
}

impl Loaded {
    /// The rules that are asked for, in load order.
    fn rules<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Rule> {
        self.policy.ruleset.rules.iter().filter(|rule| filter.takes(rule))
    }
}

/// A rule's groups, those that name techniques included.
fn groups(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.groups.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The technique of MITRE ATT&CK that a group names: `T1110.001` for `mitre_T1110_001`.
fn technique(group: &str) -> Option<String> {
    group.strip_prefix("mitre_").map(|name| name.replace('_', "."))
}

/// A rule's techniques, separated by commas.
fn techniques(rule: &Rule) -> String {
    groups(rule).filter_map(technique).collect::<Vec<_>>().join(", ")
}
