//! Every fuzz target is listed, exists and has seeds.

use std::collections::BTreeSet;

use super::Finding;
use super::Tree;

const MANIFEST: &str = "fuzz/Cargo.toml";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(manifest) = tree.file(MANIFEST) else { return Vec::new() };
    let table: toml::Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![manifest.finding(1, format!("not TOML: {}", error.message()))],
    };
    let bins = table.get("bin").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
    let listed: BTreeSet<&str> =
        bins.iter().filter_map(|bin| bin.get("name").and_then(toml::Value::as_str)).collect();
    let below = |folder: &str| -> BTreeSet<String> {
        let paths = tree.files.iter().filter_map(|file| file.path.strip_prefix(folder));
        let names = paths.filter_map(|path| path.split(['/', '.']).next());
        names.map(str::to_owned).collect()
    };
    let (targets, seeds) = (below("fuzz/fuzz_targets/"), below("fuzz/seeds/"));
    let mut findings = Vec::new();
    for name in &listed {
        let line = manifest.line_of(|line| line == format!("name = \"{name}\""));
        if !targets.contains(*name) {
            findings.push(manifest.finding(line, format!("no fuzz/fuzz_targets/{name}.rs")));
        }
        if !seeds.contains(*name) {
            findings.push(manifest.finding(line, format!("no seeds in fuzz/seeds/{name}")));
        }
    }
    for name in targets.union(&seeds).filter(|name| !listed.contains(name.as_str())) {
        findings.push(manifest.finding(1, format!("the fuzz target {name} is not listed here")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_folders_agree() {
        let manifest = "[[bin]]\nname = \"a\"\n[[bin]]\nname = \"b\"\n";
        let tree = Tree::of(&[
            (MANIFEST, manifest),
            ("fuzz/fuzz_targets/a.rs", ""),
            ("fuzz/fuzz_targets/b.rs", ""),
            ("fuzz/fuzz_targets/c.rs", ""),
            ("fuzz/seeds/a/1", ""),
        ]);
        let found: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        let expected = [
            "fuzz/Cargo.toml:4: no seeds in fuzz/seeds/b",
            "fuzz/Cargo.toml:1: the fuzz target c is not listed here",
        ];
        assert_eq!(found, expected);
    }
}
