//! Names, days, modes and links of the files, and what somebody may have put in their place.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use outputs::{OutputOptions, WriteError};

use crate::home::{EVERYTHING, Home, at};

const NOON: (u8, u8, u8) = (12, 0, 0);

#[test]
fn every_file_under_its_names() {
    let home = Home::new();
    let mut files = home.files(EVERYTHING);
    let now = at((2026, 11, 4), NOON, 0);
    files.alerts_text(now, b"alert\n\n");
    files.alerts_json(now, b"{1}\n");
    files.archives_text(now, b"event\n");
    files.archives_json(now, b"{2}\n");
    files.firewall(now, b"wall\n");
    files.totals(now, b"12--1--1--0--0\n\n");
    assert_eq!(files.pending_bytes(), 7 + 4 + 6 + 4 + 5 + 16);
    assert!(home.tree().is_empty());
    files.flush_all().unwrap();
    files.sync_all().unwrap();
    assert_eq!(files.pending_bytes(), 0);
    for (fixed, dated, text) in [
        ("logs/alerts/alerts.log", "logs/alerts/2026/Nov/ossec-alerts-04.log", "alert\n\n"),
        ("logs/alerts/alerts.json", "logs/alerts/2026/Nov/ossec-alerts-04.json", "{1}\n"),
        ("logs/archives/archives.log", "logs/archives/2026/Nov/ossec-archive-04.log", "event\n"),
        ("logs/archives/archives.json", "logs/archives/2026/Nov/ossec-archive-04.json", "{2}\n"),
        ("logs/firewall/firewall.log", "logs/firewall/2026/Nov/ossec-firewall-04.log", "wall\n"),
    ] {
        assert_eq!(home.read(dated), text);
        assert_eq!(home.inode(fixed), home.inode(dated), "{fixed}");
    }
    assert_eq!(home.read("stats/totals/2026/Nov/ossec-totals-04.log"), "12--1--1--0--0\n\n");
    assert_eq!(home.tree().len(), 11);
}

#[test]
fn what_is_off_is_not_written() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    let now = at((2026, 11, 4), NOON, 0);
    files.roll_over(now);
    files.alerts_json(now, b"{1}\n");
    files.archives_text(now, b"event\n");
    files.archives_json(now, b"{2}\n");
    files.firewall(now, b"wall\n");
    files.flush_all().unwrap();
    let there: Vec<_> = home.tree().into_iter().collect();
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "logs/alerts/2026/Nov/ossec-alerts-04.log",
            "logs/alerts/alerts.log",
            "logs/archives/2026/Nov/ossec-archive-04.log",
            "logs/archives/archives.log",
            "logs/firewall/2026/Nov/ossec-firewall-04.log",
            "logs/firewall/firewall.log",
        ]
    );
    assert!(there.iter().all(|(_, text)| text.is_empty()));
    // Switched on and off again, without losing what came before.
    files.set_options(EVERYTHING);
    files.roll_over(now);
    files.flush_all().unwrap();
    assert_eq!(home.read("logs/alerts/alerts.json"), "");
    files.alerts_json(now, b"{3}\n");
    files.set_options(OutputOptions::default());
    files.alerts_json(now, b"{4}\n");
    files.flush_all().unwrap();
    assert_eq!(home.read("logs/alerts/alerts.json"), "{3}\n");
}

#[test]
fn the_day_changes_at_local_midnight() {
    for (before, after, offset, old, new) in [
        (
            (2026, 11, 24),
            (2026, 11, 25),
            0,
            "2026/Nov/ossec-alerts-24.log",
            "2026/Nov/ossec-alerts-25.log",
        ),
        (
            (2026, 11, 30),
            (2026, 12, 1),
            20_700,
            "2026/Nov/ossec-alerts-30.log",
            "2026/Dec/ossec-alerts-01.log",
        ),
        (
            (2026, 12, 31),
            (2027, 1, 1),
            -34_200,
            "2026/Dec/ossec-alerts-31.log",
            "2027/Jan/ossec-alerts-01.log",
        ),
        (
            (2028, 2, 29),
            (2028, 3, 1),
            50_400,
            "2028/Feb/ossec-alerts-29.log",
            "2028/Mar/ossec-alerts-01.log",
        ),
    ] {
        let (old, new) = (format!("logs/alerts/{old}"), format!("logs/alerts/{new}"));
        let home = Home::new();
        let mut files = home.files(OutputOptions::default());
        files.alerts_text(at(before, (23, 59, 59), offset), b"old\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.inode("logs/alerts/alerts.log"), home.inode(&old));
        files.alerts_text(at(before, (23, 59, 59), offset), b"older\n\n");
        files.alerts_text(at(after, (0, 0, 0), offset), b"new\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.read(&old), "old\n\nolder\n\n");
        assert_eq!(home.read(&new), "new\n\n");
        assert_eq!(home.inode("logs/alerts/alerts.log"), home.inode(&new));
    }
}

#[test]
fn a_file_that_stayed_empty_goes() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    files.roll_over(at((2026, 11, 24), NOON, 0));
    files.flush_all().unwrap();
    // Without an event too.
    files.roll_over(at((2026, 11, 25), NOON, 0));
    files.flush_all().unwrap();
    assert!(!home.has("logs/firewall/2026/Nov/ossec-firewall-24.log"));
    assert_eq!(
        home.inode("logs/firewall/firewall.log"),
        home.inode("logs/firewall/2026/Nov/ossec-firewall-25.log")
    );
}

#[test]
fn a_clock_that_goes_back_appends_to_the_earlier_day() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    let (first, second) = (at((2026, 11, 24), NOON, 0), at((2026, 11, 25), NOON, 0));
    for (now, text) in [(first, "a\n\n"), (second, "b\n\n"), (first, "c\n\n")] {
        files.alerts_text(now, text.as_bytes());
    }
    files.flush_all().unwrap();
    let earlier = "logs/alerts/2026/Nov/ossec-alerts-24.log";
    assert_eq!(home.read(earlier), "a\n\nc\n\n");
    assert_eq!(home.read("logs/alerts/2026/Nov/ossec-alerts-25.log"), "b\n\n");
    assert_eq!(home.inode("logs/alerts/alerts.log"), home.inode(earlier));
}

#[test]
fn files_of_the_day_are_appended_to() {
    let home = Home::new();
    let now = at((2026, 11, 24), NOON, 0);
    let dated = "logs/alerts/2026/Nov/ossec-alerts-24.log";
    for (options, before, expected) in [
        (OutputOptions::default(), "x\n\n", "x\n\nnew\n\n"),
        // A record that was torn gets its end.
        (OutputOptions::default(), "x\n", "x\n\nnew\n\n"),
        (OutputOptions::default(), "x", "x\n\nnew\n\n"),
        (OutputOptions::default(), "\n", "\n\nnew\n\n"),
        (OutputOptions { alerts_are_lines: true, ..OutputOptions::default() }, "x\n", "x\nnew\n\n"),
        (OutputOptions { alerts_are_lines: true, ..OutputOptions::default() }, "x", "x\nnew\n\n"),
    ] {
        fs::create_dir_all(home.path("logs/alerts/2026/Nov")).unwrap();
        fs::write(home.path(dated), before).unwrap();
        let mut files = home.files(options);
        files.roll_over(now);
        files.flush_all().unwrap();
        assert_eq!(home.read(dated), before, "nothing is written without a record");
        files.alerts_text(now, b"new\n\n");
        files.flush_all().unwrap();
        assert_eq!(home.read(dated), expected);
    }
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    // The umask belongs to the process: the test runs in one of its own.
    if std::env::var_os("OUTPUTS_UMASK").is_none() {
        for umask in ["000", "027", "077"] {
            let status = Command::new("sh")
                .args([
                    "-c",
                    "umask \"$1\" && exec \"$0\" --exact daily::modes_do_not_depend_on_the_umask",
                ])
                .arg(std::env::current_exe().unwrap())
                .arg(umask)
                .env("OUTPUTS_UMASK", umask)
                .status()
                .unwrap();
            assert!(status.success(), "umask {umask}");
        }
        return;
    }
    let home = Home::new();
    fs::set_permissions(home.folder.path(), Permissions::from_mode(0o700)).unwrap();
    let mut files = home.files(EVERYTHING);
    files.roll_over(at((2026, 11, 24), NOON, 0));
    files.flush_all().unwrap();
    let mode = |path: &str| fs::metadata(home.path(path)).unwrap().mode() & 0o7777;
    for folder in ["logs", "logs/alerts", "logs/alerts/2026", "logs/alerts/2026/Nov"] {
        assert_eq!(mode(folder), 0o750, "{folder}");
    }
    assert_eq!(mode("logs/alerts/alerts.json"), 0o640);
}

#[test]
fn the_fixed_name_is_never_missing() {
    let home = Home::new();
    let mut files = home.files(OutputOptions::default());
    let first = at((2026, 11, 24), NOON, 0);
    // Whatever stands there, and what an interruption left behind.
    fs::create_dir_all(home.path("logs/alerts")).unwrap();
    fs::write(home.path("logs/alerts/.alerts.log.new"), "left behind").unwrap();
    fs::write(home.path("victim"), "untouched").unwrap();
    symlink(home.path("victim"), home.path("logs/alerts/alerts.log")).unwrap();
    files.alerts_text(first, b"a\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read("victim"), "untouched");
    assert_eq!(home.read("logs/alerts/alerts.log"), "a\n\n");
    assert!(!home.has("logs/alerts/.alerts.log.new"));
    // A reader that holds the fixed name open while days pass never finds it gone.
    let watched = home.path("logs/alerts/alerts.log");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0_u64;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                fs::metadata(&watched).unwrap();
                looks += 1;
            }
            looks
        });
        for day in 1..=28 {
            files.alerts_text(at((2027, 2, day), NOON, 0), b"b\n\n");
            files.flush_all().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn nobody_redirects_a_file() {
    let now = at((2026, 11, 24), NOON, 0);
    let dated = "logs/alerts/2026/Nov/ossec-alerts-24.log";
    for link in ["logs", "logs/alerts", "logs/alerts/2026", "logs/alerts/2026/Nov", dated] {
        let home = Home::new();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = if link == dated {
            let file = elsewhere.path().join("victim");
            fs::write(&file, "untouched").unwrap();
            file
        } else {
            elsewhere.path().to_owned()
        };
        fs::create_dir_all(home.path(link).parent().unwrap()).unwrap();
        symlink(&target, home.path(link)).unwrap();
        let mut files = home.files(OutputOptions::default());
        files.alerts_text(now, b"alert\n\n");
        let error = files.flush_all().unwrap_err();
        assert!(matches!(error, WriteError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(link), "{error}");
        let left: Vec<_> = fs::read_dir(elsewhere.path()).unwrap().collect();
        assert_eq!(left.len(), usize::from(link == dated));
        if link == dated {
            assert_eq!(fs::read(&target).unwrap(), b"untouched");
        }
        // Once the link is gone, what was pending is written.
        assert_eq!(files.pending_bytes(), 7);
        fs::remove_file(home.path(link)).unwrap();
        files.flush_all().unwrap();
        assert_eq!(home.read(dated), "alert\n\n");
    }
}

#[test]
fn pipes_and_folders_in_the_place_of_a_file() {
    let now = at((2026, 11, 24), NOON, 0);
    let dated = "logs/alerts/2026/Nov/ossec-alerts-24.log";
    for make in ["mkfifo", "mkdir"] {
        let home = Home::new();
        fs::create_dir_all(home.path("logs/alerts/2026/Nov")).unwrap();
        assert!(Command::new(make).arg(home.path(dated)).status().unwrap().success());
        let mut files = home.files(OutputOptions::default());
        files.alerts_text(now, b"alert\n\n");
        let error = files.flush_all().unwrap_err();
        assert!(error.to_string().contains(dated), "{error}");
        assert_eq!(files.pending_bytes(), 7);
        // The other files are written all the same.
        assert!(home.has("logs/firewall/firewall.log"));
    }
}

#[test]
fn a_file_that_somebody_removed_is_made_again() {
    let home = Home::new();
    let now = at((2026, 11, 24), NOON, 0);
    let dated = "logs/alerts/2026/Nov/ossec-alerts-24.log";
    let mut files = home.files(OutputOptions::default());
    files.alerts_text(now, b"a\n\n");
    files.flush_all().unwrap();
    fs::remove_file(home.path(dated)).unwrap();
    fs::remove_file(home.path("logs/alerts/alerts.log")).unwrap();
    files.alerts_text(now, b"b\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read("logs/alerts/alerts.log"), "b\n\n");
    assert_eq!(home.read(dated), "b\n\n");
    // Cut by somebody: the length that is told is the file's.
    fs::write(home.path(dated), "").unwrap();
    files.alerts_text(now, b"cc\n\n");
    files.flush_all().unwrap();
    let state = files.state().unwrap();
    assert_eq!(state.iter().find(|file| file.path == dated).unwrap().length, 4);
}

#[test]
fn an_earlier_day_that_lies_elsewhere_does_no_harm() {
    let home = Home::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path("logs/alerts/2026")).unwrap();
    symlink(elsewhere.path(), home.path("logs/alerts/2026/Oct")).unwrap();
    let mut files = home.files(EVERYTHING);
    files.alerts_text(at((2026, 11, 1), NOON, 0), b"alert\n\n");
    files.flush_all().unwrap();
    assert_eq!(home.read("logs/alerts/alerts.log"), "alert\n\n");
}
