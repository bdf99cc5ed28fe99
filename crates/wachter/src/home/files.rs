//! Files of limited size, and the files of a directory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// All bytes of a file that has at most `bytes_max`.
pub(crate) fn read(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let kind = path.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    // Opening a pipe would wait for somebody who writes to it.
    if kind.is_fifo() {
        return Err(io::Error::other("it is a pipe"));
    }
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells whether there is more.
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let message = format!("the file has more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// The names in a directory, in byte order.
pub(crate) fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)?.take(ENTRIES_MAX) {
        // A name that is not UTF-8 cannot be written in a configuration file either.
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// The rule files of a bare directory: `rules_config.xml` first, `local_rules.xml` last, the others
/// by name.
pub(crate) fn rule_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = names(dir)?;
    names.retain(|name| name.ends_with(".xml"));
    names.sort_by_key(|name| match name.as_str() {
        "rules_config.xml" => 0,
        "local_rules.xml" => 2,
        _ => 1,
    });
    Ok(names.iter().map(|name| dir.join(name)).collect())
}

/// All files below a directory whose name ends like this, by path.
pub(crate) fn below(dir: &Path, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir)?.take(ENTRIES_MAX) {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        assert_eq!(read(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(dir.path(), 3).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn order_of_a_bare_directory() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.xml", "local_rules.xml", "rules_config.xml", "a.xml", "c.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let files = rule_files(dir.path()).unwrap();
        let names: Vec<_> = files.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["rules_config.xml", "a.xml", "b.xml", "local_rules.xml"]);
        assert_eq!(below(dir.path(), &[".txt"]).unwrap(), [dir.path().join("c.txt")]);
    }
}
