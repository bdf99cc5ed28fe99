//! Builds a policy from files, for the tests of the engine.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use decode::DecodeOptions;
use engine::{Options, Policy};
use model::{Diagnostic, Severity, Source, SourceId, Sources};

/// A policy of these decoder and rule files.
pub(crate) fn policy(decoders: &[PathBuf], rules: &[PathBuf], options: Options) -> Arc<Policy> {
    let mut sources = Sources::default();
    let mut read = |paths: &[PathBuf]| -> Vec<(SourceId, Vec<u8>)> {
        paths
            .iter()
            .map(|path| {
                let text = std::fs::read(path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let source = Source::new(path.display().to_string(), text.clone());
                (sources.add(source), text)
            })
            .collect()
    };
    let (decoders, rules) = (read(decoders), read(rules));
    let files: Vec<_> = decoders.iter().map(|(id, text)| (*id, text.as_slice())).collect();
    let decode_options =
        DecodeOptions { server_name: b"server".to_vec(), ..DecodeOptions::default() };
    let loaded = decode::load(&decode::LoadInput {
        files: &files,
        options: decode_options,
        order_fields_max: 256,
    });
    no_errors(&sources, &loaded.diagnostics);
    let decoders = loaded.decoders;
    let files: Vec<_> = rules.iter().map(|(id, text)| (*id, text.as_slice())).collect();
    let loaded = rules::load(rules::LoadInput {
        files: &files,
        sources: &sources,
        lists: Vec::new(),
        decoder_ids: &|name| decoders.id(name),
        decoders_complete: true,
        decoders: &[],
        options: rules::LoadOptions { strict: options.strict, ..rules::LoadOptions::default() },
    });
    no_errors(&sources, &loaded.diagnostics);
    Arc::new(Policy::new(decoders, loaded.ruleset, None, options))
}

#[track_caller]
fn no_errors(sources: &Sources, diagnostics: &[Diagnostic]) {
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let place = finding.at.and_then(|(source, span)| {
                let source = sources.get(source)?;
                Some((source.name.clone(), source.position(span.start)))
            });
            format!("{place:?}: {} ({:?})", finding.message, finding.hint)
        })
        .collect();
    assert_eq!(errors, Vec::<String>::new());
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
