//! Any log in any format gives the same messages wherever it is cut, and from any of their ends.
//! The first byte chooses the format, the second where the rest is cut.
#![no_main]

use collect::formats::{self, FramerContext, FramerCounts};
use config::sections::LogFormat;
use libfuzzer_sys::fuzz_target;
use model::limits::LINE_BYTES_MAX;

const CONTEXT: FramerContext<'_> =
    FramerContext { path: b"/service/qmail/current", hostname: b"web1" };

type Messages = Vec<(Vec<u8>, u64)>;

fuzz_target!(|data: &[u8]| {
    let [choice, cut, log @ ..] = data else { return };
    let known = formats::ALL;
    let Some(format) = known.get(usize::from(*choice) % known.len()) else { return };
    let name = if format.name() == "multi-line" { "multi-line: 3" } else { format.name() };
    let Some(format) = LogFormat::parse(name) else { panic!("no format {name}") };
    let cut = usize::from(*cut) * log.len() / 255;

    let whole = run(format, log, 0, log.len());
    assert_eq!(run(format, log, 0, cut), whole);
    let mut before = 0;
    for (text, end) in &whole.0 {
        assert!(text.len() <= LINE_BYTES_MAX);
        assert!(before <= *end && *end <= log.len() as u64);
        before = *end;
    }
    // What these remember of earlier lines is not in the ends.
    if matches!(format, LogFormat::Audit | LogFormat::MySql) {
        return;
    }
    let middle = whole.0.len() / 2;
    if let Some((_, end)) = whole.0.get(middle) {
        let again = run(format, log, *end as usize, log.len());
        assert_eq!(Some(again.0.as_slice()), whole.0.get(middle + 1..));
    }
});

fn run(format: LogFormat, log: &[u8], from: usize, cut: usize) -> (Messages, FramerCounts) {
    let Some(mut framer) = formats::framer(format, from as u64, &CONTEXT) else {
        panic!("no framer for {format:?}")
    };
    let mut messages = Vec::new();
    let (first, second) = log.split_at(cut);
    for part in [first.get(from..).unwrap_or_default(), second] {
        framer.push(part, &mut |message| messages.push((message.text.to_vec(), message.end)));
    }
    framer.flush(&mut |message| messages.push((message.text.to_vec(), message.end)));
    assert!(!framer.holds());
    (messages, framer.counts())
}
