//! Any bytes are a compiled list or an error; what is written from a text list reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rules::cdb;
use rules::lists::List;
use rules::lists::text_pairs;

fuzz_target!(|input: &[u8]| {
    if let Ok(list) = cdb::read("fuzz", input) {
        // Every pair takes at least the eight bytes of its lengths.
        assert!(list.len() <= input.len() / 8);
    }
    let Ok(file) = cdb::write(text_pairs(input)) else { return };
    let read = cdb::read("fuzz", &file).expect("what we write can be read");
    let list = List::from_text("fuzz", input);
    assert_eq!(read.len(), list.len());
    for (key, _) in text_pairs(input) {
        assert_eq!(read.lookup(key), list.lookup(key));
    }
});
