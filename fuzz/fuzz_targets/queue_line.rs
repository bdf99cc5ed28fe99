//! Any datagram is an event or an error; an event written and read again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use model::limits::LOCATION_BYTES_MAX;
use wire::queue;

fuzz_target!(|datagram: &[u8]| {
    let received = Timestamp::default();
    let Ok(event) = queue::parse(datagram, received) else { return };
    assert!(event.location.len() <= LOCATION_BYTES_MAX);
    assert!(event.line.len() <= datagram.len());
    let mut written = Vec::new();
    queue::write(&event, &mut written);
    // As senders do; without it a NUL of the line itself would be taken for the end.
    written.push(0);
    assert_eq!(queue::parse(&written, received).as_ref(), Ok(&event));
});
