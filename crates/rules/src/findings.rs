//! Findings in the making.

use model::limits::DIAGNOSTICS_MAX;
use model::{Diagnostic, Severity, SourceId};
use std::collections::BTreeMap;

/// Collects findings, at most [`DIAGNOSTICS_MAX`] for a file; the rest is counted.
#[derive(Default)]
pub(crate) struct Findings {
    kept: Vec<Diagnostic>,
    errors: usize,
    per_source: BTreeMap<SourceId, usize>,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Diagnostic) {
        if finding.severity == Severity::Error {
            self.errors += 1;
        }
        let source = finding.at.map_or(SourceId(u32::MAX), |(source, _)| source);
        let count = self.per_source.entry(source).or_default();
        *count += 1;
        if *count <= DIAGNOSTICS_MAX {
            self.kept.push(finding);
        }
    }

    /// Errors so far, kept or not.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        for (source, count) in self.per_source {
            if count > DIAGNOSTICS_MAX {
                self.kept.push(crate::messages::more_findings(source, count - DIAGNOSTICS_MAX));
            }
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Span;

    #[test]
    fn the_rest_is_counted() {
        for (given, kept) in [(DIAGNOSTICS_MAX, DIAGNOSTICS_MAX), (DIAGNOSTICS_MAX + 2, 1001)] {
            let mut findings = Findings::default();
            for _ in 0..given {
                findings.add(Diagnostic::error("x", "y").at(SourceId(0), Span::default()));
            }
            assert_eq!(findings.errors(), given);
            let list = findings.finish();
            assert_eq!(list.len(), kept);
            let last = list.last().expect("there are findings");
            assert_eq!(last.code == "more-findings", given > DIAGNOSTICS_MAX);
        }
    }
}
