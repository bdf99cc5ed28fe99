//! Any text is a pattern, or an error that points into it. Seeds begin with the language:
//! `m`, `r` or `p`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pattern::Language;
use pattern::PatternSet;

fuzz_target!(|input: &[u8]| {
    let Some((language, text)) = input.split_first() else { return };
    let language = match language {
        b'm' => Language::Match,
        b'p' => Language::Pcre2,
        _ => Language::Regex,
    };
    if let Err(error) = PatternSet::default().compile(language, text) {
        assert!(error.offset <= text.len());
        assert!(!error.message.is_empty());
    }
});
