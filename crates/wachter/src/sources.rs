//! What the log collector knows of its sources, in a file for those who ask:
//! `var/run/ossec-logcollector.state`. One line a source, its values parted by tabs.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::escape;

/// Below the home.
const FILE: &str = "var/run/ossec-logcollector.state";
/// Bytes of the file that are read.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One source as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceState {
    /// The path, or what stands for it; escaped.
    pub(crate) name: String,
    /// `reading`, or why not.
    pub(crate) state: String,
    pub(crate) lines: u64,
    pub(crate) bytes_behind: u64,
    /// Lines cut, and input that was not of the format.
    pub(crate) cut: u64,
    pub(crate) malformed: u64,
    pub(crate) rotations: u64,
    /// Seconds since 1970 of its last message; 0 if there was none.
    pub(crate) last: i64,
    /// It has been silent for longer than it ever is.
    pub(crate) is_silent: bool,
}

/// The file's text.
pub(crate) fn render(sources: &[SourceState]) -> String {
    let mut text = String::new();
    for source in sources {
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            escape::escaped(source.name.as_bytes()),
            escape::escaped(source.state.as_bytes()),
            source.lines,
            source.bytes_behind,
            source.cut,
            source.malformed,
            source.rotations,
            source.last,
            u8::from(source.is_silent),
        ));
    }
    text
}

pub(crate) fn write(home: &Path, sources: &[SourceState]) -> io::Result<()> {
    let path = home.join(FILE);
    let next = path.with_extension("state.new");
    fs::write(&next, render(sources))?;
    fs::rename(next, path)
}

/// The sources of a home; none if nothing is collected there.
pub(crate) fn read(home: &Path) -> io::Result<Vec<SourceState>> {
    let file = match fs::File::open(home.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<SourceState> {
    let mut values = line.split('\t');
    Some(SourceState {
        name: values.next()?.to_owned(),
        state: values.next()?.to_owned(),
        lines: values.next()?.parse().ok()?,
        bytes_behind: values.next()?.parse().ok()?,
        cut: values.next()?.parse().ok()?,
        malformed: values.next()?.parse().ok()?,
        rotations: values.next()?.parse().ok()?,
        last: values.next()?.parse().ok()?,
        is_silent: values.next()? == "1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_come_back() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()).unwrap(), []);
        fs::create_dir_all(home.path().join("var/run")).unwrap();
        let source = SourceState {
            name: "/var/log/a\tb".to_owned(),
            state: "reading".to_owned(),
            lines: 1,
            bytes_behind: 2,
            cut: 3,
            malformed: 4,
            rotations: 5,
            last: -6,
            is_silent: true,
        };
        write(home.path(), &[source.clone(), SourceState::default()]).unwrap();
        let name = "/var/log/a\\tb".to_owned();
        let expected = SourceState { name, ..source };
        assert_eq!(read(home.path()).unwrap(), [expected, SourceState::default()]);
    }
}
