//! The tree builds anywhere: no file names a place of one machine, or a registry of one network.

use super::Finding;
use super::Tree;

/// Written in pieces, so that this file does not find itself.
const PLACES: &[(&str, &str)] = &[
    (concat!("/", "work/"), "a path of one machine"),
    (concat!("/", "root/"), "a path of one machine"),
    (concat!("replace-", "with"), "a registry of one network"),
    (concat!("[reg", "istries"), "a registry of one network"),
    (concat!("sparse", "+http"), "a registry of one network"),
    (concat!("index", "-url"), "a registry of one network"),
];

/// Folders of test data: log lines may well name a path of some machine.
const DATA: &[&str] = &["cases", "seeds", "fixtures", "tests"];

const LOCK_SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_data = file.path.split('/').any(|part| DATA.contains(&part));
        let is_lock = file.path.ends_with("Cargo.lock");
        for (index, line) in file.text.lines().enumerate() {
            if is_lock && line.starts_with("source = ") && line != LOCK_SOURCE {
                findings.push(file.finding(index + 1, "not from crates.io"));
            }
            for (place, message) in PLACES {
                let is_own_path = line.match_indices(place).any(|(at, _)| starts_there(line, at));
                if !is_data && is_own_path {
                    findings.push(file.finding(index + 1, format!("{message}: {place}")));
                }
            }
        }
    }
    findings
}

/// Whether a path that begins at `at` is absolute, not the rest of a longer one.
fn starts_there(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    before.is_none_or(|character| !character.is_alphanumeric() && !"._-~*}$".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        let home = concat!("cd /", "root/x\nhttps://host/", "root/x\n./", "root/x\n");
        let lock = "source = \"registry+https://mirror.example/index\"\n";
        let tree = Tree::of(&[("Cargo.lock", lock), ("a/cases/b", home), ("a/notes.md", home)]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        let expected = format!("a/notes.md:1: a path of one machine: {}", concat!("/", "root/"));
        assert_eq!(found, ["Cargo.lock:1: not from crates.io".to_owned(), expected]);
    }
}
