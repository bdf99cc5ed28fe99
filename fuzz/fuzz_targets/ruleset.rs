//! Any rule file loads: findings lie in the file, ids lead to their rules, and loading again gives
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::DecoderId;
use model::Source;
use model::Sources;
use rules::LoadInput;
use rules::LoadOptions;
use rules::Loaded;
use rules::lists::List;

fuzz_target!(|text: &[u8]| {
    for strict in [false, true] {
        let loaded = load(text, strict);
        for finding in &loaded.diagnostics {
            let inside = |end: u32| end as usize <= text.len();
            assert!(finding.at.is_none_or(|(_, span)| span.start <= span.end && inside(span.end)));
        }
        for rule in &loaded.ruleset.rules {
            assert!(loaded.ruleset.find(rule.id).is_some_and(|found| found.id == rule.id));
        }
        let again = load(text, strict);
        assert_eq!(loaded.diagnostics, again.diagnostics);
        assert_eq!(loaded.ruleset.rules.len(), again.ruleset.rules.len());
        assert_eq!(loaded.ruleset.roots, again.ruleset.roots);
        rules::lint(&loaded.ruleset, &decoder_id, &[]);
    }
});

fn load(text: &[u8], strict: bool) -> Loaded {
    let mut sources = Sources::default();
    let source = sources.add(Source::new("fuzz.xml", text));
    rules::load(LoadInput {
        files: &[(source, text)],
        sources: &sources,
        lists: vec![List::from_text("lists/hosts", b"192.0.2.7:bad\n")],
        decoder_ids: &decoder_id,
        decoders_complete: true,
        decoders: &[],
        options: LoadOptions { strict, ..LoadOptions::default() },
    })
}

fn decoder_id(name: &[u8]) -> Option<DecoderId> {
    (name == b"door").then_some(DecoderId(1))
}
