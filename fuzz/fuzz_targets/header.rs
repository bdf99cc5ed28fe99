//! Any line has a header, in both sets of forms, and its parts lie in the line.
#![no_main]

use decode::header;
use decode::header::Forms;
use libfuzzer_sys::fuzz_target;
use model::Span;

fuzz_target!(|line: &[u8]| {
    let inside = |span: Span| span.start <= span.end && span.end as usize <= line.len();
    for forms in [Forms::Strict, Forms::Extended] {
        let header = header::parse(line, forms);
        assert!(inside(header.log));
        assert!(header.hostname.is_none_or(inside));
        assert!(header.program_name.is_none_or(inside));
    }
});
