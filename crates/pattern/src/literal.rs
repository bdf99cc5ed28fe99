//! What a pattern needs: literals without which it cannot match, and whether finding one of them
//! is already the whole answer.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

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

impl End {
    /// Whether a literal that ends at `end` in `subject` ends where it has to.
    pub(crate) fn fits(self, end: usize, subject: &[u8]) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Subject => end == subject.len(),
            Self::SubjectOrLastNewline => {
                end == subject.len() || (end + 1 == subject.len() && subject.ends_with(b"\n"))
            }
        }
    }
}

impl Literal {
    pub(crate) fn new(bytes: &[u8], at_start: bool, at_end: End) -> Self {
        Self { bytes: bytes.to_ascii_lowercase().into(), at_start, at_end }
    }

    /// Where the literal first occurs in `subject` as it has to.
    pub(crate) fn find(&self, subject: &[u8]) -> Option<usize> {
        let here = |start: usize| {
            crate::word::starts_with_ignoring_case(subject.get(start..)?, &self.bytes)
                .then_some(start)
                .filter(|start| self.at_end.fits(start + self.bytes.len(), subject))
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

/// The pattern as alternative literals and nothing else, if it is that, in the order in which a
/// backtracking engine tries them.
pub(crate) fn as_literals(hir: &Hir) -> Option<Vec<Literal>> {
    let literals: Vec<Literal> = expand(hir)?
        .into_iter()
        .map(|text| Literal::new(&text.bytes, text.at_start, text.at_end.unwrap_or(End::Anywhere)))
        .collect();
    // An empty one matches everything; that is not what comparisons are for.
    literals.iter().all(|literal| !literal.bytes.is_empty()).then_some(literals)
}

/// One of the texts that an expression stands for.
#[derive(Clone, Debug, Default)]
struct Text {
    bytes: Vec<u8>,
    at_start: bool,
    /// Set once nothing may follow.
    at_end: Option<End>,
}

/// All texts that an expression stands for, if they are few.
fn expand(hir: &Hir) -> Option<Vec<Text>> {
    let of_bytes = |bytes: &[u8]| Text { bytes: bytes.to_vec(), ..Text::default() };
    let texts = match hir.kind() {
        HirKind::Empty => vec![Text::default()],
        HirKind::Literal(literal) => vec![of_bytes(&literal.0)],
        HirKind::Look(Look::Start) => vec![Text { at_start: true, ..Text::default() }],
        HirKind::Look(Look::End) => vec![Text { at_end: Some(End::Subject), ..Text::default() }],
        HirKind::Look(_) => return None,
        HirKind::Class(class) => {
            class_bytes(class)?.iter().map(|&byte| of_bytes(&[byte])).collect()
        }
        HirKind::Capture(capture) => expand(&capture.sub)?,
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(expand(branch)?);
                if all.len() > ALTERNATIVES_MAX {
                    return None;
                }
            }
            all
        }
        HirKind::Concat(parts) => expand_concat(parts)?,
        HirKind::Repetition(repetition) => {
            let times = repetition.min;
            if repetition.max != Some(times) || times > REPETITIONS_MAX {
                return None;
            }
            let one = expand(&repetition.sub)?;
            (0..times).try_fold(vec![Text::default()], |texts, _| join(&texts, &one))?
        }
    };
    Some(texts)
}

const REPETITIONS_MAX: u32 = 64;

fn expand_concat(parts: &[Hir]) -> Option<Vec<Text>> {
    let mut texts = vec![Text::default()];
    let mut rest = parts;
    while let Some((part, after)) = rest.split_first() {
        let before_end = after.first().is_some_and(|next| *next.kind() == HirKind::Look(Look::End));
        if before_end && is_optional_newline(part) {
            let end = Text { at_end: Some(End::SubjectOrLastNewline), ..Text::default() };
            texts = join(&texts, &[end])?;
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        texts = join(&texts, &expand(part)?)?;
        rest = after;
    }
    Some(texts)
}

/// Every text followed by every other; `None` where that is too many or cannot be said.
fn join(texts: &[Text], others: &[Text]) -> Option<Vec<Text>> {
    if texts.len() * others.len() > ALTERNATIVES_MAX {
        return None;
    }
    let mut all = Vec::with_capacity(texts.len() * others.len());
    for text in texts {
        for other in others {
            let adds = !other.bytes.is_empty() || other.at_end.is_some();
            if (other.at_start && !text.bytes.is_empty()) || (text.at_end.is_some() && adds) {
                return None;
            }
            all.push(Text {
                bytes: [text.bytes.as_slice(), &other.bytes].concat(),
                at_start: text.at_start || other.at_start,
                at_end: text.at_end.or(other.at_end),
            });
        }
    }
    Some(all)
}

const CLASS_BYTES_MAX: usize = 4;

/// The bytes of a small ASCII class.
fn class_bytes(class: &Class) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut add = |from: u32, to: u32| {
        let small = to < 128 && (to - from) as usize + bytes.len() < CLASS_BYTES_MAX;
        small.then(|| bytes.extend((from..=to).map(|byte| byte as u8)))
    };
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                add(range.start().into(), range.end().into())?;
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                add(range.start().into(), range.end().into())?;
            }
        }
    }
    (!bytes.is_empty()).then_some(bytes)
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
                match as_literals(branch) {
                    Some(literals) => all.extend(literals),
                    None => all.extend(required(branch)?),
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

/// Whether a group is repeated that captures and may be empty. The engines agree on where such a
/// pattern matches, but not on what the last repetition took.
pub(crate) fn repeats_an_empty_capture(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let properties = repetition.sub.properties();
            let repeats = repetition.max.is_none_or(|max| max > 1);
            let captures = properties.explicit_captures_len() > 0;
            (repeats && captures && properties.minimum_len() == Some(0))
                || repeats_an_empty_capture(&repetition.sub)
        }
        HirKind::Capture(capture) => repeats_an_empty_capture(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(repeats_an_empty_capture)
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}
