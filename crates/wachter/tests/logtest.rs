//! The output of logtest, byte by byte, and its exit codes.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const OPENED: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north opened by anna from 192.0.2.7";
const FORCED: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north forced by anna from 192.0.2.7";
const YAWNS: &str = "Mar  1 10:00:00 tower gatekeeper[7]: yawns";
const BARRIER: &str = "BARRIER up";

/// What a run of logtest gave.
#[derive(Debug)]
struct Ran {
    out: String,
    messages: String,
    code: Option<i32>,
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home")
}

fn run(program: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends early does not read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        messages: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// Runs logtest on the test installation.
fn logtest(options: &[&str], lines: &str) -> Ran {
    let home = home();
    let arguments = ["logtest", "-D", home.to_str().unwrap()];
    let arguments = [&arguments[..], options].concat();
    run(Path::new(env!("CARGO_BIN_EXE_wachter")), &arguments, format!("{lines}\n").as_bytes())
}

#[track_caller]
fn check(options: &[&str], lines: &str, expected: &str) {
    let ran = logtest(options, lines);
    assert_eq!(ran.out, expected, "{}", ran.messages);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn no_decoder() {
    check(
        &[],
        "Mar  1 10:00:00 tower whoever: hello\tworld\u{1b}[0m",
        "ossec-testrule: Type one log per line.\n\
         \n\n\n\
         **Phase 1: Completed pre-decoding.\n       \
         full event: 'Mar  1 10:00:00 tower whoever: hello\\tworld\\x1b[0m'\n       \
         hostname: 'tower'\n       \
         program_name: 'whoever'\n       \
         log: 'hello\\tworld\\x1b[0m'\n\
         \n\
         **Phase 2: Completed decoding.\n       \
         No decoder matched.\n       \
         decoder: '(null)'\n",
    );
}

#[test]
fn without_program_name() {
    check(
        &[],
        BARRIER,
        &format!(
            "ossec-testrule: Type one log per line.\n\
             \n\n\n\
             **Phase 1: Completed pre-decoding.\n       \
             full event: 'BARRIER up'\n       \
             hostname: '{}'\n       \
             program_name: '(null)'\n       \
             log: 'BARRIER up'\n\
             \n\
             **Phase 2: Completed decoding.\n       \
             decoder: 'barrier'\n",
            server_name()
        ),
    );
}

#[test]
fn level_zero_then_alert() {
    check(
        &[],
        &format!("{YAWNS}\n\nx\n{OPENED}"),
        "ossec-testrule: Type one log per line.\n\
         \n\n\n\
         **Phase 1: Completed pre-decoding.\n       \
         full event: 'Mar  1 10:00:00 tower gatekeeper[7]: yawns'\n       \
         hostname: 'tower'\n       \
         program_name: 'gatekeeper'\n       \
         log: 'yawns'\n\
         \n\
         **Phase 2: Completed decoding.\n       \
         decoder: 'gate'\n\
         \n\
         **Phase 3: Completed filtering (rules).\n       \
         Rule id: '100100'\n       \
         Level: '0'\n       \
         Description: 'The guard speaks.'\n\
         \n\n\
         **Phase 1: Completed pre-decoding.\n       \
         full event: 'Mar  1 10:00:00 tower gatekeeper[7]: north opened by anna from 192.0.2.7'\n       \
         hostname: 'tower'\n       \
         program_name: 'gatekeeper'\n       \
         log: 'north opened by anna from 192.0.2.7'\n\
         \n\
         **Phase 2: Completed decoding.\n       \
         door: 'north'\n       \
         action: 'opened'\n       \
         srcuser: 'anna'\n       \
         srcip: '192.0.2.7'\n       \
         decoder: 'gate'\n\
         \n\
         **Phase 3: Completed filtering (rules).\n       \
         Rule id: '100101'\n       \
         Level: '5'\n       \
         Description: 'A door was opened.'\n       \
         Info - Text: 'Doors are opened by those who have a key.'\n       \
         Info - Link: 'https://example.org/doors'\n\
         **Alert to be generated.\n\
         \n\n",
    );
}

#[test]
fn a_rule_that_is_not_logged() {
    let ran = logtest(&[], "Mar  1 10:00:00 tower gatekeeper[7]: sleeps");
    assert!(ran.out.ends_with("Description: 'The guard sleeps.'\n"), "{}", ran.out);
}

#[test]
fn rules_that_are_tried() {
    let ran = logtest(&["-v"], OPENED);
    let (_, debugging) = ran.out.split_once("decoder: 'gate'\n").unwrap();
    assert_eq!(
        debugging,
        "\n\
         **Rule debugging:\n    \
         Trying rule: 1 - Everything that is a log line.\n       \
         *Rule 1 matched.\n       \
         *Trying child rules.\n    \
         Trying rule: 100100 - The guard speaks.\n       \
         *Rule 100100 matched.\n       \
         *Trying child rules.\n    \
         Trying rule: 100102 - A door was forced.\n    \
         Trying rule: 100101 - A door was opened.\n       \
         *Rule 100101 matched.\n       \
         *Trying child rules.\n    \
         Trying rule: 100104 - Many doors were opened from one place.\n    \
         Trying rule: 100103 - A guest opened a door.\n\
         \n\
         **Phase 3: Completed filtering (rules).\n       \
         Rule id: '100101'\n       \
         Level: '5'\n       \
         Description: 'A door was opened.'\n       \
         Info - Text: 'Doors are opened by those who have a key.'\n       \
         Info - Link: 'https://example.org/doors'\n\
         **Alert to be generated.\n\
         \n\n"
    );
}

#[test]
fn trace_says_why() {
    let ran = logtest(&["--trace"], OPENED);
    let (_, trace) = ran.out.split_once("decoder: 'gate'\n").unwrap();
    let (trace, _) = trace.split_once("\n**Phase 3").unwrap();
    assert_eq!(
        trace,
        "\n\
         **Decoders tried:\n    \
         gate: fits\n    \
         gate-door (gate): regex is found, 4 captures\n\
         \n\
         **Rules tried:\n    \
         1: fits\n      \
         100100: fits\n        \
         100102: action is 'opened', not 'forced'\n        \
         100101: fits\n          \
         100104: fewer than 4 events within 60 seconds\n          \
         100103: list guests: match_key by user fails\n"
    );
}

#[test]
fn alerts_only() {
    let ran = logtest(&["-a"], &format!("{YAWNS}\n{OPENED}\n{FORCED}"));
    let lines: Vec<&str> = ran.out.split('\n').collect();
    let epoch = |line: &str| line.strip_prefix("** Alert ").map(|rest| rest.find('.').unwrap());
    assert_eq!(epoch(lines[0]), Some(10));
    assert!(lines[0].ends_with(".1: - gate,"), "{}", lines[0]);
    assert!(lines[1].ends_with(" tower->stdin"), "{}", lines[1]);
    assert_eq!(
        lines[2..6],
        ["Rule: 100101 (level 5) -> 'A door was opened.'", "Src IP: 192.0.2.7", OPENED, ""]
    );
    assert!(lines[6].ends_with(".2: mail  - gate,intrusion,"), "{}", lines[6]);
    assert_eq!(
        lines[8..],
        ["Rule: 100102 (level 9) -> 'A door was forced.'", "Src IP: 192.0.2.7", FORCED, "", ""]
    );
}

#[test]
fn correlation_shows_its_events() {
    let four = [OPENED; 4].join("\n");
    let ran = logtest(&["--json"], &four);
    let last: serde_json::Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["rule"]["id"], 100_104);
    assert_eq!(last["context"].as_array().unwrap().len(), 3);
}

#[test]
fn json_objects() {
    let guest = "Mar  1 10:00:00 tower gatekeeper[7]: north opened by greta from 192.0.2.7";
    let ran = logtest(&["--json"], &format!("{guest}\nno \"header\"\u{7}"));
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            serde_json::json!({
                "hostname": "tower",
                "program_name": "gatekeeper",
                "log": "north opened by greta from 192.0.2.7",
                "decoder": "gate",
                "fields": {
                    "door": "north",
                    "action": "opened",
                    "srcuser": "greta",
                    "srcip": "192.0.2.7",
                },
                "rule": {"id": 100_103, "level": 3, "description": "A guest opened a door."},
                "alert": true,
                "context": [],
            }),
            serde_json::json!({
                "hostname": server_name(),
                "program_name": null,
                "log": "no \"header\"\u{7}",
                "decoder": null,
                "fields": {},
                "rule": null,
                "alert": false,
                "context": [],
            }),
        ]
    );
}

#[test]
fn expected_answers() {
    for (expected, line, code) in [
        ("100101:5:gate", OPENED, 0),
        ("100101:5:GATE", OPENED, 0),
        ("100100:0:gate", YAWNS, 0),
        ("100101:6:gate", OPENED, 1),
        ("100102:5:gate", OPENED, 2),
        ("100101:5:barrier", OPENED, 3),
        ("100101:5:gate", "Mar  1 10:00:00 tower whoever: hello", 3),
        ("1:0:barrier", BARRIER, 255),
    ] {
        let ran = logtest(&["-q", "-U", expected], line);
        assert_eq!(ran.code, Some(code), "{expected} {line}\n{}", ran.out);
        let (_, decoder) = expected.rsplit_once(':').unwrap();
        let told = format!("\nut_decoder_name       : '{decoder}'\n");
        assert!(ran.out.contains(&told), "{}", ran.out);
        assert_eq!(ran.out.ends_with("\n0\n"), code == 0, "{}", ran.out);
    }
    let last_one_counts = logtest(&["-U", "100101:5:gate"], &format!("{YAWNS}\n{OPENED}"));
    assert_eq!(last_one_counts.code, Some(0));
    assert_eq!(logtest(&["-U", "100101:5"], OPENED).code, Some(1));
}

#[test]
fn messages_and_codes() {
    let ran = logtest(&["-t"], "");
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(0)));
    assert!(ran.messages.ends_with(" ossec-testrule: INFO: Reading local decoder file.\n"));
    assert_eq!(logtest(&["-t", "-q"], "").messages, "");
    let ran = logtest(&["-d"], "");
    assert_eq!(
        (ran.out.as_str(), ran.code),
        ("ossec-testrule: Type one log per line.\n\n", Some(0))
    );
    assert!(ran.messages.contains(" ossec-testrule: INFO: Started (pid: "), "{}", ran.messages);
    assert!(logtest(&["-h"], "").out.starts_with("usage: "));
    assert_eq!(logtest(&["-V"], "").code, Some(0));
    let ran = logtest(&["-x"], "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.messages.contains("usage: "), "{}", ran.messages);
}

#[test]
fn another_configuration_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "<ossec_config><rules><rule>templates.xml</rule></rules></ossec_config>")
        .unwrap();
    let ran = logtest(&["-c", file.path().to_str().unwrap()], OPENED);
    assert!(ran.out.ends_with("decoder: 'gate'\n"), "{}", ran.out);
}

#[test]
fn without_an_installation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let ran = run(Path::new(env!("CARGO_BIN_EXE_wachter")), &["logtest", "-D", path], b"");
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(1)));
    assert!(ran.messages.contains("cannot read"), "{}", ran.messages);
    assert!(ran.messages.contains("--rules DIR"), "{}", ran.messages);
}

#[test]
fn under_the_name_of_the_original() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("ossec-logtest");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_wachter"), &link).unwrap();
    let home = home();
    let ran = run(&link, &["-a", "-D", home.to_str().unwrap()], FORCED.as_bytes());
    assert!(ran.out.ends_with(&format!("{FORCED}\n\n")), "{ran:?}");
}

#[test]
fn bare_files() {
    let home = home();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let ran = run(
        Path::new(env!("CARGO_BIN_EXE_wachter")),
        &[
            "logtest",
            "-U",
            "100102:9:gate",
            "--rules",
            &path("rules/templates.xml"),
            "--rules",
            &path("rules/gate.xml"),
            "--decoders",
            &path("etc/decoder.xml"),
            "--lists",
            &path("rules/guests"),
        ],
        FORCED.as_bytes(),
    );
    // The list has another name here than the rule gives it.
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.messages.contains("guests"), "{}", ran.messages);
}

#[test]
fn a_long_line_is_cut() {
    let long = format!("{} {}", OPENED, "x".repeat(70_000));
    let ran = logtest(&["--json"], &format!("{long}\n{YAWNS}"));
    assert_eq!(ran.out.lines().count(), 2);
    assert!(ran.messages.contains("bytes at the end of a line are left out"), "{}", ran.messages);
}

fn server_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let short = name.trim().split('.').next().unwrap_or_default().to_owned();
    if short.is_empty() { "localhost".to_owned() } else { short }
}
