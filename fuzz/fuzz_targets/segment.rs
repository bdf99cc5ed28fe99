//! A log whose segments were changed, cut or replaced: what is read was written, and writing goes on.
//!
//! Input: the lengths of frames up to a byte 255, then changes of five bytes each: segment, place
//! (two bytes), length of a cut or 0, and a mask for the byte at that place. A mask 255 replaces the
//! segment by the rest of the input.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use store::{Cursor, JournalReader, Log, Options, Reader, verify};

const OPTIONS: Options = Options { segment_bytes: 400, number_min: 1 };

fuzz_target!(|input: &[u8]| {
    // In RAM, where syncing costs nothing.
    let dir = PathBuf::from(format!("/dev/shm/wachter-fuzz-segment-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let end = input.iter().position(|&byte| byte == 255).unwrap_or(input.len());
    let (lengths, changes) = input.split_at(end);
    let mut frames = Vec::new();
    {
        let mut log = Log::open(&dir, OPTIONS).expect("an empty log opens").0;
        for (index, length) in lengths.iter().take(50).enumerate() {
            let payload = vec![index as u8; usize::from(*length)];
            let number = log.append(&[&payload]).expect("there is room");
            frames.push((number, payload));
        }
    }
    let mut changes = changes.get(1..).unwrap_or_default();
    while let Some(([segment, high, low, cut, mask], rest)) = changes.split_first_chunk() {
        changes = rest;
        let paths = segments(&dir);
        let Some(path) = paths.get(usize::from(*segment) % paths.len().max(1)) else { break };
        let place = usize::from(u16::from_be_bytes([*high, *low]));
        let mut bytes = fs::read(path).expect("it is there");
        if *mask == 255 {
            bytes = rest.to_vec();
        } else if *cut > 0 {
            bytes.truncate(place);
        } else if let Some(byte) = bytes.get_mut(place) {
            *byte ^= mask;
        }
        fs::write(path, bytes).expect("it can be written");
    }
    let readable = read_all(&dir);
    assert!(readable.iter().all(|frame| frames.contains(frame)));
    let _ = verify(&dir);
    let mut journal = JournalReader::new(&dir, Cursor::default());
    for _ in 0..100 {
        let _ = journal.next_record();
    }
    // A later format is refused, as it should be.
    let Ok((mut log, _)) = Log::open(&dir, OPTIONS) else { return };
    let number = log.append(&[b"new"]).expect("there is room");
    assert_eq!(read_all(&dir).pop(), Some((number, b"new".to_vec())));
});

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("it is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is there").path()).collect();
    paths.sort();
    paths
}

fn read_all(dir: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::oldest(dir);
    let (mut frames, mut buffer, mut errors) = (Vec::new(), Vec::new(), 0);
    loop {
        match reader.next_frame(&mut buffer) {
            Ok(Some(frame)) => frames.push((frame.number, frame.payload.to_vec())),
            Ok(None) => return frames,
            Err(_) => errors += 1,
        }
        assert!(errors < 200, "no end of errors");
    }
}
