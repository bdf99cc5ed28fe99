//! One `<decoder>` element: what it says, checked on its own.

use model::diagnostic::nearest;
use model::limits::PATTERN_BYTES_MAX;
use model::{Category, Diagnostic, Field, SourceId, Span};
use osxml::Element;
use pattern::{Language, PatternId};

use super::Loader;
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

const CHILDREN: [&str; 15] = [
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
    "status",
];

/// The texts of a decoder element by child name.
#[derive(Default)]
struct Texts {
    parts: Vec<(&'static str, Text)>,
}

impl Texts {
    fn get(&self, name: &str) -> Option<&Text> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, text)| text)
    }
}

impl Loader {
    fn error(
        &mut self,
        source: SourceId,
        at: Span,
        code: &'static str,
        message: String,
        hint: &str,
    ) {
        self.diagnostics.push(Diagnostic::error(code, message).at(source, at).hint(hint));
    }

    /// The decoder an element describes; `None`, with findings, if it cannot be used.
    pub(super) fn decoder(&mut self, source: SourceId, element: &Element) -> Option<Draft> {
        if !element.is("decoder") {
            let message = format!("`<{}>` in a decoder file", element.name);
            let hint = "only `<decoder name=\"…\">` elements belong here";
            self.error(source, element.name_span, "not-a-decoder", message, hint);
            return None;
        }
        let errors_before = self.errors();
        let name = self.name(source, element);
        let texts = self.texts(source, element);
        let draft = self.draft(source, element, name?, &texts);
        (self.errors() == errors_before).then_some(draft)
    }

    pub(super) fn errors(&self) -> usize {
        let is_error = |finding: &&Diagnostic| finding.severity == model::Severity::Error;
        self.diagnostics.iter().filter(is_error).count()
    }

    fn name(&mut self, source: SourceId, element: &Element) -> Option<String> {
        for attribute in &element.attributes {
            if !attribute.name.eq_ignore_ascii_case("name") {
                let message = format!("unknown attribute `{}` of a decoder", attribute.name);
                let hint = "a decoder has one attribute, `name`";
                self.error(source, attribute.name_span, "unknown-attribute", message, hint);
            }
        }
        match element.attribute("name") {
            Some(name) if !name.value.is_empty() => Some(name.text().into_owned()),
            _ => {
                let message = "decoder without a name".to_owned();
                let hint = "write `<decoder name=\"…\">`";
                self.error(source, element.name_span, "missing-name", message, hint);
                None
            }
        }
    }

    fn texts(&mut self, source: SourceId, element: &Element) -> Texts {
        let mut texts = Texts::default();
        for child in &element.children {
            let known = CHILDREN.into_iter().find(|known| child.is(known));
            let Some(known) = known.filter(|&known| known != "status") else {
                let message = format!("unknown element `<{}>` in a decoder", child.name);
                let hint = match nearest(&child.name, CHILDREN) {
                    Some(word) => format!("did you mean `<{word}>`?"),
                    None => format!("known are {}", CHILDREN.join(", ")),
                };
                self.error(source, child.name_span, "unknown-element", message, &hint);
                continue;
            };
            let offset = self.offset(source, child, known);
            match texts.parts.iter_mut().find(|(name, _)| *name == known) {
                Some((_, text)) => {
                    // compat: repeated elements are put together without anything between them.
                    text.bytes.extend_from_slice(&child.content);
                    text.single = false;
                    if offset.is_some() {
                        let message = format!("`offset` on a repeated `<{known}>`");
                        let hint = "put it on the first one";
                        self.error(source, child.name_span, "late-offset", message, hint);
                    }
                }
                None => texts.parts.push((
                    known,
                    Text {
                        bytes: child.content.clone(),
                        at: child.content_span,
                        offset,
                        single: child.content_span.range().len() == child.content.len(),
                    },
                )),
            }
        }
        texts
    }

    fn offset(&mut self, source: SourceId, child: &Element, known: &str) -> Option<Offset> {
        let attribute = child.attributes.first()?;
        let takes_offset = matches!(known, "prematch" | "prematch_pcre2" | "regex" | "pcre2");
        if !attribute.name.eq_ignore_ascii_case("offset") || !takes_offset {
            let message = format!("unknown attribute `{}` of `<{known}>`", attribute.name);
            let hint = if takes_offset { "only `offset` is known" } else { "remove it" };
            self.error(source, attribute.name_span, "unknown-attribute", message, hint);
            return None;
        }
        let offset = match attribute.value.as_slice() {
            b"after_parent" => Offset::AfterParent,
            b"after_prematch" => Offset::AfterPrematch,
            b"after_regex" => Offset::AfterRegex,
            _ => {
                let message = format!("unknown offset `{}`", attribute.text());
                let hint = "known are after_parent, after_prematch, after_regex";
                self.error(source, attribute.value_span, "unknown-offset", message, hint);
                return None;
            }
        };
        Some(offset)
    }

    fn draft(&mut self, source: SourceId, element: &Element, name: String, texts: &Texts) -> Draft {
        let parent = texts.get("parent").cloned();
        let program = self
            .part(
                source,
                texts,
                [("program_name", Language::Match), ("program_name_pcre2", Language::Pcre2)],
            )
            .filter(|_| parent.is_none())
            .map(|part| part.pattern);
        let prematch = self.part(
            source,
            texts,
            [("prematch", Language::Regex), ("prematch_pcre2", Language::Pcre2)],
        );
        let regex =
            self.part(source, texts, [("regex", Language::Regex), ("pcre2", Language::Pcre2)]);
        let draft = Draft {
            at: (source, element.name_span),
            program,
            prematch,
            regex,
            order: texts.get("order").map(|text| self.order(source, text)).unwrap_or_default(),
            fts: texts.get("fts").and_then(|text| self.fts(source, text)),
            category: texts
                .get("type")
                .map_or(Category::Syslog, |text| self.category(source, text)),
            use_own_name: texts.get("use_own_name").is_some_and(|text| text.bytes == b"true"),
            accumulate: texts.get("accumulate").is_some(),
            plugin: texts.get("plugin_decoder").and_then(|text| self.plugin(source, text)),
            parent,
            name,
        };
        self.check(source, element, &draft, texts);
        draft
    }

    fn part(
        &mut self,
        source: SourceId,
        texts: &Texts,
        names: [(&str, Language); 2],
    ) -> Option<Part> {
        // The first of the two wins if both are given.
        let (text, language) =
            names.iter().find_map(|&(name, language)| Some((texts.get(name)?, language)))?;
        if text.bytes.len() > PATTERN_BYTES_MAX {
            let message = format!("pattern of {} bytes", text.bytes.len());
            let hint = format!("at most {PATTERN_BYTES_MAX} are allowed");
            self.error(source, text.at, "pattern-too-long", message, &hint);
            return None;
        }
        match self.patterns.compile(language, &text.bytes) {
            Ok(pattern) => {
                let offset = text.offset.unwrap_or(Offset::Start);
                Some(Part { pattern, language, offset, at: text.at })
            }
            Err(error) => {
                let at = if text.single {
                    let start = text.at.range().start + error.offset;
                    Span::new(start, (start + 1).min(text.at.range().end))
                } else {
                    text.at
                };
                let hint = error.hint.clone().unwrap_or_else(|| "mend the pattern".to_owned());
                self.error(source, at, "bad-pattern", error.message, &hint);
                None
            }
        }
    }

    fn order(&mut self, source: SourceId, text: &Text) -> Vec<Name> {
        let words: Vec<&[u8]> = text.bytes.split(|&byte| byte == b',').collect();
        if words.len() > self.order_fields_max {
            let message = format!("{} fields in one order", words.len());
            let hint = format!("at most {} are allowed", self.order_fields_max);
            self.error(source, text.at, "order-too-long", message, &hint);
            return Vec::new();
        }
        let mut names = Vec::new();
        for word in words {
            let word = word.trim_ascii();
            let word = word.split(|&byte| byte == b' ').next().unwrap_or_default();
            if word.is_empty() {
                let hint = "remove the comma, or name a field";
                self.error(source, text.at, "empty-field", "empty field name".to_owned(), hint);
                continue;
            }
            names.push(match Field::from_order_word(word) {
                Some(field) => Name::Static(field),
                None => self.dynamic.name(&String::from_utf8_lossy(word)),
            });
        }
        names
    }

    fn fts(&mut self, source: SourceId, text: &Text) -> Option<FtsFields> {
        let mut fields = FtsFields::default();
        let words: Vec<&[u8]> = text.bytes.split(|&byte| byte == b',').collect();
        if words.len() > 8 {
            let message = format!("{} words in one fts", words.len());
            self.error(source, text.at, "fts-too-long", message, "at most 8 are allowed");
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
                let word = String::from_utf8_lossy(word.trim_ascii()).into_owned();
                let hint = "known are name, user, srcip, dstip, id, location, data, system_name";
                self.error(
                    source,
                    text.at,
                    "unknown-fts",
                    format!("unknown fts word `{word}`"),
                    hint,
                );
            }
        }
        Some(fields)
    }

    fn category(&mut self, source: SourceId, text: &Text) -> Category {
        super::category(&text.bytes).unwrap_or_else(|| {
            let word = String::from_utf8_lossy(&text.bytes).into_owned();
            let known = Category::ALL.map(Category::word);
            let hint = match nearest(&word, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            self.error(
                source,
                text.at,
                "unknown-type",
                format!("unknown decoder type `{word}`"),
                &hint,
            );
            Category::Syslog
        })
    }

    fn plugin(&mut self, source: SourceId, text: &Text) -> Option<&'static dyn Plugin> {
        let word = String::from_utf8_lossy(&text.bytes).into_owned();
        let known = plugins::ALL.iter().map(|plugin| plugin.name());
        let found = plugins::ALL.iter().copied().find(|plugin| plugin.name() == word);
        if found.is_none() {
            let hint = match nearest(&word, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.error(
                source,
                text.at,
                "unknown-plugin",
                format!("unknown plugin decoder `{word}`"),
                &hint,
            );
        }
        found
    }

    /// The rules that can be checked without looking at other decoders.
    fn check(&mut self, source: SourceId, element: &Element, draft: &Draft, texts: &Texts) {
        let at = element.name_span;
        let has_regex = texts.get("regex").or(texts.get("pcre2")).is_some();
        let has_prematch = texts.get("prematch").or(texts.get("prematch_pcre2")).is_some();
        let has_program = texts.get("program_name").or(texts.get("program_name_pcre2")).is_some();
        let (order, fts) = (texts.get("order").is_some(), texts.get("fts").is_some());
        let named = format!("decoder `{}`", draft.name);
        let mut refuse = |code, what: &str, hint: &str| {
            self.error(source, at, code, format!("{named} {what}"), hint);
        };
        if draft.parent.is_none() && !has_prematch && !has_program {
            refuse(
                "nothing-to-match",
                "has neither prematch nor program_name",
                "a decoder without a parent needs one of them",
            );
        }
        if has_regex && !order {
            refuse(
                "missing-order",
                "has a regex but no order",
                "name the captured fields in `<order>`",
            );
        }
        if (order || fts) && !has_regex {
            refuse(
                "missing-regex",
                "has an order or fts but no regex",
                "add the regex that captures the fields",
            );
        }
        if texts.get("plugin_decoder").is_some() && (has_regex || order) {
            refuse(
                "plugin-with-regex",
                "has a plugin and a regex",
                "a plugin takes out the fields by itself",
            );
        }
        let offset = |part: Option<Part>| part.map_or(Offset::Start, |part| part.offset);
        match offset(draft.prematch) {
            Offset::Start => {}
            Offset::AfterParent if draft.parent.is_some() => {}
            Offset::AfterParent => refuse(
                "offset-without-parent",
                "has no parent to look behind",
                "remove the offset, or add a parent",
            ),
            Offset::AfterPrematch | Offset::AfterRegex => refuse(
                "bad-offset",
                "has a prematch that looks behind itself",
                "a prematch only knows the offset after_parent",
            ),
        }
        match offset(draft.regex) {
            Offset::AfterParent if draft.parent.is_none() => refuse(
                "offset-without-parent",
                "has no parent to look behind",
                "remove the offset, or add a parent",
            ),
            Offset::AfterPrematch if draft.parent.is_some() && !has_prematch => refuse(
                "offset-without-prematch",
                "has no prematch to look behind",
                "remove the offset, or add a prematch",
            ),
            Offset::AfterRegex if draft.parent.is_none() => refuse(
                "offset-without-parent",
                "has no regex before it to look behind",
                "after_regex continues an earlier decoder of the same name and parent",
            ),
            _ => {}
        }
        if let Some(part) = draft.regex
            && part.language == Language::Regex
            && self.patterns.is_anchored_literal(part.pattern)
        {
            let message = format!("{named} has a regex without captures");
            self.error(
                source,
                part.at,
                "no-captures",
                message,
                "put parentheses around what to take out",
            );
        }
    }
}
