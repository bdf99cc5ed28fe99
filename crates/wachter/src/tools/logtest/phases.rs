//! The three phases, in OSSEC's layout.

use decode::{Decoded, DecoderIndex, Name};
use engine::{Outcome, Policy};
use rules::ruleset::InfoKind;

use crate::escape;

/// What has to be known of the decoders to write the phases.
pub(super) struct Phases {
    has_program_decoders: bool,
    has_plain_decoders: bool,
    /// Decoders whose fields come from a plugin.
    from_plugins: Vec<DecoderIndex>,
}

/// The label of a field.
pub(crate) fn label(name: Name, policy: &Policy) -> &str {
    match name {
        Name::Static(field) => field.label(),
        Name::Dynamic(field) => {
            let names = policy.decoders.dynamic_names();
            names.get(usize::from(field.0)).map_or("", String::as_str)
        }
    }
}

impl Phases {
    pub(super) fn new(policy: &Policy) -> Self {
        let decoders = &policy.decoders;
        let top = || decoders.iter().filter(|decoder| decoder.parent_name == decoder.own_name);
        let plugin_parents: Vec<&str> = decoders
            .iter()
            .filter(|decoder| decoder.plugin.is_some())
            .map(|decoder| decoder.parent_name.as_str())
            .collect();
        let from_plugin = |decoder: &decode::Decoder| {
            decoder.plugin.is_some()
                || (decoder.parent_name == decoder.own_name
                    && plugin_parents.contains(&decoder.own_name.as_str()))
        };
        Self {
            has_program_decoders: top().any(|decoder| decoder.program.is_some()),
            has_plain_decoders: top().any(|decoder| decoder.program.is_none()),
            from_plugins: decoders
                .iter()
                .zip(0..)
                .filter(|(decoder, _)| from_plugin(decoder))
                .map(|(_, index)| DecoderIndex(index))
                .collect(),
        }
    }

    /// Phases 1 and 2.
    pub(super) fn decoding(&self, decoded: &Decoded, policy: &Policy, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n\n**Phase 1: Completed pre-decoding.\n");
        field(out, "full event", decoded.full_log());
        field(out, "hostname", decoded.hostname());
        field(out, "program_name", decoded.program_name().unwrap_or(b"(null)"));
        field(out, "log", decoded.log());
        self.decoder(decoded, policy, out);
    }

    fn decoder(&self, decoded: &Decoded, policy: &Policy, out: &mut Vec<u8>) {
        let is_any = match decoded.program_name() {
            Some(_) => self.has_program_decoders,
            None => self.has_plain_decoders,
        };
        if is_any {
            out.extend_from_slice(b"\n**Phase 2: Completed decoding.\n");
        }
        let decoder = decoded.decoder.and_then(|index| policy.decoders.decoder(index));
        let Some(decoder) = decoder else {
            if is_any {
                out.extend_from_slice(b"       No decoder matched.\n");
            }
            return field(out, "decoder", b"(null)");
        };
        // compat: what a plugin takes out is not shown.
        if decoded.decoder.is_some_and(|index| !self.from_plugins.contains(&index)) {
            for &name in decoded.fields.names() {
                let value = decoded.fields.value(name, decoded.full_log());
                field(out, label(name, policy), value.unwrap_or_default());
            }
        }
        field(out, "decoder", decoder.name.as_bytes());
    }

    /// Phase 3, if there is a rule.
    pub(super) fn rule(&self, outcome: &Outcome, policy: &Policy, out: &mut Vec<u8>) {
        let Some(matched) = outcome.matched() else { return };
        let rule = policy.ruleset.rule(matched.rule);
        out.extend_from_slice(b"\n**Phase 3: Completed filtering (rules).\n");
        field(out, "Rule id", rule.id.to_string().as_bytes());
        field(out, "Level", rule.level.to_string().as_bytes());
        field(out, "Description", rule.description.as_bytes());
        for info in &rule.info {
            let label = match info.kind {
                InfoKind::Text => "Info - Text",
                InfoKind::Link => "Info - Link",
                InfoKind::Cve => "Info - CVE",
                InfoKind::Osvdb => "Info - OSVDB",
            };
            field(out, label, info.text.as_bytes());
        }
        if outcome.is_alert() {
            out.extend_from_slice(b"**Alert to be generated.\n\n\n");
        }
    }
}

fn field(out: &mut Vec<u8>, label: &str, value: &[u8]) {
    out.extend_from_slice(b"       ");
    escape::push(out, label.as_bytes());
    out.extend_from_slice(b": '");
    escape::push(out, value);
    out.extend_from_slice(b"'\n");
}
