//! How long files are.

use super::File;
use super::Finding;
use super::Tree;

/// From here on we look for a second subject.
const LINES_NOTED: usize = 500;
const LINES_MAX: usize = 800;

/// Files that may be longer, and why. Tables of like things may be long.
const LONG: &[(&str, &str)] = &[];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let listed = |file: &File| LONG.iter().any(|(path, _)| *path == file.path);
    let too_long = rust_files(tree).filter(|(file, lines)| *lines > LINES_MAX && !listed(file));
    let findings = too_long.map(|(file, lines)| {
        file.finding(LINES_MAX + 1, format!("{lines} lines; look for the second subject"))
    });
    findings.chain(LONG.iter().filter_map(|(path, _)| superfluous(tree, path))).collect()
}

/// One line for each file over the soft limit.
pub(crate) fn report(tree: &Tree) -> Vec<String> {
    let long = rust_files(tree).filter(|(_, lines)| *lines > LINES_NOTED);
    long.map(|(file, lines)| format!("{}: {lines} lines", file.path)).collect()
}

fn superfluous(tree: &Tree, path: &str) -> Option<Finding> {
    let long = tree.file(path).is_some_and(|file| file.text.lines().count() > LINES_MAX);
    (!long).then(|| Finding {
        path: "crates/xtask/src/tidy/length.rs".to_owned(),
        line: 1,
        message: format!("{path} need not be listed any more"),
    })
}

fn rust_files(tree: &Tree) -> impl Iterator<Item = (&File, usize)> {
    let files = tree.files.iter().filter(|file| file.is_rust());
    files.map(|file| (file, file.text.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_and_one_past_it() {
        let (at, past) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
        let tree = Tree::of(&[("at.rs", &at), ("past.rs", &past), ("past.txt", &past)]);
        let found: Vec<String> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["past.rs"]);
        assert_eq!(report(&tree).len(), 2);
    }
}
