//! What is doubtful about decoders that can be used: values that a line's author can choose,
//! decoders that nothing reaches, fields and captures without a partner.
//!
//! A finding about a forged value is never a guess. It rests on a line that was put together from
//! the decoder's patterns and really decoded, twice: as it should be, and with other text where
//! text of any kind may stand. Patterns for which no such pair is found are passed over.
//!
//! Start reading at [`lint()`]; `forgery.rs` makes the lines, `reach.rs` walks the trees.

mod forgery;
mod messages;
mod reach;
mod sample;

use model::Diagnostic;
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::set::{Decoder, DecoderSet};

/// Everything that is doubtful about the decoders of a set, in their order.
pub fn lint(set: &DecoderSet) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut forger = forgery::Forger::new(set);
    let unreachable = reach::unreachable(set);
    for (index, decoder) in set.decoders.iter().enumerate() {
        if let Some(hidden_by) = unreachable.get(&index) {
            findings.push(messages::unreachable(decoder, hidden_by));
            continue;
        }
        if let Some((pattern, _)) = decoder.regex
            && let Some(structure) = set.patterns.structure(pattern)
        {
            structural(decoder, &structure, &mut findings);
        }
        if decoder.regex.is_some() && !decoder.children.members.is_empty() {
            findings.push(messages::unused_regex(decoder));
            continue;
        }
        forger.check(index, decoder, &mut findings);
    }
    findings
}

/// What the shape of a decoder's regex shows.
fn structural(decoder: &Decoder, structure: &Hir, findings: &mut Vec<Diagnostic>) {
    let captures = captures_most(structure);
    let fields = decoder.order.len();
    if fields > captures {
        findings.push(messages::order_too_long(decoder, fields, captures));
    } else if fields < captures {
        findings.push(messages::order_too_short(decoder, fields, captures));
    }
    if starts_with_catch_all(structure) {
        findings.push(messages::leading_catch_all(decoder));
    }
}

/// How many captures can take part in one match.
fn captures_most(structure: &Hir) -> usize {
    match structure.kind() {
        HirKind::Capture(capture) => 1 + captures_most(&capture.sub),
        HirKind::Repetition(repetition) => captures_most(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().map(captures_most).sum(),
        HirKind::Alternation(parts) => parts.iter().map(captures_most).max().unwrap_or(0),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => 0,
    }
}

/// Whether a pattern that may match anywhere begins with greedy text of any kind.
fn starts_with_catch_all(structure: &Hir) -> bool {
    match structure.kind() {
        HirKind::Capture(capture) => starts_with_catch_all(&capture.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(starts_with_catch_all),
        HirKind::Alternation(parts) => parts.iter().any(starts_with_catch_all),
        HirKind::Repetition(repetition) => repetition.greedy && sample::is_any_text(structure),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Whether a match can only begin where the search does.
fn is_anchored(structure: &Hir) -> bool {
    structure.properties().look_set_prefix().contains(Look::Start)
}
