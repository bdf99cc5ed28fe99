//! Files under `src` that no `mod` names: the compiler never sees them, so nothing keeps them true.

use super::Finding;
use super::Tree;
use super::rust::Code;

/// A source file of a crate that is compiled.
pub(crate) struct Reached {
    pub(crate) path: String,
    pub(crate) code: Code,
    /// Only compiled for tests.
    pub(crate) test: bool,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in tree.crates() {
        let reached = reached(tree, name, &mut findings);
        let folder = format!("crates/{name}/src/");
        for file in &tree.files {
            if file.is_rust()
                && file.path.starts_with(&folder)
                && !reached.iter().any(|reached| reached.path == file.path)
            {
                findings.push(file.finding(1, "no `mod` names this file: name it or delete it"));
            }
        }
    }
    findings
}

/// The files of a crate's `src` that the compiler sees, from its roots down.
pub(crate) fn reached(tree: &Tree, name: &str, findings: &mut Vec<Finding>) -> Vec<Reached> {
    let folder = format!("crates/{name}/src/");
    let is_root = |path: &str| {
        path.strip_prefix(&folder).is_some_and(|rest| {
            let below_bin = rest.strip_prefix("bin/");
            rest == "lib.rs"
                || rest == "main.rs"
                || below_bin.is_some_and(|bin| !bin.contains('/') || bin.ends_with("/main.rs"))
        })
    };
    let roots = tree.files.iter().filter(|file| file.is_rust() && is_root(&file.path));
    let mut open: Vec<(String, bool)> = roots.map(|file| (file.path.clone(), false)).collect();
    let mut reached: Vec<Reached> = Vec::new();
    while let Some((path, test)) = open.pop() {
        let Some(file) = tree.file(&path) else { continue };
        if reached.iter().any(|reached| reached.path == path) {
            continue;
        }
        let code = match Code::parse(&file.text) {
            Ok(code) => code,
            Err(line) => {
                findings.push(file.finding(line, "not Rust"));
                Code::default()
            }
        };
        let (folder, stem) = path.rsplit_once('/').unwrap_or(("", &path));
        let owns_folder = is_root(&path) || stem == "mod.rs";
        let below = match stem.strip_suffix(".rs") {
            Some(stem) if !owns_folder => format!("{folder}/{stem}"),
            _ => folder.to_owned(),
        };
        for module in &code.modules {
            let within: String = module.within.iter().map(|name| format!("/{name}")).collect();
            let name = &module.name;
            let candidates = match &module.path {
                Some(given) => vec![format!("{folder}{within}/{given}")],
                None => {
                    vec![
                        format!("{below}{within}/{name}.rs"),
                        format!("{below}{within}/{name}/mod.rs"),
                    ]
                }
            };
            open.extend(candidates.into_iter().map(|path| (path, test || module.test)));
        }
        reached.push(Reached { path, code, test });
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_mod_is_found() {
        let tree = Tree::of(&[
            ("crates/a/Cargo.toml", ""),
            ("crates/a/src/b.rs", "mod c;"),
            ("crates/a/src/b/c.rs", ""),
            ("crates/a/src/b/dead.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/src/d/mod.rs", "mod e;"),
            ("crates/a/src/d/e.rs", ""),
            ("crates/a/src/lib.rs", "mod b; mod d; mod f { mod g; }"),
            ("crates/a/src/f/g.rs", ""),
            ("crates/a/tests/t.rs", ""),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/a/src/b/dead.rs"]);
    }
}
