//! `<agentless>`: machines that are looked at from here, by logging in.

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// A script, and the machines that it is run for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agentless {
    /// The script: a file in `agentless`.
    pub kind: Spanned<String>,
    pub hosts: Vec<Spanned<AgentlessHost>>,
    pub state: AgentlessState,
    /// Seconds between runs.
    pub frequency: u32,
    /// What else the script is given.
    pub arguments: Option<Spanned<String>>,
    pub at: Place,
}

/// Where to log in, and how to become root there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentlessHost {
    /// `user@host`.
    pub login: String,
    pub elevation: Elevation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elevation {
    None,
    Su,
    Sudo,
}

/// What is made of a script's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentlessState {
    Periodic,
    /// It is compared with that of the last run.
    PeriodicDiff,
    /// compat: accepted, and never run.
    StayConnected,
}

/// Seconds between runs, if nothing is said.
const FREQUENCY_DEFAULT: u32 = 86_400;

#[derive(Default)]
pub(super) struct Draft {
    kind: Option<Spanned<String>>,
    hosts: Vec<Spanned<AgentlessHost>>,
    state: Option<AgentlessState>,
    frequency: Option<u32>,
    arguments: Option<Spanned<String>>,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("type", |it, element, findings| {
        it.kind = value::file_name(element, "agentless", findings).or(it.kind.take());
    }),
    many("host", host),
    one("state", |it, element, findings| {
        let words = [
            ("periodic", Some(AgentlessState::Periodic)),
            ("periodic_diff", Some(AgentlessState::PeriodicDiff)),
            ("stay_connected", Some(AgentlessState::StayConnected)),
        ];
        value::word(element, &words, &mut it.state, findings);
        if it.state == Some(AgentlessState::StayConnected) {
            let cure = "write `periodic` or `periodic_diff`";
            findings.add_to_content(messages::no_effect("`stay_connected`", cure), element);
        }
    }),
    one("frequency", |it, element, findings| {
        it.frequency = value::number(element, 0..=u32::MAX, findings).or(it.frequency);
    }),
    one("arguments", |it, element, findings| {
        value::put_or_none(element, &mut it.arguments, findings);
    }),
    // compat: these are read, and nothing is done with them.
    one("port", |_, element, findings| {
        value::number(element, 0..=u16::MAX.into(), findings);
    }),
    one("run_command", |_, _, _| {}),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        let needed = [
            ("type", "ssh_integrity_check_linux"),
            ("host", "root@example.org"),
            ("state", "periodic"),
        ];
        section::has_all(section, &needed, findings);
        let frequency = draft.frequency.unwrap_or(FREQUENCY_DEFAULT);
        if frequency == 0 && draft.state == Some(AgentlessState::Periodic) {
            findings.add_to_content(messages::no_frequency(), section::at(section, "frequency"));
            continue;
        }
        let Draft { kind: Some(kind), hosts, state: Some(state), arguments, .. } = draft else {
            continue;
        };
        if !hosts.is_empty() {
            let at = findings.name(section);
            conf.agentless.push(Agentless { kind, hosts, state, frequency, arguments, at });
        }
    }
}

fn host(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    let prefixes = [("use_su ", Elevation::Su), ("use_sudo ", Elevation::Sudo)];
    let found = prefixes
        .iter()
        .find_map(|(prefix, elevation)| Some((text.strip_prefix(prefix)?.trim(), *elevation)));
    let (login, elevation) = found.unwrap_or((text.as_str(), Elevation::None));
    // It becomes an argument of a program: it is one word and cannot be taken for an option.
    let is_word = login.chars().all(|c| c.is_ascii_graphic() && !"\"'`$;|&<>()\\".contains(c));
    let is_login = login.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !user.starts_with('-') && !host.is_empty() && !host.starts_with('-')
    });
    if !is_word || !is_login {
        return findings.add_to_content(messages::bad_agentless_host(&text), element);
    }
    let host = AgentlessHost { login: login.to_owned(), elevation };
    draft.hosts.push(findings.spanned(host, element));
}
