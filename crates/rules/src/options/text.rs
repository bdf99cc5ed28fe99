//! Patterns searched in the log or in a static field.

use crate::messages;
use crate::read::{Context, Pieces};
use crate::ruleset::{Condition, Subject};
use osxml::Element;
use pattern::Language;

/// One of the two options of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextOption {
    slot: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Pcre2,
}

/// A plain option, its PCRE2 twin, and what both search.
struct Slot {
    plain: &'static str,
    language: Language,
    pcre2: &'static str,
    subject: Subject,
    /// Whether both are tested if both are written; else only the plain one is.
    both: bool,
}

const fn slot(plain: &'static str, pcre2: &'static str, subject: Subject) -> Slot {
    Slot { plain, language: Language::Match, pcre2, subject, both: false }
}

const SLOTS: [Slot; 13] = [
    slot("match", "match_pcre2", Subject::Log),
    Slot { language: Language::Regex, ..slot("regex", "pcre2", Subject::Log) },
    slot("program_name", "program_name_pcre2", Subject::ProgramName),
    slot("id", "id_pcre2", Subject::Id),
    Slot { both: true, ..slot("url", "url_pcre2", Subject::Url) },
    slot("srcport", "srcport_pcre2", Subject::SrcPort),
    slot("dstport", "dstport_pcre2", Subject::DstPort),
    slot("user", "user_pcre2", Subject::User),
    slot("srcgeoip", "srcgeoip_pcre2", Subject::SrcGeoIp),
    slot("dstgeoip", "dstgeoip_pcre2", Subject::DstGeoIp),
    slot("extra_data", "extra_data_pcre2", Subject::ExtraData),
    slot("hostname", "hostname_pcre2", Subject::Hostname),
    slot("status", "status_pcre2", Subject::Status),
];

impl TextOption {
    pub(crate) fn find(name: &str) -> Option<Self> {
        SLOTS.iter().enumerate().find_map(|(slot, words)| {
            if name.eq_ignore_ascii_case(words.plain) {
                Some(Self { slot, kind: Kind::Plain })
            } else if name.eq_ignore_ascii_case(words.pcre2) {
                Some(Self { slot, kind: Kind::Pcre2 })
            } else {
                None
            }
        })
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        SLOTS.iter().flat_map(|slot| [slot.plain, slot.pcre2])
    }
}

/// The texts of each slot.
#[derive(Default)]
pub(crate) struct Gathered<'e> {
    slots: [Written<'e>; SLOTS.len()],
}

#[derive(Default)]
struct Written<'e> {
    plain: Option<Pieces<'e>>,
    pcre2: Option<Pieces<'e>>,
}

impl<'e> Gathered<'e> {
    pub(crate) fn add(&mut self, option: TextOption, element: &'e Element) {
        let slot = &mut self.slots[option.slot];
        match option.kind {
            Kind::Plain => Pieces::collect(&mut slot.plain, element),
            Kind::Pcre2 => Pieces::collect(&mut slot.pcre2, element),
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (slot, written) in SLOTS.iter().zip(self.slots) {
            let subject = slot.subject;
            if let Some(text) = &written.plain {
                let pattern = context.pattern(slot.language, text);
                conditions.extend(pattern.map(|pattern| Condition::Text { subject, pattern }));
            }
            if let Some(text) = &written.pcre2 {
                let pattern = context.pattern(Language::Pcre2, text);
                if written.plain.is_none() || slot.both {
                    conditions.extend(pattern.map(|pattern| Condition::Text { subject, pattern }));
                } else if pattern.is_some() {
                    context.report(messages::twin_ignored(slot.pcre2, slot.plain), text.span());
                }
            }
        }
        conditions
    }
}
