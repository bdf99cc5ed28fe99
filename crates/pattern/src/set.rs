//! All patterns of one rule set or decoder set.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex_automata::meta;
use regex_syntax::hir::Hir;

use crate::head::{ByteSet, Head};
use crate::literal::{self, End, Literal, Needles};
use crate::pcre2_syntax;
use crate::scratch::{Captures, Scratch};
use crate::translate::{self, Texts};

/// The language a pattern is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// OS_Match: literals, `|`, `^`, `$`.
    Match,
    /// OS_Regex: `\w`, `\d`, … with lazy quantifiers.
    Regex,
    /// PCRE2, caseless, bytes.
    Pcre2,
}

impl Language {
    /// OS_Match and OS_Regex fold Unicode case and see characters, PCRE2 texts bytes.
    fn is_unicode(self) -> bool {
        match self {
            Self::Match | Self::Regex => true,
            Self::Pcre2 => false,
        }
    }
}

/// A pattern of a [`PatternSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatternId(pub u32);

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// Byte offset in the pattern text.
    pub offset: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl PatternError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// All patterns of one rule set or decoder set, each text once.
#[derive(Debug, Default)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    known: HashMap<(Language, Box<[u8]>), PatternId>,
}

/// One compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    language: Language,
    text: Box<[u8]>,
    shape: Shape,
    needles: Option<Needles>,
    head: Head,
    texts: Texts,
    /// Whether the linear engine knows everything that the pattern uses.
    linear_known: bool,
    /// Whether PCRE2's match limit may fail to bound the time on long subjects.
    pub(crate) repeats_a_group: bool,
    /// Whether only PCRE2 knows what the groups captured.
    pub(crate) captures_by_backtracking: bool,
    pub(crate) has_captures: bool,
    pub(crate) backtracker: OnceLock<Option<pcre2::bytes::Regex>>,
    pub(crate) linear: OnceLock<Option<meta::Regex>>,
}

/// How a pattern is answered.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Matches everything.
    Always,
    /// Alternative literals, tried in order.
    Literals(Vec<Literal>),
    /// By an engine.
    General,
}

impl PatternSet {
    /// Adds a pattern, or finds the one that is there already.
    ///
    /// # Errors
    ///
    /// When `text` is not a pattern of `language`, with the place in `text`.
    pub fn compile(&mut self, language: Language, text: &[u8]) -> Result<PatternId, PatternError> {
        if let Some(&id) = self.known.get(&(language, Box::from(text))) {
            return Ok(id);
        }
        let pattern = Pattern::new(language, text)?;
        let id = PatternId(self.patterns.len() as u32);
        self.patterns.push(pattern);
        self.known.insert((language, text.into()), id);
        Ok(id)
    }

    /// How many different patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The language and text a pattern was made from.
    pub fn source(&self, id: PatternId) -> Option<(Language, &[u8])> {
        self.get(id).map(|pattern| (pattern.language, &*pattern.text))
    }

    /// Literals of which one must occur where the pattern matches, if there are such.
    pub fn needles(&self, id: PatternId) -> Option<&Needles> {
        self.get(id)?.needles.as_ref()
    }

    /// The bytes that a matching subject may begin with, if the pattern is anchored and depends on
    /// bytes alone.
    pub(crate) fn first_bytes(&self, id: PatternId) -> Option<&ByteSet> {
        self.get(id).filter(|pattern| !pattern.language.is_unicode())?.head.first()
    }

    /// Whether the pattern matches every subject.
    pub fn is_always(&self, id: PatternId) -> bool {
        self.get(id).is_some_and(|pattern| matches!(pattern.shape, Shape::Always))
    }

    /// Whether searching can yield captures. A pattern that only compares an anchored literal has
    /// none.
    pub fn has_captures(&self, id: PatternId) -> bool {
        self.get(id).is_some_and(|pattern| pattern.has_captures)
    }

    /// Whether OSSEC compares the pattern directly, without a capture list: one literal with an
    /// anchor and nothing else.
    pub fn is_anchored_literal(&self, id: PatternId) -> bool {
        self.get(id).is_some_and(|pattern| match &pattern.shape {
            Shape::Always => pattern.text.len() == 1,
            Shape::Literals(literals) => matches!(literals.as_slice(),
                [literal] if (literal.at_start || literal.at_end != End::Anywhere)
                    && !pattern.has_captures
                    && is_fast_text(pattern.language, &pattern.text)),
            Shape::General => false,
        })
    }

    /// The pattern's structure in the linear engine's terms, for analysis; `None` if it uses
    /// constructs that only PCRE2 has.
    pub fn structure(&self, id: PatternId) -> Option<Hir> {
        let pattern = self.get(id)?;
        pattern.linear_known.then(|| parse(&pattern.texts.linear, pattern.language))?
    }

    /// Whether the pattern is found in `subject`.
    pub fn is_match(&self, id: PatternId, subject: &[u8], scratch: &mut Scratch) -> bool {
        let Some(pattern) = self.get(id) else { return false };
        match pattern.shape_for(subject) {
            Shape::Always => true,
            Shape::Literals(literals) => {
                literals.iter().any(|literal| literal.find(subject).is_some())
            }
            Shape::General => pattern.may_match(subject) && scratch.is_match(id, pattern, subject),
        }
    }

    /// As [`Self::find_end`], by one engine, for tests that they agree. `None` if the pattern has
    /// no such engine.
    #[doc(hidden)]
    pub fn find_end_by_automaton(&self, id: PatternId, subject: &[u8]) -> Option<Option<usize>> {
        let regex = self.get(id)?.linear()?;
        let mut cache = regex.create_cache();
        let input = regex_automata::Input::new(subject);
        Some(regex.search_half_with(&mut cache, &input).map(|half| half.offset()))
    }

    /// As [`Self::find_end_by_automaton`], by PCRE2 and from the original text where it has one.
    #[doc(hidden)]
    pub fn find_end_by_backtracking(&self, id: PatternId, subject: &[u8]) -> Option<Option<usize>> {
        let pattern = self.get(id)?;
        let original = match pattern.language {
            Language::Pcre2 => bytes_as_text(&pattern.text),
            Language::Match | Language::Regex => pattern.texts.pcre2.clone(),
        };
        let regex = build_backtracker(&original, true).ok()?;
        regex.find_at(subject, 0).ok().map(|found| found.map(|found| found.end()))
    }

    /// Where the first match in `subject` ends.
    pub fn find_end(&self, id: PatternId, subject: &[u8], scratch: &mut Scratch) -> Option<usize> {
        let pattern = self.get(id)?;
        match pattern.shape_for(subject) {
            Shape::Always => Some(0),
            // Of several alternatives the leftmost wins, then the first; only for a single one and
            // for anchored ones is that the order of trying.
            Shape::Literals(literals)
                if literals.len() == 1 || literals.iter().all(|literal| literal.at_start) =>
            {
                let literal = literals.iter().find(|literal| literal.find(subject).is_some())?;
                literal.find(subject).map(|start| start + literal.bytes.len())
            }
            Shape::General if !pattern.may_match(subject) => None,
            Shape::Literals(_) | Shape::General => scratch.find_end(id, pattern, subject),
        }
    }

    /// The first match's captures and end. A group that took no part is left out and later ones
    /// move up; at most [`crate::Captures::MAX`] are kept.
    pub fn captures(
        &self,
        id: PatternId,
        subject: &[u8],
        scratch: &mut Scratch,
        captures: &mut Captures,
    ) -> Option<usize> {
        captures.clear();
        let pattern = self.get(id)?;
        if !pattern.may_match(subject) {
            None
        } else if pattern.has_captures {
            scratch.captures(id, pattern, subject, captures)
        } else {
            self.find_end(id, subject, scratch)
        }
    }

    fn get(&self, id: PatternId) -> Option<&Pattern> {
        self.patterns.get(id.0 as usize)
    }
}

impl Pattern {
    fn new(language: Language, text: &[u8]) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES_MAX {
            let message = format!("pattern is longer than {PATTERN_BYTES_MAX} bytes");
            return Err(PatternError::new(PATTERN_BYTES_MAX, message));
        }
        let translated = match language {
            Language::Match => Some(translate::os_match(text)),
            Language::Regex => Some(translate::os_regex(text)?),
            Language::Pcre2 => {
                pcre2_syntax::refuse_verbs(text)?;
                if text.is_empty() {
                    return Err(PatternError::new(0, "empty pattern"));
                }
                pcre2_syntax::translate(text).ok()
            }
        };
        // The original text, so that a place in an error is a place in it.
        let checked = match (language, &translated) {
            (Language::Match | Language::Regex, Some(texts)) => texts.pcre2.clone(),
            _ => bytes_as_text(text),
        };
        build_backtracker(&checked, false).map_err(|error| {
            let offset = error.offset().unwrap_or(0).min(text.len());
            PatternError::new(offset, compile_message(&error))
        })?;
        let hir = translated.as_ref().and_then(|texts| parse(&texts.linear, language));
        let linear_known = hir.is_some();
        let has_captures = match (&hir, language) {
            (Some(hir), _) => hir.properties().explicit_captures_len() > 0,
            (None, _) => true,
        };
        let texts =
            translated.unwrap_or_else(|| Texts { pcre2: checked.clone(), linear: String::new() });
        let flags = has_inline_flags(text) && language == Language::Pcre2;
        let shape = match (&hir, language) {
            _ if is_always(language, text) => Shape::Always,
            (Some(_), Language::Match) if is_fast_text(language, text) => {
                Shape::Literals(vec![fast_literal(text)])
            }
            (Some(_), Language::Pcre2 | Language::Regex)
                if is_fast_text(language, text) && is_anchored(text) =>
            {
                Shape::Literals(vec![fast_literal(text)])
            }
            (Some(hir), _) if !flags => {
                literal::as_literals(hir).map_or(Shape::General, Shape::Literals)
            }
            _ => Shape::General,
        };
        let needles = needles_of(language, &shape, hir.as_ref(), flags);
        Ok(Self {
            language,
            text: text.into(),
            shape,
            needles,
            head: hir.as_ref().map(Head::new).unwrap_or_default(),
            linear_known,
            captures_by_backtracking: hir.as_ref().is_some_and(literal::repeats_an_empty_capture),
            repeats_a_group: hir.as_ref().is_none_or(literal::repeats_a_group),
            has_captures,
            texts,
            backtracker: OnceLock::new(),
            linear: OnceLock::new(),
        })
    }

    /// The way to answer for this subject: with non-ASCII text in it, OS_Match and OS_Regex fold
    /// letters that a comparison of bytes does not.
    fn shape_for(&self, subject: &[u8]) -> &Shape {
        match &self.shape {
            Shape::Literals(literals)
                if self.language.is_unicode()
                    && !is_compared_as_bytes(self.language, &self.text)
                    && !folds_as_ascii(literals)
                    && !subject.is_ascii() =>
            {
                &Shape::General
            }
            shape => shape,
        }
    }

    /// Whether the subject's first bytes leave a match possible.
    fn may_match(&self, subject: &[u8]) -> bool {
        self.head.fits(subject) || self.needs_linear(subject)
    }

    /// Whether only the linear engine gives the right answer for this subject.
    pub(crate) fn needs_linear(&self, subject: &[u8]) -> bool {
        self.language.is_unicode() && !subject.is_ascii()
    }

    /// Whether the linear engine would count the subject's last newline into a match.
    pub(crate) fn takes_last_newline(&self, subject: &[u8]) -> bool {
        subject.ends_with(b"\n") && self.texts.linear.contains(translate::END_OR_LAST_NEWLINE)
    }

    /// PCRE2's code for this pattern; `None` if it cannot be built.
    pub(crate) fn backtracker(&self) -> Option<&pcre2::bytes::Regex> {
        self.backtracker
            .get_or_init(|| {
                let limited = format!("(*LIMIT_MATCH={MATCH_LIMIT}){}", self.texts.pcre2);
                build_backtracker(&limited, true).ok()
            })
            .as_ref()
    }

    /// The automaton for this pattern; `None` if the pattern needs backtracking.
    pub(crate) fn linear(&self) -> Option<&meta::Regex> {
        self.linear
            .get_or_init(|| {
                if !self.linear_known {
                    return None;
                }
                meta::Builder::new()
                    .configure(
                        meta::Config::new()
                            .utf8_empty(false)
                            .nfa_size_limit(Some(AUTOMATON_BYTES_MAX))
                            .hybrid_cache_capacity(AUTOMATON_CACHE_BYTES)
                            .dfa(false),
                    )
                    .syntax(syntax(self.language, true))
                    .build(&self.texts.linear)
                    .ok()
            })
            .as_ref()
    }
}

/// Bytes of one pattern text; PCRE2 refuses some that are longer than this.
const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// PCRE2's own count of steps in one search: about 50 µs.
const MATCH_LIMIT: u32 = 10_000;
const AUTOMATON_BYTES_MAX: usize = 1 << 20;
const AUTOMATON_CACHE_BYTES: usize = 256 << 10;

fn build_backtracker(text: &str, jit: bool) -> Result<pcre2::bytes::Regex, pcre2::Error> {
    pcre2::bytes::RegexBuilder::new().caseless(true).jit_if_available(jit).build(text)
}

fn compile_message(error: &pcre2::Error) -> String {
    let text = error.to_string();
    // "PCRE2: error compiling pattern at offset 3: missing closing parenthesis"
    let what = text.rsplit_once("offset ").and_then(|(_, rest)| rest.split_once(": "));
    what.map_or(text.clone(), |(_, what)| what.to_owned())
}

/// The text for PCRE2 in byte mode, where the crate wants a `str`: other bytes are written as
/// escapes (which moves the places after them in an error).
fn bytes_as_text(text: &[u8]) -> String {
    text.iter()
        .map(
            |&byte| {
                if byte.is_ascii() {
                    char::from(byte).to_string()
                } else {
                    format!("\\x{byte:02X}")
                }
            },
        )
        .collect()
}

fn syntax(language: Language, caseless: bool) -> regex_automata::util::syntax::Config {
    regex_automata::util::syntax::Config::new()
        .unicode(language.is_unicode())
        .utf8(false)
        .case_insensitive(caseless)
        .nest_limit(200)
}

/// Literals are only seen in a text that is parsed with its case.
fn parse(linear: &str, language: Language) -> Option<Hir> {
    regex_automata::util::syntax::parse_with(linear, &syntax(language, false)).ok()
}

fn has_inline_flags(text: &[u8]) -> bool {
    text.windows(3).any(|part| part.starts_with(b"(?") && matches!(part[2], b'i' | b's' | b'-'))
}

fn is_always(language: Language, text: &[u8]) -> bool {
    match language {
        Language::Match => {
            matches!(text, b"" | b"^" | b"$")
                || (text.contains(&b'|') && text.split(|&byte| byte == b'|').any(<[u8]>::is_empty))
        }
        Language::Regex | Language::Pcre2 => matches!(text, b"^" | b"$"),
    }
}

/// A text that OSSEC compares without its pattern engine.
fn is_fast_text(language: Language, text: &[u8]) -> bool {
    let core = text.strip_prefix(b"^").unwrap_or(text);
    let core = core.strip_suffix(b"$").unwrap_or(core);
    let plain = |&byte: &u8| match language {
        Language::Match => !b"^$|".contains(&byte),
        Language::Regex | Language::Pcre2 => {
            byte.is_ascii_alphanumeric() || b" !\"#%&',/:;<=>@_`~-".contains(&byte)
        }
    };
    !core.is_empty() && core.iter().all(plain)
}

fn is_anchored(text: &[u8]) -> bool {
    text.starts_with(b"^") || text.ends_with(b"$")
}

/// Whether OSSEC compares bytes, ignoring ASCII case only, even in its Unicode languages.
fn is_compared_as_bytes(language: Language, text: &[u8]) -> bool {
    is_fast_text(language, text) && is_anchored(text)
}

fn fast_literal(text: &[u8]) -> Literal {
    let core = text.strip_prefix(b"^").unwrap_or(text);
    let (core, at_end) = match core.strip_suffix(b"$") {
        Some(core) => (core, End::Subject),
        None => (core, End::Anywhere),
    };
    Literal::new(core, text.starts_with(b"^"), at_end)
}

/// Whether no character but an ASCII one equals one of these literals when case is ignored: `s`
/// and `k` have such relatives, and non-ASCII letters have their own cases.
fn folds_as_ascii(literals: &[Literal]) -> bool {
    literals
        .iter()
        .flat_map(|literal| literal.bytes.iter())
        .all(|byte| byte.is_ascii() && !matches!(byte, b's' | b'k'))
}

fn needles_of(
    language: Language,
    shape: &Shape,
    hir: Option<&Hir>,
    inline_flags: bool,
) -> Option<Needles> {
    let (literals, exact) = match shape {
        Shape::Always => return None,
        Shape::Literals(literals) => (literals.clone(), true),
        Shape::General => (literal::required(hir?)?, false),
    };
    let foldable = !language.is_unicode() || folds_as_ascii(&literals);
    if language.is_unicode() && !literals.iter().all(|literal| literal.bytes.is_ascii()) {
        return None;
    }
    let needles =
        Needles { exact: exact && foldable && !inline_flags, ascii_only: !foldable, literals };
    (needles.shortest() > 0).then_some(needles)
}
