//! Processes that are killed, and disks that take no more.
//!
//! The tests start this program again in the part of the process that suffers: `CRASH_PART` names
//! it, `CRASH_DIR` is where it works.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]
#![expect(clippy::print_stdout, reason = "a part tells its test how far it is")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use model::{Memory, Table};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use store::{
    Cursor, Error, JournalReader, JournalWriter, Log, Options, Reader, Tables, Verified, verify,
};

const OPTIONS: Options = Options { segment_bytes: 20_000, number_min: 1 };

fn main() -> ExitCode {
    if let Ok(part) = std::env::var("CRASH_PART") {
        let dir = PathBuf::from(std::env::var_os("CRASH_DIR").unwrap());
        match part.as_str() {
            "append" => append(&dir),
            "analyse" => analyse(&dir, u64::MAX),
            "fill_log" => fill_log(&dir),
            "fill_tables" => fill_tables(&dir),
            other => panic!("there is no part {other}"),
        }
        return ExitCode::SUCCESS;
    }
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    let trials = vec![
        trial("acknowledged_frames_outlive_a_kill", acknowledged_frames_outlive_a_kill),
        trial("outcomes_do_not_depend_on_kills", outcomes_do_not_depend_on_kills),
        trial("a_full_disk_and_the_log", a_full_disk_and_the_log),
        trial("a_full_disk_and_the_tables", a_full_disk_and_the_tables),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

struct Part {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Part {
    fn start(part: &str, dir: &Path) -> Self {
        // A shell, because only it can have the signal of a file that grows too large ignored.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\""]).arg(std::env::current_exe().unwrap());
        command.env("CRASH_PART", part).env("CRASH_DIR", dir).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The number it prints next; `None` at its end.
    fn told(&mut self) -> Option<u64> {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        // A line may be cut by the kill.
        line.strip_suffix('\n').map(|line| line.parse().unwrap())
    }

    /// Kills it after it has told so many numbers; the last one it told.
    fn kill_after(mut self, numbers: usize) -> u64 {
        let mut last = 0;
        for _ in 0..numbers {
            last = self.told().unwrap();
        }
        self.child.kill().unwrap();
        // It may have come further before the kill reached it.
        while let Some(number) = self.told() {
            last = number;
        }
        self.child.wait().unwrap();
        last
    }
}

fn tell(number: u64) {
    println!("{number}");
    std::io::stdout().flush().unwrap();
}

/// Numbers that look random and are the same each time.
fn scattered(seed: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn payload(number: u64) -> Vec<u8> {
    vec![number as u8; scattered(number) as usize % 9000]
}

/// Appends frames and tells the number of each.
fn append(dir: &Path) {
    let mut log = Log::open(dir, OPTIONS).unwrap().0;
    loop {
        let payload = payload(log.next_number());
        tell(log.append(&[&payload]).unwrap());
    }
}

fn acknowledged_frames_outlive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..12 {
        known = Part::start("append", dir.path()).kill_after(1 + round * 7).max(known);
        let mut reader = Reader::new(dir.path(), 0);
        let mut buffer = Vec::new();
        let mut last = 0;
        while let Some(frame) = reader.next_frame(&mut buffer).unwrap() {
            last += 1;
            assert_eq!((frame.number, frame.payload), (last, payload(last).as_slice()));
        }
        assert!(last >= known, "{known} frames were acknowledged, {last} are there");
    }
    let opened = Log::open(dir.path(), OPTIONS).unwrap().1;
    assert!(opened.damaged.is_none() && opened.last >= known);
    assert_eq!(verify(dir.path()).unwrap().rest, 0);
}

/// Events of a batch: each names a host.
fn batch(number: u64) -> Vec<u8> {
    (0..scattered(number) % 20).map(|event| scattered(number * 31 + event) as u8 % 50).collect()
}

/// What an analysis comes to: for every third event of a host an alert with all that it remembers.
fn judge(memory: &mut dyn Memory, sum: &mut u64, batch: &[u8], mut alert: impl FnMut(String)) {
    let mut count = Vec::new();
    for &host in batch {
        *sum = sum.wrapping_mul(31).wrapping_add(u64::from(host));
        memory.get(Table::HostInfo, &[host], &mut count);
        let times = count.first().copied().unwrap_or(0) + 1;
        memory.put(Table::HostInfo, &[host], &[times % 3]);
        if times == 3 {
            alert(format!("host {host} sum {sum}"));
        }
    }
}

/// Batches that one test goes through.
const BATCHES: u64 = 400;

/// What the process that analyses events does, with a small engine: its RAM is one number.
fn analyse(dir: &Path, batches: u64) {
    let (tables, _) = Tables::open(&dir.join("tables")).unwrap();
    let checkpoint = tables.checkpoint().unwrap().unwrap_or_else(|| vec![0; 16]);
    let (position, sum) = checkpoint.split_at(8);
    let position = u64::from_le_bytes(position.try_into().unwrap());
    let mut sum = u64::from_le_bytes(sum.try_into().unwrap());
    let (mut journal, _) = JournalWriter::open(&dir.join("journal"), OPTIONS).unwrap();
    let number_min = position.max(journal.last_source()) + 1;
    let events = dir.join("events");
    let (mut log, _) = Log::open(&events, Options { number_min, segment_bytes: 2000 }).unwrap();
    let mut memory = tables.clone();
    let mut process = |journal: &mut JournalWriter, number, batch: &[u8], sum: &mut u64| {
        judge(&mut memory, sum, batch, |alert| journal.push(false, alert.as_bytes()));
        journal.end_batch(number).unwrap();
    };
    let mut reader = Reader::new(&events, position);
    let mut buffer = Vec::new();
    while let Some(frame) = reader.next_frame(&mut buffer).unwrap() {
        process(&mut journal, frame.number, frame.payload, &mut sum);
    }
    while log.next_number() <= batches {
        let batch = batch(log.next_number());
        let number = log.append(&[&batch]).unwrap();
        tell(number);
        process(&mut journal, number, &batch, &mut sum);
        if scattered(number).is_multiple_of(11) {
            journal.sync().unwrap();
            log.sync().unwrap();
            tables.commit(&[number.to_le_bytes(), sum.to_le_bytes()].concat()).unwrap();
            log.remove_before(number + 1).unwrap();
        }
    }
}

fn outcomes_do_not_depend_on_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mut reached = 0;
    let mut kills = 0;
    while reached < BATCHES {
        reached = Part::start("analyse", dir.path()).kill_after(1 + scattered(kills) as usize % 40);
        kills += 1;
    }
    assert!(kills > 10);
    // What the last one had appended but not processed.
    analyse(dir.path(), reached);
    let mut memory = model::RamMemory::default();
    let (mut sum, mut expected) = (0, Vec::new());
    let last = Log::open(&dir.path().join("events"), OPTIONS).unwrap().0.next_number() - 1;
    for number in 1..=last {
        judge(&mut memory, &mut sum, &batch(number), |alert| expected.push(alert));
    }
    let mut reader = JournalReader::new(&dir.path().join("journal"), Cursor::default());
    for alert in &expected {
        let record = reader.next_record().unwrap().unwrap();
        assert_eq!(record.line, alert.as_bytes());
    }
    assert_eq!(reader.next_record().unwrap(), None);
    assert!(expected.len() > 1000, "{}", expected.len());
}

/// How large a file of this process may be, until it is said otherwise.
fn limit_files(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

/// Meets the end of the disk at every byte of a frame, then goes on.
fn fill_log(dir: &Path) {
    let options = Options { segment_bytes: 1000, ..OPTIONS };
    let mut log = Log::open(dir, options).unwrap().0;
    let mut expected = 0;
    for room in 0..500 {
        // Fewer bytes than a segment has already, or the middle of a header, or of a payload.
        limit_files(Some(room));
        let frame = [&b"payload"[..], &[b'x'; 100]];
        let number = log.next_number();
        let failed = log.append(&frame).is_err();
        if failed {
            assert!(log.append(&frame).is_err());
            assert_eq!(
                verify(dir).unwrap(),
                Verified { bytes: log.bytes(), ..verify(dir).unwrap() }
            );
            assert_eq!((verify(dir).unwrap().last, verify(dir).unwrap().rest), (expected, 0));
            limit_files(None);
            assert_eq!(log.append(&frame).unwrap(), number);
        }
        expected = number;
        assert_eq!(verify(dir).unwrap().last, expected);
        log.keep_at_most(2000).unwrap();
        tell(u64::from(failed));
    }
}

fn a_full_disk_and_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut part = Part::start("fill_log", dir.path());
    let mut failed = 0;
    for _ in 0..500 {
        failed += part.told().unwrap();
    }
    assert!(part.child.wait().unwrap().success());
    assert!(failed > 250, "{failed}");
}

const ROUNDS: u64 = 20;

/// Meets the end of the disk in commits, then goes on.
fn fill_tables(dir: &Path) {
    let path = dir.join("tables");
    let mut tables = Tables::open(&path).unwrap().0;
    tables.put(Table::Syscheck, b"first", b"1");
    tables.commit(b"first").unwrap();
    for round in 0..ROUNDS {
        limit_files(Some(path.metadata().unwrap().len() + round * 1000));
        for number in 0..300 {
            let key = format!("{number} of {round}");
            tables.put(Table::Syscheck, key.as_bytes(), &[b'x'; 2000]);
        }
        let mut failed = 0;
        while failed < 2
            && let Err(error) = tables.commit(b"refused")
        {
            assert!(matches!(error, Error::Commit { .. }), "{round}: {error}");
            let newest = format!("299 of {round}");
            for key in [&b"first"[..], newest.as_bytes()] {
                assert!(tables.get(Table::Syscheck, key, &mut Vec::new()));
            }
            assert_ne!(tables.checkpoint().unwrap().unwrap(), b"refused");
            failed += 1;
        }
        limit_files(None);
        let checkpoint = format!("round {round}");
        tables.commit(checkpoint.as_bytes()).unwrap();
        assert_eq!(tables.checkpoint().unwrap().unwrap(), checkpoint.as_bytes());
        tell(failed);
    }
}

fn a_full_disk_and_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    let mut part = Part::start("fill_tables", dir.path());
    let failed: u64 = (0..ROUNDS).map(|_| part.told().unwrap()).sum();
    // The file grows in large steps, so not every round needs more of the disk.
    assert!(failed >= 6, "{failed}");
    assert!(part.child.wait().unwrap().success());
    let mut tables = Tables::open(&dir.path().join("tables")).unwrap().0;
    let mut entries = 0;
    tables.scan(Table::Syscheck, b"", &mut |_, _| entries += 1);
    assert_eq!(entries, ROUNDS * 300 + 1);
}
