//! `wachter check` on an installation with one bad file: `bad/KIND-NAME` and the report it must
//! give, `bad/KIND-NAME.out`: findings, each with its place and a cure. `UPDATE_CASES=1` rewrites the
//! reports.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// Where a bad file is put, by the first word of its name.
const PLACES: [(&str, &str); 5] = [
    ("conf", "etc/ossec.conf"),
    ("decoders", "etc/local_decoder.xml"),
    ("internal", "etc/local_internal_options.conf"),
    ("rules", "rules/local.xml"),
    ("wachter", "etc/wachter.toml"),
];

fn main() {
    let arguments = Arguments::from_args();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut trials = vec![Trial::test("nothing_bad", || compare(None))];
    trials.push(Trial::test("mistakes_in_the_command_line", mistakes));
    trials.push(Trial::test("nobody_reads_the_report", nobody_reads));
    for entry in fs::read_dir(tests.join("bad")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "out") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || compare(Some(path))));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn compare(bad: Option<PathBuf>) -> Result<(), Failed> {
    let report = report(bad.as_deref())?;
    let Some(bad) = bad else {
        return equal("no findings in 5 files\nexit code 0\n", &report);
    };
    places_and_cures(&report)?;
    let mut out = bad.into_os_string();
    out.push(".out");
    if std::env::var_os("UPDATE_CASES").is_some_and(|value| value == "1") {
        fs::write(&out, report)?;
        return Ok(());
    }
    equal(&fs::read_to_string(&out)?, &report)
}

fn equal(expected: &str, report: &str) -> Result<(), Failed> {
    if expected == report {
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nbut got:\n{report}").into())
}

/// Whether there is a finding, and all of them say where and what to do.
fn places_and_cures(report: &str) -> Result<(), Failed> {
    let is_finding = |block: &&str| block.starts_with("error[") || block.starts_with("warning[");
    let findings: Vec<&str> = report.split("\n\n").filter(is_finding).collect();
    let is_place = |line: &str| {
        let place = line.trim_start().strip_prefix("--> home/");
        let numbers = place.and_then(|place| {
            let (rest, column) = place.rsplit_once(':')?;
            Some((rest.rsplit_once(':')?.1.parse::<u32>(), column.parse::<u32>()))
        });
        matches!(numbers, Some((Ok(1..), Ok(1..))))
    };
    let is_cure = |line: &str| line.trim_start().starts_with("= help: ");
    let lacking = |block: &&&str| !block.lines().any(is_place) || !block.lines().any(is_cure);
    match findings.iter().find(lacking) {
        Some(block) => Err(format!("no place or no cure:\n{block}").into()),
        None if findings.is_empty() => Err("no findings".into()),
        None => Ok(()),
    }
}

/// A mistake must not look like warnings.
fn mistakes() -> Result<(), Failed> {
    for arguments in [&["--bogus"][..], &["-c"], &["one", "two"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_wachter")).arg("check").args(arguments).output()?;
        equal("", &String::from_utf8(output.stdout)?)?;
        let messages = String::from_utf8(output.stderr)?;
        if output.status.code() != Some(2) || !messages.ends_with("; see wachter check --help\n") {
            return Err(format!("{arguments:?}: {messages}").into());
        }
    }
    Ok(())
}

fn nobody_reads() -> Result<(), Failed> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["check", "/nowhere"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()?
        .wait_with_output()?;
    equal("", &String::from_utf8(output.stderr)?)
}

/// What is said about an installation with this file in it.
fn report(bad: Option<&Path>) -> Result<String, Failed> {
    let dir = tempfile::tempdir()?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home");
    for folder in ["etc", "rules"] {
        fs::create_dir_all(dir.path().join("home").join(folder))?;
        for entry in fs::read_dir(home.join(folder))? {
            let entry = entry?;
            fs::copy(entry.path(), dir.path().join("home").join(folder).join(entry.file_name()))?;
        }
    }
    if let Some(bad) = bad {
        let name = bad.file_name().unwrap_or_default().to_string_lossy();
        let kind = name.split('-').next().unwrap_or_default();
        let place = PLACES.iter().find(|(word, _)| *word == kind).ok_or("unknown kind of file")?;
        fs::copy(bad, dir.path().join("home").join(place.1))?;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["check", "home"])
        .current_dir(dir.path())
        .output()?;
    let code = output.status.code().ok_or("killed")?;
    let messages = String::from_utf8(output.stderr)?;
    Ok(format!("{}{messages}exit code {code}\n", String::from_utf8(output.stdout)?))
}
