//! `wachter rules` on a small installation.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::Path;
use std::process::Command;

const CASE: &str = "\
decoders: etc/decoder.xml
rules: rules/templates.xml
rules <<EOF
<group name=\"gate,\"><rule id=\"100102\" level=\"9\"><match>forced</match></rule></group>
EOF

@ 2026-03-01 10:00:00  tower  /var/log/messages
Mar  1 10:00:00 tower gatekeeper[7]: north|east forced by `eve` from 192.0.2.7
";

fn home() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home")
}

/// What is printed, messages last, and the exit code.
fn rules(arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .arg("rules")
        .args(arguments)
        .args(["-D", "."])
        .current_dir(home())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

/// As [`rules`], with a line that fires rule 100102.
fn rules_with_a_case(arguments: &[&str]) -> String {
    let case = tempfile::Builder::new().suffix(".case").tempfile().unwrap();
    let home = home();
    let text = CASE.replace(": etc", &format!(": {}/etc", home.display()));
    fs::write(&case, text.replace(": rules", &format!(": {}/rules", home.display()))).unwrap();
    let (text, code) = rules(&[arguments, &["--cases", case.path().to_str().unwrap()]].concat());
    assert_eq!(code, Some(0), "{text}");
    text
}

#[test]
fn one_line_for_each() {
    for (arguments, expected) in [
        (
            &[][..],
            "     1   0  Everything that is a log line.\n\
             100100   0  The guard speaks.\n\
             100101   5  A door was opened.\n\
             100102   9  A door was forced.\n\
             100103   3  A guest opened a door.\n\
             100104  10  Many doors were opened from one place.\n\
             100105   4  The guard sleeps.\n",
        ),
        (&["--group", "intrusion"], "100102   9  A door was forced.\n"),
        (&["--level", "10"], "100104  10  Many doors were opened from one place.\n"),
        (&["--level", "10", "--group", "intrusion"], ""),
    ] {
        assert_eq!(rules(arguments), (expected.to_owned(), Some(0)), "{arguments:?}");
    }
}

#[test]
fn all_about_one() {
    assert_eq!(
        rules_with_a_case(&["100102"]),
        "rule 100102, level 9: A door was forced.\n  \
         file      ./rules/gate.xml:15\n  \
         groups    gate, intrusion\n  \
         below     100100\n  \
         line      gatekeeper: north|east forced by `eve` from 192.0.2.7\n"
    );
    let (text, _) = rules(&["100104"]);
    assert!(text.contains("\n  fires     on event 4 of rule 100101 within 60 seconds\n"), "{text}");
    let (text, _) = rules(&["100100"]);
    assert!(text.contains("\n  above     100102, 100101, 100105\n"), "{text}");
    assert_eq!(rules(&["7"]), ("wachter: there is no rule 7\n".to_owned(), Some(1)));
}

#[test]
fn a_page() {
    let page = rules_with_a_case(&["--markdown", "--level", "9"]);
    let (_, table) = page.split_once("## gate.xml\n").unwrap();
    assert_eq!(
        table,
        "\nGroups of all: gate.\n\n\
         | Rule | Level | Meaning | Groups | MITRE | A line that fires it |\n\
         |---|---|---|---|---|---|\n\
         | 100102 | 9 | A door was forced. | intrusion |  | \
         `` gatekeeper: north\\|east forced by `eve` from 192.0.2.7 `` |\n\
         | 100104 | 10 | Many doors were opened from one place. (on event 4 of rule 100101 within 60 \
         seconds) |  |  |  |\n"
    );
}
