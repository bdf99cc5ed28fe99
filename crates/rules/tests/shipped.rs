//! OSSEC's own rules load without errors. They stand beside the project; without them the test
//! says so and passes.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test")]

use model::{Category, DecoderId, Diagnostic, Severity, Source, SourceId, Sources};
use osxml::Element;
use rules::{DecoderFacts, LoadInput, LoadOptions};
use std::path::{Path, PathBuf};

struct Decoder {
    name: String,
    parent: Option<String>,
    own_name: bool,
    category: Category,
    /// Plugins set the type by what they find.
    plugin: bool,
}

fn shipped() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ossec-ruleset");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is missing", path.display());
    None
}

fn elements(path: &Path) -> Vec<Element> {
    let text = std::fs::read(path).expect("a readable file");
    osxml::parse(SourceId(0), &text).elements
}

fn decoders(path: &Path) -> Vec<Decoder> {
    let text = |element: &Element, name: &str| {
        let child = element.children.iter().find(|child| child.is(name))?;
        Some(child.text().into_owned())
    };
    elements(path)
        .iter()
        .map(|element| Decoder {
            name: element.attribute("name").expect("a name").text().into_owned(),
            parent: text(element, "parent"),
            own_name: text(element, "use_own_name").as_deref() == Some("true"),
            category: text(element, "type").map_or(Category::Syslog, |word| {
                Category::from_word(word.as_bytes()).expect("a category")
            }),
            plugin: text(element, "plugin_decoder").is_some(),
        })
        .collect()
}

const INTERNAL_DECODERS: [&str; 8] = [
    "rootcheck",
    "syscheck_integrity_changed",
    "syscheck_integrity_changed_2nd",
    "syscheck_integrity_changed_3rd",
    "syscheck_new_entry",
    "syscheck_deleted",
    "hostinfo_new",
    "hostinfo_modified",
];

/// What the second pass finds. Each was looked at and is true.
const LINTS: [&str; 8] = [
    "shadowed: rule 12118 can never match: rule 12123 is tried before it and wants no more",
    "shadowed: rule 12121 can never match: rule 12126 is tried before it and wants no more",
    "shadowed: rule 12127 can never match: rule 12122 is tried before it and wants no more",
    "no-description: rule 13106 has no description",
    "never-matches: rule 18155 can never match: rule 18102 has level 0 and never alerts, so \
     nothing is counted",
    "never-matches: rule 51007 can never match: rule 51000 has level 0 and never alerts, so \
     nothing is counted",
    "shadowed: rule 53204 can never match: rule 53200 is tried before it and wants no more",
    "shadowed: rule 53205 can never match: rule 53200 is tried before it and wants no more",
];

/// The names of the decoders with what events carry them; those of the program itself are told
/// without.
fn facts(decoders: &[Decoder]) -> Vec<DecoderFacts<'_>> {
    let mut facts: Vec<DecoderFacts<'_>> = Vec::new();
    for decoder in decoders {
        let reported = decoder.parent.is_none() || decoder.own_name;
        let carried = match &decoder.parent {
            Some(parent) if !reported => parent,
            Some(_) | None => &decoder.name,
        };
        for (name, reported) in [(carried, true), (&decoder.name, reported)] {
            match facts.iter_mut().find(|facts| facts.name == name) {
                Some(known) => {
                    known.reported |= reported;
                    known.categories.push(decoder.category);
                }
                None => {
                    facts.push(DecoderFacts { name, reported, categories: vec![decoder.category] })
                }
            }
        }
    }
    let plugins = decoders.iter().filter(|decoder| decoder.plugin);
    let plugins: Vec<&str> = plugins.map(|decoder| decoder.name.as_str()).collect();
    for known in facts.iter_mut().filter(|known| plugins.contains(&known.name)) {
        known.categories.clear();
    }
    facts
}

fn show(sources: &Sources, finding: &Diagnostic) -> String {
    let place = finding.at.and_then(|(source, span)| {
        let file = sources.get(source)?;
        Some(format!("{}:{}", file.name, file.position(span.start).0))
    });
    format!("{} [{}] {}", place.unwrap_or_default(), finding.code, finding.message)
}

#[test]
fn shipped_rules_load() {
    let Some(folder) = shipped() else {
        return;
    };
    let decoders = decoders(&folder.join("decoder.xml"));
    let facts = facts(&decoders);
    let internal = INTERNAL_DECODERS;
    let ids = |name: &[u8]| {
        let known = facts.iter().map(|facts| facts.name).chain(internal);
        let position = known.into_iter().position(|known| known.as_bytes() == name)?;
        Some(DecoderId(position as u16))
    };
    let order = elements(&folder.join("include-order.xml"));
    let mut sources = Sources::default();
    let texts: Vec<(SourceId, Vec<u8>)> = order[0]
        .children
        .iter()
        .map(|include| {
            let name = include.text().into_owned();
            let text = std::fs::read(folder.join("rules").join(&name)).expect("a rule file");
            (sources.add(Source::new(name, text.clone())), text)
        })
        .collect();
    let files: Vec<(SourceId, &[u8])> =
        texts.iter().map(|(source, text)| (*source, text.as_slice())).collect();
    let loaded = rules::load(LoadInput {
        files: &files,
        sources: &sources,
        lists: Vec::new(),
        decoder_ids: &ids,
        decoders_complete: true,
        decoders: &facts,
        options: LoadOptions::default(),
    });
    let ruleset = &loaded.ruleset;
    let lints = rules::lint(ruleset, &ids, &facts);
    for finding in loaded.diagnostics.iter().chain(&lints) {
        println!("{}", show(&sources, finding));
    }
    let errors = loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    assert_eq!(errors.count(), 0);
    let written: usize = texts
        .iter()
        .flat_map(|(source, text)| osxml::parse(*source, text).elements)
        .map(|group| group.children.iter().filter(|child| child.is("rule")).count())
        .sum();
    assert_eq!(ruleset.rules.len(), written);
    assert_eq!(ruleset.roots.len(), 7);
    let lints: Vec<String> =
        lints.iter().map(|lint| format!("{}: {}", lint.code, lint.message)).collect();
    assert_eq!(lints, LINTS);
    // Of the first pass: names of groups that run into one another, nothing else.
    assert!(loaded.diagnostics.iter().all(|finding| finding.code == "groups-joined"));
}
