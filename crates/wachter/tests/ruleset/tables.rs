//! The tables of "Bundled rules" in `docs/compatibility.md`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

/// The rows of the table below a heading, cell by cell.
pub(crate) fn rows(heading: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading);
    assert!(lines.next().is_some(), "docs/compatibility.md has no heading \"{heading}\"");
    let table =
        lines.take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with('|'));
    // The first two lines are the head and the rule below it.
    table.skip(2).map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The numbers in a cell such as `12110, 12111`.
pub(crate) fn numbers(cell: &str) -> Vec<u32> {
    cell.split(',').map(|number| number.trim().parse().unwrap()).collect()
}

/// Compares what a table lists with what there is.
#[track_caller]
pub(crate) fn assert_exact<K, V>(listed: &BTreeMap<K, V>, found: &BTreeMap<K, V>)
where
    K: Ord + Debug,
    V: PartialEq + Debug,
{
    let mut problems = Vec::new();
    for (key, value) in found {
        if listed.get(key) != Some(value) {
            problems.push(format!("{key:?}: {value:?}, listed {:?}", listed.get(key)));
        }
    }
    for (key, value) in listed.iter().filter(|(key, _)| !found.contains_key(key)) {
        problems.push(format!("{key:?}: {value:?} is listed, and not so"));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
