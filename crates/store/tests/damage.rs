//! Logs that are not as they were written: cut, changed or made up at every place.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use store::{Damage, Error, JournalReader, Log, Options, Reader, verify};

const OPTIONS: Options = Options { segment_bytes: 300, number_min: 1 };
const FRAMES: u64 = 8;

/// A log of three segments and its frames.
fn log() -> (tempfile::TempDir, Vec<(u64, Vec<u8>)>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), OPTIONS).unwrap().0;
    let payload = |number: u64| vec![number as u8; number as usize * 3];
    let frames: Vec<_> = (1..=FRAMES).map(|number| (number, payload(number))).collect();
    for (number, payload) in &frames {
        assert_eq!(log.append(&[payload]).unwrap(), *number);
    }
    assert_eq!(segments(dir.path()).len(), 3);
    (dir, frames)
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All that can be read, and what is wrong.
fn read_all(dir: &Path) -> (Vec<(u64, Vec<u8>)>, Vec<Error>) {
    let mut reader = Reader::oldest(dir);
    let (mut frames, mut errors, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        assert!(errors.len() <= segments(dir).len(), "{errors:?}");
        match reader.next_frame(&mut buffer) {
            Ok(Some(frame)) => frames.push((frame.number, frame.payload.to_vec())),
            Ok(None) => return (frames, errors),
            Err(error) => errors.push(error),
        }
    }
}

/// Opens the log for writing as it is, and checks that all goes on well behind what was there.
fn check_going_on(dir: &Path, frames: &[(u64, Vec<u8>)], case: &str) {
    let (mut log, opened) = Log::open(dir, OPTIONS).unwrap();
    let number = log.append(&[b"new"]).unwrap();
    let readable = read_all(dir).0;
    assert_eq!(readable.last(), Some(&(number, b"new".to_vec())), "{case}");
    let old = readable.split_last().unwrap().1;
    assert!(old.iter().all(|frame| frames.contains(frame)), "{case}");
    if opened.damaged.is_some() {
        assert!(frames.iter().all(|frame| frame.0 < number), "{case}: {number} was given before");
    } else {
        assert_eq!(number, opened.last + 1, "{case}");
    }
    let mut reader = Reader::new(dir, number - 1);
    let mut buffer = Vec::new();
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().payload, b"new", "{case}");
}

#[test]
fn cut_at_every_byte() {
    let (dir, frames) = log();
    let last = segments(dir.path()).pop().unwrap();
    let bytes = fs::read(&last).unwrap();
    for length in 0..bytes.len() {
        let case = format!("cut at {length}");
        fs::write(&last, &bytes[..length]).unwrap();
        let (readable, errors) = read_all(dir.path());
        assert!(errors.is_empty(), "{case}: {errors:?}");
        assert!(frames.starts_with(&readable), "{case}");
        let verified = verify(dir.path()).unwrap();
        assert_eq!(verified.last, readable.last().unwrap().0, "{case}");
        check_going_on(dir.path(), &readable, &case);
        assert_eq!(verify(dir.path()).unwrap().last, verified.last + 1, "{case}");
        // A new frame may have gone into the segment before.
        let (fresh, _) = log();
        for path in segments(fresh.path()) {
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn any_changed_byte_is_found() {
    let (dir, frames) = log();
    let head = verify(dir.path()).unwrap();
    assert_eq!((head.first, head.last, head.rest), (1, FRAMES, 0));
    for segment in segments(dir.path()) {
        let bytes = fs::read(&segment).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << (index % 8);
            fs::write(&segment, &changed).unwrap();
            let case = format!("{} byte {index}", segment.display());
            match verify(dir.path()) {
                Err(Error::Damaged { segment: found, offset, .. }) => {
                    assert_eq!(found, segment, "{case}");
                    assert!(offset <= index as u64, "{case}: {offset}");
                }
                Err(Error::Version { .. }) => {}
                other => panic!("{case}: {other:?}"),
            }
            let (readable, errors) = read_all(dir.path());
            assert!(!errors.is_empty(), "{case}");
            assert!(readable.iter().all(|frame| frames.contains(frame)), "{case}");
        }
        fs::write(&segment, &bytes).unwrap();
    }
    assert_eq!(verify(dir.path()).unwrap(), head);
}

#[test]
fn writing_goes_on_behind_damage() {
    for place in 0..3 {
        let (fresh, _) = log();
        let length = segments(fresh.path())[place].metadata().unwrap().len() as usize;
        for index in (0..length).step_by(7).chain([0, 8, 63, 64, 70, length - 1]) {
            let (dir, frames) = log();
            let segment = &segments(dir.path())[place];
            let mut bytes = fs::read(segment).unwrap();
            bytes[index] ^= 0x10;
            fs::write(segment, &bytes).unwrap();
            check_going_on(dir.path(), &frames, &format!("segment {place} byte {index}"));
            // What is damaged is not touched.
            assert_eq!(fs::read(segment).unwrap(), bytes);
        }
    }
}

#[test]
fn what_was_taken_out_or_put_elsewhere_is_found() {
    let (dir, _) = log();
    let paths = segments(dir.path());
    let second = fs::read(&paths[1]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
    let third = fs::read(&paths[2]).unwrap();
    fs::write(&paths[1], &third).unwrap();
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { damage: Damage::SegmentHeader, .. }), "{error}");
    // A segment cut off while a later one exists is not a frame that is being written.
    fs::write(&paths[1], &second[..second.len() - 1]).unwrap();
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { damage: Damage::Incomplete, .. }), "{error}");
    let (frames, errors) = read_all(dir.path());
    assert_eq!(errors.len(), 1);
    assert_eq!(frames.last().unwrap().0, FRAMES);
}

/// Another log with the same numbers, put in place of a segment.
#[test]
fn a_segment_of_another_log_is_found() {
    let (dir, _) = log();
    let other = tempfile::tempdir().unwrap();
    let mut forged = Log::open(other.path(), OPTIONS).unwrap().0;
    for number in 1..=FRAMES {
        forged.append(&[&vec![0; number as usize * 3]]).unwrap();
    }
    let (ours, theirs) = (segments(dir.path()), segments(other.path()));
    assert_eq!(ours[1].file_name(), theirs[1].file_name());
    fs::copy(&theirs[1], &ours[1]).unwrap();
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { damage: Damage::Chain, .. }), "{error}");
    assert!(error.to_string().contains("does not follow"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_files_are_survived(
        files in proptest::collection::vec((1..12_u64, proptest::collection::vec(any::<u8>(), 0..300)), 0..4),
        kept in any::<bool>(),
    ) {
        let (dir, frames) = log();
        if !kept {
            segments(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
        }
        for (first, bytes) in files {
            fs::write(dir.path().join(format!("{first:020}.log")), bytes).unwrap();
        }
        let (readable, _) = read_all(dir.path());
        prop_assert!(readable.iter().all(|frame| frames.contains(frame)));
        let _ = verify(dir.path());
        let (mut log, _) = Log::open(dir.path(), OPTIONS).unwrap();
        let number = log.append(&[b"new"]).unwrap();
        let last = read_all(dir.path()).0.pop();
        prop_assert_eq!(last, Some((number, b"new".to_vec())));
    }

    /// Frames that no journal has written, in a log that is sound.
    #[test]
    fn any_records_are_survived(payloads in proptest::collection::vec(payload(), 1..5)) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), OPTIONS).unwrap().0;
        for payload in &payloads {
            log.append(&[payload]).unwrap();
        }
        let mut reader = JournalReader::new(dir.path(), store::Cursor::default());
        let mut errors = 0;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => prop_assert!(record.line.len() < 60),
                Ok(None) => break,
                Err(error) => {
                    let is_expected = matches!(error, Error::Damaged { damage: Damage::Records, .. });
                    prop_assert!(is_expected, "{}", error);
                    errors += 1;
                }
            }
        }
        prop_assert!(errors <= payloads.len());
        prop_assert_eq!(reader.cursor().frame, payloads.len() as u64 + 1);
    }
}

/// Bytes, of which some are small lengths.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(0), 2 => 0..9_u8, 1 => any::<u8>()];
    proptest::collection::vec(byte, 0..60)
}
