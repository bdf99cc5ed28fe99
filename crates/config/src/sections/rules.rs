//! `<rules>`: which decoder and rule files and lists there are.

use model::{SourceId, Span};
use osxml::Element;

use crate::messages;
use crate::ossec_conf::{Findings, OssecConf};
use crate::value;

/// Everything in the order in which it is mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub rules: Vec<FileEntry>,
    /// Empty means: the usual ones.
    pub decoders: Vec<FileEntry>,
    pub lists: Vec<ListEntry>,
}

/// Where files are named. Paths are as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEntry {
    File {
        path: String,
        at: (SourceId, Span),
    },
    /// All files of a directory whose path fits the OS_Regex `pattern`.
    Dir {
        path: String,
        pattern: Option<(String, Span)>,
        at: (SourceId, Span),
    },
}

/// A list that rules may look things up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    pub path: String,
    pub at: (SourceId, Span),
}

impl FileEntry {
    pub fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Dir { path, .. } => path,
        }
    }

    /// Where the path is written.
    pub fn at(&self) -> (SourceId, Span) {
        match self {
            Self::File { at, .. } | Self::Dir { at, .. } => *at,
        }
    }
}

const ELEMENTS: &[&str] = &["include", "rule", "rule_dir", "decoder", "decoder_dir", "list"];

pub(super) fn read(section: &Element, conf: &mut OssecConf, findings: &mut Findings) {
    let rules = &mut conf.rules;
    // Fixed: a later section adds to what an earlier one says.
    let forgets = |known: bool, names: &[&str]| {
        known && section.children.iter().any(|child| names.contains(&child.name.as_str()))
    };
    if forgets(!rules.rules.is_empty(), &["include", "rule", "rule_dir"])
        || forgets(!rules.decoders.is_empty(), &["decoder", "decoder_dir"])
        || forgets(!rules.lists.is_empty(), &["list"])
    {
        findings.add(messages::section_repeated(&section.name), section);
    }
    for element in &section.children {
        let entries = match element.name.as_str() {
            "include" | "rule" | "rule_dir" => &mut rules.rules,
            "decoder" | "decoder_dir" => &mut rules.decoders,
            "list" => {
                value::no_attributes(element, &[], findings);
                if let Some(path) = value::text(element, findings) {
                    let at = (findings.source(), element.content_span);
                    rules.lists.push(ListEntry { path, at });
                }
                continue;
            }
            _ => {
                value::unknown(element, section, ELEMENTS, findings);
                continue;
            }
        };
        entries.extend(entry(element, findings));
    }
}

fn entry(element: &Element, findings: &mut Findings) -> Option<FileEntry> {
    let is_dir = element.name.ends_with("_dir");
    let allowed: &[&str] = if is_dir { &["pattern"] } else { &[] };
    value::no_attributes(element, allowed, findings);
    let path = value::text(element, findings)?;
    let at = (findings.source(), element.content_span);
    if !is_dir {
        return Some(FileEntry::File { path, at });
    }
    let pattern = element
        .attribute("pattern")
        .map(|attribute| (attribute.text().into_owned(), attribute.value_span));
    Some(FileEntry::Dir { path, pattern, at })
}
