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
    // The two that are always there stand first.
    assert!(again.list.ends_with(&responses.list));
    assert_eq!(again.left_out, 0);
});
