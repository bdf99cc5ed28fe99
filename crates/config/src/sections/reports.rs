//! `<reports>`: what is summed up once a day, and for whom.

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one, with};
use crate::spanned::{Place, Spanned};
use crate::value;

/// One report about the alerts of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub title: String,
    pub email_to: Vec<Spanned<String>>,
    /// Alerts that fit all of these are in it. compat: of filters of one field the last one counts.
    pub filters: Vec<ReportFilter>,
    /// For each value of the first field, the values of the second are listed.
    pub relations: Vec<(ReportField, ReportField)>,
    /// The logs are in it too.
    pub showlogs: bool,
    pub at: Place,
}

/// A field, and what an alert must have in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFilter {
    pub field: ReportField,
    pub value: Spanned<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportField {
    Group,
    Rule,
    Level,
    Location,
    SrcIp,
    User,
    Filename,
}

const FIELDS: [(&str, ReportField); 7] = [
    ("group", ReportField::Group),
    ("rule", ReportField::Rule),
    ("level", ReportField::Level),
    ("location", ReportField::Location),
    ("srcip", ReportField::SrcIp),
    ("user", ReportField::User),
    ("filename", ReportField::Filename),
];

const TITLE_DEFAULT: &str = "OSSEC Report (unnamed)";
const RELATION: &str = "relation";

#[derive(Default)]
pub(super) struct Draft {
    title: Option<String>,
    email_to: Vec<Spanned<String>>,
    filters: Vec<ReportFilter>,
    relations: Vec<(ReportField, ReportField)>,
    showlogs: bool,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    // compat: the first one counts.
    many("title", |it, element, findings| {
        let title = value::text(element, findings);
        it.title = it.title.take().or(title);
    }),
    one("type", |_, element, findings| {
        value::word(element, &[("email", ())], &mut (), findings);
    }),
    // compat: it is once a day in any case.
    one("frequency", |_, _, _| {}),
    many("email_to", |it, element, findings| {
        it.email_to.extend(value::mail_address(element, findings));
    }),
    one("showlogs", |it, element, findings| {
        let words = [("yes", true), ("no", false)];
        value::word_in_any_case(element, &words, &mut it.showlogs, findings);
    }),
    filter("category", |it, element, findings| it.filter(ReportField::Group, element, findings)),
    filter("group", |it, element, findings| it.filter(ReportField::Group, element, findings)),
    filter("rule", |it, element, findings| it.filter(ReportField::Rule, element, findings)),
    filter("level", |it, element, findings| it.filter(ReportField::Level, element, findings)),
    filter("location", |it, element, findings| {
        it.filter(ReportField::Location, element, findings);
    }),
    filter("srcip", |it, element, findings| it.filter(ReportField::SrcIp, element, findings)),
    filter("user", |it, element, findings| it.filter(ReportField::User, element, findings)),
];

const fn filter(name: &'static str, read: fn(&mut Draft, &Element, &mut Findings)) -> Entry<Draft> {
    with(&["type"], many(name, read))
}

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        if !section::has(section, "email_to") {
            findings.add(messages::report_without_recipient(), section);
        }
        let Draft { title, email_to, filters, relations, showlogs } = draft;
        conf.reports.push(Report {
            title: title.unwrap_or_else(|| TITLE_DEFAULT.to_owned()),
            email_to,
            filters,
            relations,
            showlogs,
            at: findings.name(section),
        });
    }
}

impl Draft {
    fn filter(&mut self, field: ReportField, element: &Element, findings: &mut Findings) {
        let kind = element.attributes.iter().find(|attribute| attribute.name == "type");
        if let Some(kind) = kind.filter(|kind| kind.value != RELATION.as_bytes()) {
            let message = messages::unknown_type(
                &element.name,
                &kind.text(),
                RELATION,
                "a value to look for",
            );
            return findings.add_at(message, kind.value_span);
        }
        if kind.is_some() {
            return self.relation(field, element, findings);
        }
        if field == ReportField::Level && value::number(element, 0..=255, findings).is_none() {
            return;
        }
        if let Some(value) = value::spanned(element, findings) {
            self.filters.retain(|known| known.field != field);
            self.filters.push(ReportFilter { field, value });
        }
    }

    fn relation(&mut self, field: ReportField, element: &Element, findings: &mut Findings) {
        let Some(other) = value::text(element, findings) else { return };
        match FIELDS.iter().find(|(name, _)| *name == other) {
            Some((_, other)) => self.relations.push((field, *other)),
            None => {
                let names = FIELDS.map(|(name, _)| name);
                findings.add_to_content(messages::bad_relation(&other, &names), element);
            }
        }
    }
}
