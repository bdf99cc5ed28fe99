//! `wachter.toml`: what OSSEC has no word for.
//!
//! ```toml
//! compat = "strict"
//! ```

use model::diagnostic::nearest;
use model::{Diagnostic, SourceId, Span};
use toml::de::{DeTable, DeValue};

use crate::messages;

/// What the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WachterToml {
    pub compat: Compat,
}

/// How closely OSSEC is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// `"ours"`: the same answers, but for faults that hide attacks.
    #[default]
    Ours,
    /// `"strict"`: the same answers, faults included.
    Strict,
}

const KEYS: &[&str] = &["compat"];

/// Reads the file.
pub fn read(source: SourceId, text: &[u8]) -> (WachterToml, Vec<Diagnostic>) {
    let mut settings = WachterToml::default();
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let span = Span::new(error.valid_up_to(), error.valid_up_to() + 1);
            return (settings, vec![messages::toml_not_utf8().at(source, span)]);
        }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut findings: Vec<Diagnostic> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or_default();
            messages::not_toml(error.message()).at(source, Span::new(span.start, span.end))
        })
        .collect();
    for (key, value) in table.get_ref() {
        let at = |range: std::ops::Range<usize>| Span::new(range.start, range.end);
        match key.get_ref().as_ref() {
            "compat" => match compat(value.get_ref()) {
                Some(compat) => settings.compat = compat,
                None => {
                    findings.push(
                        messages::bad_compat(&["ours", "strict"]).at(source, at(value.span())),
                    );
                }
            },
            other => {
                let meant = nearest(other, KEYS.iter().copied());
                findings.push(messages::unknown_key(other, meant).at(source, at(key.span())));
            }
        }
    }
    (settings, findings)
}

fn compat(value: &DeValue<'_>) -> Option<Compat> {
    match value.as_str()? {
        "ours" => Some(Compat::Ours),
        "strict" => Some(Compat::Strict),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_mistakes() {
        let cases: [(&[u8], Compat, &[&str]); 7] = [
            (b"", Compat::Ours, &[]),
            (b"compat = \"strict\" # yes", Compat::Strict, &[]),
            (b"compat = \"ours\"", Compat::Ours, &[]),
            (b"compat = \"strikt\"", Compat::Ours, &["bad-value"]),
            (b"compat = 1\ncompt = 2", Compat::Ours, &["bad-value", "unknown-key"]),
            (b"[compat]\nstrict = true", Compat::Ours, &["bad-value"]),
            (b"\xff", Compat::Ours, &["not-text"]),
        ];
        for (text, compat, codes) in cases {
            let (settings, findings) = read(SourceId(0), text);
            assert_eq!(settings.compat, compat, "{text:?}");
            let found: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
            assert_eq!(found, codes, "{text:?}");
        }
    }

    #[test]
    fn errors_have_a_place() {
        let (_, findings) = read(SourceId(3), b"compat = \"strict\"\nx = =\n");
        assert!(findings.iter().any(|finding| finding.code == "not-toml"));
        assert!(findings.iter().all(|finding| finding.at.is_some()));
    }
}
