//! The tables against a memory in RAM: puts, commits and crashes in any order.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::Path;

use model::{Memory, RamMemory, Table};
use proptest::prelude::*;
use store::{Error, Tables};

const ALL: [Table; 7] = [
    Table::FirstSeen,
    Table::Ignored,
    Table::Diff,
    Table::Syscheck,
    Table::Rootcheck,
    Table::HostInfo,
    Table::Statistics,
];

fn open(path: &Path) -> Tables {
    let (tables, opened) = Tables::open(path).unwrap();
    assert_eq!(opened.set_aside, None);
    tables
}

fn get(memory: &mut dyn Memory, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"rest of another".to_vec();
    memory.get(table, key, &mut out).then_some(out)
}

fn scan(memory: &mut dyn Memory, table: Table, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    memory.scan(table, prefix, &mut |key, value| entries.push((key.to_vec(), value.to_vec())));
    entries
}

#[derive(Clone, Debug)]
enum Action {
    Put(Table, Vec<u8>, Vec<u8>),
    Get(Table, Vec<u8>),
    Scan(Table, Vec<u8>),
    Commit(Vec<u8>),
    /// The process is killed and starts anew.
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    let table = || proptest::sample::select(&ALL[..]);
    // Few different bytes, so that keys meet and are prefixes of one another.
    let key = || proptest::collection::vec(prop_oneof![Just(0_u8), Just(255), Just(b'/')], 0..4);
    let value = || proptest::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        6 => (table(), key(), value()).prop_map(|(table, key, value)| Action::Put(table, key, value)),
        3 => (table(), key()).prop_map(|(table, key)| Action::Get(table, key)),
        2 => (table(), key()).prop_map(|(table, prefix)| Action::Scan(table, prefix)),
        1 => value().prop_map(Action::Commit),
        1 => Just(Action::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn they_answer_as_memory_in_ram_does(actions in proptest::collection::vec(action(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tables");
        let mut tables = open(&path);
        let (mut now, mut committed) = (RamMemory::default(), RamMemory::default());
        let mut checkpoint = None;
        for action in actions {
            match action {
                Action::Put(table, key, value) => {
                    // The engine has one handle, who commits another.
                    tables.clone().put(table, &key, &value);
                    now.put(table, &key, &value);
                }
                Action::Get(table, key) => {
                    prop_assert_eq!(get(&mut tables, table, &key), get(&mut now, table, &key));
                }
                Action::Scan(table, prefix) => {
                    prop_assert_eq!(scan(&mut tables, table, &prefix), scan(&mut now, table, &prefix));
                }
                Action::Commit(bytes) => {
                    tables.commit(&bytes).unwrap();
                    checkpoint = Some(bytes);
                    committed = now.clone();
                }
                Action::Crash => {
                    drop(tables);
                    tables = open(&path);
                    now = committed.clone();
                }
            }
            prop_assert_eq!(tables.checkpoint().unwrap(), checkpoint.clone());
        }
        for table in ALL {
            prop_assert_eq!(scan(&mut tables, table, b""), scan(&mut now, table, b""));
        }
        drop(tables);
        let mut tables = open(&path);
        for table in ALL {
            prop_assert_eq!(scan(&mut tables, table, b""), scan(&mut committed, table, b""));
        }
    }
}

#[test]
fn one_user_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables");
    let tables = open(&path);
    let error = Tables::open(&path).err().unwrap();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    drop(tables);
    open(&path);
}

#[test]
fn a_commit_is_due_when_much_waits() {
    let dir = tempfile::tempdir().unwrap();
    let mut tables = open(&dir.path().join("tables"));
    let mut puts = 0_u32;
    while !tables.commit_due() {
        tables.put(Table::FirstSeen, format!("sshd {puts} root 192.0.2.1").as_bytes(), b"");
        puts += 1;
        assert!(puts < 100_000);
    }
    assert!(puts > 1000);
    tables.commit(b"").unwrap();
    assert!(!tables.commit_due());
    assert_eq!(scan(&mut tables, Table::FirstSeen, b"sshd").len(), puts as usize);
}

#[test]
fn full_tables_make_room() {
    const LIMIT: usize = 16_384;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables");
    let mut tables = open(&path);
    let key = |number: usize| format!("host{number:05}/1").into_bytes();
    for number in 0..LIMIT {
        tables.put(Table::Diff, &key(number), b"output");
    }
    tables.commit(b"1").unwrap();
    assert_eq!(tables.evicted(), 0);
    // Who makes room goes on where it was, also after a restart.
    for round in 0..3 {
        drop(tables);
        tables = open(&path);
        let before = tables.evicted();
        let fresh = LIMIT + round * 100..LIMIT + (round + 1) * 100;
        for number in fresh.clone() {
            tables.put(Table::Diff, &key(number), b"output");
            assert!(get(&mut tables, Table::Diff, &key(number)).is_some());
        }
        tables.commit(b"2").unwrap();
        assert_eq!(tables.evicted() - before, 100);
        assert_eq!(scan(&mut tables, Table::Diff, b"").len(), LIMIT);
        assert!(fresh.clone().all(|number| get(&mut tables, Table::Diff, &key(number)).is_some()));
        assert!(get(&mut tables, Table::Diff, &key((round + 1) * 100 - 1)).is_none());
        assert!(get(&mut tables, Table::Diff, &key((round + 1) * 100)).is_some());
    }
}

#[test]
fn keys_hold_any_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut tables = open(&dir.path().join("tables"));
    let long = vec![0xff; 100_000];
    let keys = [b"../../etc/passwd/1".as_slice(), b"", b"\0", b"\xff/\n/5", &long];
    for key in keys {
        tables.put(Table::Diff, key, key);
    }
    tables.commit(b"").unwrap();
    for key in keys {
        assert_eq!(get(&mut tables, Table::Diff, key).as_deref(), Some(key));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn lines_of_ossec_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables");
    let mut tables = open(&path);
    assert_eq!(tables.checkpoint().unwrap(), None);
    let text = [b"sshd  root  192.0.2.1\n\nsu \xff\n".as_slice(), &[b'x'; 256], b"\nlast"].concat();
    assert_eq!(tables.import(Table::FirstSeen, &text), 3);
    assert_eq!(tables.import(Table::Ignored, b""), 0);
    tables.commit(b"").unwrap();
    drop(tables);
    tables = open(&path);
    let keys: Vec<_> =
        scan(&mut tables, Table::FirstSeen, b"").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"last".as_slice(), b"sshd  root  192.0.2.1", b"su \xff"]);
}

/// A file with something in it.
fn filled(path: &Path) {
    let mut tables = open(path);
    for round in 0..3_u32 {
        for number in 0..200_u32 {
            let key = format!("key {number} of {round}");
            tables.put(Table::Syscheck, key.as_bytes(), &[round as u8; 100]);
        }
        tables.commit(b"checkpoint").unwrap();
    }
}

/// Opens a file that may be damaged: it is used as it was, or set aside.
fn check_damaged(path: &Path, case: &str) -> bool {
    let (mut tables, opened) = Tables::open(path).unwrap();
    let is_aside = opened.set_aside.is_some();
    if let Some(aside) = opened.set_aside {
        assert!(aside.path.is_file(), "{case}");
        assert!(!aside.reason.is_empty(), "{case}");
        assert_eq!(tables.checkpoint().unwrap(), None, "{case}");
        assert!(scan(&mut tables, Table::Syscheck, b"").is_empty(), "{case}");
    } else {
        assert_eq!(tables.checkpoint().unwrap().as_deref(), Some(&b"checkpoint"[..]), "{case}");
        let entries = scan(&mut tables, Table::Syscheck, b"");
        assert!(entries.len().is_multiple_of(200), "{case}: {}", entries.len());
        assert!(entries.iter().all(|(_, value)| value.len() == 100), "{case}");
    }
    tables.put(Table::Syscheck, b"new", b"");
    tables.commit(b"later").unwrap();
    assert_eq!(get(&mut tables, Table::Syscheck, b"new").as_deref(), Some(&b""[..]), "{case}");
    is_aside
}

#[test]
fn a_damaged_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables");
    filled(&path);
    let bytes = fs::read(&path).unwrap();
    let mut set_aside = 0;
    // The header densely, the pages here and there.
    let places = (0..512).chain((512..bytes.len()).step_by(509));
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 0x5a;
        fs::write(&path, &changed).unwrap();
        set_aside += usize::from(check_damaged(&path, &format!("byte {place}")));
    }
    assert!(set_aside > 20, "{set_aside}");
    for length in [1, 100, 4096, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        check_damaged(&path, &format!("cut at {length}"));
    }
    for garbage in [&b"not a database"[..], &[0; 100_000], &[0xff; 4096]] {
        fs::write(&path, garbage).unwrap();
        assert!(check_damaged(&path, "garbage"));
    }
}
