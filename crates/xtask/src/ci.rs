//! The steps every change must pass, in order; the first failure ends the run.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::command::command;
use crate::command::works;
use crate::tidy;

enum Step {
    /// A program that says by its exit code whether all is well.
    Run(&'static str),
    /// As `Run`, and its output tells how many tests passed and failed.
    Tests(&'static str),
    /// As `Run`, if the first line works; skipped loudly if not.
    IfInstalled {
        probe: &'static str,
        line: &'static str,
    },
    Tidy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

fn steps() -> Vec<(&'static str, Step)> {
    let tests = if works("cargo nextest --version") {
        "cargo nextest run --workspace --locked --no-fail-fast --no-tests pass"
    } else {
        "cargo test --workspace --locked --no-fail-fast --lib --bins --tests --examples"
    };
    vec![
        ("format", Step::Run("cargo fmt --all --check")),
        ("format of fuzz", Step::Run("cargo fmt --manifest-path fuzz/Cargo.toml --check")),
        ("clippy", Step::Run("cargo clippy --workspace --all-targets --locked -- --deny warnings")),
        (
            "clippy of fuzz",
            Step::Run(
                "cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target/fuzz-check \
                 --locked -- --deny warnings",
            ),
        ),
        ("tests", Step::Tests(tests)),
        (
            "tests in documentation",
            Step::Tests("cargo test --workspace --locked --no-fail-fast --doc"),
        ),
        (
            "documentation",
            Step::Run("cargo doc --workspace --locked --no-deps --document-private-items"),
        ),
        ("tidy", Step::Tidy),
        (
            "dependencies",
            Step::IfInstalled {
                probe: "cargo deny --version",
                line: "cargo deny --locked check bans licenses sources",
            },
        ),
    ]
}

/// Runs all steps. The last line printed counts the tests.
pub(crate) fn run(root: &Path) -> Result<()> {
    let started = Instant::now();
    let mut count = Count::default();
    let mut result = Ok(());
    for (name, step) in steps() {
        println!("\n== {name}");
        let step_started = Instant::now();
        result = run_step(root, &step, &mut count).with_context(|| format!("step {name}"));
        let seconds = step_started.elapsed().as_secs_f64();
        if let Err(error) = &result {
            println!("== {name}: FAILED after {seconds:.1} s: {error:#}");
            break;
        }
        println!("== {name}: done in {seconds:.1} s");
    }
    println!("\nci: {:.1} s", started.elapsed().as_secs_f64());
    match &result {
        Ok(()) => println!("ci: all steps passed"),
        Err(error) => println!("ci: stopped: {error:#}"),
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    // The last line is the count: the exit code alone says the rest.
    match result {
        Ok(()) => Ok(()),
        Err(_) => exit_failed(),
    }
}

fn run_step(root: &Path, step: &Step, count: &mut Count) -> Result<()> {
    match step {
        Step::Run(line) => crate::command::run(&mut prepared(root, line)),
        Step::Tests(line) => run_tests(prepared(root, line), count),
        Step::IfInstalled { probe, line } => {
            if works(probe) {
                return crate::command::run(&mut prepared(root, line));
            }
            println!("SKIPPED: `{probe}` does not work here");
            Ok(())
        }
        Step::Tidy => tidy::run(root),
    }
}

fn prepared(root: &Path, line: &str) -> Command {
    println!("$ {line}");
    let mut command = command(root, line);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    // Here the machine's clock may jump; it does not where somebody just runs the tests.
    command.env("WACHTER_TEST_CLOCK", "1");
    command
}

/// Runs a test command, passes its output on and adds up what it says.
fn run_tests(mut command: Command, count: &mut Count) -> Result<()> {
    // Results of libtest come on standard output, those of nextest on standard error: let the
    // shell's way of joining them be ours.
    let (reader, writer) = std::io::pipe().context("making a pipe")?;
    command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
    let mut child = command.spawn().context("starting cargo")?;
    drop(command); // Our ends of the pipe, or reading never ends.
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        if let Some(more) = count_of(&line) {
            count.passed += more.passed;
            count.failed += more.failed;
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo ended with {status}");
    }
    Ok(())
}

/// The numbers of `test result: ok. 3 passed; 1 failed; …` or of
/// `Summary [   0.1s] 4 tests run: 3 passed, 1 failed, 0 skipped`.
fn count_of(line: &str) -> Option<Count> {
    let line = line.trim_start();
    if !line.starts_with("test result:") && !line.starts_with("Summary [") {
        return None;
    }
    let number_before = |word: &str| -> u64 {
        let words: Vec<&str> = line.split([' ', ';', ',']).collect();
        let place = words.iter().position(|candidate| *candidate == word);
        place.and_then(|place| words.get(place.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
    };
    Some(Count { passed: number_before("passed"), failed: number_before("failed") })
}

#[expect(clippy::exit, reason = "an error would print a line after the count")]
fn exit_failed() -> ! {
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_counts_of_both_runners() {
        let cases = [
            ("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured", Some((12, 0))),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured", Some((3, 2))),
            ("     Summary [   0.027s] 5 tests run: 5 passed, 0 skipped", Some((5, 0))),
            (
                "     Summary [   0.1s] 5 tests run: 4 passed (1 slow), 1 failed, 0 skipped",
                Some((4, 1)),
            ),
            ("Summary of 3 passed", None),
            ("test a ... ok", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(passed, failed)| Count { passed, failed });
            assert_eq!(count_of(line), expected, "{line}");
        }
    }
}
