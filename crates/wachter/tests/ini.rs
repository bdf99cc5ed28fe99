//! OSSEC's own tests against OSSEC's own decoders and rules, where they are at hand.

use std::path::Path;
use std::process::Command;

/// Lines that do not give what their test expects, and why. The list is exact.
const KNOWN: [(&str, &str); 4] = [
    ("cisco_ios.ini:13", "actions of firewall events are normalised, as they are in the daemon"),
    ("cisco_ios.ini:14", "actions of firewall events are normalised, as they are in the daemon"),
    ("web_appsec.ini:65", "the rule does not know that user agent; OSSEC fails as well"),
    ("web_appsec.ini:136", "the rule for status 403 comes first; OSSEC fails as well"),
];

#[test]
fn community_tests() {
    let Some(dir) = testkit::shared::path("ossec-ruleset") else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .arg("run-tests")
        .arg(dir.join("tests"))
        .arg("--rules")
        .arg(dir.join("rules"))
        .arg("--include-order")
        .arg(dir.join("include-order.xml"))
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let failed: Vec<&str> = report.lines().filter_map(failed_place).collect();
    let known: Vec<&str> = KNOWN.iter().map(|(place, _)| *place).collect();
    assert_eq!(failed, known, "{report}{messages}");
    assert!(report.ends_with(&format!(" passed, {} failed\n", KNOWN.len())), "{report}{messages}");
    assert_eq!(output.status.code(), Some(1));
}

/// `FILE:LINE` of a line that begins a failure.
fn failed_place(line: &str) -> Option<&str> {
    let (place, _) = line.split_once(": [")?;
    let (_, name) = place.rsplit_once('/')?;
    Path::new(place).is_absolute().then_some(name)
}
