//! The log against a list in RAM: whatever is appended is read back in order, with reopening, torn
//! ends, removal and readers that lag behind in between.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use store::{Error, FRAME_BYTES_MAX, Log, Options, Reader, verify};

const OPTIONS: Options = Options { segment_bytes: 400, number_min: 1 };

fn open(dir: &Path) -> Log {
    Log::open(dir, OPTIONS).unwrap().0
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn numbers(dir: &Path) -> Vec<u64> {
    let names = files(dir).into_iter();
    names.map(|path| path.file_stem().unwrap().to_str().unwrap().parse().unwrap()).collect()
}

fn read_all(reader: &mut Reader) -> Vec<(u64, Vec<u8>)> {
    let mut buffer = Vec::new();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame(&mut buffer).unwrap() {
        frames.push((frame.number, frame.payload.to_vec()));
    }
    frames
}

#[derive(Clone, Debug)]
enum Action {
    Append(Vec<Vec<u8>>),
    Reopen {
        number_min_ahead: u64,
    },
    /// The writer is killed with this much of a frame written.
    Tear(usize),
    RemoveBefore(usize),
    KeepAtMost(u64),
    Read(usize),
    Sync,
}

fn action() -> impl Strategy<Value = Action> {
    let payload = proptest::collection::vec(any::<u8>(), 0..120);
    prop_oneof![
        8 => proptest::collection::vec(payload, 0..4).prop_map(Action::Append),
        1 => prop_oneof![Just(0), 1..9_u64]
            .prop_map(|number_min_ahead| Action::Reopen { number_min_ahead }),
        1 => (1..200_usize).prop_map(Action::Tear),
        1 => (0..20_usize).prop_map(Action::RemoveBefore),
        1 => (0..2000_u64).prop_map(Action::KeepAtMost),
        4 => (1..8_usize).prop_map(Action::Read),
        1 => Just(Action::Sync),
    ]
}

struct Run {
    dir: tempfile::TempDir,
    log: Option<Log>,
    /// Every frame ever appended.
    frames: Vec<(u64, Vec<u8>)>,
    reader: Reader,
    /// How many of `frames` the reader is past.
    read: usize,
}

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Some(open(dir.path()));
        let reader = Reader::new(dir.path(), 0);
        Self { dir, log, frames: Vec::new(), reader, read: 0 }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Append(parts) => {
                let expected = self.log().next_number();
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                let number = self.log().append(&parts).unwrap();
                assert_eq!(number, expected);
                self.frames.push((number, parts.concat()));
            }
            Action::Reopen { number_min_ahead } => {
                let next = self.log.take().unwrap().next_number();
                let number_min = next + number_min_ahead;
                let (log, opened) =
                    Log::open(self.dir.path(), Options { number_min, ..OPTIONS }).unwrap();
                assert_eq!(log.next_number(), number_min);
                assert!(opened.torn.is_none() && opened.damaged.is_none(), "{opened:?}");
                self.check_last(opened.last);
                self.log = Some(log);
            }
            Action::Tear(bytes) => self.tear(bytes),
            Action::RemoveBefore(index) => {
                let number = self.frames.get(index).map_or(0, |frame| frame.0);
                let mut before = read_all_with_gaps(self.dir.path());
                self.log().remove_before(number).unwrap();
                before.retain(|frame| frame.0 >= number);
                assert!(read_all_with_gaps(self.dir.path()).ends_with(&before));
            }
            Action::KeepAtMost(bytes) => {
                self.log().keep_at_most(bytes).unwrap();
                assert!(self.log().bytes() <= bytes || files(self.dir.path()).len() <= 1);
            }
            Action::Read(frames) => self.read(frames),
            Action::Sync => self.log().sync().unwrap(),
        }
        let on_disk: u64 =
            files(self.dir.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
        assert_eq!(self.log().bytes(), on_disk);
    }

    /// The last frame, where it was not removed to the last segment.
    fn check_last(&self, last: u64) {
        let newest = self.frames.last().map_or(0, |frame| frame.0);
        assert!(last == newest || last == 0, "{last} is not {newest}");
    }

    /// Kills the writer in the middle of a frame.
    fn tear(&mut self, bytes: usize) {
        self.log().append(&[&[7; 200]]).unwrap();
        let torn = self.log().next_number() - 1;
        self.log = None;
        let path = files(self.dir.path()).pop().unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let end = file.metadata().unwrap().len();
        file.set_len(end - bytes as u64).unwrap();
        let (log, opened) = Log::open(self.dir.path(), OPTIONS).unwrap();
        assert_eq!(opened.torn.map(|torn| torn.bytes), Some(248 - bytes as u64));
        assert!(opened.damaged.is_none());
        assert_eq!(log.next_number(), torn);
        self.check_last(opened.last);
        self.log = Some(log);
    }

    fn read(&mut self, frames: usize) {
        let mut buffer = Vec::new();
        for _ in 0..frames {
            match self.reader.next_frame(&mut buffer) {
                Ok(Some(frame)) => {
                    let (number, payload) = &self.frames[self.read];
                    assert_eq!((frame.number, frame.payload), (*number, payload.as_slice()));
                    self.read += 1;
                }
                Ok(None) => assert_eq!(self.read, self.frames.len()),
                Err(Error::Gone { wanted, first, .. }) => {
                    assert!(wanted < first);
                    let behind = self.frames[..self.read].last().map_or(0, |frame| frame.0);
                    assert!(wanted > behind);
                    self.read +=
                        self.frames[self.read..].iter().take_while(|frame| frame.0 < first).count();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_appended_is_read(actions in proptest::collection::vec(action(), 1..60)) {
        let mut run = Run::new();
        for action in actions {
            run.apply(action);
        }
        run.read(run.frames.len() + 3);
        prop_assert_eq!(run.read, run.frames.len());
        let kept = read_all_with_gaps(run.dir.path());
        prop_assert!(run.frames.ends_with(&kept));
    }
}

/// All frames there are, passing over numbers that were left out.
fn read_all_with_gaps(dir: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::oldest(dir);
    let mut buffer = Vec::new();
    let mut frames = Vec::new();
    loop {
        match reader.next_frame(&mut buffer) {
            Ok(Some(frame)) => frames.push((frame.number, frame.payload.to_vec())),
            Ok(None) => return frames,
            Err(Error::Gone { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_reader_follows_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(dir.path(), 0);
    assert_eq!(read_all(&mut reader), []);
    let mut log = open(dir.path());
    assert_eq!(read_all(&mut reader), []);
    for round in 0..50_u64 {
        let payload = vec![round as u8; 100];
        assert_eq!(log.append(&[&payload]).unwrap(), round + 1);
        assert_eq!(read_all(&mut reader), [(round + 1, payload)]);
        assert_eq!(read_all(&mut reader), []);
    }
    assert!(numbers(dir.path()).len() > 10);
}

#[test]
fn what_is_removed_is_missed_by_those_who_were_to_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let mut reader = Reader::new(dir.path(), 0);
    let mut buffer = Vec::new();
    for number in 1..=10_u64 {
        assert_eq!(log.append(&[&[0; 100]]).unwrap(), number);
    }
    assert_eq!(numbers(dir.path()), [1, 3, 5, 7, 9]);
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().number, 1);
    log.remove_before(6).unwrap();
    assert_eq!(numbers(dir.path()), [5, 7, 9]);
    // Who has a segment open can read it to its end.
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().number, 2);
    let error = reader.next_frame(&mut buffer).unwrap_err();
    assert!(matches!(error, Error::Gone { wanted: 3, first: 5, .. }), "{error}");
    assert_eq!(error.to_string(), format!("frames 3 to 4 are gone from {}", dir.path().display()));
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().number, 5);
    for (after, expected) in [(0, Err((1, 5))), (3, Err((4, 5))), (4, Ok(5)), (7, Ok(8))] {
        let mut reader = Reader::new(dir.path(), after);
        let found = match reader.next_frame(&mut buffer) {
            Ok(frame) => Ok(frame.unwrap().number),
            Err(Error::Gone { wanted, first, .. }) => Err((wanted, first)),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, expected, "after {after}");
    }
    assert_eq!(Reader::oldest(dir.path()).next_frame(&mut buffer).unwrap().unwrap().number, 5);
    log.remove_before(u64::MAX).unwrap();
    assert_eq!(numbers(dir.path()), [9]);
    assert_eq!(log.keep_at_most(0).unwrap(), 0);
}

#[test]
fn a_reader_that_is_ahead_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    for _ in 0..3 {
        log.append(&[b"frame"]).unwrap();
    }
    let mut buffer = Vec::new();
    for after in [0, 1, 2] {
        let frame = Reader::new(dir.path(), after).next_frame(&mut buffer).unwrap().unwrap().number;
        assert_eq!(frame, after + 1);
    }
    assert_eq!(Reader::new(dir.path(), 3).next_frame(&mut buffer).unwrap(), None);
    let mut reader = Reader::new(dir.path(), 7);
    let error = reader.next_frame(&mut buffer).unwrap_err();
    assert!(matches!(error, Error::Ahead { after: 7, last: 3, .. }), "{error}");
    assert_eq!(reader.next_frame(&mut buffer).unwrap(), None);
    log.append(&[b"frame"]).unwrap();
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().number, 4);
}

#[test]
fn numbers_never_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut buffer = Vec::new();
    {
        let mut log = open(dir.path());
        log.append(&[b"one"]).unwrap();
        log.append(&[b"two"]).unwrap();
    }
    // The caller remembers frame 40, which a power failure has taken.
    let options = Options { number_min: 41, ..OPTIONS };
    let (mut log, opened) = Log::open(dir.path(), options).unwrap();
    assert_eq!((opened.last, log.next_number()), (2, 41));
    assert_eq!(log.append(&[b"forty-one"]).unwrap(), 41);
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Gone { wanted: 3, first: 41, .. }), "{error}");
    let mut reader = Reader::new(dir.path(), 40);
    assert_eq!(reader.next_frame(&mut buffer).unwrap().unwrap().payload, b"forty-one");
    // All files are lost.
    drop(log);
    files(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
    let (mut log, opened) = Log::open(dir.path(), Options { number_min: 42, ..OPTIONS }).unwrap();
    assert_eq!(opened.last, 0);
    assert_eq!(log.append(&[b"forty-two"]).unwrap(), 42);
    assert_eq!(numbers(dir.path()), [42]);
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let error = Log::open(dir.path(), OPTIONS).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    drop(log);
    assert!(Log::open(dir.path(), OPTIONS).is_ok());
}

#[test]
fn the_directory_is_made_and_only_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    let mut log = open(&path);
    log.append(&[b"frame"]).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path) & !0o750, 0);
    assert_eq!(mode(&files(&path)[0]) & !0o640, 0);
    let error = Log::open(&dir.path().join("none/events"), OPTIONS).unwrap_err();
    assert!(matches!(error, Error::Io { doing: "making", .. }), "{error}");
    let error = Reader::new(&dir.path().join("none"), 0).next_frame(&mut Vec::new()).unwrap_err();
    assert!(matches!(error, Error::Io { doing: "reading", .. }), "{error}");
}

#[test]
fn frames_at_their_limit() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let mut payload = vec![1; FRAME_BYTES_MAX + 1];
    let error = log.append(&[&payload]).unwrap_err();
    assert!(matches!(error, Error::TooLong { bytes } if bytes == FRAME_BYTES_MAX + 1), "{error}");
    payload.pop();
    let (left, right) = payload.split_at(1000);
    assert_eq!(log.append(&[left, right]).unwrap(), 1);
    assert_eq!(log.append(&[]).unwrap(), 2);
    let mut reader = Reader::new(dir.path(), 0);
    assert_eq!(read_all(&mut reader), [(1, payload), (2, Vec::new())]);
}

#[test]
fn other_files_are_no_segments() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["1.log", "cursor", "00000000000000000005.log.gz"] {
        fs::write(dir.path().join(name), "text").unwrap();
    }
    let mut log = open(dir.path());
    assert_eq!(log.append(&[b"frame"]).unwrap(), 1);
    assert_eq!(verify(dir.path()).unwrap().last, 1);
}

#[test]
fn a_segment_whose_writer_was_killed_at_once() {
    for header in [0, 1, 63] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path());
        for _ in 0..3 {
            log.append(&[&[0; 150]]).unwrap();
        }
        drop(log);
        let last = files(dir.path()).pop().unwrap();
        let bytes = fs::read(&last).unwrap();
        fs::remove_file(&last).unwrap();
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&last)
            .unwrap()
            .write_all(&bytes[..header])
            .unwrap();
        let mut reader = Reader::new(dir.path(), 0);
        assert_eq!(read_all(&mut reader).len(), 2, "{header}");
        let (mut log, opened) = Log::open(dir.path(), OPTIONS).unwrap();
        assert_eq!((opened.last, opened.torn), (2, None), "{header}");
        assert_eq!(log.append(&[b"again"]).unwrap(), 3);
        assert_eq!(read_all(&mut reader), [(3, b"again".to_vec())]);
        assert_eq!(verify(dir.path()).unwrap().last, 3);
    }
}
