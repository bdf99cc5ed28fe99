//! Which earlier events a rule counts.

use crate::draft::CountingOver;
use crate::messages;
use crate::read::{Context, Pieces};
use crate::ruleset::{CorrelationKey, CorrelationKeys};
use model::Span;
use osxml::Element;
use pattern::Language;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CorrelateOption {
    MatchedSid,
    MatchedGroup,
    MatchedRegex,
    Same(CorrelationKey),
    Different(CorrelationKey),
    NotSame(CorrelationKey),
}

/// Whether upper and lower case letters of an option's name are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Ignored,
    Exact,
}

pub(crate) const NAMES: [(&str, CorrelateOption, Case); 16] = [
    ("if_matched_sid", CorrelateOption::MatchedSid, Case::Ignored),
    ("if_matched_group", CorrelateOption::MatchedGroup, Case::Ignored),
    ("if_matched_regex", CorrelateOption::MatchedRegex, Case::Ignored),
    ("same_source_ip", CorrelateOption::Same(CorrelationKey::SrcIp), Case::Ignored),
    ("same_src_port", CorrelateOption::Same(CorrelationKey::SrcPort), Case::Ignored),
    ("same_dst_port", CorrelateOption::Same(CorrelationKey::DstPort), Case::Ignored),
    ("same_user", CorrelateOption::Same(CorrelationKey::User), Case::Ignored),
    ("same_location", CorrelateOption::Same(CorrelationKey::Location), Case::Ignored),
    ("same_id", CorrelateOption::Same(CorrelationKey::Id), Case::Exact),
    ("different_url", CorrelateOption::Different(CorrelationKey::Url), Case::Exact),
    ("different_srcip", CorrelateOption::Different(CorrelationKey::SrcIp), Case::Exact),
    ("different_srcgeoip", CorrelateOption::Different(CorrelationKey::SrcGeoIp), Case::Exact),
    ("not_same_source_ip", CorrelateOption::NotSame(CorrelationKey::SrcIp), Case::Ignored),
    ("not_same_user", CorrelateOption::NotSame(CorrelationKey::User), Case::Ignored),
    ("not_same_agent", CorrelateOption::NotSame(CorrelationKey::Location), Case::Ignored),
    ("not_same_id", CorrelateOption::NotSame(CorrelationKey::Id), Case::Exact),
];

impl CorrelateOption {
    pub(crate) fn find(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _, case)| match case {
            Case::Ignored => name.eq_ignore_ascii_case(known),
            Case::Exact => name == *known,
        });
        known.map(|&(_, option, _)| option)
    }
}

/// What a rule's options say about counting.
#[derive(Debug, Default)]
pub(crate) struct Correlate {
    pub(crate) over: Option<(CountingOver, Span)>,
    pub(crate) same: CorrelationKeys,
    pub(crate) different: CorrelationKeys,
    /// An option that makes no sense without counting.
    pub(crate) needed_by: Option<(String, Span)>,
}

#[derive(Default)]
pub(crate) struct Gathered<'e> {
    matched_sid: Option<&'e Element>,
    matched_group: Option<Pieces<'e>>,
    matched_regex: Option<Pieces<'e>>,
    keys: Correlate,
    /// A `not_same_…`, which OSSEC accepts without counting.
    not_same: Option<&'e Element>,
}

impl<'e> Gathered<'e> {
    pub(crate) fn add(
        &mut self,
        context: &mut Context<'_>,
        option: CorrelateOption,
        element: &'e Element,
    ) {
        // compat: OSSEC's different_srcip and not_same_… test nothing.
        let strict = context.input.options.strict;
        match option {
            CorrelateOption::MatchedSid => {
                if self.matched_sid.is_some() {
                    context.report(messages::last_one_counts("if_matched_sid"), element.name_span);
                }
                self.matched_sid = Some(element);
            }
            CorrelateOption::MatchedGroup => Pieces::collect(&mut self.matched_group, element),
            CorrelateOption::MatchedRegex => Pieces::collect(&mut self.matched_regex, element),
            CorrelateOption::Same(key) => {
                self.keys.same.insert(key);
                self.keys.different.remove(key);
                self.keys.needed_by = Some((element.name.clone(), element.name_span));
            }
            CorrelateOption::Different(key) => {
                if !(strict && key == CorrelationKey::SrcIp) {
                    self.keys.different.insert(key);
                }
                self.keys.needed_by = Some((element.name.clone(), element.name_span));
            }
            CorrelateOption::NotSame(key) => {
                self.keys.same.remove(key);
                if !strict {
                    self.keys.different.insert(key);
                }
                self.not_same = Some(element);
            }
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>) -> Correlate {
        let over = self.over(context);
        if over.is_none()
            && let Some(element) = self.not_same
        {
            context.report(messages::not_same_alone(&element.name), element.name_span);
        }
        Correlate { over, ..self.keys }
    }

    /// All that is written is checked; of several, the first kind counts.
    fn over(&self, context: &mut Context<'_>) -> Option<(CountingOver, Span)> {
        let sid = self.matched_sid.and_then(|element| {
            let text = std::str::from_utf8(&element.content).ok();
            let digits = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let id = digits.and_then(|digits| digits.parse().ok());
            if id.is_none() {
                let finding = messages::bad_value("if_matched_sid", &element.content, "a rule id");
                context.report(finding, element.content_span);
            }
            Some((CountingOver::Sid(id?), element.content_span))
        });
        let group = self.matched_group.as_ref().and_then(|text| {
            let pattern = context.pattern(Language::Match, text)?;
            Some((CountingOver::Group { text: text.bytes.clone(), pattern }, text.span()))
        });
        let regex = self.matched_regex.as_ref().and_then(|text| {
            let pattern = context.pattern(Language::Regex, text)?;
            Some((CountingOver::Text(pattern), text.span()))
        });
        let kinds: Vec<_> = [sid, group, regex].into_iter().flatten().collect();
        if let [_, (_, second), ..] = kinds.as_slice() {
            context.report(messages::one_kind_of_counting(), *second);
        }
        kinds.into_iter().next()
    }
}
