//! What a pattern needs: literals without which it cannot match, and whether finding one of them
//! is already the whole answer.

use regex_syntax::hir::{Hir, HirKind, Look};

/// A literal text, compared ignoring ASCII case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// Lower case, never empty.
    pub bytes: Box<[u8]>,
    /// Only at the start of the subject.
    pub at_start: bool,
    pub at_end: End,
}

/// Where a literal has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    Anywhere,
    /// At the end of the subject.
    Subject,
    /// At the end of the subject or before its last newline.
    SubjectOrLastNewline,
}

impl Literal {
    pub(crate) fn new(bytes: &[u8], at_start: bool, at_end: End) -> Self {
        Self { bytes: bytes.to_ascii_lowercase().into(), at_start, at_end }
    }

    /// Where the literal first occurs in `subject` as it has to.
    pub(crate) fn find(&self, subject: &[u8]) -> Option<usize> {
        let fits = |end: usize| match self.at_end {
            End::Anywhere => true,
            End::Subject => end == subject.len(),
            End::SubjectOrLastNewline => {
                end == subject.len() || (end + 1 == subject.len() && subject.ends_with(b"\n"))
            }
        };
        let here = |start: usize| {
            crate::word::starts_with_ignoring_case(subject.get(start..)?, &self.bytes)
                .then_some(start)
                .filter(|start| fits(start + self.bytes.len()))
        };
        if self.at_start {
            return here(0);
        }
        match self.at_end {
            End::Anywhere => crate::word::find_ignoring_case(subject, &self.bytes),
            End::Subject => here(subject.len().checked_sub(self.bytes.len())?),
            End::SubjectOrLastNewline => subject
                .strip_suffix(b"\n")
                .and_then(|line| here(line.len().checked_sub(self.bytes.len())?))
                .or_else(|| here(subject.len().checked_sub(self.bytes.len())?)),
        }
    }
}

/// Alternative literals of which at least one is in every match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needles {
    pub literals: Vec<Literal>,
    /// Whether finding one of them means that the pattern matches.
    pub exact: bool,
    /// Whether a subject with non-ASCII text may match without them (`ſ` for `s`, `K` for `k`).
    pub ascii_only: bool,
}

impl Needles {
    pub(crate) fn shortest(&self) -> usize {
        self.literals.iter().map(|literal| literal.bytes.len()).min().unwrap_or(0)
    }
}

const ALTERNATIVES_MAX: usize = 400;

/// The pattern as alternative literals and nothing else, if it is that.
pub(crate) fn as_literals(hir: &Hir) -> Option<Vec<Literal>> {
    let mut out = Vec::new();
    collect_literals(hir, &mut out).then_some(out)
}

fn collect_literals(hir: &Hir, out: &mut Vec<Literal>) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => collect_literals(&capture.sub, out),
        HirKind::Alternation(branches) => {
            branches.len() + out.len() <= ALTERNATIVES_MAX
                && branches.iter().all(|branch| collect_literals(branch, out))
        }
        _ => match anchored_literal(hir) {
            Some(literal) => {
                out.push(literal);
                true
            }
            None => false,
        },
    }
}

/// `^`, a literal, `$`, where both anchors may be missing.
fn anchored_literal(hir: &Hir) -> Option<Literal> {
    let single = [hir.clone()];
    let parts: &[Hir] = match hir.kind() {
        HirKind::Concat(parts) => parts,
        HirKind::Literal(_) => &single,
        _ => return None,
    };
    let (at_start, parts) = match parts.split_first() {
        Some((first, rest)) if *first.kind() == HirKind::Look(Look::Start) => (true, rest),
        _ => (false, parts),
    };
    let (literal, tail) = parts.split_first()?;
    let HirKind::Literal(literal) = literal.kind() else { return None };
    let at_end = match tail {
        [] => End::Anywhere,
        [end] if *end.kind() == HirKind::Look(Look::End) => End::Subject,
        [newline, end]
            if *end.kind() == HirKind::Look(Look::End) && is_optional_newline(newline) =>
        {
            End::SubjectOrLastNewline
        }
        _ => return None,
    };
    Some(Literal::new(&literal.0, at_start, at_end))
}

fn is_optional_newline(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Repetition(repetition)
        if repetition.min == 0 && repetition.max == Some(1)
            && matches!(repetition.sub.kind(), HirKind::Literal(literal) if *literal.0 == *b"\n"))
}

/// The most telling literals of which one is in every match.
pub(crate) fn required(hir: &Hir) -> Option<Vec<Literal>> {
    let anchored = hir.properties().look_set_prefix().contains(Look::Start);
    let mut best = required_inside(hir)?;
    if anchored && let Some(prefix) = literal_after_start(hir) {
        let prefix = Literal::new(prefix, true, End::Anywhere);
        let shortest = best.iter().map(|literal| literal.bytes.len()).min().unwrap_or(0);
        // One comparison at a known place is cheaper than a search, if it tells enough.
        if prefix.bytes.len() >= 4 || prefix.bytes.len() >= shortest {
            best = vec![prefix];
        }
    }
    Some(best)
}

fn literal_after_start(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Capture(capture) => literal_after_start(&capture.sub),
        HirKind::Concat(parts) => match (parts.first()?.kind(), parts.get(1)?.kind()) {
            (HirKind::Look(Look::Start), HirKind::Literal(literal)) => Some(&literal.0),
            _ => None,
        },
        _ => None,
    }
}

fn required_inside(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![Literal::new(&literal.0, false, End::Anywhere)]),
        HirKind::Capture(capture) => required_inside(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_inside(&repetition.sub),
        HirKind::Concat(parts) => {
            parts.iter().filter_map(required_inside).max_by_key(|literals| weight(literals))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                // An anchored branch keeps its anchor.
                match anchored_literal(branch) {
                    Some(literal) => all.push(literal),
                    None => all.extend(required_inside(branch)?),
                }
                if all.len() > ALTERNATIVES_MAX {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Longer is better, fewer is better; beyond a dozen bytes more length tells little.
fn weight(literals: &[Literal]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = literals.iter().map(|literal| literal.bytes.len()).min().unwrap_or(0);
    (shortest.min(12), std::cmp::Reverse(literals.len()))
}

/// Whether a backtracking engine may need more than a few steps per byte: a repeated group.
pub(crate) fn repeats_a_group(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let unbounded = repetition.max.is_none_or(|max| max > 16);
            let group = !matches!(
                repetition.sub.kind(),
                HirKind::Class(_) | HirKind::Literal(_) | HirKind::Empty
            );
            (unbounded && group) || repeats_a_group(&repetition.sub)
        }
        HirKind::Capture(capture) => repeats_a_group(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(repeats_a_group),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}
