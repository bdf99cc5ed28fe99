//! `<email_alerts>`: who else gets mails about which alerts.

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// One recipient, and the alerts that it is told of: those that fit everything said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAlert {
    pub email_to: Spanned<String>,
    /// The lowest level.
    pub level: u16,
    /// Any of these rules; empty means all.
    pub rule_ids: Vec<u32>,
    /// OS_Match on the rule's groups.
    pub group: Option<Spanned<String>>,
    /// OS_Match on the alert's location.
    pub event_location: Option<Spanned<String>>,
    pub format: MailFormat,
    /// Such alerts do not wait for others.
    pub do_not_delay: bool,
    /// Such alerts are alone in their mail.
    pub do_not_group: bool,
    pub at: Place,
}

/// The form of a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailFormat {
    #[default]
    Full,
    /// Short, for text messages. Fixed: OSSEC has stopped reading this word.
    Sms,
}

/// Elements of which one at least says which alerts are meant.
const CONDITIONS: [&str; 6] =
    ["level", "group", "event_location", "rule_id", "do_not_delay", "do_not_group"];

#[derive(Default)]
pub(super) struct Draft {
    email_to: Option<Spanned<String>>,
    level: u16,
    rule_ids: Vec<u32>,
    group: Option<Spanned<String>>,
    event_location: Option<Spanned<String>>,
    format: MailFormat,
    do_not_delay: bool,
    do_not_group: bool,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("email_to", |it, element, findings| {
        it.email_to = value::mail_address(element, findings).or(it.email_to.take());
    }),
    one("level", |it, element, findings| value::level(element, &mut it.level, findings)),
    many("rule_id", |it, element, findings| {
        value::rule_ids(element, &mut it.rule_ids, findings);
    }),
    one("group", |it, element, findings| value::put(element, &mut it.group, findings)),
    one("event_location", |it, element, findings| {
        value::put(element, &mut it.event_location, findings);
    }),
    one("format", format),
    one("do_not_delay", |it, element, findings| {
        it.do_not_delay = true;
        flag(element, findings);
    }),
    one("do_not_group", |it, element, findings| {
        it.do_not_group = true;
        flag(element, findings);
    }),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        section::has_all(section, &[("email_to", "ops@example.org")], findings);
        if !CONDITIONS.iter().any(|name| section::has(section, name)) {
            findings.add(messages::no_condition(&CONDITIONS), section);
        }
        let Draft { level, rule_ids, group, event_location, format, .. } = draft;
        if let Some(email_to) = draft.email_to {
            conf.email_alerts.push(EmailAlert {
                email_to,
                level,
                rule_ids,
                group,
                event_location,
                format,
                do_not_delay: draft.do_not_delay,
                do_not_group: draft.do_not_group,
                at: findings.name(section),
            });
        }
    }
}

fn format(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let old = match element.content.trim_ascii() {
        b"sms" => Some((MailFormat::Sms, "short mails are sent for it")),
        b"full" => Some((MailFormat::Full, "whole mails are sent for it")),
        _ => None,
    };
    let Some((format, taken_for)) = old else {
        let words = [("default", MailFormat::Full)];
        return value::word(element, &words, &mut draft.format, findings);
    };
    draft.format = format;
    findings.add_to_content(messages::old_format(&element.text(), taken_for), element);
}

/// compat: an element that is there is on, whatever it holds.
fn flag(element: &Element, findings: &mut Findings) {
    let text = element.text();
    if !matches!(text.trim(), "" | "yes") {
        findings.add_to_content(messages::flag_with_value(&element.name, text.trim()), element);
    }
}
