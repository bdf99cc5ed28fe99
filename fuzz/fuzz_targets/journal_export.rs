//! Any bytes are entries of bounded size, the same ones wherever the stream is cut.
#![no_main]

use collect::formats::FramerCounts;
use collect::journal::ExportReader;
use libfuzzer_sys::fuzz_target;
use model::limits::LINE_BYTES_MAX;

fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else { return };
    let (first, second) = stream.split_at(usize::from(*cut) * stream.len() / 255);
    assert_eq!(run(&[first, second]), run(&[stream]));
});

fn run(parts: &[&[u8]]) -> (Vec<Vec<u8>>, FramerCounts) {
    let mut reader = ExportReader::new();
    let mut lines = Vec::new();
    for part in parts {
        reader.push(part, &mut |entry| {
            let mut line = Vec::new();
            entry.line(&|_| -12_600, &mut line);
            assert!(line.len() <= LINE_BYTES_MAX);
            line.extend_from_slice(format!("{:?}", entry.seqnum()).as_bytes());
            lines.push(line);
        });
    }
    (lines, reader.counts())
}
