//! Builds a policy from files, for the tests of the engine.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "each test uses a part, and may fail anywhere"
)]

pub(crate) mod generate;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use decode::{DecodeOptions, Name};
use engine::{Options, Outcome, Policy};
use model::{Diagnostic, Severity, Source, SourceId, Sources};
use rules::lists::List;

pub(crate) use watch::{Nobody, SharedMemory};

/// A file's name and text.
pub(crate) type Text = (String, Vec<u8>);

/// What a policy is made of.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    pub(crate) decoders: Vec<Text>,
    pub(crate) rules: Vec<Text>,
    pub(crate) lists: Vec<List>,
    pub(crate) options: Options,
    /// As the log lines name this server.
    pub(crate) server: Option<String>,
}

impl Parts {
    /// The policy, and all that is wrong with it.
    pub(crate) fn load(self) -> (Policy, Vec<String>) {
        let Self { decoders, rules, lists, options, server } = self;
        let mut sources = Sources::default();
        let mut add = |texts: Vec<Text>| -> Vec<(SourceId, Vec<u8>)> {
            texts
                .into_iter()
                .map(|(name, text)| (sources.add(Source::new(name, text.clone())), text))
                .collect()
        };
        let (decoders, rules) = (add(decoders), add(rules));
        let files: Vec<_> = decoders.iter().map(|(id, text)| (*id, text.as_slice())).collect();
        let forms = if options.strict { decode::Forms::Strict } else { decode::Forms::Extended };
        let decode_options = DecodeOptions {
            server_name: server.unwrap_or_else(|| "server".to_owned()).into_bytes(),
            forms,
            strip_control: options.strict,
        };
        let loaded = decode::load(&decode::LoadInput {
            files: &files,
            options: decode_options,
            order_fields_max: 256,
        });
        let mut found = errors(&sources, &loaded.diagnostics);
        let decoders = loaded.decoders;
        let files: Vec<_> = rules.iter().map(|(id, text)| (*id, text.as_slice())).collect();
        let loaded = rules::load(rules::LoadInput {
            files: &files,
            sources: &sources,
            lists,
            decoder_ids: &|name| decoders.id(name),
            decoders_complete: true,
            decoders: &[],
            options: rules::LoadOptions { strict: options.strict, ..rules::LoadOptions::default() },
        });
        found.extend(errors(&sources, &loaded.diagnostics));
        (Policy::new(decoders, loaded.ruleset, None, options), found)
    }

    /// A policy that must be without errors.
    #[track_caller]
    pub(crate) fn policy(self) -> Arc<Policy> {
        let (policy, errors) = self.load();
        assert_eq!(errors, Vec::<String>::new());
        Arc::new(policy)
    }
}

/// A policy of these decoder and rule files.
pub(crate) fn policy(decoders: &[PathBuf], rules: &[PathBuf], options: Options) -> Arc<Policy> {
    let read = |paths: &[PathBuf]| -> Vec<Text> {
        let read = |path: &PathBuf| {
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
    };
    Parts { decoders: read(decoders), rules: read(rules), options, ..Parts::default() }.policy()
}

fn errors(sources: &Sources, diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let place = finding.at.and_then(|(source, span)| {
                let source = sources.get(source)?;
                Some((source.name.clone(), source.position(span.start)))
            });
            format!("{place:?}: {} ({:?})", finding.message, finding.hint)
        })
        .collect()
}

/// Label and value of each decoded field, in the order they were assigned.
pub(crate) fn fields(outcome: &Outcome, policy: &Policy) -> Vec<(String, Vec<u8>)> {
    let Some(decoded) = outcome.decoded() else { return Vec::new() };
    let labelled = decoded.fields.names().iter().map(|&name| {
        let label = match name {
            Name::Static(field) => field.label().to_owned(),
            Name::Dynamic(field) => policy.decoders.dynamic_names()[field.0 as usize].clone(),
        };
        let value = decoded.fields.value(name, decoded.full_log()).unwrap_or_default();
        (label, value.to_vec())
    });
    labelled.collect()
}

/// OSSEC's own decoders and rules, where they are at hand.
pub(crate) fn ossec(options: Options) -> Option<Arc<Policy>> {
    let dir = testkit::shared::path("ossec-ruleset")?;
    let order = std::fs::read(dir.join("include-order.xml")).unwrap();
    let parsed = osxml::parse(SourceId(0), &order);
    let rules: Vec<PathBuf> = parsed
        .elements
        .iter()
        .flat_map(|element| &element.children)
        .filter(|child| child.is("include"))
        .map(|child| dir.join("rules").join(Path::new(child.text().as_ref())))
        .collect();
    assert!(rules.len() > 50, "{} rule files", rules.len());
    Some(policy(&[dir.join("decoder.xml")], &rules, options))
}

/// What logtest does not do: leave out repeated lines.
pub(crate) fn logtest_options() -> Options {
    Options { drop_repeated: false, statistics_level: 0, ..Options::default() }
}
