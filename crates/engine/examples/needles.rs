//! Which patterns of OSSEC's decoders and rules have literals to search for first, and which must
//! always be tried: for whoever works on the speed of the engine.
#![expect(clippy::unwrap_used, reason = "a tool for developers may stop anywhere")]
#![expect(clippy::print_stdout, reason = "it prints what it finds")]

#[path = "../tests/support/mod.rs"]
mod support;

use pattern::{PatternId, PatternSet};

/// Literals shorter than this are found in many lines.
const SHORT_BYTES: usize = 5;

fn main() {
    let Some(policy) = support::ossec(engine::Options::default()) else { return };
    print("rules", &policy.ruleset.patterns);
    print("decoders", policy.decoders.patterns());
}

fn print(what: &str, patterns: &PatternSet) {
    let (mut exact, mut gated, mut none) = (0, 0, 0);
    for id in (0..patterns.len() as u32).map(PatternId) {
        let source = String::from_utf8_lossy(patterns.source(id).unwrap().1);
        let Some(needles) = patterns.needles(id) else {
            none += 1;
            println!("{what} none: {source:.100}");
            continue;
        };
        match needles.exact {
            true => exact += 1,
            false => gated += 1,
        }
        for literal in &needles.literals {
            if !literal.at_start && literal.bytes.len() < SHORT_BYTES {
                let bytes = String::from_utf8_lossy(&literal.bytes);
                println!("{what} short {bytes:?} in {source:.100}");
            }
        }
    }
    println!("{what}: {exact} exact, {gated} gated, {none} none");
}
