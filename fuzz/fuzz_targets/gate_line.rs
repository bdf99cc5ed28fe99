//! What another host says to the gate is one of three lines or nothing; a line is the same when it is
//! written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use respond::gate::{LINE_BYTES_MAX, Line};

fuzz_target!(|text: &[u8]| {
    let Some(line) = Line::parse(text) else { return };
    assert!(text.len() <= LINE_BYTES_MAX + 1);
    let written = line.render();
    assert_eq!(Line::parse(written.trim_end().as_bytes()).as_ref(), Some(&line));
    if let Line::Add { net, .. } | Line::Delete(net) = line {
        assert_eq!(net.checked(), Ok(net));
    }
});
