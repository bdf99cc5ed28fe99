//! Any decoder file and any lines: what is decoded lies in the line, and does not depend on the
//! lines before it.
//!
//! An input is a decoder file, a line `===`, and lines to decode.
#![no_main]

use decode::DecodeOptions;
use decode::DecodeScratch;
use decode::Decoded;
use decode::DecoderSet;
use decode::Forms;
use decode::LoadInput;
use libfuzzer_sys::fuzz_target;
use model::Event;
use model::SourceId;

const SEPARATOR: &[u8] = b"\n===\n";

fuzz_target!(|input: &[u8]| {
    let found = input.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
    let Some(split) = found else { return };
    let (file, lines) = (&input[..split], &input[split + SEPARATOR.len()..]);
    for forms in [Forms::Strict, Forms::Extended] {
        let options = DecodeOptions { forms, ..DecodeOptions::default() };
        let files = [(SourceId(0), file)];
        // A set with errors is not used in earnest, but must not panic either.
        let set =
            decode::load(&LoadInput { files: &files, options, order_fields_max: 64 }).decoders;
        let mut scratch = DecodeScratch::default();
        for line in lines.split(|byte| *byte == b'\n') {
            let decoded = decode(&set, line, &mut scratch);
            let alone = decode(&set, line, &mut DecodeScratch::default());
            // Searches that gave up on a limit are counted, and may differ.
            if scratch.search.counts == pattern::SearchCounts::default() {
                assert_same(&decoded, &alone);
            }
        }
    }
});

fn decode(set: &DecoderSet, line: &[u8], scratch: &mut DecodeScratch) -> Box<Decoded> {
    let event = Event { line: line.to_vec(), location: b"/var/log/x".to_vec(), ..Event::default() };
    set.decode(event, scratch, Box::default())
}

fn assert_same(one: &Decoded, other: &Decoded) {
    assert_eq!(one.full_log(), other.full_log());
    assert_eq!(one.log(), other.log());
    assert_eq!(one.program_name(), other.program_name());
    assert_eq!(one.hostname(), other.hostname());
    assert_eq!(one.decoder, other.decoder);
    assert_eq!(one.decoder_id, other.decoder_id);
    assert_eq!(one.fields.names(), other.fields.names());
    for name in one.fields.names() {
        let values = [one, other].map(|decoded| decoded.fields.value(*name, decoded.full_log()));
        assert_eq!(values[0], values[1]);
    }
}
