//! Policies of our files and of OSSEC's, and what they say of a line.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use decode::{DecodeOptions, Forms};
use engine::{Engine, Options, Outcome, Policy};
use model::{Event, RamMemory, Severity, Source, SourceId, Sources, Timestamp};

/// What was made of files.
pub(crate) struct Loaded {
    pub(crate) policy: Arc<Policy>,
}

/// The folder of our files.
pub(crate) fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ruleset")
}

/// Our decoders and rules, as a plain install has them.
pub(crate) fn ours() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| load_ours(logtest_options()))
}

/// As [`ours`], with other options.
pub(crate) fn load_ours(options: Options) -> Loaded {
    Loaded::of(&our_decoders(), &rules_in_order(&dir()), options)
}

/// As logtest has them, which leaves out nothing.
pub(crate) fn logtest_options() -> Options {
    Options { drop_repeated: false, statistics_level: 0, ..Options::default() }
}

/// OSSEC's, where they are at hand.
pub(crate) fn ossec() -> Option<&'static Loaded> {
    static LOADED: OnceLock<Option<Loaded>> = OnceLock::new();
    let load = || {
        let dir = testkit::shared::path("ossec-ruleset")?;
        Some(Loaded::of(&[dir.join("decoder.xml")], &rules_in_order(&dir), logtest_options()))
    };
    LOADED.get_or_init(load).as_ref()
}

/// Our decoder files, in the order of their names.
pub(crate) fn our_decoders() -> Vec<PathBuf> {
    xml_files(&dir().join("decoders"))
}

/// The XML files of a folder by name.
pub(crate) fn xml_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "xml")).collect();
    paths.sort();
    paths
}

/// The files of `rules/` that `include-order.xml` names, in its order.
pub(crate) fn rules_in_order(dir: &Path) -> Vec<PathBuf> {
    let order = fs::read(dir.join("include-order.xml")).unwrap();
    let (rules, findings) = config::ossec_conf::read_rules(SourceId(0), &order);
    assert_eq!(findings, []);
    rules.rules.iter().map(|entry| dir.join("rules").join(entry.path())).collect()
}

impl Loaded {
    /// Loads files that must be without errors.
    pub(crate) fn of(decoders: &[PathBuf], rules: &[PathBuf], options: Options) -> Self {
        let mut sources = Sources::default();
        let mut read = |paths: &[PathBuf]| -> Vec<(SourceId, Vec<u8>)> {
            let read = |path: &PathBuf| {
                let text = fs::read(path).unwrap();
                let name = path.file_name().unwrap().to_string_lossy();
                (sources.add(Source::new(name, text.clone())), text)
            };
            paths.iter().map(read).collect()
        };
        let (decoder_texts, rule_texts) = (read(decoders), read(rules));
        let decoded = decode::load(&decode::LoadInput {
            files: &borrowed(&decoder_texts),
            options: DecodeOptions {
                server_name: b"server".to_vec(),
                forms: Forms::Extended,
                strip_control: false,
            },
            order_fields_max: 256,
        });
        let decoders = decoded.decoders;
        let ruled = rules::load(rules::LoadInput {
            files: &borrowed(&rule_texts),
            sources: &sources,
            lists: Vec::new(),
            decoder_ids: &|name| decoders.id(name),
            decoders_complete: true,
            decoders: &[],
            options: rules::LoadOptions::default(),
        });
        let findings = decoded.diagnostics.iter().chain(&ruled.diagnostics);
        let errors: Vec<&str> = findings
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(errors, [] as [&str; 0]);
        Self { policy: Arc::new(Policy::new(decoders, ruled.ruleset, None, options)) }
    }

    /// An engine that remembers nothing yet.
    pub(crate) fn engine(&self) -> Engine {
        Engine::new(Arc::clone(&self.policy), Box::new(RamMemory::default()), 1)
    }
}

fn borrowed(texts: &[(SourceId, Vec<u8>)]) -> Vec<(SourceId, &[u8])> {
    texts.iter().map(|(id, text)| (*id, text.as_slice())).collect()
}

/// A line as logtest takes it.
pub(crate) fn event(line: &[u8]) -> Event {
    Event {
        received: Timestamp::utc(1_790_000_000),
        location: b"stdin".to_vec(),
        line: line.to_vec(),
        ..Event::default()
    }
}

/// Final rule and its level.
pub(crate) fn rule(outcome: &Outcome, policy: &Policy) -> Option<(u32, u16)> {
    let rule = policy.ruleset.rule(outcome.matched()?.rule);
    Some((rule.id, rule.level))
}
