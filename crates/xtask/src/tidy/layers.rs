//! Which crate may use which. Arrows point down only.

use super::File;
use super::Finding;
use super::Tree;

/// A crate, its layer, and the crates of ours that it may use at run time.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) layer: Layer,
    uses: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Layer {
    Nouns,
    Languages,
    Brain,
    Capabilities,
    Top,
    /// Needed by tests and by people; at run time only by `wachter run-tests`.
    Beside,
}

use Layer::Beside;
use Layer::Brain;
use Layer::Capabilities;
use Layer::Languages;
use Layer::Nouns;
use Layer::Top;

/// The layer table. A crate may be listed before it exists.
#[rustfmt::skip]
pub(crate) const PLACES: &[Place] = &[
    place("model",      Nouns,        &[]),
    place("osxml",      Nouns,        &["model"]),
    place("pattern",    Nouns,        &[]),
    place("config",     Languages,    &["model", "osxml"]),
    place("decode",     Languages,    &["model", "osxml", "pattern"]),
    place("rules",      Languages,    &["model", "osxml", "pattern"]),
    place("wire",       Languages,    &["model"]),
    place("engine",     Brain,        &["model", "decode", "rules", "pattern"]),
    place("sys",        Capabilities, &["model"]),
    place("store",      Capabilities, &["model", "wire"]),
    place("collect",    Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys"]),
    place("integrity",  Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys"]),
    place("rootcheck",  Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys"]),
    place("respond",    Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys"]),
    place("outputs",    Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys", "store"]),
    place("remote",     Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys", "store"]),
    place("agent",      Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys", "store"]),
    place("dashboard",  Capabilities, &["model", "osxml", "pattern", "config", "wire", "sys", "store"]),
    place("supervisor", Top,          &["wire", "sys"]),
    place("wachter",    Top,          ALL_BELOW_AND_TESTKIT),
    place("testkit",    Beside,       ALL_BELOW_THE_BINARY),
    place("xtask",      Beside,       &[]),
];

const ALL_BELOW_THE_BINARY: &[&str] = &[
    "model",
    "osxml",
    "pattern",
    "config",
    "decode",
    "rules",
    "wire",
    "engine",
    "sys",
    "store",
    "collect",
    "integrity",
    "rootcheck",
    "respond",
    "outputs",
    "remote",
    "agent",
    "dashboard",
    "supervisor",
];

/// `wachter run-tests` offers our test files to users.
const ALL_BELOW_AND_TESTKIT: &[&str] = &{
    let mut names = ["testkit"; ALL_BELOW_THE_BINARY.len() + 1];
    let (below, _) = names.split_at_mut(ALL_BELOW_THE_BINARY.len());
    below.copy_from_slice(ALL_BELOW_THE_BINARY);
    names
};

/// Names that say where a thing was put, not what it is.
const NAMES_REFUSED: &[&str] =
    &["common", "util", "utils", "shared", "helper", "helpers", "misc", "core"];

const fn place(name: &'static str, layer: Layer, uses: &'static [&'static str]) -> Place {
    Place { name, layer, uses }
}

pub(crate) fn place_of(name: &str) -> Option<&'static Place> {
    PLACES.iter().find(|place| place.name == name)
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let crates = tree.crates();
    let mut findings = Vec::new();
    for name in &crates {
        let Some(manifest) = tree.file(&format!("crates/{name}/Cargo.toml")) else { continue };
        if NAMES_REFUSED.contains(name) {
            findings.push(manifest.finding(
                1,
                format!("no crate is called {name}: name the thing and put it where it belongs"),
            ));
        }
        check_manifest(manifest, name, &mut findings);
    }
    findings
}

fn check_manifest(manifest: &File, name: &str, findings: &mut Vec<Finding>) {
    let table: toml::Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => {
            findings.push(manifest.finding(1, format!("not TOML: {}", error.message())));
            return;
        }
    };
    let package = table.get("package").and_then(|package| package.get("name")?.as_str());
    if package != Some(name) {
        let line = manifest.line_of(|line| line.starts_with("name"));
        findings.push(manifest.finding(line, "folder name and crate name differ"));
    }
    let Some(place) = place_of(name) else {
        findings.push(manifest.finding(
            1,
            format!("{name} is not in the layer table (crates/xtask/src/tidy/layers.rs)"),
        ));
        return;
    };
    for (section, used) in dependencies(&table) {
        let Some(used_place) = place_of(&used) else { continue };
        let allowed = match section {
            "dev-dependencies" => used_place.name != "xtask" && used_place.layer != Top,
            _ => place.uses.contains(&used.as_str()),
        };
        if !allowed {
            let line = line_of_dependency(manifest, section, &used);
            findings.push(manifest.finding(
                line,
                format!("{name} may not have {used} in its {section}; see the layer table in ARCHITECTURE.md"),
            ));
        }
    }
}

/// Section and name of each dependency, also those for one platform only.
fn dependencies(manifest: &toml::Table) -> Vec<(&'static str, String)> {
    const SECTIONS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let platforms = platforms.into_iter().flat_map(toml::Table::values);
    let tables: Vec<&toml::Table> =
        std::iter::once(manifest).chain(platforms.filter_map(toml::Value::as_table)).collect();
    let mut found = Vec::new();
    for table in tables {
        for section in SECTIONS {
            let Some(entries) = table.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (key, value) in entries {
                let name = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
                found.push((section, name.to_owned()));
            }
        }
    }
    found
}

fn line_of_dependency(manifest: &File, section: &str, name: &str) -> usize {
    let mut inside = false;
    for (index, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.contains(section) && !(section == "dependencies" && line.contains('-'));
        } else if inside && line.split(['.', ' ', '=']).next() == Some(name) {
            return index + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn arrows_point_down() {
        for place in PLACES {
            for used in place.uses {
                let used = place_of(used).unwrap();
                if (place.name, used.name) == ("wachter", "testkit") {
                    continue;
                }
                assert!(used.layer <= place.layer, "{} uses {}", place.name, used.name);
                assert_ne!(used.name, place.name);
            }
        }
    }

    #[test]
    fn an_arrow_up_is_found() {
        let manifest = "[package]\nname = \"model\"\n[dependencies]\nbstr = \"1\"\nengine.workspace = true\n[dev-dependencies]\ntestkit.workspace = true\n";
        let found = lines(&[("crates/model/Cargo.toml", manifest)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/model/Cargo.toml:5: model may not have engine"));
    }

    #[test]
    fn a_crate_without_place_is_found() {
        let found = lines(&[("crates/util/Cargo.toml", "[package]\nname = \"util\"\n")]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn testkit_is_for_tests_only() {
        let manifest = "[package]\nname = \"rules\"\n[dependencies]\ntestkit.workspace = true\n";
        assert_eq!(lines(&[("crates/rules/Cargo.toml", manifest)]).len(), 1);
    }
}
