//! `<command>`: programs that can be run in answer to an event.

use std::collections::HashSet;

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// A program, and what it needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub name: Spanned<String>,
    /// Relative to `active-response/bin`.
    pub executable: Spanned<String>,
    pub expect: Expect,
    /// Whether it can be undone.
    pub timeout_allowed: bool,
    pub at: Place,
}

/// What an event must say, for a command to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    pub user: bool,
    pub srcip: bool,
    pub filename: bool,
}

const EXPECTED: [&str; 4] = ["user", "username", "srcip", "filename"];

#[derive(Default)]
pub(super) struct Draft {
    name: Option<Spanned<String>>,
    executable: Option<Spanned<String>>,
    expect: Expect,
    timeout_allowed: bool,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("name", |it, element, findings| {
        let Some(name) = value::spanned(element, findings) else { return };
        // Messages to agents are words with blanks between them.
        if name.contains(char::is_whitespace) {
            return findings.add_to_content(messages::blank_in_name(&name), element);
        }
        it.name = Some(name);
    }),
    one("executable", |it, element, findings| {
        let name = value::file_name(element, "active-response/bin", findings);
        it.executable = name.or(it.executable.take());
    }),
    one("expect", expect),
    one("timeout_allowed", |it, element, findings| {
        value::yes_or_no(element, &mut it.timeout_allowed, findings);
    }),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    let mut names = HashSet::new();
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        let needed = [("name", "host-deny"), ("executable", "host-deny.sh"), ("expect", "srcip")];
        let complete = section::has_all(section, &needed, findings);
        let Draft { name: Some(name), executable: Some(executable), expect, .. } = draft else {
            continue;
        };
        if !complete {
            continue;
        }
        if !names.insert(name.value.clone()) {
            findings.add_to(messages::command_repeated(&name), name.at);
            continue;
        }
        conf.commands.push(Command {
            name,
            executable,
            expect,
            timeout_allowed: draft.timeout_allowed,
            at: findings.name(section),
        });
    }
}

/// compat: nothing is a good answer, and unknown words are passed over.
fn expect(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::trimmed(element, findings) else { return };
    draft.expect = Expect::default();
    for word in value::words(text) {
        match word.to_ascii_lowercase().as_str() {
            "user" | "username" => draft.expect.user = true,
            "srcip" => draft.expect.srcip = true,
            "filename" => draft.expect.filename = true,
            _ => {
                let meant = findings.meant(word, EXPECTED);
                let message = messages::unknown_word(&element.name, word, meant, &EXPECTED);
                findings.add_to_content(message, element);
            }
        }
    }
}
