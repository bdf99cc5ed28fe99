//! Every `.case` file below `cases/formats/` holds: bytes in, messages out. `UPDATE_CASES=1` writes
//! the answers.
//!
//! A case begins with comments and settings: `path: …`, `format: …` where the folder does not say it
//! all, `date: local` where each message begins with a date in the zone of the machine. Under
//! `--- input` stand the bytes: a line is a line, `\` at its end takes its line end away, `\t`, `\r`,
//! `\0`, `\\` and `\xNN` are bytes, `\{a*9}` is nine times `a`, and a line `\idle` says that nothing
//! came for a while. Under `--- messages` stands the end of each message in the stream, and its text.
//!
//! Whatever a case says must also be so where the input comes byte by byte, is cut anywhere, or is
//! read again from the end of a message.

#![expect(clippy::unwrap_used, reason = "may fail anywhere")]

#[path = "framing/case.rs"]
mod case;
mod framing;

use std::fs;
use std::path::{Path, PathBuf};

use collect::formats::{self, FramerContext};
use config::sections::LogFormat;
use model::Queue;

use case::Case;
use framing::{Run, read_again};

#[test]
fn cases() {
    let mut failures = Vec::new();
    for path in case_files() {
        if let Err(failure) = check(&path) {
            failures.push(format!("{}:\n{failure}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn other_sources_have_no_framer() {
    let context = FramerContext { path: b"/var/log/app.log", hostname: b"web1" };
    for (name, queue, has_framer) in [
        ("syslog", b'1', true),
        ("nmapg", b'3', true),
        ("mysql_log", b'a', true),
        ("postgresql_log", b'b', true),
        ("djb-multilog", b'a', false),
        ("command", b'1', false),
        ("full_command", b'1', false),
        ("journald", b'1', false),
        ("eventchannel", b'1', false),
    ] {
        let format = LogFormat::parse(name).unwrap();
        assert_eq!(formats::queue(format), Queue::from_letter(queue), "{name}");
        assert_eq!(formats::framer(format, 0, &context).is_some(), has_framer, "{name}");
    }
}

#[test]
fn every_format_has_cases() {
    let mut known: Vec<String> = formats::ALL.iter().map(|format| format.name().into()).collect();
    known.sort();
    let mut folders: Vec<String> =
        case_files().iter().map(|path| folder(path).to_owned()).collect();
    folders.dedup();
    assert_eq!(folders, known);
}

fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let case = Case::parse(folder(path), &text)?;
    let run = |cuts: &[usize]| Run::new(case.format, &case.context(), &case.input, 0, cuts);
    let whole = run(&[]);
    let answer = case.write(&whole);
    if std::env::var("UPDATE_CASES").is_ok_and(|value| value == "1") {
        fs::write(path, case.with_answer(&answer)).map_err(|error| error.to_string())?;
    } else if answer != case.answer {
        return Err(format!("expected\n{}but got\n{answer}", case.answer));
    }
    for cuts in case.ways_to_cut() {
        let pieces = run(&cuts);
        if pieces != whole {
            return Err(format!("cut at {cuts:?}\n{}", case.write(&pieces)));
        }
    }
    read_again(case.format, &case.context(), &case.input, &whole)
}

fn case_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/formats");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(entry.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    files
}

/// The name of the format.
fn folder(path: &Path) -> &str {
    path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap()
}
