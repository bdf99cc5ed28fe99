//! Texts that a pattern matches, put together from its structure.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// One text that a pattern should match, in pieces. That it does match has to be tried.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: Vec<u8>,
    /// Any text may stand here, blanks included.
    pub(super) any_text: bool,
    /// How many captures begin here; the piece is the text of the first.
    pub(super) captures: usize,
}

impl Sample {
    fn of(text: &[u8]) -> Self {
        Self { pieces: vec![Piece { text: text.to_vec(), any_text: false, captures: 0 }] }
    }

    pub(super) fn text(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|piece| piece.text.iter().copied()).collect()
    }

    /// The piece that is captured as number `rank`, counting from 0 those that take part.
    pub(super) fn captured(&self, rank: usize) -> Option<usize> {
        let mut before = 0;
        for (at, piece) in self.pieces.iter().enumerate() {
            if piece.captures > 0 && before == rank {
                return Some(at);
            }
            before += piece.captures;
        }
        None
    }
}

/// Samples kept for one pattern.
const SAMPLES_MAX: usize = 48;
/// Stands where any word may.
const FILLER: &[u8] = b"alice";

/// Texts for a pattern. `words` are tried where a word may stand.
pub(super) fn samples(structure: &Hir, words: &[Vec<u8>]) -> Vec<Sample> {
    match structure.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Sample::default()],
        HirKind::Literal(literal) => vec![Sample::of(&literal.0)],
        HirKind::Class(_) => {
            character(structure).map(|byte| Sample::of(&[byte])).into_iter().collect()
        }
        HirKind::Capture(capture) => {
            samples(&capture.sub, words).into_iter().map(captured).collect()
        }
        HirKind::Repetition(repetition) => repeated(structure, repetition, words),
        HirKind::Concat(parts) => parts
            .iter()
            .fold(vec![Sample::default()], |so_far, part| joined(&so_far, &samples(part, words))),
        HirKind::Alternation(_) if character(structure).is_some() => {
            character(structure).map(|byte| Sample::of(&[byte])).into_iter().collect()
        }
        HirKind::Alternation(branches) => {
            let each = (SAMPLES_MAX / branches.len().max(1)).max(1);
            branches
                .iter()
                .flat_map(|branch| samples(branch, words).into_iter().take(each))
                .take(SAMPLES_MAX)
                .collect()
        }
    }
}

fn captured(inside: Sample) -> Sample {
    let any_text = matches!(inside.pieces.as_slice(), [piece] if piece.any_text);
    let captures = 1 + inside.pieces.iter().map(|piece| piece.captures).sum::<usize>();
    Sample { pieces: vec![Piece { text: inside.text(), any_text, captures }] }
}

fn joined(left: &[Sample], right: &[Sample]) -> Vec<Sample> {
    let mut out = Vec::new();
    for second in right {
        for first in left {
            if out.len() == SAMPLES_MAX {
                return out;
            }
            let pieces = first.pieces.iter().chain(&second.pieces).cloned().collect();
            out.push(Sample { pieces });
        }
    }
    out
}

fn repeated(structure: &Hir, repetition: &Repetition, words: &[Vec<u8>]) -> Vec<Sample> {
    if is_any_text(structure) {
        let piece = Piece { text: FILLER.to_vec(), any_text: true, captures: 0 };
        return vec![Sample { pieces: vec![piece] }];
    }
    let mut out = Vec::new();
    if let Some(byte) = character(&repetition.sub) {
        let fits = |word: &[u8]| {
            word.len() >= repetition.min as usize
                && repetition.max.is_none_or(|max| word.len() <= max as usize)
                && word.iter().all(|&byte| accepts(&repetition.sub, byte))
        };
        let all = std::iter::once(FILLER).chain(words.iter().map(Vec::as_slice));
        out.extend(all.filter(|word| fits(word)).map(Sample::of));
        if out.is_empty() {
            out.push(Sample::of(&vec![byte; repetition.min.clamp(1, 256) as usize]));
        }
    } else if repetition.min <= 1 {
        out = samples(&repetition.sub, words);
    }
    if repetition.min == 0 {
        out.push(Sample::default());
    }
    out
}

/// Whether text of any kind, of any length, fits.
pub(super) fn is_any_text(structure: &Hir) -> bool {
    match structure.kind() {
        HirKind::Repetition(repetition) => {
            repetition.max.is_none_or(|max| max >= 40)
                && repetition.min <= 1
                && b" a6.=:".iter().all(|&byte| accepts(&repetition.sub, byte))
        }
        _ => false,
    }
}

/// The plainest byte that a pattern for one character accepts; `None` if it is no such pattern.
fn character(structure: &Hir) -> Option<u8> {
    let plain = b"a1 x.-:/=".iter().copied().chain(b' '..=b'~');
    plain.into_iter().find(|&byte| accepts(structure, byte))
}

/// Whether a pattern for one character accepts `byte`, ignoring case.
fn accepts(structure: &Hir, byte: u8) -> bool {
    let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
    match structure.kind() {
        HirKind::Class(Class::Unicode(class)) => cases.iter().any(|&byte| {
            let character = char::from(byte);
            class
                .ranges()
                .iter()
                .any(|range| range.start() <= character && character <= range.end())
        }),
        HirKind::Class(Class::Bytes(class)) => cases.iter().any(|byte| {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(byte))
        }),
        HirKind::Literal(literal) => {
            matches!(*literal.0, [only] if only.eq_ignore_ascii_case(&byte))
        }
        HirKind::Alternation(parts) => parts.iter().any(|part| accepts(part, byte)),
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_) => false,
    }
}
