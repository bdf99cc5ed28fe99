//! Below which rules a rule is tried.

use crate::draft::Place;
use crate::messages;
use crate::read::{Context, Pieces};
use model::{Category, Span};
use osxml::Element;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaceOption {
    IfSid,
    IfLevel,
    IfGroup,
    Category,
}

pub(crate) const NAMES: [(&str, PlaceOption); 4] = [
    ("if_sid", PlaceOption::IfSid),
    ("if_level", PlaceOption::IfLevel),
    ("if_group", PlaceOption::IfGroup),
    ("category", PlaceOption::Category),
];

#[derive(Default)]
pub(crate) struct Gathered<'e> {
    if_sid: Option<Pieces<'e>>,
    if_level: Option<Pieces<'e>>,
    if_group: Option<Pieces<'e>>,
    category: Option<(Category, Span)>,
}

impl<'e> Gathered<'e> {
    pub(crate) fn add(
        &mut self,
        context: &mut Context<'_>,
        option: PlaceOption,
        element: &'e Element,
    ) {
        match option {
            PlaceOption::IfSid => {
                if self.if_sid.is_some() {
                    context.report(messages::if_sid_joined(), element.name_span);
                }
                Pieces::collect(&mut self.if_sid, element);
            }
            PlaceOption::IfLevel => Pieces::collect(&mut self.if_level, element),
            PlaceOption::IfGroup => Pieces::collect(&mut self.if_group, element),
            PlaceOption::Category => {
                if self.category.is_some() {
                    context.report(messages::last_one_counts("category"), element.name_span);
                }
                self.category = category(context, element);
            }
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>) -> Place {
        Place {
            if_sid: self.if_sid.map(|text| rule_ids(context, &text)).unwrap_or_default(),
            if_level: self.if_level.and_then(|text| level(context, &text)),
            if_group: self.if_group.map(|text| (text.bytes.clone(), text.span())),
            category: self.category,
        }
    }
}

fn category(context: &mut Context<'_>, element: &Element) -> Option<(Category, Span)> {
    // Decoders know one type more.
    let found = Category::from_word(&element.content)
        .filter(|&category| category != Category::HostInformation);
    if found.is_none() {
        let words = Category::ALL.into_iter().filter(|&known| known != Category::HostInformation);
        let words: Vec<&str> = words.map(Category::word).collect();
        let finding = messages::unknown_word("category", &element.content, &words);
        context.report(finding, element.content_span);
    }
    found.map(|category| (category, element.content_span))
}

fn level(context: &mut Context<'_>, text: &Pieces<'_>) -> Option<(u32, Span)> {
    let digits = !text.bytes.is_empty() && text.bytes.iter().all(u8::is_ascii_digit);
    if !digits {
        context.report(messages::bad_value("if_level", &text.bytes, "a number"), text.span());
        return None;
    }
    let level = text.bytes.iter().fold(0_u32, |level, digit| {
        level.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    });
    Some((level, text.span()))
}

/// Ids separated by commas and blanks.
fn rule_ids(context: &mut Context<'_>, text: &Pieces<'_>) -> Vec<(u32, Span)> {
    let mut ids: Vec<(u32, Span)> = Vec::new();
    let mut at = 0;
    let errors_before = context.findings.errors();
    for word in text.bytes.split(|&byte| byte == b',' || byte == b' ') {
        let start = at;
        at += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        let first = text.at(start);
        let last = text.at(start + word.len() - 1);
        let span = Span { start: first.start, end: last.end.max(first.end) };
        if let Some(wrong) = word.iter().position(|byte| !byte.is_ascii_digit()) {
            context.report(messages::not_an_id_list(word[wrong]), text.at(start + wrong));
            return Vec::new();
        }
        let id = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        let Some(id) = id else {
            context.report(messages::bad_value("if_sid", word, "a rule id"), span);
            continue;
        };
        if ids.iter().any(|(known, _)| *known == id) {
            context.report(messages::id_listed_twice(id), span);
            continue;
        }
        ids.push((id, span));
    }
    match text.bytes.last() {
        _ if context.findings.errors() > errors_before => {}
        _ if ids.is_empty() => context.report(messages::if_sid_empty(), text.span()),
        // OSSEC hangs the rule below its category's template as well.
        Some(b',' | b' ') => {
            context.report(messages::trailing_separator(), text.at(text.bytes.len() - 1));
        }
        Some(_) | None => {}
    }
    ids
}
