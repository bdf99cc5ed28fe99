//! What this crate says to people.
//!
//! Every message names its thing and comes with a cure; the codes are stable.

mod between;
mod options;
mod shape;
mod values;

use model::Diagnostic;

pub(crate) use between::*;
pub(crate) use options::*;
pub(crate) use shape::*;
pub(crate) use values::*;

/// Characters of a value that are shown.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// A value as something that can be printed: short, one line, no control characters.
fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).map(clean).collect();
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// A value in quotes.
fn quoted(value: &str) -> String {
    match value.is_empty() {
        true => "empty".to_owned(),
        false => format!("`{}`", shown(value)),
    }
}

fn suggest(finding: Diagnostic, meant: Option<String>, otherwise: &str) -> Diagnostic {
    match meant {
        Some(meant) => finding.hint(format!("did you mean {meant}?")),
        None => finding.hint(otherwise),
    }
}

/// `a`, `b` or `c`.
fn one_of(words: &[&str]) -> String {
    joined(words, "or")
}

/// `a`, `b` and `c`.
fn all_of(words: &[&str]) -> String {
    joined(words, "and")
}

fn joined(words: &[&str], word: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        None => String::new(),
    }
}
