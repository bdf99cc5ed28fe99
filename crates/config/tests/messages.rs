//! Every message is shown by a file that calls for it, and every element is described.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use config::agent_conf::{AgentFacts, RemoteCommands};
use config::{InternalOptions, OssecConf, agent_conf, ossec_conf, wachter_toml};
use model::{Diagnostic, SourceId};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The codes that the sources of messages name.
fn all_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(crates().join("config/src/messages")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for call in ["Diagnostic::error(", "Diagnostic::warning("] {
            for rest in text.split(call).skip(1) {
                let code = rest.trim_start().strip_prefix('"').unwrap().split('"').next();
                codes.insert(code.unwrap().to_owned());
            }
        }
    }
    codes
}

/// What is found in a file, by the first word of its name.
fn findings(name: &str, text: &[u8]) -> Vec<Diagnostic> {
    let source = SourceId(0);
    match name.split('-').next() {
        Some("conf") => ossec_conf::read(source, text).1,
        Some("internal") => InternalOptions::default().read(source, text),
        Some("wachter") => wachter_toml::read(source, text).1,
        Some("agent") => {
            let (conf, mut findings) = agent_conf::read(source, text);
            let agent = AgentFacts::default();
            let mut own = OssecConf::default();
            findings.extend(conf.apply(&agent, RemoteCommands::Refuse, &mut own));
            findings
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_code_is_shown_by_a_case() {
    let mut shown = BTreeSet::new();
    let mut cases: Vec<(String, Vec<u8>)> = fs::read_dir(crates().join("wachter/tests/bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "out"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into(), fs::read(path).unwrap()))
        .collect();
    let agents = "<agent_config><client><port>1</port></client><localfile>\
        <log_format>command</log_format><command>w</command></localfile></agent_config>";
    cases.push(("agent-commands".to_owned(), agents.into()));
    let many = format!("<ossec_config>{}</ossec_config>", "<x/>".repeat(1001));
    cases.push(("conf-with-many-mistakes".to_owned(), many.into()));
    for (name, text) in cases {
        let findings = findings(&name, &text);
        let lacks = |finding: &&Diagnostic| finding.at.is_none() || finding.hint.is_none();
        assert_eq!(findings.iter().find(lacks), None, "{name}");
        shown.extend(findings.iter().map(|finding| finding.code.to_owned()));
    }
    let missing: Vec<String> = all_codes().difference(&shown).cloned().collect();
    assert_eq!(missing, [] as [&str; 0]);
}

#[test]
fn every_element_is_described() {
    let page = fs::read_to_string(crates().join("../docs/configuration.md")).unwrap();
    for (section, elements) in config::elements() {
        let heading = format!("\n## {section}\n");
        let (_, text) = page.split_once(&heading).unwrap_or_else(|| panic!("{section}"));
        let text = text.split("\n## ").next().unwrap();
        for element in elements {
            assert!(text.contains(&format!("`{element}`")), "{section}: {element}");
        }
    }
}

#[test]
fn every_option_is_described() {
    let page = fs::read_to_string(crates().join("../docs/configuration.md")).unwrap();
    for option in config::internal_options::ALL {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", option.name)));
        let row = row.unwrap_or_else(|| panic!("{}", option.name));
        let expected = format!("| {}–{} | {} |", option.min, option.max, option.default);
        assert!(row.contains(&expected), "{row} lacks {expected}");
    }
}
