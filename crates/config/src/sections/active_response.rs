//! `<active-response>`: which command answers which events, and where.

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// All responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActiveResponses {
    /// In the order of the file, those that are disabled too.
    pub list: Vec<ActiveResponse>,
    /// There is no response at all: a section says `disabled` and nothing else.
    pub disabled: bool,
    /// Minutes that the second, third … response to the same address lasts.
    pub repeated_offenders: Vec<u32>,
}

/// One response: level, ids and groups each lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveResponse {
    pub command: Spanned<String>,
    pub location: ResponseLocation,
    pub agent_id: Option<Spanned<String>>,
    /// Rules of this level or above.
    pub level: Option<u16>,
    pub rules_id: Vec<u32>,
    /// OS_Regex on a rule's groups.
    pub rules_group: Option<Spanned<String>>,
    /// Seconds after which the response is undone.
    pub timeout: Option<Spanned<u32>>,
    /// Fixed: this response is off, and no other.
    pub disabled: bool,
    pub at: Place,
}

/// Where a command is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseLocation {
    /// Here.
    pub server: bool,
    /// Where the event comes from.
    pub local: bool,
    /// On the agent that `agent_id` names.
    pub defined_agent: bool,
    /// On all agents.
    pub all: bool,
}

/// Times of `repeated_offenders`.
pub const OFFENDERS_MAX: usize = 5;

const LOCATIONS: [&str; 8] =
    ["local", "server", "defined-agent", "all", "any", "analysis-server", "analysisd", "AS"];

/// compat: the highest level that a response may name.
const RESPONSE_LEVEL_MAX: u32 = 20;

#[derive(Default)]
pub(super) struct Draft {
    command: Option<Spanned<String>>,
    location: ResponseLocation,
    agent_id: Option<Spanned<String>>,
    level: Option<u16>,
    rules_id: Vec<u32>,
    rules_group: Option<Spanned<String>>,
    timeout: Option<Spanned<u32>>,
    disabled: Option<bool>,
    repeated_offenders: Vec<u32>,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("command", |it, element, findings| value::put(element, &mut it.command, findings)),
    one("location", location),
    one("agent_id", |it, element, findings| value::put(element, &mut it.agent_id, findings)),
    one("level", |it, element, findings| {
        let level = value::number(element, 0..=RESPONSE_LEVEL_MAX, findings);
        it.level = level.and_then(|level| u16::try_from(level).ok()).or(it.level);
    }),
    many("rules_id", |it, element, findings| {
        value::rule_ids(element, &mut it.rules_id, findings);
    }),
    one("rules_group", |it, element, findings| {
        value::put(element, &mut it.rules_group, findings);
    }),
    one("timeout", |it, element, findings| {
        if let Some(seconds) = value::number(element, 0..=u32::MAX, findings) {
            it.timeout = Some(findings.spanned(seconds, element));
        }
    }),
    one("disabled", |it, element, findings| {
        let mut disabled = it.disabled.unwrap_or_default();
        value::yes_or_no(element, &mut disabled, findings);
        it.disabled = Some(disabled);
    }),
    one("repeated_offenders", repeated_offenders),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        if !draft.repeated_offenders.is_empty() {
            conf.active_responses.repeated_offenders =
                std::mem::take(&mut draft.repeated_offenders);
        }
        let general = |child: &Element| ["disabled", "repeated_offenders"].contains(&&*child.name);
        if section.children.iter().all(general) {
            conf.active_responses.disabled =
                draft.disabled.unwrap_or(conf.active_responses.disabled);
            continue;
        }
        if let Some(response) = response(section, draft, findings) {
            conf.active_responses.list.push(response);
        }
    }
}

fn response(section: &Element, draft: Draft, findings: &mut Findings) -> Option<ActiveResponse> {
    let needed = [("command", "host-deny"), ("location", "local")];
    let complete = section::has_all(section, &needed, findings);
    if draft.location.defined_agent && !section::has(section, "agent_id") {
        findings.add_to_content(messages::no_agent_id(), section::at(section, "location"));
        return None;
    }
    if !["level", "rules_id", "rules_group"].iter().any(|name| section::has(section, name)) {
        findings.add(messages::response_without_condition(), section);
    }
    let Draft { agent_id, location, level, rules_id, rules_group, timeout, .. } = draft;
    let nowhere = location == ResponseLocation::default();
    Some(ActiveResponse {
        command: draft.command.filter(|_| complete && !nowhere)?,
        location,
        agent_id,
        level,
        rules_id,
        rules_group,
        timeout,
        disabled: draft.disabled.unwrap_or_default(),
        at: findings.name(section),
    })
}

/// compat: several places may be named, in any case.
fn location(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    let separator = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    for word in text.split(separator).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "as" | "analysisd" | "analysis-server" | "server" => draft.location.server = true,
            "local" => draft.location.local = true,
            "defined-agent" => draft.location.defined_agent = true,
            "all" | "any" => draft.location.all = true,
            _ => {
                let meant = findings.meant(word, LOCATIONS);
                let message = messages::unknown_value(&element.name, word, meant, &LOCATIONS);
                findings.add_to_content(message, element);
            }
        }
    }
}

fn repeated_offenders(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    let mut minutes = Vec::new();
    for word in value::words(&text) {
        match value::digits(word.as_bytes()) {
            Some(number) => minutes.push(number),
            None => {
                let message = messages::bad_number(&element.name, word, &(0..=u32::MAX));
                findings.add_to_content(message, element);
            }
        }
    }
    if minutes.len() > OFFENDERS_MAX {
        findings.add_to_content(messages::too_many_offenders(OFFENDERS_MAX), element);
        minutes.truncate(OFFENDERS_MAX);
    }
    draft.repeated_offenders = minutes;
}
