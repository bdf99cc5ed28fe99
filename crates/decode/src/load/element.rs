//! One `<decoder>` element: what it says, checked on its own.

use model::limits::PATTERN_BYTES_MAX;
use model::{Category, Diagnostic, Field, SourceId, Span};
use osxml::Element;
use pattern::{Language, PatternId};

use super::{Loader, messages};
use crate::fields::Name;
use crate::plugins::{self, Plugin};
use crate::set::{FtsFields, Offset};

/// A decoder as written, before it is linked.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) at: (SourceId, Span),
    pub(super) parent: Option<Text>,
    pub(super) program: Option<PatternId>,
    pub(super) prematch: Option<Part>,
    pub(super) regex: Option<Part>,
    pub(super) order: Vec<Name>,
    pub(super) fts: Option<FtsFields>,
    pub(super) category: Category,
    pub(super) use_own_name: bool,
    pub(super) accumulate: bool,
    pub(super) plugin: Option<&'static dyn Plugin>,
}

/// A pattern and where it begins to look.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) pattern: PatternId,
    pub(super) language: Language,
    pub(super) offset: Offset,
    pub(super) at: Span,
}

/// Content put together from all elements of one name.
#[derive(Clone, Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) at: Span,
    offset: Option<Offset>,
    /// Whether a place in the content is a place in the file.
    single: bool,
}

impl Text {
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The elements a decoder may contain.
const CHILDREN: [&str; 14] = [
    "parent",
    "program_name",
    "program_name_pcre2",
    "prematch",
    "prematch_pcre2",
    "regex",
    "pcre2",
    "order",
    "fts",
    "ftscomment",
    "type",
    "use_own_name",
    "accumulate",
    "plugin_decoder",
];

// The plain one wins if both are given.
const PROGRAM: [(&str, Language); 2] =
    [("program_name", Language::Match), ("program_name_pcre2", Language::Pcre2)];
const PREMATCH: [(&str, Language); 2] =
    [("prematch", Language::Regex), ("prematch_pcre2", Language::Pcre2)];
const REGEX: [(&str, Language); 2] = [("regex", Language::Regex), ("pcre2", Language::Pcre2)];

const FTS_WORDS_MAX: usize = 8;

/// The texts of a decoder element by child name.
#[derive(Default)]
struct Texts {
    parts: Vec<(&'static str, Text)>,
}

impl Texts {
    fn get(&self, name: &str) -> Option<&Text> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn pattern(&self, names: [(&str, Language); 2]) -> Option<(&Text, Language)> {
        names.iter().find_map(|&(name, language)| Some((self.get(name)?, language)))
    }
}

impl Loader {
    pub(super) fn report(&mut self, source: SourceId, at: Span, finding: Diagnostic) {
        self.diagnostics.push(finding.at(source, at));
    }

    /// The decoder an element describes; `None`, with findings, if it cannot be used.
    pub(super) fn decoder(&mut self, source: SourceId, element: &Element) -> Option<Draft> {
        if !element.is("decoder") {
            self.report(source, element.name_span, messages::not_a_decoder(&element.name));
            return None;
        }
        let errors_before = self.errors();
        let name = self.name(source, element);
        let texts = self.texts(source, element);
        let draft = self.draft(source, element, name?, &texts);
        (self.errors() == errors_before).then_some(draft)
    }

    fn errors(&self) -> usize {
        let is_error = |finding: &&Diagnostic| finding.severity == model::Severity::Error;
        self.diagnostics.iter().filter(is_error).count()
    }

    fn name(&mut self, source: SourceId, element: &Element) -> Option<String> {
        for attribute in &element.attributes {
            if !attribute.name.eq_ignore_ascii_case("name") {
                let finding = messages::unknown_decoder_attribute(&attribute.name);
                self.report(source, attribute.name_span, finding);
            }
        }
        match element.attribute("name") {
            Some(name) if !name.value.is_empty() => Some(name.text().into_owned()),
            _ => {
                self.report(source, element.name_span, messages::missing_name());
                None
            }
        }
    }

    fn texts(&mut self, source: SourceId, element: &Element) -> Texts {
        let mut texts = Texts::default();
        for child in &element.children {
            let Some(known) = CHILDREN.into_iter().find(|known| child.is(known)) else {
                let finding = messages::unknown_element(&child.name, &CHILDREN);
                self.report(source, child.name_span, finding);
                continue;
            };
            let offset = self.offset(source, child, known);
            match texts.parts.iter_mut().find(|(name, _)| *name == known) {
                Some((_, text)) => {
                    // compat: repeated elements are put together without anything between them.
                    text.bytes.extend_from_slice(&child.content);
                    text.single = false;
                    if offset.is_some() {
                        self.report(source, child.name_span, messages::late_offset(known));
                    }
                }
                None => {
                    let single = child.content_span.range().len() == child.content.len();
                    let (bytes, at) = (child.content.clone(), child.content_span);
                    texts.parts.push((known, Text { bytes, at, offset, single }));
                }
            }
        }
        texts
    }

    fn offset(&mut self, source: SourceId, child: &Element, known: &str) -> Option<Offset> {
        let attribute = child.attributes.first()?;
        let takes_offset = PREMATCH.iter().chain(&REGEX).any(|(name, _)| *name == known);
        if !attribute.name.eq_ignore_ascii_case("offset") || !takes_offset {
            let finding = messages::unknown_attribute(&attribute.name, known, takes_offset);
            self.report(source, attribute.name_span, finding);
            return None;
        }
        match attribute.value.as_slice() {
            b"after_parent" => Some(Offset::AfterParent),
            b"after_prematch" => Some(Offset::AfterPrematch),
            b"after_regex" => Some(Offset::AfterRegex),
            _ => {
                let finding = messages::unknown_offset(&attribute.text());
                self.report(source, attribute.value_span, finding);
                None
            }
        }
    }

    fn draft(&mut self, source: SourceId, element: &Element, name: String, texts: &Texts) -> Draft {
        let parent = texts.get("parent").cloned();
        let program = self.part(source, texts, PROGRAM);
        let category = texts.get("type").map(|text| self.category(source, text));
        let draft = Draft {
            at: (source, element.name_span),
            // compat: below a parent it is read but means nothing.
            program: program.filter(|_| parent.is_none()).map(|part| part.pattern),
            prematch: self.part(source, texts, PREMATCH),
            regex: self.part(source, texts, REGEX),
            order: texts.get("order").map(|text| self.order(source, text)).unwrap_or_default(),
            fts: texts.get("fts").and_then(|text| self.fts(source, text)),
            category: category.unwrap_or_default(),
            use_own_name: texts.get("use_own_name").is_some_and(|text| text.bytes == b"true"),
            accumulate: texts.has("accumulate"),
            plugin: texts.get("plugin_decoder").and_then(|text| self.plugin(source, text)),
            parent,
            name,
        };
        for finding in combinations(&draft, texts) {
            self.report(source, element.name_span, finding);
        }
        self.check_offsets(source, element, &draft, texts);
        self.check_captures(source, &draft);
        draft
    }

    fn part(
        &mut self,
        source: SourceId,
        texts: &Texts,
        names: [(&str, Language); 2],
    ) -> Option<Part> {
        let (text, language) = texts.pattern(names)?;
        if text.bytes.len() > PATTERN_BYTES_MAX {
            self.report(source, text.at, messages::pattern_too_long(text.bytes.len()));
            return None;
        }
        match self.patterns.compile(language, &text.bytes) {
            Ok(pattern) => {
                let offset = text.offset.unwrap_or(Offset::Start);
                Some(Part { pattern, language, offset, at: text.at })
            }
            Err(fault) => {
                let start = text.at.range().start + fault.offset;
                let place = Span::new(start, (start + 1).min(text.at.range().end));
                let at = if text.single { place } else { text.at };
                self.report(source, at, messages::bad_pattern(&fault));
                None
            }
        }
    }

    fn order(&mut self, source: SourceId, text: &Text) -> Vec<Name> {
        let words: Vec<&[u8]> = text.bytes.split(|&byte| byte == b',').collect();
        if words.len() > self.order_fields_max {
            let finding = messages::order_too_long(words.len(), self.order_fields_max);
            self.report(source, text.at, finding);
            return Vec::new();
        }
        let mut names = Vec::new();
        for word in words {
            let word = word.trim_ascii();
            let word = word.split(|&byte| byte == b' ').next().unwrap_or_default();
            if word.is_empty() {
                self.report(source, text.at, messages::empty_field());
                continue;
            }
            if let Some(field) = Field::from_order_word(word) {
                names.push(Name::Static(field));
                continue;
            }
            let word = String::from_utf8_lossy(word);
            match self.dynamic.name(&word) {
                Some(name) => names.push(name),
                None => {
                    let finding = messages::too_many_fields(&word, super::DYNAMIC_FIELDS_MAX);
                    self.report(source, text.at, finding);
                }
            }
        }
        names
    }

    fn fts(&mut self, source: SourceId, text: &Text) -> Option<FtsFields> {
        let mut fields = FtsFields::default();
        let words: Vec<&[u8]> = text.bytes.split(|&byte| byte == b',').collect();
        if words.len() > FTS_WORDS_MAX {
            self.report(source, text.at, messages::fts_too_long(words.len(), FTS_WORDS_MAX));
            return None;
        }
        for word in words {
            let has = |part: &[u8]| memchr::memmem::find(word, part).is_some();
            // compat: words are searched in this order, so `srcuser` means the target user too.
            if has(b"user") {
                fields.user = true;
            } else if has(b"srcip") {
                fields.srcip = true;
            } else if has(b"dstip") {
                fields.dstip = true;
            } else if has(b"id") {
                fields.id = true;
            } else if has(b"location") {
                fields.location = true;
            } else if has(b"data") {
                fields.data = true;
            } else if has(b"system_name") {
                fields.system_name = true;
            } else if !has(b"name") {
                let word = String::from_utf8_lossy(word.trim_ascii());
                self.report(source, text.at, messages::unknown_fts(&word));
            }
        }
        Some(fields)
    }

    fn category(&mut self, source: SourceId, text: &Text) -> Category {
        Category::from_word(&text.bytes).unwrap_or_else(|| {
            self.report(source, text.at, messages::unknown_type(&text.shown()));
            Category::Syslog
        })
    }

    fn plugin(&mut self, source: SourceId, text: &Text) -> Option<&'static dyn Plugin> {
        let found = plugins::find(&text.bytes);
        if found.is_none() {
            self.report(source, text.at, messages::unknown_plugin(&text.shown()));
        }
        found
    }

    fn check_offsets(&mut self, source: SourceId, element: &Element, draft: &Draft, texts: &Texts) {
        let is_top = draft.parent.is_none();
        let offset = |part: Option<Part>| part.map_or(Offset::Start, |part| part.offset);
        let prematch = match offset(draft.prematch) {
            Offset::Start => None,
            Offset::AfterParent => {
                is_top.then(|| messages::offset_without_parent(&draft.name, "after_parent"))
            }
            Offset::AfterPrematch | Offset::AfterRegex => Some(messages::bad_offset(&draft.name)),
        };
        let regex = match offset(draft.regex) {
            Offset::Start => None,
            Offset::AfterParent => {
                is_top.then(|| messages::offset_without_parent(&draft.name, "after_parent"))
            }
            Offset::AfterPrematch => (!is_top && texts.pattern(PREMATCH).is_none())
                .then(|| messages::offset_without_prematch(&draft.name)),
            Offset::AfterRegex => {
                is_top.then(|| messages::offset_without_parent(&draft.name, "after_regex"))
            }
        };
        for finding in prematch.into_iter().chain(regex) {
            self.report(source, element.name_span, finding);
        }
    }

    fn check_captures(&mut self, source: SourceId, draft: &Draft) {
        // compat: as pcre2 it is accepted and yields no fields.
        if let Some(part) = draft.regex
            && part.language == Language::Regex
            && self.patterns.is_anchored_literal(part.pattern)
        {
            self.report(source, part.at, messages::no_captures(&draft.name));
        }
    }
}

/// What is missing in a decoder, or too much.
fn combinations(draft: &Draft, texts: &Texts) -> Vec<Diagnostic> {
    let has_regex = texts.pattern(REGEX).is_some();
    let has_start = texts.pattern(PREMATCH).or(texts.pattern(PROGRAM)).is_some();
    let (order, fts) = (texts.has("order"), texts.has("fts"));
    let mut findings = Vec::new();
    if draft.parent.is_none() && !has_start {
        findings.push(messages::nothing_to_match(&draft.name));
    }
    if has_regex && !order {
        findings.push(messages::missing_order(&draft.name));
    }
    if texts.has("plugin_decoder") && (has_regex || order) {
        findings.push(messages::plugin_with_regex(&draft.name));
    } else if (order || fts) && !has_regex {
        findings.push(messages::missing_regex(&draft.name));
    }
    findings
}
