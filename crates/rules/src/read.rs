//! From elements to drafts: groups, rules, and the parts that all options share.

use crate::attributes::{self, RuleAttributes};
use crate::draft::{Counting, Draft};
use crate::findings::Findings;
use crate::lists::List;
use crate::load::LoadInput;
use crate::options::{self, Keyword, Options};
use crate::ruleset::Rule;
use crate::{lint, messages};
use model::limits::PATTERN_BYTES_MAX;
use model::{Diagnostic, SourceId, Span, diagnostic};
use osxml::{Element, Parsed};
use pattern::{Language, PatternId, PatternSet};

/// What reading one file needs at hand.
pub(crate) struct Context<'a> {
    pub(crate) source: SourceId,
    pub(crate) input: &'a LoadInput<'a>,
    pub(crate) lists: &'a [List],
    pub(crate) findings: &'a mut Findings,
    pub(crate) patterns: &'a mut PatternSet,
    /// Whether the rule at hand lacks something that is no error of its own.
    pub(crate) incomplete: bool,
}

impl Context<'_> {
    pub(crate) fn report(&mut self, finding: Diagnostic, span: Span) {
        self.findings.add(finding.at(self.source, span));
    }

    /// Compiles the text of an option; an error is reported at the byte it is about.
    pub(crate) fn pattern(&mut self, language: Language, text: &Pieces<'_>) -> Option<PatternId> {
        if text.bytes.len() > PATTERN_BYTES_MAX {
            self.report(messages::pattern_too_long(text.name(), text.bytes.len()), text.span());
            return None;
        }
        if let Some(start) = lint::leading_catch_all(language, &text.bytes) {
            self.report(messages::leading_catch_all(start), text.at(0));
        }
        match self.patterns.compile(language, &text.bytes) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let at = text.at(error.offset);
                self.report(messages::bad_pattern(text.name(), error), at);
                None
            }
        }
    }
}

/// The contents of the elements of one option, in file order. compat: they are joined without a
/// separator.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'e> {
    pub(crate) bytes: Vec<u8>,
    /// Where each piece starts in `bytes`; never empty.
    parts: Vec<(usize, &'e Element)>,
}

impl<'e> Pieces<'e> {
    pub(crate) fn new(element: &'e Element) -> Self {
        Self { bytes: element.content.clone(), parts: vec![(0, element)] }
    }

    pub(crate) fn add(&mut self, element: &'e Element) {
        self.parts.push((self.bytes.len(), element));
        self.bytes.extend_from_slice(&element.content);
    }

    /// Adds to what is there, or starts it.
    pub(crate) fn collect(slot: &mut Option<Self>, element: &'e Element) {
        match slot {
            Some(pieces) => pieces.add(element),
            None => *slot = Some(Self::new(element)),
        }
    }

    pub(crate) fn name(&self) -> &'e str {
        self.parts.first().map_or("", |(_, element)| element.name.as_str())
    }

    /// From the first piece to the last.
    pub(crate) fn span(&self) -> Span {
        let spans = self.parts.iter().map(|(_, element)| element.content_span);
        spans.reduce(|first, last| Span { start: first.start, end: last.end }).unwrap_or_default()
    }

    /// Where a byte of the joined text is written.
    pub(crate) fn at(&self, offset: usize) -> Span {
        let part = self.parts.iter().rev().find(|(start, _)| *start <= offset);
        part.map_or(Span::default(), |(start, element)| element.content_offset(offset - start))
    }
}

/// Reads the elements of a file into drafts. Those of a file with errors are for findings only.
pub(crate) fn file(context: &mut Context<'_>, parsed: &Parsed, drafts: &mut Vec<Draft>) {
    let start = drafts.len();
    for element in &parsed.elements {
        if !element.is("group") {
            let meant = diagnostic::nearest(&element.name, ["group"]);
            let finding = messages::unknown_element(&element.name, "a rule file", "group", meant);
            context.report(finding, element.name_span);
            continue;
        }
        group(context, element, drafts);
    }
    for draft in drafts.iter_mut().skip(start) {
        draft.sound &= parsed.is_usable();
    }
}

fn group(context: &mut Context<'_>, group: &Element, drafts: &mut Vec<Draft>) {
    let name = group.attribute("name");
    for attribute in &group.attributes {
        if !attribute.name.eq_ignore_ascii_case("name") {
            let meant = diagnostic::nearest(&attribute.name, ["name"]);
            let finding = messages::unknown_attribute(&attribute.name, "group", meant);
            context.report(finding, attribute.name_span);
        }
    }
    if name.is_none() {
        context.report(messages::missing_attribute("group", "name"), group.name_span);
    }
    if group.children.is_empty() {
        context.report(messages::empty_group(), group.name_span);
    }
    let groups = name.map_or("".into(), |name| String::from_utf8_lossy(&name.value));
    for element in &group.children {
        if element.is("rule") {
            drafts.extend(rule(context, element, &groups));
        } else {
            let meant = diagnostic::nearest(&element.name, ["rule"]);
            let finding = messages::unknown_element(&element.name, "a group", "rule", meant);
            context.report(finding, element.name_span);
        }
    }
}

/// Reads one rule; without an id there is nothing to keep.
fn rule(context: &mut Context<'_>, element: &Element, groups: &str) -> Option<Draft> {
    let errors_before = context.findings.errors();
    context.incomplete = false;
    let attributes = attributes::read(context, element);
    let options = options(context, element, groups);
    check_correlation(context, &attributes, &options);
    if attributes.level == 0
        && let Some(at) = options.tell.settings_at
    {
        context.report(messages::level_zero_options(), at);
    }
    let (id, id_at) = attributes.id?;
    let at = Span { start: element.span.start, end: id_at.end.max(element.span.start) };
    let sound = context.findings.errors() == errors_before && !context.incomplete;
    Some(draft(context, attributes, options, (id, id_at), at, sound))
}

/// Reads the options of a rule.
fn options(context: &mut Context<'_>, element: &Element, groups: &str) -> Options {
    if element.children.is_empty() {
        context.report(messages::rule_without_options(), element.name_span);
    }
    let mut gathered = options::Gathered::default();
    for option in &element.children {
        match Keyword::find(&option.name) {
            Some(keyword) => {
                check_form(context, keyword, option);
                gathered.add(context, keyword, option);
            }
            None => {
                let meant = diagnostic::nearest(&option.name, Keyword::names());
                context.report(messages::unknown_option(&option.name, meant), option.name_span);
            }
        }
    }
    gathered.finish(context, groups)
}

/// Warns about parts of an option that nobody reads.
fn check_form(context: &mut Context<'_>, keyword: Keyword, option: &Element) {
    for attribute in &option.attributes {
        if !keyword.attributes().iter().any(|known| attribute.name.eq_ignore_ascii_case(known)) {
            let meant = diagnostic::nearest(&attribute.name, keyword.attributes().iter().copied());
            let finding = messages::attribute_ignored(&attribute.name, &option.name, meant);
            context.report(finding, attribute.name_span);
        }
    }
    if let Some(inner) = option.children.first() {
        context.report(messages::element_ignored(&inner.name, &option.name), inner.name_span);
    }
}

fn check_correlation(context: &mut Context<'_>, attributes: &RuleAttributes, options: &Options) {
    if options.correlate.over.is_some() || options.test.check_diff {
        return;
    }
    let (frequency, at) = attributes.frequency;
    if frequency > 0 {
        context.report(messages::needs_correlation("frequency"), at);
    }
    if let Some((name, at)) = &options.correlate.needed_by {
        context.report(messages::needs_correlation(name), *at);
    }
}

fn draft(
    context: &Context<'_>,
    attributes: RuleAttributes,
    options: Options,
    (id, id_at): (u32, Span),
    at: Span,
    sound: bool,
) -> Draft {
    let settings = &context.input.options;
    let level = attributes.level;
    let Options { mut conditions, place, correlate, tell, silence, .. } = options;
    if attributes.maxsize > 0 {
        conditions.push(crate::ruleset::Condition::SizeAtLeast(attributes.maxsize));
    }
    options::sort(&mut conditions);
    let counting = correlate.over.map(|(over, at)| Counting {
        over,
        at,
        timeframe: attributes.timeframe,
        same: correlate.same,
        different: correlate.different,
    });
    let rule = Rule {
        id,
        level,
        category: place.category.map_or_else(Default::default, |(category, _)| category),
        groups: tell.groups,
        description: tell.description,
        info: tell.info,
        frequency: attributes.frequency.0,
        conditions,
        correlation: None,
        children: Vec::new(),
        noalert: attributes.noalert,
        ignore_seconds: attributes.ignore,
        ignore: silence.ignore,
        check_if_ignored: silence.check_if_ignored,
        log: tell.log.unwrap_or(level >= settings.log_alert_level),
        mail: tell.mail.unwrap_or(level >= settings.email_alert_level),
        active_response: tell.active_response,
        counted_by: Vec::new(),
        at: (context.source, at),
    };
    let overwrite = attributes.overwrite;
    Draft { rule, id_at, rank: attributes.rank, overwrite, place, counting, sound }
}
