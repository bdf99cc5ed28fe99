//! Rules about the source itself that no compiler checks.
//!
//! Every check is a pure function from the files of the tree to findings; add one as a file here
//! and a line in [`CHECKS`].

mod documents;
mod fuzz_targets;
mod layers;
mod length;
mod modules;
mod places;
mod purity;
mod rust;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::command::command;
use crate::command::output;

/// A check: its name and what it finds.
type Check = (&'static str, fn(&Tree) -> Vec<Finding>);

pub(crate) const CHECKS: &[Check] = &[
    ("layers", layers::check),
    ("documents", documents::check),
    ("modules", modules::check),
    ("length", length::check),
    ("purity", purity::check),
    ("places", places::check),
    ("fuzz targets", fuzz_targets::check),
];

/// A file of the tree.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// What is not UTF-8 is replaced.
    pub(crate) text: String,
}

/// All files of the checkout that are, or would be, under version control, sorted by path.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// Something to put right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

impl File {
    pub(crate) fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The folder name under `crates/`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        let (name, _) = self.path.strip_prefix("crates/")?.split_once('/')?;
        Some(name)
    }

    /// The first line that fits.
    pub(crate) fn line_of(&self, fits: impl Fn(&str) -> bool) -> usize {
        self.text.lines().position(fits).map_or(1, |index| index + 1)
    }
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut git = command(root, "git ls-files -z --cached --others --exclude-standard");
        let mut paths = match output(&mut git) {
            Some(text) => {
                let names = text.split(|byte| *byte == 0).filter(|name| !name.is_empty());
                names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
            }
            // An unpacked archive, or a checkout of another user.
            None => walk(root, "")?,
        };
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let full = root.join(&path);
            // Git also lists what was deleted but not yet committed.
            if full.is_file() {
                let bytes = fs::read(&full).with_context(|| format!("reading {path}"))?;
                files.push(File { path, text: String::from_utf8_lossy(&bytes).into_owned() });
            }
        }
        Ok(Self { files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The names of the folders under `crates/` that are crates.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let names = self.files.iter().filter_map(|file| {
            let name = file.crate_name()?;
            (file.path == format!("crates/{name}/Cargo.toml")).then_some(name)
        });
        names.collect()
    }

    /// A tree for a test.
    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Self { files: files.collect() }
    }
}

/// Prints the report and all findings; an error if there are any.
pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    for line in length::report(&tree) {
        println!("note: {line}");
    }
    let findings = findings(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    println!("tidy: {} files, {} checks, nothing found", tree.files.len(), CHECKS.len());
    Ok(())
}

fn findings(tree: &Tree) -> Vec<Finding> {
    CHECKS.iter().flat_map(|(_, check)| check(tree)).collect()
}

/// All files below, as git would list them if it could.
fn walk(root: &Path, folder: &str) -> Result<Vec<String>> {
    const NOT_OURS: &[&str] = &[".git", "target", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(folder)).with_context(|| format!("reading {folder}"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if NOT_OURS.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            paths.extend(walk(root, &path)?);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let tree = Tree::read(&crate::root()).unwrap();
        let findings: Vec<String> = findings(&tree).iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }

    #[test]
    fn walking_finds_what_git_finds() {
        let root = crate::root();
        let walked = walk(&root, "").unwrap();
        for file in Tree::read(&root).unwrap().files {
            assert!(walked.contains(&file.path), "{}", file.path);
        }
    }
}
