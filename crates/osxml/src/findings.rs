//! The findings about one file, at most [`DIAGNOSTICS_MAX`].

use crate::messages;
use model::{Diagnostic, SourceId, Span, limits::DIAGNOSTICS_MAX};

/// Collects findings. Once there are too many it is full, and reading stops.
#[derive(Debug)]
pub(crate) struct Findings {
    source: SourceId,
    list: Vec<Diagnostic>,
    full: bool,
}

impl Findings {
    pub(crate) fn new(source: SourceId) -> Self {
        Self { source, list: Vec::new(), full: false }
    }

    /// Adds a finding about the bytes `start..end`.
    pub(crate) fn add(&mut self, finding: Diagnostic, start: usize, end: usize) {
        self.add_at(finding, Span::new(start, end));
    }

    pub(crate) fn add_at(&mut self, finding: Diagnostic, span: Span) {
        if self.full {
            return;
        }
        if self.list.len() < DIAGNOSTICS_MAX {
            self.list.push(finding.at(self.source, span));
            return;
        }
        self.full = true;
        self.list.pop();
        self.list.push(messages::too_many_findings().at(self.source, span));
    }

    /// Whether a finding had to be left out.
    pub(crate) fn full(&self) -> bool {
        self.full
    }

    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }
}
