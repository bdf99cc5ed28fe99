//! Files are renamed, copied, overwritten and packed while they are followed and while they are
//! not.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use collect::files::{Notice, SourceState};

use crate::harness::{Host, append, truncate};

const RENAMED: &str = "ossec: File rotated (inode changed): 'log'.";
const TRUNCATED: &str = "ossec: File size reduced (inode remained): 'log'.";

#[test]
fn a_renamed_file_is_read_to_its_end() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.append("log", "b\n");
    host.rename("log", "log.1");
    host.append("log.1", "c\n");
    host.append("log", "d\n");
    assert_eq!(host.new_lines(), ["b", "c", "d"]);
    assert_eq!(host.own(), [RENAMED]);
    // The writer has not noticed yet.
    host.append("log.1", "e\n");
    host.append("log", "f\n");
    assert_eq!(host.new_lines(), ["e", "f"]);
    assert_eq!(host.report("log").unwrap().rotations, 1);
}

#[test]
fn a_rotated_file_is_closed_when_it_is_quiet() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.rename("log", "log.1");
    host.append("log", "b\n");
    host.settle();
    let open = |host: &Host| {
        let fds = fs::read_dir("/proc/self/fd").unwrap();
        let targets = fds.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        targets.filter(|target| *target == host.at("log.1")).count()
    };
    host.pass(Duration::from_secs(301));
    host.settle();
    assert_eq!(open(&host), 1, "not acknowledged: it may be needed again");
    host.acknowledge_all();
    host.pass(Duration::from_secs(1));
    host.settle();
    assert_eq!(open(&host), 0);
    // It is not new when a writer that was very late comes.
    host.append("log.1", "late\n");
    assert_eq!(host.new_lines(), [""; 0]);
}

#[test]
fn a_file_that_is_written_anew() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.append("log", "b\n");
    host.remove("log");
    host.append("log", "c\n");
    assert_eq!(host.new_lines(), ["b", "c"]);
    assert_eq!(host.own(), [RENAMED]);
}

#[test]
fn a_file_that_goes_and_comes() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.append("log", "b\n");
    host.rename("log", "log.1");
    assert_eq!(host.new_lines(), ["b"]);
    assert_eq!(host.report("log").unwrap().state, SourceState::Missing);
    host.append("log", "c\n");
    host.rename("log", "log.2");
    host.append("log", "d\n");
    assert_eq!(host.new_lines(), ["c", "d"]);
}

#[test]
fn a_file_that_is_put_back() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.rename("log", "log.1");
    host.append("log", "b\n");
    host.settle();
    host.rename("log.1", "log");
    host.append("log", "c\n");
    assert_eq!(host.new_lines(), ["c"]);
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

#[test]
fn two_rotations_at_once() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    for (old, new) in [("b", "c"), ("d", "e"), ("f", "g")] {
        host.append("log", &format!("{old}\n"));
        for number in (1..4).rev() {
            let from = host.at(&format!("log.{number}"));
            let _ = fs::rename(from, host.at(&format!("log.{}", number + 1)));
        }
        host.rename("log", "log.1");
        host.append("log", &format!("{new}\n"));
    }
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c", "d", "e", "f", "g"]);
}

#[test]
fn more_rotations_than_can_be_open() {
    let mut host = Host::following(&["log"]);
    host.append("log", "0\n");
    host.settle();
    for number in 1..40 {
        host.rename("log", &format!("log-2026{number:04}"));
        host.append("log", &format!("{number}\n"));
    }
    for _ in 0..10 {
        host.settle();
        host.acknowledge_all();
        host.pass(Duration::from_secs(1));
    }
    host.settle();
    let all: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(host.lines(), all);
}

#[test]
fn a_copied_and_truncated_file() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.append("log", "b\n");
    host.copy_and_truncate("log", "log.1");
    host.append("log", "c\n");
    assert_eq!(host.new_lines(), ["b", "c"]);
    assert_eq!(host.own(), [TRUNCATED]);
    host.append("log", "d\n");
    assert_eq!(host.new_lines(), ["d"]);
}

#[test]
fn a_truncated_file_that_has_grown_again() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb\n");
    host.settle();
    truncate(&host.at("log"));
    host.append("log", "c\nd\ne\n");
    assert_eq!(host.new_lines(), ["c", "d", "e"]);
    assert_eq!(host.own(), [TRUNCATED]);
}

#[test]
fn a_truncated_file_that_begins_as_before() {
    let mut host = Host::following(&["log"]);
    host.append("log", "#head\na\n");
    host.settle();
    host.append("log", "b\n");
    host.copy_and_truncate("log", "log.1");
    host.append("log", "#head\nc\nd\ne\n");
    assert_eq!(host.new_lines(), ["b", "#head", "c", "d", "e"]);
}

#[test]
fn a_truncated_file_of_the_same_size() {
    let mut host = Host::following(&["log"]);
    host.append("log", "#head\na\n");
    host.settle();
    truncate(&host.at("log"));
    host.append("log", "#head\nb\n");
    assert_eq!(host.new_lines(), ["#head", "b"]);
}

#[test]
fn a_partial_line_before_truncation_is_not_lost() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb");
    host.settle();
    truncate(&host.at("log"));
    host.append("log", "c\n");
    assert_eq!(host.new_lines(), ["b", "c"]);
}

#[test]
fn an_edited_file_is_not_read_again() {
    let mut host = Host::following(&["log"]);
    let lines: String = (0..100).map(|number| format!("this is line {number}\n")).collect();
    host.append("log", &lines);
    host.settle();
    fs::copy(host.at("log"), host.at("new")).unwrap();
    append(&host.at("new"), "more\n");
    host.rename("new", "log");
    assert_eq!(host.new_lines(), ["more"]);
}

#[test]
fn what_analysis_lost_is_found_after_rotations() {
    for rotate in [
        |host: &Host| host.rename("log", "log.1"),
        |host: &Host| host.copy_and_truncate("log", "log.1"),
        |host: &Host| host.remove("log"),
    ] {
        let mut host = Host::following(&["log"]);
        host.append("log", "a\nb\n");
        host.settle();
        host.acknowledge(1);
        rotate(&host);
        host.append("log", "c\n");
        host.settle();
        host.lose_unacknowledged();
        host.settle();
        assert_eq!(host.lines(), ["a", "b", "c"]);
    }
}

#[test]
fn rotated_while_nobody_looked() {
    for (name, rotate) in [
        ("renamed", (|host: &Host| host.rename("log", "log.1")) as fn(&Host)),
        ("copied", |host: &Host| host.copy_and_truncate("log", "log.1")),
        ("packed", |host: &Host| {
            host.rename("log", "log.1");
            host.gzip("log.1");
        }),
        ("copied and packed", |host: &Host| {
            host.copy_and_truncate("log", "log.1");
            host.gzip("log.1");
        }),
        ("packed at once", |host: &Host| host.gzip("log")),
    ] {
        let mut host = Host::following(&["log"]);
        host.append("log", "a\n");
        host.settle();
        host.acknowledge_all();
        host.save();
        host.append("log", "b\n");
        host.settle();
        host.crash();
        host.append("log", "c\n");
        rotate(&host);
        host.append("log", "d\n");
        host.rename("log", "log-20261124");
        host.append("log", "e\n");
        host.start();
        host.settle();
        assert_eq!(host.lines(), ["a", "b", "c", "d", "e"], "{name}");
        host.acknowledge_all();
        host.save();
        host.restart();
        assert_eq!(host.lines().len(), 5, "{name}");
    }
}

#[test]
fn a_rotated_file_without_successor_is_found() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("log", "b\n");
    host.rename("log", "log.1");
    host.start();
    host.settle();
    host.append("log", "c\n");
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

#[test]
fn what_cannot_be_unpacked_is_said() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("log", "b\n");
    host.rename("log", "log.1.xz");
    host.append("log", "c\n");
    host.remove("log.1.xz");
    host.append("log.1.xz", "not really packed");
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "c"]);
    let bytes = |name: &str| host.at(name).as_os_str().as_encoded_bytes().to_vec();
    let said = Notice::RestUnreadable(bytes("log"), bytes("log.1.xz"));
    assert_eq!(host.notices.iter().filter(|notice| **notice == said).count(), 1);
}

#[test]
fn packing_a_file_that_was_read_is_nothing_new() {
    let mut host = Host::following(&["log"]);
    for number in 1..6 {
        host.append("log", &format!("a{number}\n"));
        host.settle();
        host.rename("log", &format!("log.{number}"));
        host.append("log", &format!("b{number}\n"));
        host.gzip(&format!("log.{number}"));
        host.settle();
    }
    assert_eq!(host.lines().len(), 10);
    let is_loss =
        |notice: &Notice| matches!(notice, Notice::RestUnreadable(..) | Notice::RestLost(_));
    assert!(!host.notices.iter().any(is_loss), "{:?}", host.notices);
}

#[test]
fn another_file_with_a_rotated_name_is_left_alone() {
    let mut host = Host::new(&["log"]);
    host.now.wall = sys::clock::wall();
    host.append("log.1", "old\n");
    host.append("log.err", "other\n");
    host.append("log", "");
    host.start();
    host.append("log", "a\n");
    host.settle();
    host.append("log.err", "other\n");
    host.rename("log", "log.2");
    host.append("log", "b\n");
    host.settle();
    assert_eq!(host.lines(), ["a", "b"]);
}

#[test]
fn rotated_files_that_match_too() {
    for pattern in [&["log*"][..], &["log", "log*"], &["log*", "log"]] {
        let mut host = Host::following(pattern);
        let mut expected = Vec::new();
        for number in 0..6 {
            for copy in [false, true] {
                let line = format!("{number} {copy}");
                host.append("log", &format!("{line}\n"));
                expected.push(line);
                if number % 2 == 0 {
                    host.settle();
                }
                for old in (1..20).rev() {
                    let from = host.at(&format!("log.{old}"));
                    let _ = fs::rename(from, host.at(&format!("log.{}", old + 1)));
                }
                if copy {
                    fs::copy(host.at("log"), host.at("log.1")).unwrap();
                    if number > 3 {
                        // The copy is seen before the log is truncated.
                        host.settle();
                    }
                    truncate(&host.at("log"));
                } else {
                    host.rename("log", "log.1");
                }
                host.append("log", "");
                host.settle();
                host.acknowledge_all();
            }
        }
        for _ in 0..3 {
            host.pass(Duration::from_secs(301));
            host.settle();
        }
        assert_eq!(host.lines(), expected, "{pattern:?}");
        host.save();
        host.restart();
        assert_eq!(host.lines(), expected, "{pattern:?}");
    }
}

#[test]
fn a_link_that_leads_elsewhere() {
    let mut host = Host::following(&["log"]);
    host.append("one", "a\n");
    symlink("one", host.at("log")).unwrap();
    assert_eq!(host.new_lines(), ["a"]);
    host.append("one", "b\n");
    host.append("two", "c\n");
    symlink("two", host.at("next")).unwrap();
    host.rename("next", "log");
    assert_eq!(host.new_lines(), ["b", "c"]);
    host.append("one", "d\n");
    assert_eq!(host.new_lines(), ["d"]);
    assert_eq!(host.own(), [RENAMED]);
}

#[test]
fn a_file_that_is_rotated_behind_a_link() {
    let mut host = Host::following(&["log"]);
    fs::create_dir(host.at("data")).unwrap();
    symlink("data/real", host.at("log")).unwrap();
    host.append("data/real", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    host.rename("data/real", "data/real.1");
    host.append("data/real.1", "b\n");
    host.append("data/real", "c\n");
    assert_eq!(host.new_lines(), ["b", "c"]);
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("data/real", "d\n");
    host.rename("data/real", "data/real.2");
    host.append("data/real", "e\n");
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_link_that_was_changed_while_nobody_looked() {
    let mut host = Host::following(&["log"]);
    host.append("one", "a\n");
    symlink("one", host.at("log")).unwrap();
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.append("one", "b\n");
    host.append("two", "c\n");
    host.remove("log");
    symlink("two", host.at("log")).unwrap();
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

#[test]
fn what_came_after_the_clock_stood_ahead_is_found() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\n");
    let hours = Duration::from_secs(2 * 3600);
    let log = fs::File::options().append(true).open(host.at("log")).unwrap();
    let now = log.metadata().unwrap().modified().unwrap();
    log.set_modified(now + hours).unwrap();
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.now.wall = sys::clock::wall();
    host.rename("log", "log.1");
    host.append("log", "b\n");
    host.copy_and_truncate("log", "log.2");
    host.append("log", "c\n");
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

/// Sets the time stamp of a file.
fn set_modified(host: &Host, name: &str, time: SystemTime) {
    let file = fs::File::options().append(true).open(host.at(name)).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn what_was_changed_while_the_clock_stood_behind_is_found() {
    let hour = Duration::from_secs(3600);
    let mut host = Host::new(&["log"]);
    // Rotated before anybody asked for the log: no news, before and after.
    host.append("log.1", "old 1\n");
    let now = fs::metadata(host.at("log.1")).unwrap().modified().unwrap();
    host.append("log.2", "old 2\n");
    set_modified(&host, "log.1", now - 2 * hour);
    set_modified(&host, "log.2", now - 3 * hour);
    host.append("log", "");
    host.now.wall = sys::clock::wall();
    host.start();
    host.settle();
    host.append("log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    // The clock is put back while somebody looks, and nobody does when the file is rotated.
    host.now.wall.seconds -= 4 * 3600;
    host.settle();
    host.acknowledge_all();
    host.save();
    host.crash();
    host.rename("log", "log.3");
    host.append("log", "b\n");
    set_modified(&host, "log", now - 4 * hour);
    host.rename("log", "log.4");
    host.gzip("log.2");
    host.append("log", "c\n");
    host.now.wall = sys::clock::wall();
    host.start();
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c"]);
    // When the doubt is over, stamps count again.
    host.acknowledge_all();
    host.now.wall.seconds += 3600;
    host.now.monotonic += hour;
    host.settle();
    host.save();
    assert!(!String::from_utf8_lossy(&host.saved).contains("doubt"));
}

#[test]
fn what_was_there_before_is_no_news_where_the_clock_begins_behind() {
    let hour = Duration::from_secs(3600);
    let mut host = Host::new(&["log"]);
    host.append("log.1", "old 1\n");
    let now = fs::metadata(host.at("log.1")).unwrap().modified().unwrap();
    set_modified(&host, "log.1", now - 2 * hour);
    host.append("log", "");
    host.now.wall = sys::clock::wall();
    host.start();
    host.settle();
    host.append("log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    host.acknowledge_all();
    host.save();
    host.crash();
    // After a loss of power the clock shows a time long past.
    host.now.wall.seconds -= 4 * 3600;
    host.entries = host.entries(&["log", "other"]);
    host.append("other.1", "old 2\n");
    host.append("other", "");
    host.start();
    host.settle();
    host.rename("log", "log.2");
    host.append("log", "b\n");
    host.rename("other", "other.2");
    host.append("other", "c\n");
    host.settle();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}
