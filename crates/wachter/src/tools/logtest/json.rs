//! One JSON object for each event.

use std::borrow::Cow;

use decode::Decoded;
use engine::{Outcome, Policy};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::phases::label;
use super::verdict::decoder_name;

/// What is said about an event. Absent things are `null`.
#[derive(Serialize)]
struct Said<'a> {
    hostname: Cow<'a, str>,
    program_name: Option<Cow<'a, str>>,
    log: Cow<'a, str>,
    decoder: Option<&'a str>,
    fields: Fields<'a>,
    rule: Option<Rule<'a>>,
    alert: bool,
    /// Earlier events that were counted, newest first.
    context: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: u32,
    level: u16,
    description: &'a str,
}

/// Label and value, in the order in which they were assigned.
struct Fields<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, value) in &self.0 {
            map.serialize_entry(label, value)?;
        }
        map.end()
    }
}

/// Appends the object of an event, on one line.
pub(super) fn push(outcome: &Outcome, policy: &Policy, out: &mut Vec<u8>) {
    let Some(decoded) = outcome.decoded() else { return };
    let matched = outcome.matched();
    let said = Said {
        hostname: text(decoded.hostname()),
        program_name: decoded.program_name().map(text),
        log: text(decoded.log()),
        decoder: decoder_name(outcome, policy),
        fields: fields(decoded, policy),
        rule: matched.map(|matched| {
            let rule = policy.ruleset.rule(matched.rule);
            Rule { id: rule.id, level: rule.level, description: &rule.description }
        }),
        alert: outcome.is_alert(),
        context: matched
            .map(|matched| matched.context.iter().map(text).collect())
            .unwrap_or_default(),
    };
    // Nothing in it can fail: keys are texts, and memory is written to.
    if serde_json::to_writer(&mut *out, &said).is_ok() {
        out.push(b'\n');
    }
}

fn fields<'a>(decoded: &'a Decoded, policy: &'a Policy) -> Fields<'a> {
    let mut fields: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for &name in decoded.fields.names() {
        let value = decoded.fields.value(name, decoded.full_log()).unwrap_or_default();
        let label = label(name, policy);
        // A dynamic field may be called like a static one; a key stands only once.
        if !fields.iter().any(|(known, _)| *known == label) {
            fields.push((label, text(value)));
        }
    }
    Fields(fields)
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
