//! Every `.case` file below `cases/` is a test of its own name. `UPDATE_CASES=1` writes the answers.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use engine::{Engine, Options, Outcome, Policy};
use libtest_mimic::{Arguments, Trial};
use model::RamMemory;
use rules::lists::List;
use testkit::case::{self, Answer, Case, Setting, Source, StepInput};

use support::{Parts, Text};

fn main() -> Result<ExitCode> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths = Vec::new();
    find(&dir, &mut paths)?;
    paths.sort();
    let trials = paths.into_iter().map(|path| {
        let name = path.strip_prefix(&dir).unwrap_or(&path).with_extension("");
        Trial::test(name.display().to_string(), move || {
            case::check(&path, start).map_err(|error| format!("{error:#}").into())
        })
    });
    Ok(libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code())
}

fn find(dir: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "case") {
            paths.push(path);
        }
    }
    Ok(())
}

/// What answers the events of a case: a fresh engine.
fn start(case: &Case) -> Result<impl FnMut(&StepInput) -> Answer + use<>> {
    let mut policies = BTreeMap::new();
    for step in &case.steps {
        let host = &step.first.host;
        if !policies.contains_key(host) {
            policies.insert(host.clone(), policy(case, host)?);
        }
    }
    let Some((host, first)) = policies.first_key_value() else { bail!("there are no events") };
    let mut engine = Engine::new(Arc::clone(first), Box::new(RamMemory::default()), 0);
    let mut current = host.clone();
    Ok(move |input: &StepInput| {
        if input.host != current
            && let Some(policy) = policies.get(&input.host)
        {
            engine.replace(Arc::clone(policy));
            current.clone_from(&input.host);
        }
        let outcome = engine.process(input.event.clone());
        answer(&outcome, engine.policy())
    })
}

fn policy(case: &Case, host: &str) -> Result<Arc<Policy>> {
    let mut options = Options {
        strict: case.is_strict,
        drop_repeated: false,
        statistics_level: 0,
        ..Options::default()
    };
    for setting in &case.settings {
        match setting {
            Setting::DropRepeated => options.drop_repeated = true,
            Setting::AlertNewFiles => options.alert_new_files = true,
            Setting::NoAutoIgnore => options.auto_ignore = false,
            Setting::NoFirewallActions => options.normalise_firewall = false,
        }
    }
    if case.ruleset.is_some() {
        bail!("cases of the engine name each file; whole rule sets are for `wachter run-tests`");
    }
    let lists = case.lists.iter().map(|list| List::from_text(&list.name, list.text.as_bytes()));
    let parts = Parts {
        decoders: texts(&case.decoders)?,
        rules: texts(&case.rules)?,
        lists: lists.collect(),
        options,
        server: Some(host.to_owned()),
    };
    let (policy, errors) = parts.load();
    if !errors.is_empty() {
        bail!(errors.join("\n"));
    }
    Ok(Arc::new(policy))
}

fn texts(sources: &[Source]) -> Result<Vec<Text>> {
    let read = |source: &Source| match source {
        Source::Inline { line_number, text } => {
            Ok((format!("line {line_number}"), text.clone().into_bytes()))
        }
        Source::File(path) => {
            let text =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            Ok((path.display().to_string(), text))
        }
    };
    sources.iter().map(read).collect()
}

fn answer(outcome: &Outcome, policy: &Policy) -> Answer {
    let Some(decoded) = outcome.decoded() else { return Answer::default() };
    let decoder = decoded.decoder.and_then(|index| policy.decoders.decoder(index));
    Answer {
        hostname: decoded.hostname().to_vec(),
        program: decoded.program_name().map(<[u8]>::to_vec),
        log: decoded.log().to_vec(),
        decoder: decoder
            .map(|decoder| decoder.name.as_str())
            .or(decoded.internal)
            .map(str::to_owned),
        fields: support::fields(outcome, policy),
        rule: outcome.matched().map(|matched| {
            let rule = policy.ruleset.rule(matched.rule);
            (rule.id, rule.level, outcome.is_alert())
        }),
        context: outcome.matched().map_or(0, |matched| matched.context.len()),
    }
}
