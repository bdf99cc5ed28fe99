//! Tests of one event that are not patterns in a static field.

use crate::address::{AddressList, Entry};
use crate::lists::{List, ListField, ListId, ListTest, Lookup};
use crate::messages;
use crate::read::{Context, Pieces};
use crate::ruleset::{CompiledRule, Condition};
use crate::time::{TimeWindow, Weekdays};
use crate::value::ValueError;
use model::{DecoderId, Field};
use osxml::{Attribute, Element};
use pattern::Language;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestOption {
    DecodedAs,
    Action,
    Field,
    SrcIp,
    DstIp,
    Time,
    Weekday,
    CompiledRule,
    List,
    CheckDiff,
    IfFts,
}

pub(crate) const NAMES: [(&str, TestOption); 11] = [
    ("decoded_as", TestOption::DecodedAs),
    ("action", TestOption::Action),
    ("field", TestOption::Field),
    ("srcip", TestOption::SrcIp),
    ("dstip", TestOption::DstIp),
    ("time", TestOption::Time),
    ("weekday", TestOption::Weekday),
    ("compiled_rule", TestOption::CompiledRule),
    ("list", TestOption::List),
    ("check_diff", TestOption::CheckDiff),
    ("if_fts", TestOption::IfFts),
];

const COMPILED_RULES: [(&str, CompiledRule); 5] = [
    ("check_id_size", CompiledRule::LongId),
    ("comp_srcuser_dstuser", CompiledRule::SameUsers),
    ("comp_mswin_targetuser_calleruser_diff", CompiledRule::WindowsUsersDiffer),
    ("is_simple_http_request", CompiledRule::SimpleHttpRequest),
    ("is_valid_crawler", CompiledRule::KnownCrawler),
];

/// What other options want to know about the tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Test {
    pub(crate) check_diff: bool,
}

#[derive(Default)]
pub(crate) struct Gathered<'e> {
    action: Option<Pieces<'e>>,
    srcip: AddressList,
    dstip: AddressList,
    /// Options of which the last one counts.
    decoded_as: Option<Option<DecoderId>>,
    time: Option<Option<TimeWindow>>,
    weekday: Option<Option<Weekdays>>,
    compiled: Option<Option<CompiledRule>>,
    fields: Vec<Condition>,
    lists: Vec<ListTest>,
    check_diff: bool,
    if_fts: bool,
}

impl<'e> Gathered<'e> {
    pub(crate) fn add(
        &mut self,
        context: &mut Context<'_>,
        option: TestOption,
        element: &'e Element,
    ) {
        match option {
            TestOption::DecodedAs => {
                let decoder = decoded_as(context, element);
                replace(context, &mut self.decoded_as, decoder, element);
            }
            TestOption::Action => Pieces::collect(&mut self.action, element),
            TestOption::Field => self.fields.extend(field(context, element)),
            TestOption::SrcIp => {
                let entry = value(context, Entry::parse(&element.content), element);
                self.srcip.entries.extend(entry);
            }
            TestOption::DstIp => {
                let entry = value(context, Entry::parse(&element.content), element);
                self.dstip.entries.extend(entry);
            }
            TestOption::Time => {
                let time = value(context, TimeWindow::parse(&element.content), element);
                replace(context, &mut self.time, time, element);
            }
            TestOption::Weekday => {
                let days = value(context, Weekdays::parse(&element.content), element);
                replace(context, &mut self.weekday, days, element);
            }
            TestOption::CompiledRule => {
                let compiled = compiled_rule(context, element);
                replace(context, &mut self.compiled, compiled, element);
            }
            TestOption::List => self.lists.extend(list(context, element)),
            TestOption::CheckDiff => self.check_diff = true,
            TestOption::IfFts => self.if_fts = true,
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>, conditions: &mut Vec<Condition>) -> Test {
        conditions.extend(self.decoded_as.flatten().map(Condition::DecodedAs));
        if let Some(action) = self.action {
            if action.bytes.len() > model::limits::PATTERN_BYTES_MAX {
                let length = action.bytes.len();
                context.report(messages::pattern_too_long("action", length), action.span());
            }
            conditions.push(Condition::Action(action.bytes));
        }
        conditions.extend(self.fields);
        if !self.srcip.entries.is_empty() {
            conditions.push(Condition::SrcIp(self.srcip));
        }
        if !self.dstip.entries.is_empty() {
            conditions.push(Condition::DstIp(self.dstip));
        }
        conditions.extend(self.compiled.flatten().map(Condition::Compiled));
        conditions.extend(self.time.flatten().map(Condition::TimeOfDay));
        conditions.extend(self.weekday.flatten().map(Condition::Weekday));
        if self.check_diff {
            conditions.push(Condition::Changed);
        }
        if self.if_fts {
            conditions.push(Condition::FirstSeen);
        }
        conditions.extend(self.lists.into_iter().map(Condition::List));
        Test { check_diff: self.check_diff }
    }
}

/// Stores the value of an option that counts once.
fn replace<T>(
    context: &mut Context<'_>,
    slot: &mut Option<Option<T>>,
    value: Option<T>,
    element: &Element,
) {
    if slot.is_some() {
        context.report(messages::last_one_counts(&element.name), element.name_span);
    }
    *slot = Some(value);
}

/// The value of an option, or its error reported.
fn value<T>(
    context: &mut Context<'_>,
    parsed: Result<T, ValueError>,
    element: &Element,
) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(error) => {
            context.report(messages::bad_option(&element.name, error), element.content_span);
            None
        }
    }
}

fn decoded_as(context: &mut Context<'_>, element: &Element) -> Option<DecoderId> {
    let name = element.content.as_slice();
    if let Some(decoder) = (context.input.decoder_ids)(name) {
        return Some(decoder);
    }
    let finding = if context.input.decoders_complete {
        let known = context.input.decoders.iter().map(|decoder| decoder.name);
        messages::unknown_decoder(name, known)
    } else {
        context.incomplete = true;
        messages::decoder_left_out(name)
    };
    context.report(finding, element.content_span);
    None
}

fn field(context: &mut Context<'_>, element: &Element) -> Option<Condition> {
    let pattern = context.pattern(Language::Regex, &Pieces::new(element));
    let Some(name) = element.attribute("name").filter(|name| !name.value.is_empty()) else {
        context.report(messages::field_without_name(), element.name_span);
        return None;
    };
    if let Some(field) = Field::from_order_word(&name.value) {
        let text = String::from_utf8_lossy(&name.value);
        context.report(messages::static_field(&text, option_of(field)), name.value_span);
    }
    Some(Condition::Dynamic { name: name.value.to_ascii_lowercase(), pattern: pattern? })
}

/// The option that tests a static field, if there is one.
fn option_of(field: Field) -> Option<&'static str> {
    match field {
        Field::DstUser => Some("user"),
        Field::SrcIp => Some("srcip"),
        Field::DstIp => Some("dstip"),
        Field::SrcPort => Some("srcport"),
        Field::DstPort => Some("dstport"),
        Field::Action => Some("action"),
        Field::Id => Some("id"),
        Field::Url => Some("url"),
        Field::Data => Some("extra_data"),
        Field::Status => Some("status"),
        Field::SrcGeoIp => Some("srcgeoip"),
        Field::DstGeoIp => Some("dstgeoip"),
        Field::SrcUser | Field::Protocol | Field::SystemName | Field::Filename => None,
    }
}

fn compiled_rule(context: &mut Context<'_>, element: &Element) -> Option<CompiledRule> {
    let known = COMPILED_RULES.iter().find(|(name, _)| element.content == name.as_bytes());
    if known.is_none() {
        let words: Vec<&str> = COMPILED_RULES.iter().map(|(name, _)| *name).collect();
        let finding = messages::unknown_word("compiled_rule", &element.content, &words);
        context.report(finding, element.content_span);
    }
    known.map(|&(_, compiled)| compiled)
}

fn list(context: &mut Context<'_>, element: &Element) -> Option<ListTest> {
    let list = list_id(context.lists, &element.content);
    if list.is_none() {
        let names: Vec<&str> = context.lists.iter().map(|list| list.name.as_str()).collect();
        let finding = messages::unknown_list(&element.content, &names);
        context.report(finding, element.content_span);
    }
    let field = match element.attribute("field") {
        Some(attribute) => {
            let words = ListField::ALL.map(ListField::word);
            word(context, attribute, ListField::from_word(&attribute.value), &words)
        }
        None => {
            context.report(messages::missing_attribute("list", "field"), element.name_span);
            None
        }
    };
    let lookup = match element.attribute("lookup") {
        Some(attribute) => {
            let words = Lookup::ALL.map(Lookup::word);
            word(context, attribute, Lookup::from_word(&attribute.value), &words)?
        }
        None => Lookup::default(),
    };
    let value = match element.attribute("check_value") {
        Some(attribute) if lookup.wants_value() => Some(check_value(context, attribute)?),
        Some(attribute) => {
            let finding = messages::check_value_unused(lookup.word());
            context.report(finding, attribute.name_span);
            None
        }
        None if lookup.wants_value() => {
            context.report(messages::check_value_missing(lookup.word()), element.name_span);
            return None;
        }
        None => None,
    };
    Some(ListTest { list: list?, field: field?, lookup, value })
}

fn check_value(context: &mut Context<'_>, attribute: &Attribute) -> Option<pattern::PatternId> {
    match context.patterns.compile(Language::Match, &attribute.value) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let at = attribute.value_offset(error.offset);
            context.report(messages::bad_pattern("check_value", error), at);
            None
        }
    }
}

/// The value of an attribute that knows certain words.
fn word<T>(
    context: &mut Context<'_>,
    attribute: &Attribute,
    found: Option<T>,
    words: &[&str],
) -> Option<T> {
    if found.is_none() {
        let finding = messages::unknown_word(&attribute.name, &attribute.value, words);
        context.report(finding, attribute.value_span);
    }
    found
}

/// The list a rule names: with or without `.cdb`, and with or without the folder `rules/` where
/// there is no other.
fn list_id(lists: &[List], name: &[u8]) -> Option<ListId> {
    let wanted = list_path(&String::from_utf8_lossy(name));
    let position = lists.iter().position(|list| list_path(&list.name) == wanted)?;
    u16::try_from(position).ok().map(ListId)
}

fn list_path(name: &str) -> String {
    let text_file = name.split(".cdb").next().unwrap_or_default();
    if text_file.contains('/') { text_file.into() } else { format!("rules/{text_file}") }
}
