//! `wachter run-tests` on files of both kinds.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINE: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north opened by anna from 192.0.2.7";

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home")
}

/// What is printed about these files, with paths relative to their folder, and the exit code.
fn run(files: &[(&str, String)]) -> (String, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("below")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["run-tests", ".", "--home"])
        .arg(home())
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn case(rule: u32) -> String {
    let path = |name: &str| home().join(name).display().to_string();
    format!(
        "rules: {}\nrules <<EOF\n<group name=\"gate,\">\n\
         <rule id=\"100101\" level=\"5\"><action>opened</action><decoded_as>gate</decoded_as>\
         <description>Opened.</description></rule>\n\
         </group>\nEOF\ndecoders: {}\n\n\
         @ 2026-03-01 10:00:00  tower  /var/log/messages\n{LINE}\n\
         = rule {rule} level 5  alert\nrepeat 2 every 5s\n= rule 100101 level 5  alert\n",
        path("rules/templates.xml"),
        path("etc/decoder.xml"),
    )
}

#[test]
fn all_pass() {
    let ini = format!(
        "[opened]\nrule = 100101\nalert = 5\ndecoder = gate\nlog 1 pass = {LINE}\n\
         log 2 fail = Mar  1 10:00:00 tower gatekeeper[7]: yawns\n"
    );
    let files = [("a.ini", ini), ("below/b.case", case(100_101)), ("c.txt", "?".to_owned())];
    assert_eq!(run(&files), ("3 passed, 0 failed\n".to_owned(), Some(0)));
}

#[test]
fn failures_name_their_place() {
    let ini = format!(
        "[opened]\nrule = 100102\nalert = 5\ndecoder = gate\nlog 1 pass = {LINE}\n\
         log 2 fail = {LINE}\n"
    );
    let (report, code) = run(&[("a.ini", ini), ("below/b.case", case(7))]);
    assert_eq!(
        report,
        format!(
            "./a.ini:5: [opened]\n  \
             log      {LINE}\n  \
             expected 100102/5 gate\n  \
             but got  100101/5 gate\n\
             ./below/b.case:11\n  \
             expected = rule 7 level 5  alert\n  \
             but got  = rule 100101 level 5  alert\n\
             1 passed, 2 failed\n"
        )
    );
    assert_eq!(code, Some(1));
}

#[test]
fn files_that_cannot_be_read() {
    let broken = [("a.ini", "x = 1\n".to_owned()), ("b.case", "rules: none.xml\n\nx\n".to_owned())];
    let (report, code) = run(&broken);
    assert!(report.contains("./a.ini: line 1: "), "{report}");
    assert!(report.contains("./b.case: "), "{report}");
    assert!(report.ends_with("0 passed, 2 failed\n"), "{report}");
    assert_eq!(code, Some(1));
}
