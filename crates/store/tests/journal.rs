//! The alert journal: what is read from which cursor, replays, times.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::path::Path;

use proptest::prelude::*;
use store::{Cursor, Error, JournalReader, JournalWriter, Log, Options, journal};

const OPTIONS: Options = Options { segment_bytes: 300, number_min: 1 };

fn writer(dir: &Path) -> JournalWriter {
    JournalWriter::open(dir, OPTIONS).unwrap().0
}

fn text(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).unwrap()
}

/// All records from a cursor on, as cursor, flag and line.
fn read(dir: &Path, cursor: Cursor) -> Vec<(String, bool, String)> {
    let mut reader = JournalReader::new(dir, cursor);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push((record.cursor.to_string(), record.mail, text(record.line)));
    }
    records
}

fn lines(dir: &Path, cursor: Cursor) -> Vec<String> {
    read(dir, cursor).into_iter().map(|(_, _, line)| line).collect()
}

#[test]
fn records_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    assert_eq!(writer.end_batch(1).unwrap(), None);
    writer.push(true, b"{one}\n");
    writer.push(false, b"{two}");
    writer.push(true, b"");
    assert_eq!(writer.end_batch(2).unwrap(), Some(1));
    writer.push(false, "{drei ä\0\n}".as_bytes());
    assert_eq!(writer.end_batch(7).unwrap(), Some(2));
    let record = |cursor: &str, mail, line: &str| (cursor.to_owned(), mail, line.to_owned());
    assert_eq!(
        read(dir.path(), Cursor::default()),
        [
            record("1:0", true, "{one}"),
            record("1:1", false, "{two}"),
            record("1:2", true, ""),
            record("2:0", false, "{drei ä\0\n}"),
        ]
    );
    assert_eq!(writer.last_source(), 7);
}

#[test]
fn a_replay_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let alerts = |writer: &mut JournalWriter, sources: std::ops::RangeInclusive<u64>| {
        for source in sources {
            writer.push(false, format!("first {source}").as_bytes());
            writer.push(false, format!("second {source}").as_bytes());
            writer.end_batch(source).unwrap();
        }
    };
    alerts(&mut writer(dir.path()), 1..=20);
    let all = lines(dir.path(), Cursor::default());
    assert_eq!(all.len(), 40);
    // Killed; the checkpoint was at 12.
    let mut writer = writer(dir.path());
    assert_eq!(writer.last_source(), 20);
    alerts(&mut writer, 13..=20);
    assert_eq!(writer.replayed, 8);
    assert_eq!(lines(dir.path(), Cursor::default()), all);
    alerts(&mut writer, 21..=21);
    assert_eq!(lines(dir.path(), Cursor::default()).last().unwrap(), "second 21");
}

#[test]
fn a_reader_goes_on_where_another_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let mut all = Vec::new();
    for source in 1..=30_u64 {
        for alert in 0..source % 4 {
            all.push(format!("alert {source}.{alert}"));
            writer.push(false, all.last().unwrap().as_bytes());
        }
        writer.end_batch(source).unwrap();
    }
    let mut reader = JournalReader::new(dir.path(), Cursor::default());
    assert_eq!(lines(dir.path(), reader.cursor()), all);
    for seen in 1..=all.len() {
        assert_eq!(text(reader.next_record().unwrap().unwrap().line), all[seen - 1]);
        assert_eq!(lines(dir.path(), reader.cursor()), all[seen..]);
    }
    assert_eq!(reader.next_record().unwrap(), None);
    let end = reader.cursor();
    assert_eq!(JournalReader::behind_all(dir.path()).unwrap().cursor(), end);
    writer.push(true, b"later");
    writer.end_batch(31).unwrap();
    assert_eq!(text(reader.next_record().unwrap().unwrap().line), "later");
    assert_eq!(lines(dir.path(), end), ["later"]);
}

#[test]
fn a_reader_that_was_too_slow() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    for source in 1..=9 {
        writer.push(false, &[b'0' + source as u8; 100]);
        writer.push(false, b"small");
        writer.end_batch(source).unwrap();
    }
    let mut reader = JournalReader::new(dir.path(), Cursor { frame: 1, index: 1 });
    assert!(writer.keep_at_most(500).unwrap() > 0);
    assert!(writer.bytes() <= 500);
    let Err(Error::Gone { wanted: 1, first, .. }) = reader.next_record() else { panic!() };
    assert_eq!(reader.cursor(), Cursor { frame: first, index: 0 });
    assert_eq!(reader.next_record().unwrap().unwrap().line[0], b'0' + first as u8);
    // Who has read all of a frame misses nothing when that frame is removed.
    let cursor = Cursor { frame: first, index: 0 };
    assert_eq!(lines(dir.path(), cursor), lines(dir.path(), Cursor::default()));
}

#[test]
fn a_reader_that_is_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    writer.push(false, b"one");
    writer.end_batch(1).unwrap();
    let mut reader = JournalReader::new(dir.path(), Cursor { frame: 5, index: 1 });
    assert!(matches!(reader.next_record(), Err(Error::Ahead { after: 4, last: 1, .. })));
    assert_eq!(reader.next_record().unwrap(), None);
    assert_eq!(reader.cursor(), Cursor { frame: 2, index: 0 });
}

#[test]
fn alerts_that_find_no_room_in_their_frame_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let line = vec![b'x'; store::FRAME_BYTES_MAX - 8 - 5 - 5 - 3];
    writer.push(false, &line);
    writer.push(false, b"1234");
    writer.push(false, b"123");
    writer.push(false, b"");
    assert_eq!(writer.not_kept, 2);
    assert_eq!(writer.end_batch(1).unwrap(), Some(1));
    assert_eq!(lines(dir.path(), Cursor::default()), [text(&line), "123".to_owned()]);
}

#[test]
fn the_source_is_found_behind_damage() {
    let dir = tempfile::tempdir().unwrap();
    for source in 1..=9 {
        let mut writer = writer(dir.path());
        writer.push(false, &[b'x'; 100]);
        writer.end_batch(source).unwrap();
    }
    let last = journal::segments(dir.path()).unwrap().pop().unwrap();
    let path = dir.path().join(format!("{last:020}.log"));
    let bytes = std::fs::read(&path).unwrap();
    // In the header: nothing of the segment can be trusted.
    std::fs::write(&path, [b"X", &bytes[1..]].concat()).unwrap();
    let (writer, opened) = JournalWriter::open(dir.path(), OPTIONS).unwrap();
    assert!(opened.damaged.is_some());
    assert_eq!((opened.last, writer.last_source()), (last - 1, last - 1));
}

fn alert(seconds: i64) -> String {
    format!(r#"{{"rule":{{"comment":"\"TimeStamp\":1"}},"id":"1","TimeStamp":{seconds}000,"a":1}}"#)
}

#[test]
fn the_time_of_an_alert() {
    for (line, time) in [
        (alert(1_795_560_317).as_str(), Some(1_795_560_317_000)),
        (r#"{"TimeStamp":0}"#, Some(0)),
        (r#"{"TimeStamp":-12000}"#, Some(-12_000)),
        (r#"{"TimeStamp":999999999999999999"#, Some(999_999_999_999_999_999)),
        (r#"{"TimeStamp":9999999999999999999}"#, None),
        (r#"{"TimeStamp":"1"}"#, None),
        (r#"{"TimeStamp":"#, None),
        ("", None),
    ] {
        assert_eq!(journal::time_of(line.as_bytes()), time, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Times that grow, several alerts in a batch, segments that cannot be read: nothing of the time
    /// is left out, and little else is read.
    #[test]
    fn the_start_of_a_time(
        steps in proptest::collection::vec((0..3_i64, 1..4_usize), 0..40),
        damaged in proptest::collection::vec((0..20_usize, 0..200_usize), 0..4),
        at in -2..50_i64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        let mut time = 0;
        for (source, (step, alerts)) in steps.into_iter().enumerate() {
            for _ in 0..alerts {
                time += step;
                writer.push(false, alert(time).as_bytes());
            }
            writer.end_batch(source as u64 + 1).unwrap();
        }
        let segments = journal::segments(dir.path()).unwrap();
        for &(index, place) in &damaged {
            let Some(first) = segments.get(index) else { continue };
            let path = dir.path().join(format!("{first:020}.log"));
            let mut bytes = std::fs::read(&path).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= 0x40;
            std::fs::write(&path, bytes).unwrap();
        }
        let all = readable_times(dir.path(), Cursor::default());
        let found = readable_times(dir.path(), journal::since(dir.path(), at * 1000).unwrap());
        let wanted: Vec<i64> = all.iter().copied().filter(|&time| time >= at).collect();
        prop_assert!(all.ends_with(&found));
        prop_assert!(found.ends_with(&wanted));
        // The frame before, and of that one no more than it may have.
        prop_assert!(!damaged.is_empty() || found.len() <= wanted.len() + 3);
    }
}

fn readable_times(dir: &Path, cursor: Cursor) -> Vec<i64> {
    let mut reader = JournalReader::new(dir, cursor);
    let mut times = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => times.push(journal::time_of(record.line).unwrap() / 1000),
            Ok(None) => return times,
            Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
        }
    }
}

#[test]
fn no_journal_at_all() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(journal::since(dir.path(), 5).unwrap(), Cursor::default());
    assert_eq!(JournalReader::behind_all(dir.path()).unwrap().cursor(), Cursor::default());
    let none = dir.path().join("none");
    assert!(matches!(journal::since(&none, 5), Err(Error::Io { .. })));
    assert!(matches!(JournalReader::behind_all(&none), Err(Error::Io { .. })));
    // A log of something else.
    Log::open(&none, OPTIONS).unwrap().0.append(&[b"x"]).unwrap();
    assert_eq!(JournalWriter::open(&none, OPTIONS).unwrap().0.last_source(), 0);
}
