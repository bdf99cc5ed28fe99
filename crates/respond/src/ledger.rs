//! The blocks on disk: who, why, until when, by whom, and how far it is.
//!
//! Lines are appended; [`Ledger::flush`] writes them before anything is done. What is written
//! outlives the process at once, and the machine after [`Ledger::sync`]. When most lines are void,
//! the file is written anew beside itself and put in its place.

mod record;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::blocks::{BLOCKS_MAX, Block, Key, PAST_MAX, State};
use record::Record;
use wire::note::OrderId;

/// Bytes of the file that are read; what is behind them is void and counted.
pub const LEDGER_BYTES_MAX: u64 = 1 << 30;
/// Lines beyond those that are needed, before the file is written anew.
const VOID_LINES_MAX: usize = 20_000;
/// Bytes of one line that are read.
const LINE_BYTES_MAX: u64 = 64 * 1024;

const VERSION: &str = "wachter-ledger 1\n";

/// An open ledger. Only one process has it.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    pending: String,
    pending_lines: usize,
    lines: usize,
    boot: String,
    obeyed: Option<OrderId>,
    /// A write has failed in its middle: what follows starts on a line of its own.
    torn: bool,
}

/// What a ledger said.
#[derive(Debug, Default)]
pub struct Loaded {
    pub blocks: Vec<Block>,
    /// Lines that could not be read.
    pub damaged: usize,
    /// As what the host was started when the ledger was last open.
    pub boot: String,
    /// The newest order that is in it, unless the host was started anew since.
    pub obeyed: Option<OrderId>,
}

/// Reads a ledger, which another process may be writing.
pub fn read(path: &Path) -> io::Result<Loaded> {
    let file = open(path, OpenOptions::new().read(true))?;
    load(&file).map(|(loaded, _)| loaded)
}

impl Ledger {
    /// Opens or makes the file and reads what it says.
    pub fn open(path: &Path) -> io::Result<(Self, Loaded)> {
        let mut options = OpenOptions::new();
        let file = open(path, options.read(true).append(true).create(true))?;
        let (loaded, lines) = load(&file)?;
        let torn = file.metadata()?.len() > 0;
        let mut ledger = Self {
            path: path.to_owned(),
            file,
            pending: String::new(),
            pending_lines: 0,
            lines,
            boot: loaded.boot.clone(),
            obeyed: loaded.obeyed,
            torn,
        };
        if lines == 0 {
            ledger.put(|out| out.push_str(VERSION));
        }
        Ok((ledger, loaded))
    }

    /// Notes that the host was started as this. What a machine lost when it went down may have been
    /// given its number again since, so no order counts as obeyed.
    pub fn boot(&mut self, id: &str) {
        id.clone_into(&mut self.boot);
        self.obeyed = None;
        self.put(|out| record::write_boot(id, out));
    }

    /// Notes a block as it is now.
    pub fn note(&mut self, block: &Block) {
        self.put(|out| record::write_block(block, out));
    }

    /// Notes how far a block is that was noted before.
    pub fn step(&mut self, key: &Key, state: State) {
        self.put(|out| record::write_step(key, state, out));
    }

    /// Notes that a block is to be forgotten.
    pub fn forget(&mut self, key: &Key) {
        self.put(|out| record::write_forget(key, out));
    }

    /// The newest order that is in the ledger.
    pub fn obeyed(&self) -> Option<OrderId> {
        self.obeyed
    }

    /// Notes that all orders up to this one are in the ledger.
    pub fn note_obeyed(&mut self, id: OrderId) {
        self.obeyed = Some(id);
        self.put(|out| record::write_obeyed(id, out));
    }

    /// Writes what was noted. After an error it is not lost: the next call tries again.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let start = if self.torn { "\n" } else { "" };
        self.torn = true;
        if !start.is_empty() {
            self.file.write_all(start.as_bytes())?;
        }
        self.file.write_all(self.pending.as_bytes())?;
        self.torn = false;
        self.lines += self.pending_lines;
        self.pending_lines = 0;
        self.pending.clear();
        Ok(())
    }

    /// Makes what is written outlive the machine.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync_data()
    }

    /// Whether most of the file is void, if so many blocks are to be kept.
    pub fn is_bloated(&self, blocks: usize) -> bool {
        let lines = self.lines + self.pending_lines;
        lines > VOID_LINES_MAX.saturating_add(blocks.saturating_mul(2))
    }

    /// Writes the file anew, with nothing but these blocks.
    pub fn compact<'a>(&mut self, blocks: impl Iterator<Item = &'a Block>) -> io::Result<()> {
        let mut text = VERSION.to_owned();
        record::write_boot(&self.boot, &mut text);
        let mut lines = 2;
        if let Some(id) = self.obeyed {
            record::write_obeyed(id, &mut text);
            lines += 1;
        }
        for block in blocks {
            record::write_block(block, &mut text);
            lines += 1;
        }
        let beside = self.path.with_extension("new");
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = open(&beside, OpenOptions::new().append(true).create_new(true))?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&beside, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        (self.file, self.lines, self.torn) = (file, lines, false);
        self.pending.clear();
        self.pending_lines = 0;
        Ok(())
    }

    fn put(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.pending);
        self.pending_lines += 1;
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.mode(0o600).custom_flags(flags.bits() as i32).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.nlink() > 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file of its own"));
    }
    Ok(file)
}

/// What the file says, and how many lines it has.
fn load(file: &File) -> io::Result<(Loaded, usize)> {
    let mut reader = BufReader::with_capacity(1 << 18, file.take(LEDGER_BYTES_MAX));
    let mut blocks: HashMap<Key, Block> = HashMap::new();
    let (mut lines, mut damaged, mut boot, mut obeyed) = (0, 0, String::new(), None);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        lines += 1;
        // Behind a torn line a line of its own is begun, so that there may be empty ones.
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text.is_empty() || line == VERSION.as_bytes() {
            continue;
        }
        match record::parse(text) {
            Some(Record::Block(block)) if blocks.len() < BLOCKS_MAX + PAST_MAX => {
                blocks.insert(block.key.clone(), *block);
            }
            Some(Record::Step(key, state)) => match blocks.get_mut(&key) {
                Some(block) => block.state = state,
                None => damaged += 1,
            },
            Some(Record::Forget(key)) => drop(blocks.remove(&key)),
            Some(Record::Boot(id)) => (boot, obeyed) = (id, None),
            Some(Record::Obeyed(id)) => obeyed = Some(id),
            Some(Record::Block(_)) | None => damaged += 1,
        }
    }
    Ok((Loaded { blocks: blocks.into_values().collect(), damaged, boot, obeyed }, lines))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blocks::By;
    use crate::order::Cause;
    use crate::target::{Net, Target};

    fn block(number: u32, state: State) -> Block {
        let net = Net::single((0x0b00_0000 + number).to_be_bytes().into());
        Block {
            key: Key {
                executable: "firewall-drop".to_owned(),
                target: Target::address(net),
                once: None,
            },
            command: "drop".to_owned(),
            since: 1000,
            until: Some(1600),
            offences: 1,
            by: By::Rule,
            cause: Cause { line: b"Failed password".to_vec(), ..Cause::default() },
            state,
        }
    }

    fn sorted(mut loaded: Loaded) -> Vec<Block> {
        loaded.blocks.sort_by(|a, b| a.key.cmp(&b.key));
        loaded.blocks
    }

    #[test]
    fn what_was_noted_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let (mut ledger, loaded) = Ledger::open(&path).unwrap();
        assert!(loaded.blocks.is_empty());
        for number in 0..3 {
            ledger.note(&block(number, State::Wanted));
        }
        ledger.step(&block(1, State::Held).key, State::Held);
        ledger.forget(&block(2, State::Held).key);
        ledger.sync().unwrap();
        let expected = [block(0, State::Wanted), block(1, State::Held)];
        assert_eq!(sorted(read(&path).unwrap()), expected);
        drop(ledger);
        let (_, loaded) = Ledger::open(&path).unwrap();
        assert_eq!(loaded.damaged, 0);
        assert_eq!(sorted(loaded), expected);
    }

    #[test]
    fn a_torn_file_loses_its_last_line_and_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let (mut ledger, _) = Ledger::open(&path).unwrap();
        (0..2).for_each(|number| ledger.note(&block(number, State::Wanted)));
        ledger.flush().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().take(whole.len() - 1).rposition(|&byte| byte == b'\n').unwrap();
        for end in first + 2..whole.len() - 1 {
            std::fs::write(&path, &whole[..end]).unwrap();
            let (mut ledger, loaded) = Ledger::open(&path).unwrap();
            assert_eq!(loaded.damaged, 1, "{end}");
            assert_eq!(sorted(loaded), [block(0, State::Wanted)]);
            ledger.note(&block(2, State::Wanted));
            ledger.flush().unwrap();
            let found = sorted(read(&path).unwrap());
            assert_eq!(found, [block(0, State::Wanted), block(2, State::Wanted)], "{end}");
        }
    }

    #[test]
    fn it_is_written_anew_when_most_is_void() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let (mut ledger, _) = Ledger::open(&path).unwrap();
        let kept = [block(1, State::Held)];
        for _ in 0..VOID_LINES_MAX + 2 {
            assert!(!ledger.is_bloated(1));
            ledger.note(&kept[0]);
        }
        assert!(ledger.is_bloated(1));
        ledger.flush().unwrap();
        ledger.compact(kept.iter()).unwrap();
        assert!(!ledger.is_bloated(1));
        ledger.step(&kept[0].key, State::Lifting);
        ledger.boot("today");
        ledger.compact([block(1, State::Lifting)].iter()).unwrap();
        assert_eq!(read(&path).unwrap().boot, "today");
        ledger.sync().unwrap();
        assert_eq!(sorted(read(&path).unwrap()), [block(1, State::Lifting)]);
        assert!(std::fs::metadata(&path).unwrap().len() < 1000);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("ledger"), folder.path().join("other"));
        std::fs::write(&other, "").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Ledger::open(&path).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&other, &path).unwrap();
        assert!(Ledger::open(&path).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_file_is_survived(noted in proptest::collection::vec(record::tests::blocks(), 0..5), noise: Vec<u8>, at: prop::sample::Index) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger");
            let (mut ledger, _) = Ledger::open(&path).unwrap();
            noted.iter().for_each(|block| ledger.note(block));
            ledger.flush().unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, noise);
            std::fs::write(&path, bytes).unwrap();
            let (mut ledger, _) = Ledger::open(&path).unwrap();
            ledger.note(&block(1, State::Held));
            ledger.flush().unwrap();
            let found = read(&path).unwrap().blocks;
            prop_assert!(found.contains(&block(1, State::Held)));
        }
    }
}
