//! What a server sends as `ar.conf` names plain files or nothing, and is the same when it is written
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use respond::ar_conf::Responses;

fuzz_target!(|text: &[u8]| {
    let responses = Responses::parse(text);
    for response in &responses.list {
        assert!(!response.executable.contains(['/', '\0', ' ']));
        assert!(!response.executable.starts_with(['.', '-']));
    }
    let again = Responses::parse(responses.render().as_bytes());
    assert_eq!(again.left_out, 0);
    // The two that are always there stand first.
    assert_eq!(again.list.len(), responses.list.len() + 2);
    for (one, other) in responses.list.iter().zip(again.list.iter().skip(2)) {
        assert_eq!((&one.name, &one.executable), (&other.name, &other.executable));
        assert_eq!(one.timeout, other.timeout);
    }
});
