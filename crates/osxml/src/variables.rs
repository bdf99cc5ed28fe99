//! `<var name="X">` and `$X`.

use crate::{
    Element,
    findings::Findings,
    limits::{EXPANDED_BYTES_MAX, SHOWN_BYTES_MAX, VARIABLE_NAME_BYTES_MAX},
    messages,
};
use model::{Span, diagnostic::nearest};
use std::collections::BTreeMap;

/// compat: shorter texts are not looked at.
const EXPANDED_FROM_BYTES: usize = 3;
/// Variables that are looked at for "did you mean"; more would take long in a hostile file.
const VARIABLES_COMPARED_MAX: usize = 100;

/// The variables defined so far in a file.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    /// By lower-case name.
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes that variables put into the file so far.
    expanded_bytes: usize,
}

impl Variables {
    /// Takes a `<var>` element as a definition.
    pub(crate) fn define(&mut self, element: Element, findings: &mut Findings) {
        let name = match element.attributes.first() {
            Some(first) if first.name.eq_ignore_ascii_case("name") => first,
            Some(_) | None => {
                return findings.add_at(messages::variable_without_name(), element.name_span);
            }
        };
        let span = name.value_span;
        if name.value.len() > VARIABLE_NAME_BYTES_MAX {
            return findings.add_at(messages::variable_name_too_long(), span);
        }
        if name.value.is_empty() || name.value.iter().any(|&byte| ends_name(byte)) {
            findings.add_at(messages::variable_unusable(&name.value), span);
        }
        let key = name.value.to_ascii_lowercase();
        if self.values.contains_key(&key) {
            // compat: the first definition wins.
            return findings.add_at(messages::variable_repeated(&name.value), span);
        }
        self.values.insert(key, element.content);
    }

    pub(crate) fn expand_attributes(&mut self, element: &mut Element, findings: &mut Findings) {
        for attribute in &mut element.attributes {
            let place = |i| attribute.value_offset(i);
            if let Some(value) = self.expand(&attribute.value, place, findings) {
                attribute.value = value;
            }
        }
    }

    pub(crate) fn expand_content(&mut self, element: &mut Element, findings: &mut Findings) {
        let place = |i| element.content_offset(i);
        if let Some(content) = self.expand(&element.content, place, findings) {
            element.content = content;
        }
    }

    /// The text with its variables replaced; `None` if it stays as it is.
    fn expand(
        &mut self,
        text: &[u8],
        place: impl Fn(usize) -> Span,
        findings: &mut Findings,
    ) -> Option<Vec<u8>> {
        // compat: before the first definition a `$` is plain.
        let plain = self.values.is_empty() || text.len() < EXPANDED_FROM_BYTES;
        if plain || !text.contains(&b'$') {
            return None;
        }
        let mut pieces = text.split(|&byte| byte == b'$');
        let mut expanded = pieces.next().unwrap_or_default().to_vec();
        let mut at = expanded.len();
        for piece in pieces {
            let length = piece.iter().position(|&byte| ends_name(byte)).unwrap_or(piece.len());
            let (name, after) = piece.split_at(length);
            if name.is_empty() {
                expanded.push(b'$');
            } else {
                let span = Span { end: place(at + length).end, ..place(at) };
                let value = self.value(name, span, findings).unwrap_or_default();
                expanded.extend_from_slice(value);
            }
            expanded.extend_from_slice(after);
            at += 1 + piece.len();
        }
        Some(expanded)
    }

    fn value(&mut self, name: &[u8], span: Span, findings: &mut Findings) -> Option<&[u8]> {
        let Some(value) = self.values.get(&name.to_ascii_lowercase()) else {
            findings.add_at(messages::variable_unknown(name, self.nearest(name).as_deref()), span);
            return None;
        };
        let before = self.expanded_bytes;
        self.expanded_bytes = before.saturating_add(value.len());
        if self.expanded_bytes <= EXPANDED_BYTES_MAX {
            return Some(value);
        }
        // Once is enough.
        if before <= EXPANDED_BYTES_MAX {
            findings.add_at(messages::expansion_too_long(), span);
        }
        None
    }

    fn nearest(&self, name: &[u8]) -> Option<String> {
        if name.len() > SHOWN_BYTES_MAX {
            return None;
        }
        let known: Vec<String> = self
            .values
            .keys()
            .filter(|key| key.len() <= SHOWN_BYTES_MAX)
            .take(VARIABLES_COMPARED_MAX)
            .map(|key| String::from_utf8_lossy(key).into_owned())
            .collect();
        nearest(&String::from_utf8_lossy(name), known.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// compat: no other byte ends a name, not even a parenthesis or a line end.
fn ends_name(byte: u8) -> bool {
    matches!(byte, b'$' | b'.' | b'|' | b',' | b' ')
}
