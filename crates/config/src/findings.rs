//! Collects what is found about one file.

use model::diagnostic::nearest;
use model::limits::DIAGNOSTICS_MAX;
use model::{Diagnostic, SourceId, Span};
use osxml::Element;

use crate::messages;
use crate::spanned::{Place, Spanned};

/// Bytes of a word that may be a misspelling of another one: comparing takes time.
const MISSPELLED_BYTES_MAX: usize = 64;

/// The findings about one file; their number is limited.
pub(crate) struct Findings {
    source: SourceId,
    file: File,
    list: Vec<Diagnostic>,
}

/// Which file is read: some things are in order in one and not in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum File {
    OssecConf,
    /// Written for agents on any system.
    AgentConf,
    InternalOptions,
}

impl Findings {
    /// `list`: what is found already.
    pub(crate) fn new(source: SourceId, file: File, list: Vec<Diagnostic>) -> Self {
        Self { source, file, list }
    }

    pub(crate) fn file(&self) -> File {
        self.file
    }

    /// Adds a finding about an element's name.
    pub(crate) fn add(&mut self, finding: Diagnostic, element: &Element) {
        self.add_at(finding, element.name_span);
    }

    /// Adds a finding about an element's content, or about its name if there is none.
    pub(crate) fn add_to_content(&mut self, finding: Diagnostic, element: &Element) {
        let at = self.content(element);
        self.add_to(finding, at);
    }

    pub(crate) fn add_at(&mut self, finding: Diagnostic, span: Span) {
        self.add_to(finding, (self.source, span));
    }

    pub(crate) fn add_to(&mut self, finding: Diagnostic, (source, span): Place) {
        match self.list.len() {
            number if number < DIAGNOSTICS_MAX => self.list.push(finding.at(source, span)),
            DIAGNOSTICS_MAX => self.list.push(messages::too_many_findings().at(source, span)),
            _ => {}
        }
    }

    /// The known word that is most likely meant by another one.
    pub(crate) fn meant<'a>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        // Nobody sees what comes after the last finding.
        let is_told = self.list.len() < DIAGNOSTICS_MAX;
        if is_told { meant(word, known) } else { None }
    }

    /// Where an element's name stands.
    pub(crate) fn name(&self, element: &Element) -> Place {
        (self.source, element.name_span)
    }

    /// Where an element's content stands, or its name if there is none.
    pub(crate) fn content(&self, element: &Element) -> Place {
        let span = match element.content.is_empty() {
            true => element.name_span,
            false => element.content_span,
        };
        (self.source, span)
    }

    /// Where bytes `start..start + length` of an element's content stand. All of it where comments
    /// moved the bytes.
    pub(crate) fn content_part(&self, element: &Element, start: usize, length: usize) -> Place {
        if length == 0 || element.content_span.range().len() != element.content.len() {
            return self.content(element);
        }
        let start = element.content_span.range().start + start;
        self.place(Span::new(start, start + length))
    }

    pub(crate) fn place(&self, span: Span) -> Place {
        (self.source, span)
    }

    /// A value that an element's content gives.
    pub(crate) fn spanned<T>(&self, value: T, element: &Element) -> Spanned<T> {
        Spanned { value, at: self.content(element) }
    }

    /// All findings, in the order of the file.
    pub(crate) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|finding| finding.at);
        self.list
    }
}

/// The known word that is most likely meant by another one.
pub(crate) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MISSPELLED_BYTES_MAX { None } else { nearest(word, known) }
}
