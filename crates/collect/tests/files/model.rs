//! Anything may happen to a log, in any order, while it is followed and while it is not: each line
//! comes out once.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use proptest::prelude::*;

use crate::harness::{Host, LINE_WAIT, gzip, truncate};

/// Rotated files that are kept.
const KEPT: u32 = 24;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The writer writes lines, and perhaps half of another.
    Write {
        lines: u8,
        half: bool,
    },
    /// The log gets the name of a rotated one, and a new one is made. The writer may notice later.
    Rename {
        noticed: bool,
    },
    /// As [`Step::Rename`], but the next write makes the new file.
    RenameOnly,
    Reopen,
    CopyAndTruncate,
    /// Lines come after the copy, and are read before the truncation.
    CopyWriteAndTruncate,
    /// The log is removed and made anew. What it held has been read.
    Recreate,
    Gzip(u8),
    RemoveOldest,
    Settle,
    /// The analysis has room for some messages only.
    SettlePartly(u8),
    Notice,
    Acknowledge(u8),
    Save,
    Crash,
    Start,
    /// The analysis forgets what it has not acknowledged.
    Forget,
    Pass(u16),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..4u8, any::<bool>()).prop_map(|(lines, half)| Step::Write { lines, half }),
        3 => any::<bool>().prop_map(|noticed| Step::Rename { noticed }),
        1 => Just(Step::RenameOnly),
        1 => Just(Step::Reopen),
        3 => Just(Step::CopyAndTruncate),
        1 => Just(Step::CopyWriteAndTruncate),
        1 => Just(Step::Recreate),
        2 => (1..4u8).prop_map(Step::Gzip),
        1 => Just(Step::RemoveOldest),
        5 => Just(Step::Settle),
        1 => (0..5u8).prop_map(Step::SettlePartly),
        1 => Just(Step::Notice),
        3 => (0..9u8).prop_map(Step::Acknowledge),
        2 => Just(Step::Save),
        2 => Just(Step::Crash),
        3 => Just(Step::Start),
        1 => Just(Step::Forget),
        1 => (1..400u16).prop_map(Step::Pass),
    ]
}

struct World {
    host: Host,
    writer: Option<File>,
    /// What is missing of a line that was begun.
    half: Option<String>,
    written: Vec<String>,
}

impl World {
    fn new(locations: &[&str]) -> Self {
        let host = Host::following(locations);
        let mut world = Self { host, writer: None, half: None, written: Vec::new() };
        world.write(1);
        world.settle();
        world
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write { lines, half } => {
                self.write(lines);
                if half {
                    self.write_half();
                }
            }
            Step::Rename { noticed } => {
                self.rename();
                File::create(self.host.at("log")).unwrap();
                if noticed {
                    self.reopen();
                }
            }
            Step::RenameOnly => self.rename(),
            Step::Reopen => self.reopen(),
            Step::CopyAndTruncate if self.has_log() => {
                self.finish_half();
                self.shift();
                self.host.copy_and_truncate("log", "log.1");
            }
            Step::CopyWriteAndTruncate if self.has_log() && self.is_running() => {
                self.reopen();
                self.shift();
                fs::copy(self.host.at("log"), self.host.at("log.1")).unwrap();
                self.write(2);
                self.settle_and_save();
                truncate(&self.host.at("log"));
            }
            Step::Recreate if self.has_log() && self.is_running() => {
                self.finish_half();
                self.settle_and_save();
                self.host.remove("log");
                self.reopen();
            }
            Step::Gzip(number) => self.gzip(number),
            Step::RemoveOldest if self.is_running() => self.remove_oldest(),
            Step::Settle if self.is_running() => self.settle(),
            Step::SettlePartly(room) if self.is_running() => {
                self.host.room = room.into();
                self.host.settle();
                self.host.room = usize::MAX;
            }
            Step::Notice if self.is_running() => {
                let now = self.host.now;
                self.host.running().notice(now);
            }
            Step::Acknowledge(count) if self.is_running() => self.host.acknowledge(count.into()),
            Step::Save if self.is_running() => self.host.save(),
            Step::Crash if self.is_running() => self.host.crash(),
            Step::Start if !self.is_running() => self.host.start(),
            Step::Forget if self.is_running() => self.host.lose_unacknowledged(),
            Step::Pass(seconds) => {
                // Writers that take longer than rotated files are kept open lose lines.
                self.reopen();
                self.host.pass(Duration::from_secs(seconds.into()));
            }
            // There is nothing to do it with.
            _ => {}
        }
    }

    fn end(&mut self) {
        self.finish_half();
        if !self.is_running() {
            self.host.start();
        }
        self.settle();
        for _ in 0..4 {
            self.host.acknowledge_all();
            self.host.pass(LINE_WAIT);
            self.settle();
        }
    }

    /// Each line that was written, once.
    fn check(&self) {
        let mut lines = self.host.lines();
        lines.sort_unstable();
        let mut written: Vec<&str> = self.written.iter().map(String::as_str).collect();
        written.sort_unstable();
        assert_eq!(lines, written);
    }

    fn is_running(&self) -> bool {
        self.host.files.is_some()
    }

    fn has_log(&self) -> bool {
        fs::metadata(self.host.at("log")).is_ok()
    }

    fn settle(&mut self) {
        self.host.room = usize::MAX;
        self.host.settle();
    }

    fn settle_and_save(&mut self) {
        self.settle();
        self.host.acknowledge_all();
        self.host.save();
    }

    fn writer(&mut self) -> &mut File {
        let path = self.host.at("log");
        self.writer
            .get_or_insert_with(|| OpenOptions::new().append(true).create(true).open(path).unwrap())
    }

    fn write(&mut self, lines: u8) {
        self.finish_half();
        for _ in 0..lines {
            let line = format!("this is line {}", self.written.len());
            writeln!(self.writer(), "{line}").unwrap();
            self.written.push(line);
        }
    }

    fn write_half(&mut self) {
        let number = self.written.len();
        write!(self.writer(), "this is ").unwrap();
        self.half = Some(format!("line {number}"));
        self.written.push(format!("this is line {number}"));
    }

    fn finish_half(&mut self) {
        if let Some(half) = self.half.take() {
            writeln!(self.writer(), "{half}").unwrap();
        }
    }

    fn reopen(&mut self) {
        self.finish_half();
        self.writer = None;
        self.writer();
    }

    fn rename(&mut self) {
        if self.has_log() {
            self.shift();
            self.host.rename("log", "log.1");
        }
    }

    fn shift(&self) {
        for number in (1..KEPT).rev() {
            for ending in ["", ".gz"] {
                let from = self.host.at(&format!("log.{number}{ending}"));
                let to = self.host.at(&format!("log.{}{ending}", number + 1));
                let _ = fs::rename(from, to);
            }
        }
    }

    fn gzip(&mut self, number: u8) {
        let path = self.host.at(&format!("log.{number}"));
        let Ok(facts) = fs::metadata(&path) else { return };
        let writes_there = self
            .writer
            .as_ref()
            .is_some_and(|writer| writer.metadata().unwrap().ino() == facts.ino());
        if !writes_there {
            gzip(&path);
        }
    }

    fn remove_oldest(&mut self) {
        self.reopen();
        self.settle_and_save();
        for number in (1..=KEPT).rev() {
            for ending in ["", ".gz"] {
                if fs::remove_file(self.host.at(&format!("log.{number}{ending}"))).is_ok() {
                    return;
                }
            }
        }
    }
}

fn run(locations: &[&str], steps: &[Step]) {
    let mut world = World::new(locations);
    for step in steps {
        world.step(*step);
    }
    world.end();
    world.check();
    world.host.save();
    world.host.crash();
    world.end();
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn one_log(steps in prop::collection::vec(steps(), 1..KEPT as usize)) {
        run(&["log"], &steps);
    }

    #[test]
    fn a_log_and_its_rotated_files(steps in prop::collection::vec(steps(), 1..KEPT as usize)) {
        run(&["log*"], &steps);
    }

    #[test]
    fn a_log_twice(steps in prop::collection::vec(steps(), 1..KEPT as usize)) {
        run(&["log", "log*"], &steps);
    }
}
