//! A disk that is full, for real: the largest file of this process is limited.

use std::process::Command;

use outputs::OutputOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::home::{Home, at};

const DATED: &str = "logs/alerts/2026/Nov/ossec-alerts-24.log";

/// In a process of its own, in which exceeding the limit is an error and not a deadly signal.
#[test]
fn nothing_is_lost_and_nothing_is_there_twice() {
    if std::env::var_os("OUTPUTS_FULL_DISK").is_some() {
        fill_the_disk();
        return;
    }
    let status = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; exec \"$0\" --exact full_disk::nothing_is_lost_and_nothing_is_there_twice",
        ])
        .arg(std::env::current_exe().unwrap())
        .env("OUTPUTS_FULL_DISK", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

fn limit(bytes: u64) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum }).unwrap();
}

fn fill_the_disk() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    let today = at((2026, 11, 24), (12, 0, 0), 0);
    let tomorrow = at((2026, 11, 25), (12, 0, 0), 0);
    let mut expected = String::new();
    let mut add = |files: &mut outputs::OutputFiles| {
        let record = format!("** Alert {}\nsome text\n\n", expected.len());
        files.alerts_text(today, record.as_bytes());
        expected.push_str(&record);
    };
    for _ in 0..100 {
        add(&mut files);
    }
    let appended = files.pending_bytes();
    assert!(files.state().is_none());
    // Each step leaves room for some more, and never for a whole record.
    for room in [0, 1, 777, 778, 1500] {
        limit(room);
        let error = files.flush_all().unwrap_err();
        assert!(error.is_disk_full(), "{error}");
        assert_eq!(files.pending_bytes(), appended - room as usize);
        assert_eq!(home.read(DATED).len() as u64, room);
        assert!(files.state().is_none(), "no checkpoint may be taken");
    }
    add(&mut files);
    files.alerts_text(tomorrow, b"the day after\n\n");
    assert!(files.flush_all().is_err());
    limit(1_000_000);
    files.flush_all().unwrap();
    assert_eq!(files.pending_bytes(), 0);
    assert_eq!(home.read(DATED), expected);
    assert_eq!(home.read("logs/alerts/alerts.log"), "the day after\n\n");
    assert!(files.state().is_some());
}
