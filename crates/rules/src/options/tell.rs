//! What is told when a rule fires, and how.

use crate::messages;
use crate::read::Context;
use crate::ruleset::{Info, InfoKind};
use model::Span;
use osxml::Element;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TellOption {
    Group,
    Description,
    Options,
    Info,
    Cve,
}

pub(crate) const NAMES: [(&str, TellOption); 5] = [
    ("group", TellOption::Group),
    ("description", TellOption::Description),
    ("options", TellOption::Options),
    ("info", TellOption::Info),
    ("cve", TellOption::Cve),
];

/// Entries of `<info>` and `<cve>` that a rule keeps.
pub(crate) const INFO_ENTRIES_MAX: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    AlertByEmail,
    NoEmailAlert,
    LogAlert,
    NoLog,
    NoActiveResponse,
}

const SETTINGS: [(&str, Setting); 5] = [
    ("alert_by_email", Setting::AlertByEmail),
    ("no_email_alert", Setting::NoEmailAlert),
    ("log_alert", Setting::LogAlert),
    ("no_log", Setting::NoLog),
    ("no_ar", Setting::NoActiveResponse),
];

const INFO_KINDS: [(&str, InfoKind); 4] = [
    ("text", InfoKind::Text),
    ("link", InfoKind::Link),
    ("cve", InfoKind::Cve),
    ("osvdb", InfoKind::Osvdb),
];

/// What a rule tells.
#[derive(Debug)]
pub(crate) struct Tell {
    pub(crate) groups: String,
    pub(crate) description: String,
    pub(crate) info: Vec<Info>,
    /// `None` leaves it to the level.
    pub(crate) log: Option<bool>,
    /// `None` leaves it to the level.
    pub(crate) mail: Option<bool>,
    pub(crate) active_response: bool,
    /// Where `<options>` sets something that only an alert can have.
    pub(crate) settings_at: Option<Span>,
}

pub(crate) struct Gathered {
    groups: Option<(Vec<u8>, Span)>,
    description: Vec<u8>,
    told: Tell,
    mail_at: Option<Span>,
}

impl Default for Gathered {
    fn default() -> Self {
        let told = Tell {
            groups: String::new(),
            description: String::new(),
            info: Vec::new(),
            log: None,
            mail: None,
            active_response: true,
            settings_at: None,
        };
        Self { groups: None, description: Vec::new(), told, mail_at: None }
    }
}

impl Gathered {
    pub(crate) fn add(&mut self, context: &mut Context<'_>, option: TellOption, element: &Element) {
        match option {
            TellOption::Group => match &mut self.groups {
                Some((groups, _)) => groups.extend_from_slice(&element.content),
                None => self.groups = Some((element.content.clone(), element.content_span)),
            },
            TellOption::Description => {
                let start = self.description.len();
                self.description.extend_from_slice(&element.content);
                // compat: of each piece the first line end becomes a blank, others stay.
                let piece = self.description.iter_mut().skip(start);
                if let Some(line_end) = piece.into_iter().find(|byte| **byte == b'\n') {
                    *line_end = b' ';
                }
            }
            TellOption::Options => self.set(context, element),
            TellOption::Info => {
                let kind = info_kind(context, element);
                self.inform(context, kind, element);
            }
            TellOption::Cve => self.inform(context, InfoKind::Cve, element),
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>, groups: &str) -> Tell {
        let mut told = self.told;
        told.groups = groups.into();
        if let Some((own, at)) = self.groups {
            let own = String::from_utf8_lossy(&own);
            let joined = !groups.is_empty() && !groups.ends_with(',');
            if joined && !own.is_empty() && !own.starts_with(',') {
                let first = own.split(',').next().unwrap_or_default();
                let last = groups.rsplit(',').next().unwrap_or_default();
                context.report(messages::groups_joined(last, first), at);
            }
            told.groups.push_str(&own);
        }
        told.description = String::from_utf8_lossy(&self.description).into_owned();
        if told.log == Some(false)
            && let Some(at) = self.mail_at
        {
            context.report(messages::mail_without_log(), at);
        }
        told
    }

    fn set(&mut self, context: &mut Context<'_>, element: &Element) {
        let setting = SETTINGS.iter().find(|(word, _)| element.content == word.as_bytes());
        let Some(&(_, setting)) = setting else {
            let words: Vec<&str> = SETTINGS.iter().map(|(word, _)| *word).collect();
            let finding = messages::unknown_word("options", &element.content, &words);
            context.report(finding, element.content_span);
            return;
        };
        match setting {
            Setting::AlertByEmail => {
                self.told.mail = Some(true);
                self.told.settings_at = Some(element.content_span);
                self.mail_at = Some(element.content_span);
            }
            Setting::NoEmailAlert => {
                self.told.mail = Some(false);
                self.mail_at = None;
            }
            Setting::LogAlert => {
                self.told.log = Some(true);
                self.told.settings_at = Some(element.content_span);
            }
            Setting::NoLog => self.told.log = Some(false),
            Setting::NoActiveResponse => self.told.active_response = false,
        }
    }

    fn inform(&mut self, context: &mut Context<'_>, kind: InfoKind, element: &Element) {
        if self.told.info.len() == INFO_ENTRIES_MAX {
            context.report(messages::too_many_infos(INFO_ENTRIES_MAX), element.name_span);
            return;
        }
        let text = String::from_utf8_lossy(&element.content).into_owned();
        self.told.info.push(Info { kind, text });
    }
}

fn info_kind(context: &mut Context<'_>, element: &Element) -> InfoKind {
    let Some(attribute) = element.attribute("type") else {
        return InfoKind::Text;
    };
    let kind = INFO_KINDS
        .iter()
        .find(|(word, _)| attribute.value.eq_ignore_ascii_case(word.as_bytes()))
        .map(|&(_, kind)| kind);
    if kind.is_none() {
        let words: Vec<&str> = INFO_KINDS.iter().map(|(word, _)| *word).collect();
        let finding = messages::unknown_info_type(&attribute.value, &words);
        context.report(finding, attribute.value_span);
    }
    kind.unwrap_or(InfoKind::Text)
}
