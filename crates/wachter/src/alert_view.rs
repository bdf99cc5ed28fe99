//! Alerts as the formats of `wire` want to see them.

use std::sync::Arc;

use decode::{Decoded, Decoder, Name};
use engine::internal::Attributes;
use engine::{Alert, FileChange, Policy};
use model::Field;
use model::limits::CONTEXT_LINES_MAX;
use rules::ruleset::{InfoKind, Rule};
use wire::{AlertView, Change, DecoderJson, DecoderView, FileChangeView, RuleJson, RuleView};

/// Writes alerts of one policy.
pub(crate) struct AlertWriter {
    policy: Arc<Policy>,
    /// The part of the JSON line that is the same for all alerts of a rule, by rule.
    heads: Vec<RuleJson>,
    /// The same for decoders.
    decoders: Vec<DecoderJson>,
}

/// Dynamic fields written with an alert.
const DYNAMIC_MAX: usize = 64;

impl AlertWriter {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        let heads = policy.ruleset.rules.iter().map(|rule| RuleJson::new(&rule_view(rule, 0)));
        let decoders = policy.decoders.iter().map(|it| DecoderJson::new(&decoder_view(it)));
        Self { heads: heads.collect(), decoders: decoders.collect(), policy }
    }

    /// Appends the line of `alerts.json`.
    pub(crate) fn json(&self, alert: &Alert, out: &mut Vec<u8>) {
        if let Some(head) = self.heads.get(alert.matched.rule.0 as usize) {
            let index = alert.matched.decoded.decoder;
            let decoder = index.and_then(|index| self.decoders.get(index.0 as usize));
            self.with_view(alert, |view| wire::alert_json::write(view, head, decoder, out));
        }
    }

    /// Appends the record of `alerts.log`.
    pub(crate) fn text(&self, alert: &Alert, out: &mut Vec<u8>) {
        self.with_view(alert, |view| wire::alert_text::write(view, out));
    }

    fn with_view(&self, alert: &Alert, write: impl FnOnce(&AlertView<'_>)) {
        let matched = &alert.matched;
        let decoded = &matched.decoded;
        let rule = self.policy.ruleset.rule(matched.rule);
        // The tables live on the stack: nothing is allocated for an alert.
        let mut previous = [&b""[..]; CONTEXT_LINES_MAX];
        let mut lines = 0;
        for (place, line) in previous.iter_mut().zip(matched.context.iter()) {
            *place = line;
            lines += 1;
        }
        let decoder = decoded.decoder.and_then(|index| self.policy.decoders.decoder(index));
        let view = AlertView {
            id: alert.id,
            at: alert.at,
            rule: rule_view(rule, matched.fired_times),
            mail: rule.mail,
            decoder: decoder.map(decoder_view),
            program_name: decoded.program_name(),
            field: Field::ALL.map(|field| decoded.field(field)),
            dynamic_fields: &[],
            hostname: decoded.hostname(),
            location: &decoded.event.location,
            hostname_is_location: decoded.hostname_is_location(),
            full_log: decoded.full_log(),
            previous: previous.get(..lines).unwrap_or_default(),
            multi_line: decoded.rewritten.is_some() && decoded.relayed_rule.is_none(),
            file_change: matched.file_change.as_deref().map(file_change),
        };
        if decoded.fields.names().iter().any(|name| matches!(name, Name::Dynamic(_))) {
            self.with_dynamic_fields(decoded, view, write);
        } else {
            write(&view);
        }
    }

    /// Apart, because few events have such fields and clearing the table takes time.
    #[inline(never)]
    fn with_dynamic_fields(
        &self,
        decoded: &Decoded,
        view: AlertView<'_>,
        write: impl FnOnce(&AlertView<'_>),
    ) {
        let mut table = [(&b""[..], &b""[..]); DYNAMIC_MAX];
        let mut fields = 0;
        let dynamic = decoded.fields.names().iter().filter_map(|&name| match name {
            Name::Static(_) => None,
            Name::Dynamic(field) => {
                let label = self.policy.decoders.dynamic_names().get(usize::from(field.0))?;
                Some((label.as_bytes(), decoded.fields.value(name, decoded.full_log())?))
            }
        });
        for (place, pair) in table.iter_mut().zip(dynamic) {
            *place = pair;
            fields += 1;
        }
        let dynamic_fields = table.get(..fields).unwrap_or_default();
        write(&AlertView { dynamic_fields, ..view });
    }
}

fn file_change(change: &FileChange) -> FileChangeView<'_> {
    let FileChange { before, after } = change;
    let pair = |of: fn(&Attributes) -> &Option<Vec<u8>>| Change {
        before: of(before).as_deref(),
        after: of(after).as_deref(),
    };
    let mode =
        |attributes: &Attributes| str::from_utf8(attributes.mode.as_deref()?).ok()?.parse().ok();
    FileChangeView {
        md5: pair(|attributes| &attributes.md5),
        sha1: pair(|attributes| &attributes.sha1),
        sha256: pair(|attributes| &attributes.sha256),
        owner: pair(|attributes| &attributes.owner),
        group_owner: pair(|attributes| &attributes.group),
        permissions: Change { before: mode(before), after: mode(after) },
    }
}

fn decoder_view(decoder: &Decoder) -> DecoderView<'_> {
    let has_parent = decoder.parent_name != decoder.own_name;
    DecoderView {
        name: &decoder.name,
        parent: has_parent.then_some(decoder.parent_name.as_str()),
        first_seen: 0,
        accumulate: u32::from(decoder.accumulate),
        first_seen_comment: None,
    }
}

fn rule_view(rule: &Rule, fired_times: u64) -> RuleView<'_> {
    let info =
        |kind| rule.info.iter().find(|info| info.kind == kind).map(|info| info.text.as_str());
    RuleView {
        id: rule.id,
        level: rule.level,
        description: &rule.description,
        groups: &rule.groups,
        frequency: rule.frequency,
        fired_times,
        info: info(InfoKind::Text),
        cve: info(InfoKind::Cve),
    }
}
