//! Globs and dates.

use std::fs;
use std::time::Duration;

use collect::files::Notice;

use crate::harness::{Host, NOON};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn files_that_come_later_are_read_from_their_start() {
    let mut host = Host::new(&["logs/*.log"]);
    fs::create_dir(host.at("logs")).unwrap();
    host.append("logs/a.log", "old\n");
    host.start();
    host.settle();
    host.append("logs/b.log", "b1\n");
    host.append("logs/c.txt", "no\n");
    host.append("logs/.d.log", "no\n");
    host.append("logs/a.log", "a1\n");
    fs::create_dir(host.at("logs/e.log")).unwrap();
    let mut lines = host.new_lines();
    lines.sort();
    assert_eq!(lines, ["a1", "b1"]);
    host.append("f", "f1\n");
    host.rename("f", "logs/f.log");
    assert_eq!(host.new_lines(), ["f1"]);
}

#[test]
fn directories_come_level_by_level() {
    let mut host = Host::following(&["lxc/*/rootfs/var/log/secure"]);
    let mut path = String::new();
    for level in ["lxc", "one", "rootfs", "var", "log"] {
        path = format!("{path}{level}/");
        fs::create_dir(host.at(&path)).unwrap();
        host.settle();
        assert_eq!(host.lines(), [""; 0]);
    }
    host.append("lxc/one/rootfs/var/log/secure", "a\n");
    assert!(host.is_woken());
    assert_eq!(host.new_lines(), ["a"]);
    // All levels at once.
    fs::create_dir_all(host.at("lxc/two/rootfs/var/log")).unwrap();
    host.append("lxc/two/rootfs/var/log/secure", "b\n");
    assert_eq!(host.new_lines(), ["b"]);
    // A whole tree that is moved to its place.
    fs::create_dir_all(host.at("three/rootfs/var/log")).unwrap();
    host.append("three/rootfs/var/log/secure", "c\n");
    host.rename("three", "lxc/three");
    assert_eq!(host.new_lines(), ["c"]);
    host.append("lxc/three/rootfs/var/log/secure", "d\n");
    assert_eq!(host.new_lines(), ["d"]);
}

#[test]
fn a_directory_that_is_replaced() {
    let mut host = Host::following(&["logs/log"]);
    for round in 0..3 {
        fs::create_dir(host.at("logs")).unwrap();
        host.append("logs/log", &format!("a{round}\n"));
        assert_eq!(host.new_lines(), [format!("a{round}")]);
        host.append("logs/log", &format!("b{round}\n"));
        host.rename("logs", &format!("gone{round}"));
        host.append(&format!("gone{round}/log"), &format!("c{round}\n"));
        assert_eq!(host.new_lines(), [format!("b{round}"), format!("c{round}")]);
    }
}

#[test]
fn plain_paths_below_directories_that_come() {
    let mut host = Host::following(&["a/b/c/log"]);
    fs::create_dir_all(host.at("a/b/c")).unwrap();
    host.append("a/b/c/log", "1\n");
    assert_eq!(host.new_lines(), ["1"]);
    fs::remove_dir_all(host.at("a")).unwrap();
    host.settle();
    fs::create_dir_all(host.at("a/b/c")).unwrap();
    host.settle();
    host.append("a/b/c/log", "2\n");
    assert_eq!(host.new_lines(), ["2"]);
}

#[test]
fn packed_files_are_no_text() {
    let mut host = Host::following(&["log*"]);
    host.append("log", "a\n");
    host.append("log.1", "b\n");
    host.settle();
    host.gzip("log.1");
    host.append("log.2.xz", "c\n");
    host.settle();
    assert_eq!(host.lines(), ["a", "b"]);
    assert_eq!(host.report("log.1.gz"), None);
}

#[test]
fn files_that_go_are_forgotten() {
    let mut host = Host::following(&["*.log"]);
    host.append("a.log", "a\n");
    host.settle();
    host.acknowledge_all();
    host.remove("a.log");
    host.settle();
    for _ in 0..3 {
        host.pass(Duration::from_secs(61));
        host.settle();
    }
    assert_eq!(host.report("a.log"), None);
    host.append("a.log", "b\n");
    assert_eq!(host.new_lines(), ["b"]);
}

#[test]
fn dates_are_followed() {
    let mut host = Host::new(&["log-%Y%m%d"]);
    host.append("log-20261123", "old\n");
    host.append("log-20261124", "older\n");
    host.start();
    host.append("log-20261124", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    host.append("log-20261125", "early\n");
    assert_eq!(host.new_lines(), [""; 0]);
    host.append("log-20261124", "b\n");
    host.pass(12 * HOUR);
    host.append("log-20261124", "c\n");
    assert_eq!(host.new_lines(), ["b", "c", "early"]);
    host.append("log-20261124", "late\n");
    host.append("log-20261125", "d\n");
    assert_eq!(host.new_lines(), ["late", "d"]);
    let variable = host.notices.iter().filter(|notice| matches!(notice, Notice::Variable(_)));
    assert_eq!(variable.count(), 2);
    host.acknowledge_all();
    host.pass(HOUR);
    host.settle();
    assert_eq!(host.report("log-20261124"), None);
    assert_eq!(host.own(), [""; 0]);
}

#[test]
fn names_with_hours_change_with_the_hour() {
    let mut host = Host::following(&["%H/log"]);
    assert_eq!(host.now.wall.seconds, NOON);
    for hour in ["12", "13", "14"] {
        fs::create_dir(host.at(hour)).unwrap();
        host.append(&format!("{hour}/log"), &format!("{hour}\n"));
    }
    assert_eq!(host.new_lines(), ["12"]);
    let due = host.running().next_due().unwrap();
    assert!(due <= host.now.monotonic + Duration::from_secs(60));
    // The clock jumps, the other does not.
    host.now.wall.seconds += 2 * 3600;
    assert_eq!(host.new_lines(), ["13", "14"]);
    host.now.wall.seconds -= 3600;
    host.append("13/log", "again\n");
    assert_eq!(host.new_lines(), ["again"]);
}

#[test]
fn dates_and_globs_together() {
    let mut host = Host::following(&["*/%d.log"]);
    fs::create_dir(host.at("one")).unwrap();
    host.append("one/24.log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    host.pass(12 * HOUR);
    host.settle();
    fs::create_dir(host.at("two")).unwrap();
    host.append("one/25.log", "b\n");
    host.append("two/25.log", "c\n");
    host.append("two/24.log", "no\n");
    let mut lines = host.new_lines();
    lines.sort();
    assert_eq!(lines, ["b", "c"]);
}

#[test]
fn names_that_changed_while_nobody_looked() {
    let mut host = Host::following(&["log-%d"]);
    host.append("log-24", "a\n");
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("log-24", "b\n");
    host.append("log-25", "c\n");
    host.append("log-26", "d\n");
    host.append("log-27", "early\n");
    host.pass(48 * HOUR);
    host.start();
    host.settle();
    let mut lines = host.lines();
    lines.sort_unstable();
    assert_eq!(lines, ["a", "b", "c", "d"]);
}

#[test]
fn impossible_locations_are_said() {
    let mut host = Host::new(&[]);
    host.entries.push(collect::files::FileEntry {
        location: "/".to_owned(),
        format: config::sections::LogFormat::Line,
    });
    host.start();
    host.settle();
    assert_eq!(host.notices, [Notice::BadLocation(b"/".to_vec())]);
}
