//! Any pattern searched in any line: the end and the captures lie in the line, all ways of asking
//! agree, and the gate never hides a match.
//!
//! The first line of an input is the pattern, behind its language (`m`, `r` or `p`); the rest is
//! the subject.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pattern::Captures;
use pattern::GateBuilder;
use pattern::Hit;
use pattern::Hits;
use pattern::Language;
use pattern::PatternSet;
use pattern::Scratch;

fuzz_target!(|input: &[u8]| {
    let Some((language, rest)) = input.split_first() else { return };
    let language = match language {
        b'm' => Language::Match,
        b'p' => Language::Pcre2,
        _ => Language::Regex,
    };
    let Some(split) = rest.iter().position(|byte| *byte == b'\n') else { return };
    let (text, subject) = (&rest[..split], &rest[split + 1..]);
    let mut set = PatternSet::default();
    let Ok(id) = set.compile(language, text) else { return };
    let mut scratch = Scratch::default();
    let mut captures = Captures::default();

    let found = set.is_match(id, subject, &mut scratch);
    let end = set.find_end(id, subject, &mut scratch);
    let captured_end = set.captures(id, subject, &mut scratch, &mut captures);

    assert!(end.is_none_or(|end| end <= subject.len()));
    for (start, end) in captures.spans() {
        assert!(start <= end && *end as usize <= subject.len());
    }
    let all_decided = scratch.counts == pattern::SearchCounts::default();
    if all_decided {
        assert_eq!(found, end.is_some());
        assert_eq!(end, captured_end);
    }
    for mut builder in [GateBuilder::default(), GateBuilder::for_trying()] {
        // Beside others, so that the gate has something to search for.
        for slot in 0..16 {
            let hit = builder.add(slot, &set, id);
            assert!(hit == Hit::Candidate || !all_decided || found || !hits(&builder, subject));
        }
        assert!(hits(&builder, subject) || !found, "the gate hides a match");
    }
});

fn hits(builder: &GateBuilder, subject: &[u8]) -> bool {
    let mut hits = Hits::default();
    hits.clear(16);
    builder.clone().build().scan(subject, &mut hits);
    hits.contains(0)
}
