//! Any bytes are read as a file of OSSEC's XML dialect; every span lies in the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::SourceId;
use model::Span;

fuzz_target!(|text: &[u8]| {
    let parsed = osxml::parse(SourceId(0), text);
    let inside = |span: Span| span.start <= span.end && span.end as usize <= text.len();
    // Not recursive: how deep a file may nest is the parser's promise, not ours.
    let mut open: Vec<&osxml::Element> = parsed.elements.iter().collect();
    while let Some(element) = open.pop() {
        assert!(inside(element.name_span) && inside(element.content_span));
        open.extend(&element.children);
    }
});
