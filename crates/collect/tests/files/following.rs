//! Reading what is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use collect::files::{FILES_MAX, Notice, Outage, SourceState};
use config::sections::LogFormat;

use crate::harness::{GROUP_WAIT, Host, LINE_WAIT, is_root, raise_open_files};

#[test]
fn what_is_there_at_the_first_start_is_not_read() {
    let mut host = Host::new(&["log", "later"]);
    host.append("log", "old\n");
    host.start();
    assert_eq!(host.new_lines(), [""; 0]);
    host.append("log", "new\n");
    host.append("later", "all\n");
    host.append("later", "of it\n");
    assert!(host.is_woken());
    assert_eq!(host.new_lines(), ["new", "all", "of it"]);
    assert!(!host.is_woken());
    assert_eq!(host.own(), [""; 0]);
}

#[test]
fn from_the_start_if_told_so() {
    let mut host = Host::new(&["log"]);
    host.append("log", "old\n");
    host.settings.from_start = true;
    host.start();
    assert_eq!(host.new_lines(), ["old"]);
}

#[test]
fn lines_come_once_complete_or_after_a_while() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb");
    assert_eq!(host.new_lines(), ["a"]);
    host.append("log", "c\nd");
    assert_eq!(host.new_lines(), ["bc"]);
    let due = host.running().next_due().unwrap();
    assert_eq!(due, host.now.monotonic + LINE_WAIT);
    host.pass(LINE_WAIT - Duration::from_millis(1));
    assert_eq!(host.new_lines(), [""; 0]);
    host.pass(Duration::from_millis(1));
    assert_eq!(host.new_lines(), ["d"]);
    host.append("log", "e\n");
    assert_eq!(host.new_lines(), ["e"]);
}

#[test]
fn a_first_line_that_never_ends_is_taken_as_it_is() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a");
    assert_eq!(host.new_lines(), [""; 0]);
    host.pass(LINE_WAIT);
    host.settle();
    host.pass(LINE_WAIT);
    host.settle();
    assert_eq!(host.lines(), ["a"]);
    host.acknowledge_all();
    host.save();
    host.append("log", "b\nc\n");
    host.restart();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

#[test]
fn groups_are_given_out_after_a_moment() {
    let mut host = Host::new(&["log"]);
    host.entries[0].format = LogFormat::MultiLineIndented;
    host.start();
    host.append("log", "a\n b\n");
    assert_eq!(host.new_lines(), [""; 0]);
    assert_eq!(host.running().next_due().unwrap(), host.now.monotonic + GROUP_WAIT);
    host.pass(GROUP_WAIT);
    assert_eq!(host.new_lines(), ["a  b"]);
}

#[test]
fn an_idle_host_is_left_alone() {
    let mut host = Host::following(&["log", "dir/*.log"]);
    host.append("log", "a\n");
    host.settle();
    host.acknowledge_all();
    let due = host.running().next_due().unwrap();
    assert!(due >= host.now.monotonic + Duration::from_secs(50), "only the regular look is due");
}

#[test]
fn full_analysis_gets_the_rest_later() {
    let mut host = Host::following(&["log", "other"]);
    let lines: Vec<String> = (0..1000).map(|n| format!("line {n}")).collect();
    host.append("log", &(lines.join("\n") + "\n"));
    host.append("other", "x\ny\n");
    let mut all = lines.clone();
    all.extend(["x".to_owned(), "y".to_owned()]);
    for room in [1, 0, 2, 500, 0, 0, 400] {
        host.room = room;
        host.settle();
    }
    assert_eq!(host.lines(), all[..903]);
    host.room = usize::MAX;
    host.settle();
    assert_eq!(host.lines(), all);
}

#[test]
fn what_full_analysis_refused_is_read_again_after_a_crash() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb\nc\n");
    host.room = 2;
    host.settle();
    host.acknowledge(1);
    host.save();
    host.room = usize::MAX;
    host.restart();
    assert_eq!(host.lines(), ["a", "b", "c"]);
}

#[test]
fn what_analysis_lost_is_read_again() {
    let mut host = Host::following(&["log"]);
    host.append("log", "a\nb\nc\n");
    host.settle();
    host.acknowledge(1);
    host.lose_unacknowledged();
    assert_eq!(host.lines(), ["a"]);
    assert_eq!(host.new_lines(), ["b", "c"]);
}

#[test]
fn every_file_gets_its_turn() {
    let mut host = Host::following(&["busy", "quiet"]);
    let line = format!("{}\n", "x".repeat(99));
    host.append("busy", &line.repeat(100_000));
    host.append("quiet", "a\n");
    let now = host.now;
    host.running().notice(now);
    let mut turns = 0;
    while !host.lines().contains(&"a") {
        assert!(host.turn().more);
        turns += 1;
    }
    assert!(turns <= 4, "{turns}");
    assert!(host.lines().len() < 30_000, "the busy one is not done yet");
    let report = host.report("busy").unwrap();
    assert!(report.behind > 5_000_000 && report.lines > 1000);
    host.settle();
    assert_eq!(host.lines().len(), 100_001);
    assert_eq!(host.report("busy").unwrap().behind, 0);
}

#[test]
fn a_busy_file_is_read_at_intervals() {
    let mut host = Host::following(&["log"]);
    let mut turns = 0;
    let mut longest = Duration::ZERO;
    let mut last = host.now.monotonic;
    for number in 0..4000 {
        host.append("log", &format!("{number}\n"));
        host.pass(Duration::from_micros(50));
        let is_due = host.running().next_due().is_some_and(|due| due <= host.now.monotonic);
        if is_due || host.is_woken() {
            host.settle();
            turns += 1;
            longest = longest.max(host.now.monotonic - last);
            last = host.now.monotonic;
        }
    }
    assert!(turns < 200, "{turns}");
    assert!(longest <= Duration::from_millis(6), "{longest:?}");
    host.pass(Duration::from_millis(6));
    host.settle();
    assert_eq!(host.lines().len(), 4000);
    host.pass(Duration::from_millis(6));
    host.settle();
    // It is quiet now, and told at once again.
    host.append("log", "more\n");
    assert!(host.is_woken());
    assert_eq!(host.new_lines(), ["more"]);
}

#[test]
fn a_busy_file_that_is_rotated() {
    let mut host = Host::following(&["log"]);
    for number in 0..200 {
        host.append("log", &format!("{number}\n"));
        host.settle();
    }
    assert!(host.lines().len() < 200, "it is busy");
    host.rename("log", "log.1");
    host.append("log.1", "a\n");
    host.append("log", "b\n");
    for _ in 0..3 {
        host.settle();
        host.pass(Duration::from_millis(6));
    }
    assert_eq!(host.lines().len(), 202);
    host.append("log.1", "c\n");
    assert_eq!(host.new_lines(), ["c"]);
}

#[test]
fn more_than_the_system_can_tell() {
    let mut host = Host::following(&["a", "b", "new/*"]);
    // More events than are queued, none like the one before.
    for number in 0..10_000 {
        host.append("a", &format!("a{number}\n"));
        host.append("b", &format!("b{number}\n"));
    }
    fs::create_dir(host.at("new")).unwrap();
    host.append("new/c", "c\n");
    assert_eq!(host.new_lines().len(), 20_001);
}

#[test]
fn read_errors_are_said_once_and_reading_is_tried_again() {
    let mut host = Host::following(&["log"]);
    // Its first byte cannot be read.
    symlink("/proc/self/mem", host.at("log")).unwrap();
    for _ in 0..5 {
        host.settle();
        let due = host.running().next_due().unwrap();
        assert!(due > host.now.monotonic, "it is not tried all the time");
        host.pass(Duration::from_secs(70));
    }
    let is_failure = |notice: &&Notice| matches!(notice, Notice::ReadFailed(_, 5));
    assert_eq!(host.notices.iter().filter(is_failure).count(), 1);
    host.remove("log");
    host.append("log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
}

#[test]
fn missing_files_are_waited_for() {
    let mut host = Host::following(&["log"]);
    let path = host.at("log").as_os_str().as_encoded_bytes().to_vec();
    let missing = Notice::CannotOpen(path.clone(), Outage::Error(2));
    assert_eq!(host.notices, std::slice::from_ref(&missing));
    assert_eq!(host.report("log").unwrap().state, SourceState::Missing);
    host.pass(Duration::from_secs(61));
    host.settle();
    host.append("log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    let said = [missing, Notice::Analyzing(path.clone()), Notice::Available(path)];
    assert_eq!(host.notices, said);
    assert_eq!(host.report("log").unwrap().state, SourceState::Reading);
}

#[test]
fn unreadable_files_are_waited_for() {
    if is_root() {
        eprintln!("unreadable_files_are_waited_for: root may read everything, nothing to test");
        return;
    }
    let mut host = Host::new(&["log"]);
    host.append("log", "");
    let mode = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(host.at("log"), mode(0)).unwrap();
    host.start();
    host.settle();
    assert_eq!(host.report("log").unwrap().state, SourceState::Unreadable(13));
    fs::set_permissions(host.at("log"), mode(0o600)).unwrap();
    host.append("log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
}

#[test]
fn what_is_no_file_is_waited_for() {
    let mut host = Host::new(&["log", "pipe", "loop"]);
    let socket = UnixListener::bind(host.at("log")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        host.at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    symlink("loop", host.at("loop")).unwrap();
    host.start();
    host.settle();
    assert_eq!(host.report("log").unwrap().state, SourceState::NotRegular);
    assert_eq!(host.report("loop").unwrap().state, SourceState::Unreadable(40));
    assert_eq!(host.running().pipes(), [host.at("pipe")]);
    drop(socket);
    for name in ["log", "pipe", "loop"] {
        host.remove(name);
        host.append(name, &format!("{name}\n"));
    }
    assert_eq!(host.new_lines(), ["log", "pipe", "loop"]);
    assert_eq!(host.running().pipes(), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_file_with_two_paths_is_read_once() {
    let mut host = Host::new(&["log", "link", "hard", "lo*"]);
    host.append("log", "");
    symlink("log", host.at("link")).unwrap();
    fs::hard_link(host.at("log"), host.at("hard")).unwrap();
    host.start();
    host.append("link", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    let states = ["log", "link", "hard"].map(|name| host.report(name).unwrap().state);
    let read = states.iter().filter(|state| **state == SourceState::Reading).count();
    assert_eq!(read, 1, "{states:?}");
    let is_duplicate = |notice: &&Notice| matches!(notice, Notice::Duplicated(_));
    let is_same = |notice: &&Notice| matches!(notice, Notice::SameFile(..));
    assert_eq!(host.notices.iter().filter(is_duplicate).count(), 1);
    assert_eq!(host.notices.iter().filter(is_same).count(), 2);
}

#[test]
fn when_the_first_path_goes_the_other_takes_over() {
    let mut host = Host::new(&["a", "b"]);
    host.append("a", "");
    fs::hard_link(host.at("a"), host.at("b")).unwrap();
    host.start();
    host.append("a", "1\n");
    assert_eq!(host.new_lines(), ["1"]);
    host.acknowledge_all();
    host.remove("a");
    host.settle();
    host.append("b", "2\n");
    assert_eq!(host.new_lines(), ["2"]);
    host.acknowledge_all();
    host.pass(Duration::from_secs(301));
    host.settle();
    host.append("b", "3\n");
    assert_eq!(host.new_lines(), ["3"]);
    assert_eq!(host.report("b").unwrap().state, SourceState::Reading);
}

#[test]
fn locations_are_replaced_while_running() {
    let mut host = Host::following(&["a", "b"]);
    host.append("a", "a1\n");
    host.append("b", "b1\n");
    host.append("c", "c1\n");
    host.settle();
    host.append("a", "a2\n");
    let entries = host.entries(&["a", "c", "d"]);
    let now = host.now;
    host.running().replace(&entries, now);
    host.append("a", "a3\n");
    host.append("b", "b2\n");
    host.append("c", "c2\n");
    host.append("d", "d1\n");
    let mut lines = host.new_lines();
    lines.sort();
    assert_eq!(lines, ["a2", "a3", "c2", "d1"]);
    assert_eq!(host.report("b"), None);
}

#[test]
fn a_format_may_change_while_running() {
    let mut host = Host::following(&["a"]);
    host.append("a", "a1\n");
    host.settle();
    host.acknowledge_all();
    let mut entries = host.entries(&["a"]);
    entries[0].format = LogFormat::MultiLine(2);
    let now = host.now;
    host.running().replace(&entries, now);
    host.append("a", "a2\na3\n");
    assert_eq!(host.new_lines(), ["a2 a3"]);
}

#[test]
fn ten_thousand_files() {
    let limit = raise_open_files();
    let count = 10_000.min(limit.saturating_sub(200)) as usize;
    let mut host = Host::new(&["logs/*.log"]);
    fs::create_dir(host.at("logs")).unwrap();
    for number in 0..count {
        host.append(&format!("logs/{number}.log"), "old\n");
    }
    host.start();
    host.settle();
    assert_eq!(host.lines(), [""; 0]);
    host.append("logs/77.log", "a\n");
    assert_eq!(host.new_lines(), ["a"]);
    for number in 0..count {
        host.append(&format!("logs/{number}.log"), "b\n");
    }
    assert_eq!(host.new_lines().len(), count);
    host.acknowledge_all();
    host.save();
    host.append("logs/78.log", "c\n");
    host.restart();
    assert_eq!(host.lines().len(), count + 2);
    assert_eq!(host.lines().last(), Some(&"c"));
}

#[test]
fn too_many_files_are_said() {
    let mut host = Host::new(&["logs/*"]);
    fs::create_dir(host.at("logs")).unwrap();
    for number in 0..FILES_MAX + 3 {
        symlink("/none", host.at(&format!("logs/{number}"))).unwrap();
    }
    host.start();
    // What cannot be opened does not count.
    assert_eq!(host.running().refused(), 0);
    host.append("real", "");
    for number in 0..FILES_MAX + 3 {
        let path = host.at(&format!("logs/{number}"));
        fs::remove_file(&path).unwrap();
        fs::hard_link(host.at("real"), &path).unwrap();
    }
    host.crash();
    host.start();
    assert_eq!(host.running().refused(), 3);
    let notices = host.running().take_notices();
    assert!(notices.contains(&Notice::TooManyFiles(FILES_MAX)));
}

#[test]
fn what_fits_no_format_is_said() {
    let mut host = Host::new(&["log"]);
    host.entries[0].format = LogFormat::DjbMultilog;
    host.append("log", "");
    host.start();
    host.settle();
    let path = host.at("log").as_os_str().as_encoded_bytes().to_vec();
    assert_eq!(host.notices, [Notice::BadMultilog(path)]);
    assert_eq!(host.report("log").unwrap().state, SourceState::Unusable);
}
