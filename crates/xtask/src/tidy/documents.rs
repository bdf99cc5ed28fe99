//! The documents that a reader starts with exist and are complete.

use super::Finding;
use super::Tree;

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_LINES_MAX: usize = 250;
const NEEDED: &[&str] = &["README.md", ARCHITECTURE, "CONTRIBUTING.md", "docs/compatibility.md"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in NEEDED {
        if tree.file(path).is_none() {
            findings.push(Finding {
                path: (*path).to_owned(),
                line: 1,
                message: "this document is missing".to_owned(),
            });
        }
    }
    check_architecture(tree, &mut findings);
    for name in tree.crates() {
        check_crate(tree, name, &mut findings);
    }
    findings
}

fn check_architecture(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(file) = tree.file(ARCHITECTURE) else { return };
    let lines = file.text.lines().count();
    if lines > ARCHITECTURE_LINES_MAX {
        let message = format!("{lines} lines; at most {ARCHITECTURE_LINES_MAX} are read");
        findings.push(file.finding(ARCHITECTURE_LINES_MAX + 1, message));
    }
    for name in tree.crates() {
        if !file.text.contains(&format!("`{name}`")) {
            findings.push(file.finding(1, format!("does not name the crate `{name}`")));
        }
    }
}

/// Each crate says at its head which question it answers, and what it never does.
fn check_crate(tree: &Tree, name: &str, findings: &mut Vec<Finding>) {
    let root = |file: &str| tree.file(&format!("crates/{name}/src/{file}"));
    let Some(file) = root("lib.rs").or_else(|| root("main.rs")) else {
        return;
    };
    if !file.text.starts_with("//! ") {
        findings
            .push(file.finding(1, "starts without `//!`: say which question the crate answers"));
    }
    let head = file.text.lines().take_while(|line| line.starts_with("//!"));
    if !head.into_iter().any(|line| line == "//! # Invariants") {
        findings.push(file.finding(1, "no `//! # Invariants`: say what the crate never does"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_found() {
        let tree = Tree::of(&[
            ("ARCHITECTURE.md", "`good`"),
            ("CONTRIBUTING.md", ""),
            ("README.md", ""),
            ("crates/bad/Cargo.toml", ""),
            ("crates/bad/src/main.rs", "//! A tool.\n\n//! # Invariants\n"),
            ("crates/good/Cargo.toml", ""),
            ("crates/good/src/lib.rs", "//! What?\n//!\n//! # Invariants\n//!\n//! * None.\n"),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["docs/compatibility.md", "ARCHITECTURE.md", "crates/bad/src/main.rs"]);
    }
}
