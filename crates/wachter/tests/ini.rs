//! OSSEC's own tests against OSSEC's own decoders and rules, where they are at hand.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::path::Path;
use std::process::Command;

/// Lines that OSSEC's rules do not answer as their test expects, and why: OSSEC fails as well. The
/// list is exact. `overlay/local_rules.xml` mends the rules as a user would.
const KNOWN: [(&str, &str); 2] = [
    ("web_appsec.ini:65", "rule 31508 does not know that user agent"),
    ("web_appsec.ini:136", "rule 31101 for status 4xx is of a higher level than 31530 for POST"),
];

/// Runs the tests in `tests`, all or one file, with these rules after OSSEC's: the report, and the
/// lines that fail.
fn run(dir: &Path, tests: &str, more_rules: Option<&Path>) -> (String, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wachter"));
    command.arg("run-tests").arg(dir.join(tests)).arg("--rules").arg(dir.join("rules"));
    command.arg("--include-order").arg(dir.join("include-order.xml"));
    if let Some(rules) = more_rules {
        command.arg("--rules").arg(rules);
    }
    let output = command.output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let failed: Vec<String> = report.lines().filter_map(failed_place).map(str::to_owned).collect();
    let end = format!(" passed, {} failed\n", failed.len());
    assert!(report.ends_with(&end), "{report}{messages}");
    assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())));
    (report, failed)
}

/// `FILE:LINE` of a line that begins a failure.
fn failed_place(line: &str) -> Option<&str> {
    let (place, _) = line.split_once(": [")?;
    let (_, name) = place.rsplit_once('/')?;
    Path::new(place).is_absolute().then_some(name)
}

#[test]
fn plain_rules() {
    let Some(dir) = testkit::shared::path("ossec-ruleset") else { return };
    let (report, failed) = run(&dir, "tests", None);
    assert_eq!(failed, KNOWN.map(|(place, _)| place), "{report}");
    assert!(!report.starts_with("0 "), "{report}");
}

#[test]
fn rules_that_a_user_mended() {
    let Some(dir) = testkit::shared::path("ossec-ruleset") else { return };
    let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/overlay/local_rules.xml");
    for tests in ["tests/web_appsec.ini", "tests"] {
        let (report, failed) = run(&dir, tests, Some(&overlay));
        assert_eq!(failed, [] as [&str; 0], "{report}");
    }
}
