//! `wachter alerts`: which alerts are shown, how, and how it follows the journal.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use store::{JournalWriter, Options, journal};
use tempfile::TempDir;

/// The second at which the first alert came.
const START: i64 = 1_795_560_000;

/// Small segments, so that there are several.
const OPTIONS: Options = Options { segment_bytes: 1500, number_min: 1 };

/// An installation whose journal has so many alerts, two in a batch.
fn installation(alerts: i64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("queue")).unwrap();
    let mut writer = writer(dir.path());
    for number in 0..alerts {
        writer.push(false, alert(number).as_bytes());
        if number % 2 == 1 {
            writer.end_batch(writer.last_source() + 1).unwrap();
        }
    }
    writer.end_batch(writer.last_source() + 1).unwrap();
    dir
}

fn writer(home: &Path) -> JournalWriter {
    JournalWriter::open(&home.join(journal::DIRECTORY), OPTIONS).unwrap().0
}

/// The line of an alert; they come one a minute.
fn alert(number: i64) -> String {
    let (level, id) = (number % 16, 5700 + number % 5);
    let group = if number % 2 == 0 { "syslog,sshd," } else { "syslog,su," };
    let seconds = START + number * 60;
    format!(
        r#"{{"rule":{{"level":{level},"comment":"about \u001b[1m{number}","sidid":{id},"group":"{group}"}},"TimeStamp":{seconds}000,"srcip":"192.0.2.{number}","location":"/var/log/auth.log","hostname":"web1","full_log":"line {number}\n"}}"#
    )
}

fn command(home: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wachter"));
    command.arg("alerts").arg("--home").arg(home).args(options).env("TZ", "UTC0");
    command
}

/// Output, messages and exit code.
fn run(home: &Path, options: &[&str]) -> (String, String, Option<i32>) {
    let output = command(home, options).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// The numbers of the alerts that are shown.
#[track_caller]
fn shown(home: &Path, options: &[&str]) -> Vec<i64> {
    let options = [options, &["--json"]].concat();
    let (out, messages, code) = run(home, &options);
    assert_eq!((messages.as_str(), code), ("", Some(0)), "{options:?}");
    out.lines().map(number).collect()
}

fn number(line: &str) -> i64 {
    let number = (0..1000).find(|number| alert(*number) == line);
    number.unwrap_or_else(|| panic!("{line} is not as it was written"))
}

#[test]
fn the_last_ones_or_those_of_a_time() {
    let dir = installation(50);
    let home = dir.path();
    assert!(journal::segments(&home.join(journal::DIRECTORY)).unwrap().len() > 5);
    let all: Vec<i64> = (0..50).collect();
    let time = |number: i64| format!("@{}", START + number * 60);
    assert_eq!(shown(home, &[]), all[30..]);
    assert_eq!(shown(home, &["-n", "3"]), all[47..]);
    assert_eq!(shown(home, &["--limit", "0"]), []);
    assert_eq!(shown(home, &["-n", "1000"]), all);
    assert_eq!(shown(home, &["--since", "2026-11-01"]), all);
    assert_eq!(shown(home, &["--since", "@0"]), all);
    assert_eq!(shown(home, &["--since", "@9999999999"]), []);
    for first in [1, 2, 24, 25, 49] {
        assert_eq!(shown(home, &["--since", &time(first)]), all[first as usize..], "{first}");
    }
    assert_eq!(shown(home, &["--since", &time(20), "-n", "5"]), all[45..]);
    assert_eq!(shown(home, &["--since", &time(48), "-n", "5"]), all[48..]);
}

#[test]
fn filters_hold_together() {
    let dir = installation(50);
    let home = dir.path();
    let all = |fits: fn(&i64) -> bool| (0..50).filter(fits).collect::<Vec<i64>>();
    assert_eq!(shown(home, &["--level", "12"]), all(|number| number % 16 >= 12));
    assert_eq!(shown(home, &["--level", "12", "-n", "2"]), [46, 47]);
    assert_eq!(shown(home, &["--rule", "5703"]), all(|number| number % 5 == 3));
    assert_eq!(
        shown(home, &["--rule", "5703,5701", "--since", "@0"]),
        all(|number| number % 5 == 3 || number % 5 == 1)
    );
    assert_eq!(shown(home, &["--group", "su", "-n", "3"]), [45, 47, 49]);
    assert_eq!(shown(home, &["--group", "s"]), []);
    assert_eq!(shown(home, &["--src", "192.0.2.7"]), [7]);
    assert_eq!(shown(home, &["--src", "192.0.2.8/30"]), [8, 9, 10, 11]);
    assert_eq!(shown(home, &["--src", "192.0.2.8/30", "--group", "su", "--level", "10"]), [11]);
}

#[test]
fn for_a_person() {
    let dir = installation(2);
    let (out, messages, code) = run(dir.path(), &[]);
    assert_eq!(
        out,
        "2026-11-24 22:40:00  level 0   rule 5700    about \\x1b[1m0  web1->/var/log/auth.log  \
         srcip 192.0.2.0\n    line 0\\n\n\
         2026-11-24 22:41:00  level 1   rule 5701    about \\x1b[1m1  web1->/var/log/auth.log  \
         srcip 192.0.2.1\n    line 1\\n\n"
    );
    assert_eq!((messages.as_str(), code), ("", Some(0)));
}

#[test]
fn what_is_not_an_alert_is_shown_as_such() {
    let dir = installation(0);
    let mut writer = writer(dir.path());
    writer.push(true, b"\x1b]0;title\x07 {");
    writer.end_batch(1).unwrap();
    let (out, _, code) = run(dir.path(), &[]);
    assert_eq!(out, "not an alert:\n    \\x1b]0;title\\x07 {\n");
    assert_eq!(code, Some(0));
    assert_eq!(run(dir.path(), &["--level", "1"]).0, "");
}

#[test]
fn no_journal_and_wrong_commands() {
    let dir = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--follow"], &["--verify"], &["--since", "10m"]] {
        let (out, messages, code) = run(dir.path(), options);
        assert_eq!((out.as_str(), code), ("", Some(1)), "{options:?}");
        let expected =
            format!("there is no alert journal {}/queue/journal: ", dir.path().display());
        assert!(messages.contains(&expected), "{messages}");
    }
    for (options, expected) in [
        (&["--since", "soon"][..], "`soon` is not a time like 10m"),
        (&["--src", "host"], "`host` is not an address"),
        (&["--rule", "1,x"], "`x` is not a rule id"),
        (&["--limit", "99999999999"], "at most"),
        (&["--colour"], "--colour"),
        (&["file"], "file"),
    ] {
        let (out, messages, code) = run(dir.path(), options);
        assert_eq!((out.as_str(), code), ("", Some(2)), "{options:?}");
        assert!(messages.contains(expected), "{messages}");
    }
    assert!(run(dir.path(), &["--help"]).0.starts_with("usage: wachter alerts"));
}

#[test]
fn a_journal_that_was_changed() {
    let dir = installation(50);
    let journal = dir.path().join(journal::DIRECTORY);
    let (out, messages, code) = run(dir.path(), &["--verify"]);
    assert!(out.contains("is as it was written: batches 1 to 25, "), "{out}");
    assert!(out.contains("hash of batch 25: "), "{out}");
    assert_eq!((messages.as_str(), code), ("", Some(0)));
    let second = journal::segments(&journal).unwrap()[1];
    let path = journal.join(format!("{second:020}.log"));
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(4).position(|window| window == b"line").unwrap();
    bytes[place] = b'L';
    fs::write(&path, bytes).unwrap();
    let (out, messages, code) = run(dir.path(), &["--verify"]);
    assert_eq!((out.as_str(), code), ("", Some(1)));
    assert!(messages.contains(&format!("{} is damaged", path.display())), "{messages}");
    // The rest is shown all the same, and it is said that something is missing.
    let (out, messages, code) = run(dir.path(), &["--since", "@0", "--json"]);
    let numbers: Vec<i64> = out.lines().map(number).collect();
    assert!(numbers.len() > 40 && numbers.len() < 50, "{numbers:?}");
    assert!(messages.contains("is damaged at byte"), "{messages}");
    assert_eq!(code, Some(1));
}

/// A run that goes on.
fn follow(home: &Path, options: &[&str]) -> (Child, impl FnMut() -> i64) {
    let options = [options, &["--follow", "--json"]].concat();
    let mut child = command(home, &options).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, move || number(&lines.next().unwrap().unwrap()))
}

#[test]
fn it_follows() {
    let dir = installation(10);
    let (mut child, mut next) = follow(dir.path(), &["-n", "2", "--group", "su"]);
    assert_eq!((next(), next()), (7, 9));
    let mut writer = writer(dir.path());
    let mut append = |numbers: std::ops::Range<i64>| {
        for number in numbers {
            writer.push(false, alert(number).as_bytes());
        }
        writer.end_batch(writer.last_source() + 1).unwrap();
    };
    append(10..13);
    assert_eq!(next(), 11);
    // Into new segments.
    for first in (13..43).step_by(3) {
        append(first..first + 3);
    }
    for expected in (13..43).step_by(2) {
        assert_eq!(next(), expected);
    }
    // Nobody reads any more: it ends, though no alert comes.
    drop(next);
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_follows_a_journal_that_is_empty() {
    let dir = installation(0);
    let (mut child, mut next) = follow(dir.path(), &[]);
    let mut writer = writer(dir.path());
    writer.push(false, alert(3).as_bytes());
    writer.end_batch(1).unwrap();
    assert_eq!(next(), 3);
    drop((next, writer));
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_ends_when_the_journal_is_removed() {
    let dir = installation(2);
    let mut command = command(dir.path(), &["--follow", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(number(&lines.next().unwrap().unwrap()), 0);
    fs::remove_dir_all(dir.path().join(journal::DIRECTORY)).unwrap();
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert!(messages.contains("queue/journal"), "{messages}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = installation(200);
    let mut command = command(dir.path(), &["--since", "@0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}
