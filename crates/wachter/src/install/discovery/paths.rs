//! Paths with wildcards, below a root that need not be `/`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::home::files;

/// Paths that one pattern may stand for; more are not looked at.
const PATHS_MAX: usize = 1000;

/// The path on this machine of one on the machine that is looked at.
pub(super) fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The files that fit a pattern, in the order of their names. `*` and `?` do not stand for a slash,
/// nor for a dot at the beginning of a name.
pub(super) fn fitting(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    for part in pattern.trim_start_matches('/').split('/') {
        found = match part.contains(['*', '?']) {
            false => found.into_iter().map(|dir| dir.join(part)).collect(),
            true => found.iter().flat_map(|dir| entries(dir, part)).take(PATHS_MAX).collect(),
        };
    }
    // A directory that cannot be entered hides its files: they count as not there.
    found.retain(|path| path.is_file());
    found
}

/// The first bytes of a file.
pub(super) fn head(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last bytes of a file.
pub(super) fn tail(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(bytes_max);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn entries(dir: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut names = files::names(dir).unwrap_or_default();
    names.retain(|name| !name.starts_with('.') && fits(pattern.as_bytes(), name.as_bytes()));
    names.iter().map(|name| dir.join(name)).collect()
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|at| {
            // At every place where the rest of the pattern might begin.
            name.get(at..).is_some_and(|name| fits(rest, name))
        }),
        ([b'?', pattern @ ..], [_, name @ ..]) => fits(pattern, name),
        ([want, pattern @ ..], [have, name @ ..]) => want == have && fits(pattern, name),
        ([], []) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn wildcards() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/1/x.log", "a/2/x.log", "a/2/y.log", "a/3/z", "a/.4/x.log", "a/2/x.log.1"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = |pattern: &str| {
            let paths = fitting(dir.path(), pattern);
            let names = paths.iter().map(|path| path.strip_prefix(dir.path()).unwrap().display());
            names.map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("/a/*/x.log"), ["a/1/x.log", "a/2/x.log"]);
        assert_eq!(found("/a/2/*.log"), ["a/2/x.log", "a/2/y.log"]);
        assert_eq!(found("/a/?/?"), ["a/3/z"]);
        assert_eq!(found("/a/3/z"), ["a/3/z"]);
        assert!(found("/a/*").is_empty() && found("/b/*").is_empty());
    }
}
