//! `<rules>`: which decoder and rule files and lists there are.

use model::Span;
use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, with};
use crate::spanned::{Place, Spanned};
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
        at: Place,
    },
    /// All files of a directory whose path fits the OS_Regex `pattern`.
    Dir {
        path: String,
        pattern: Option<(String, Span)>,
        at: Place,
    },
}

/// A list that rules may look things up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    pub path: String,
    pub at: Place,
}

impl FileEntry {
    pub fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Dir { path, .. } => path,
        }
    }

    /// Where the path is written.
    pub fn at(&self) -> Place {
        match self {
            Self::File { at, .. } | Self::Dir { at, .. } => *at,
        }
    }
}

pub(super) const ELEMENTS: &[Entry<Rules>] = &[
    many("include", |it, element, findings| it.rules.extend(file(element, findings))),
    many("rule", |it, element, findings| it.rules.extend(file(element, findings))),
    with(
        &["pattern"],
        many("rule_dir", |it, element, findings| it.rules.extend(dir(element, findings))),
    ),
    many("decoder", |it, element, findings| it.decoders.extend(file(element, findings))),
    with(
        &["pattern"],
        many("decoder_dir", |it, element, findings| it.decoders.extend(dir(element, findings))),
    ),
    many("list", |it, element, findings| {
        if let Some(Spanned { value: path, at }) = value::spanned(element, findings) {
            it.lists.push(ListEntry { path, at });
        }
    }),
];

/// Fixed: a later section adds to what an earlier one says.
pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections {
        let rules = &mut conf.rules;
        let forgets = |known: bool, names: &[&str]| {
            known && names.iter().any(|name| section::has(section, name))
        };
        if forgets(!rules.rules.is_empty(), &["include", "rule", "rule_dir"])
            || forgets(!rules.decoders.is_empty(), &["decoder", "decoder_dir"])
            || forgets(!rules.lists.is_empty(), &["list"])
        {
            findings.add(messages::section_repeated(&section.name), section);
        }
        section::read(section, ELEMENTS, rules, findings);
    }
}

fn file(element: &Element, findings: &mut Findings) -> Option<FileEntry> {
    let Spanned { value: path, at } = value::spanned(element, findings)?;
    Some(FileEntry::File { path, at })
}

fn dir(element: &Element, findings: &mut Findings) -> Option<FileEntry> {
    let Spanned { value: path, at } = value::spanned(element, findings)?;
    let pattern = element.attributes.iter().find(|attribute| attribute.name == "pattern");
    let pattern = pattern.map(|pattern| (pattern.text().into_owned(), pattern.value_span));
    Some(FileEntry::Dir { path, pattern, at })
}
