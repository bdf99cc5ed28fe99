//! Answers recorded from OSSEC: one JSON object a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The answer to one event in a fresh process.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Single {
    pub event: String,
    pub hostname: String,
    pub program_name: Option<String>,
    pub log: String,
    pub decoder: Option<String>,
    /// By logtest's labels.
    pub fields: BTreeMap<String, String>,
    pub rule: Option<u32>,
    pub level: Option<u16>,
    pub alert: bool,
}

/// The answer to one event of many that one process got within a second.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Seq {
    pub event: String,
    pub rule: Option<u32>,
    pub level: Option<u16>,
    pub alert: bool,
}

/// The answers of a `single-*.jsonl` file; the first stands on line 1.
pub fn read_single(path: &Path) -> Result<Vec<Single>> {
    read(path)
}

/// The answers of a `seq-*.jsonl` file; the first stands on line 1.
pub fn read_seq(path: &Path) -> Result<Vec<Seq>> {
    read(path)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), index + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared;

    #[test]
    fn null_is_absent() {
        let answer: Seq =
            serde_json::from_str(r#"{"event":"e","rule":null,"level":null,"alert":false}"#)
                .unwrap();
        assert_eq!(answer, Seq { event: "e".into(), rule: None, level: None, alert: false });
    }

    #[test]
    fn recorded_files_are_read() {
        let Some(dir) = shared::path("corpus/oracle") else { return };
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let count = if name.starts_with("seq-") {
                read_seq(&path).unwrap().len()
            } else {
                read_single(&path).unwrap().len()
            };
            assert!(count > 0, "{name}");
        }
    }
}
