//! A position in the journal, as text and as a file.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::str::FromStr;

use crate::Error;
use crate::error::Doing;
use crate::files::atomic_write;

/// Which record of the journal is read next: the one after `index` others in frame `frame`.
///
/// The default is the oldest record there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub frame: u64,
    pub index: u32,
}

/// Bytes of the longest text of a cursor, with a newline.
const TEXT_BYTES_MAX: u64 = 32;

impl Cursor {
    /// What [`Cursor::save`] has left; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds something else.
    pub fn load(path: &Path) -> Result<Option<Self>, Error> {
        let text = match read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.doing("reading", path)?,
        };
        match text.trim_ascii_end().parse() {
            Ok(cursor) => Ok(Some(cursor)),
            Err(NotACursor) => Err(Error::BadCursor { path: path.to_owned() }),
        }
    }

    /// Keeps the position: when this returns it is on disk.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; the old position is still there then.
    pub fn save(self, path: &Path) -> Result<(), Error> {
        atomic_write(path, format!("{self}\n").as_bytes()).doing("writing", path)
    }
}

fn read(path: &Path) -> io::Result<String> {
    use io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    Ok(text)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.frame, self.index)
    }
}

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the journal")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (frame, index) = text.split_once(':').ok_or(NotACursor)?;
        // `parse` would also take a plus.
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
            return Err(NotACursor);
        }
        let frame = frame.parse().map_err(|_| NotACursor)?;
        let index = index.parse().map_err(|_| NotACursor)?;
        Ok(Self { frame, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        for (text, frame, index) in [
            ("0:0", 0, 0),
            ("12:3", 12, 3),
            ("18446744073709551615:4294967295", u64::MAX, u32::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Cursor { frame, index }));
            assert_eq!(Cursor { frame, index }.to_string(), text);
        }
        for text in ["", ":", "1", "1:", ":1", "+1:1", "1:1:1", "1: 1", "18446744073709551616:0"] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text:?}");
        }
    }

    #[test]
    fn a_file_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cursor");
        assert_eq!(Cursor::load(&path).unwrap(), None);
        let cursor = Cursor { frame: 7, index: 2 };
        cursor.save(&path).unwrap();
        assert_eq!(Cursor::load(&path).unwrap(), Some(cursor));
        for text in ["", "x", "1:2\n3", &"1".repeat(1000)] {
            std::fs::write(&path, text).unwrap();
            let error = Cursor::load(&path).unwrap_err();
            assert!(matches!(error, Error::BadCursor { .. }), "{text}: {error}");
        }
    }
}
