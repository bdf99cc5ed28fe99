//! Whichever engine answers, the answer is that of plain PCRE2. The subject is searched as it is,
//! and made long, since length decides which engine runs.
//!
//! The first line of an input is the pattern, the rest is the subject.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pattern::Captures;
use pattern::Language;
use pattern::PatternSet;
use pattern::Scratch;
use pattern::SearchCounts;
use pcre2::bytes::RegexBuilder;

/// More than the engine for short subjects takes.
const LONG_BYTES: usize = 1000;

fuzz_target!(|input: &[u8]| {
    let Some(split) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (text, subject) = (&input[..split], &input[split + 1..]);
    let Ok(text) = std::str::from_utf8(text) else { return };
    // Newer versions of PCRE2 take `{,3}` and `{ 1 }` for quantifiers; here they stay literal.
    let has_newer_quantifier = ["{,", "{ ", "{\t", ", ", " }"].iter().any(|new| text.contains(new));
    if !text.is_ascii() || has_newer_quantifier {
        return;
    }
    let mut set = PatternSet::default();
    let Ok(id) = set.compile(Language::Pcre2, text.as_bytes()) else { return };
    let Ok(reference) = RegexBuilder::new().caseless(true).build(text) else { return };
    let before: Vec<u8> = [&b" ".repeat(LONG_BYTES), subject].concat();
    let after: Vec<u8> = [subject, &b" ".repeat(LONG_BYTES)].concat();
    for subject in [subject, &before, &after] {
        compare(&set, id, &reference, subject);
    }
});

fn compare(
    set: &PatternSet,
    id: pattern::PatternId,
    reference: &pcre2::bytes::Regex,
    subject: &[u8],
) {
    let mut locations = reference.capture_locations();
    // An error is PCRE2's own limit.
    let Ok(expected) = reference.captures_read(&mut locations, subject) else { return };
    let expected = expected.map(|found| found.end());
    let mut groups = Vec::new();
    if expected.is_some() {
        let spans = (1..locations.len()).filter_map(|group| locations.get(group));
        groups.extend(spans.take(Captures::MAX).map(|(start, end)| (start as u32, end as u32)));
    }

    let mut scratch = Scratch::default();
    let mut captures = Captures::default();
    let found = set.is_match(id, subject, &mut scratch);
    let end = set.find_end(id, subject, &mut scratch);
    let captured_end = set.captures(id, subject, &mut scratch, &mut captures);
    // What was limited but decided counts; what was given up does not.
    let decided = SearchCounts { limited: scratch.counts.limited, ..SearchCounts::default() };
    if scratch.counts != decided {
        return;
    }
    assert_eq!(found, expected.is_some());
    // For a pattern that matches everything the end is not looked for.
    if !set.is_always(id) {
        assert_eq!(captured_end, expected);
        assert_eq!(end, expected);
    }
    assert_eq!(captures.spans(), groups);
}
