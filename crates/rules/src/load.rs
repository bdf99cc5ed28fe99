//! The way from rule files to a [`Ruleset`].

use crate::draft::Draft;
use crate::findings::Findings;
use crate::lists::List;
use crate::ruleset::Ruleset;
use crate::{messages, read, tree};
use model::{Category, DecoderId, Diagnostic, SourceId, Sources, Span};
use pattern::PatternSet;

/// What a rule set is made from.
pub struct LoadInput<'a> {
    /// The rule files in load order.
    pub files: &'a [(SourceId, &'a [u8])],
    /// Names of the files, for findings that point at a second place.
    pub sources: &'a Sources,
    /// The lists of the configuration.
    pub lists: Vec<List>,
    /// The identity of a decoder of this name, internal ones included.
    pub decoder_ids: &'a dyn Fn(&[u8]) -> Option<DecoderId>,
    /// Whether all decoders could be read. If not, an unknown name is no error of the rule.
    pub decoders_complete: bool,
    /// What else is known about decoders, for hints; may be empty.
    pub decoders: &'a [DecoderFacts<'a>],
    pub options: LoadOptions,
}

/// What is known about the decoders of one name.
#[derive(Clone, Debug)]
pub struct DecoderFacts<'a> {
    pub name: &'a str,
    /// Whether events can carry this name: not so for a child without `use_own_name`.
    pub reported: bool,
    /// The types of the events that carry it (its own and its children's); empty if that cannot
    /// be told, as with plugins that set the type.
    pub categories: Vec<Category>,
}

/// Settings from elsewhere that take part in loading.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The lowest level that is written.
    pub log_alert_level: u16,
    /// The lowest level that asks for mail.
    pub email_alert_level: u16,
    /// Seconds, for rules without `timeframe`.
    pub default_timeframe: u32,
    /// As OSSEC to the letter: `different_srcip` and `not_same_…` test nothing.
    pub strict: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { log_alert_level: 1, email_alert_level: 7, default_timeframe: 360, strict: false }
    }
}

/// A rule set and what was found on the way. Rules with errors are not in it.
#[derive(Debug)]
pub struct Loaded {
    pub ruleset: Ruleset,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and links rule files.
pub fn load(input: LoadInput<'_>) -> Loaded {
    let mut input = input;
    let lists = std::mem::take(&mut input.lists);
    let mut findings = Findings::default();
    let mut patterns = PatternSet::default();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut complete = true;
    for &(source, text) in input.files {
        let mut parsed = osxml::parse(source, text);
        complete &= parsed.is_usable();
        if parsed.elements.is_empty() && parsed.is_usable() {
            findings.add(messages::no_rules_in_file().at(source, Span::default()));
        }
        let mut context = read::Context {
            source,
            input: &input,
            lists: &lists,
            findings: &mut findings,
            patterns: &mut patterns,
            incomplete: false,
        };
        read::file(&mut context, &parsed, &mut drafts);
        for finding in parsed.diagnostics.drain(..) {
            findings.add(finding);
        }
    }
    let mut ruleset = tree::link(drafts, complete, input.sources, &patterns, &mut findings);
    ruleset.patterns = patterns;
    ruleset.lists = lists;
    Loaded { ruleset, diagnostics: findings.finish() }
}
