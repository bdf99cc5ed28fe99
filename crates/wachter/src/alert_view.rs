//! Events and alerts as the formats of `wire` want to see them.

use std::sync::Arc;

use decode::{Decoded, Decoder, Name};
use engine::internal::{Attributes, Internal};
use engine::{Alert, DropReason, FileChange, Outcome, Policy};
use model::limits::CONTEXT_LINES_MAX;
use model::{Event, Field, Span};
use rules::ruleset::{InfoKind, Rule};
use wire::{
    AlertView, Change, CustomTemplate, DecoderJson, DecoderView, EventView, FileChangeView,
    FinalRule, RuleJson, RuleView,
};

/// Writes the events and alerts of one policy.
pub(crate) struct AlertWriter {
    policy: Arc<Policy>,
    /// The part of the JSON line that is the same for all alerts of a rule, by rule.
    heads: Vec<RuleJson>,
    /// The same for decoders.
    decoders: Vec<DecoderJson>,
    /// The same for the engine's own decoders, by the name they show.
    internal: Vec<(&'static str, DecoderJson)>,
}

/// Dynamic fields written with an event.
const DYNAMIC_MAX: usize = 64;

impl AlertWriter {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        let heads = policy.ruleset.rules.iter().map(|rule| RuleJson::new(&rule_view(rule, 0)));
        let decoders = policy.decoders.iter().map(|it| DecoderJson::new(&decoder_view(it)));
        let mut names = Internal::ALL.map(Internal::shown_name).to_vec();
        names.dedup();
        let internal = names.into_iter().map(|name| (name, DecoderJson::new(&internal_view(name))));
        Self {
            heads: heads.collect(),
            decoders: decoders.collect(),
            internal: internal.collect(),
            policy,
        }
    }

    /// Appends the line of `alerts.json`.
    pub(crate) fn json(&self, alert: &Alert, out: &mut Vec<u8>) {
        if let Some(head) = self.heads.get(alert.matched.rule.0 as usize) {
            let decoder = self.decoder_json(&alert.matched.decoded);
            self.with_alert(alert, |view| wire::alert_json::write(view, head, decoder, out));
        }
    }

    /// Appends the record of `alerts.log`.
    pub(crate) fn text(&self, alert: &Alert, out: &mut Vec<u8>) {
        self.with_alert(alert, |view| wire::alert_text::write(view, out));
    }

    fn with_alert(&self, alert: &Alert, write: impl FnOnce(&AlertView<'_>)) {
        let matched = &alert.matched;
        let rule = self.policy.ruleset.rule(matched.rule);
        // The tables live on the stack: nothing is allocated for an alert.
        let mut previous = [&b""[..]; CONTEXT_LINES_MAX];
        let mut lines = 0;
        for (place, line) in previous.iter_mut().zip(matched.context.iter()) {
            *place = line;
            lines += 1;
        }
        self.with_event(&matched.decoded, matched.file_change.as_deref(), |event| {
            write(&AlertView {
                id: alert.id,
                rule: rule_view(rule, matched.fired_times),
                mail: rule.mail,
                event: *event,
                previous: previous.get(..lines).unwrap_or_default(),
            });
        });
    }

    fn decoder_json(&self, decoded: &Decoded) -> Option<&DecoderJson> {
        match decoded.decoder {
            Some(index) => self.decoders.get(index.0 as usize),
            None => {
                let shown = decoded.internal?;
                self.internal.iter().find(|(name, _)| *name == shown).map(|(_, json)| json)
            }
        }
    }
}

impl AlertWriter {
    /// Appends the line of `alerts.log` after the user's template.
    pub(crate) fn custom(&self, template: &CustomTemplate, alert: &Alert, out: &mut Vec<u8>) {
        self.with_alert(alert, |view| template.write(view, out));
    }

    /// Appends the line of `archives.log`, if the event has one.
    pub(crate) fn archive_text(&self, outcome: &Outcome, out: &mut Vec<u8>) {
        self.with_archived(outcome, |event| {
            if !wire::archive_text::is_left_out(event.location) {
                wire::archive_text::write(event, out);
            }
        });
    }

    /// Appends the line of `archives.json`, if the event has one.
    pub(crate) fn archive_json(&self, outcome: &Outcome, out: &mut Vec<u8>) {
        let rule = outcome.matched().and_then(|matched| {
            let json = self.heads.get(matched.rule.0 as usize)?;
            Some(FinalRule { json, fired_times: matched.fired_times })
        });
        let decoder = outcome.decoded().and_then(|decoded| self.decoder_json(decoded));
        self.with_archived(outcome, |event| wire::archive_json::write(event, rule, decoder, out));
    }

    /// Appends the line of `firewall.log`, if the event has one: it must be a firewall's, with
    /// `log_fw` on, and say what happened between which addresses.
    pub(crate) fn firewall(&self, outcome: &Outcome, out: &mut Vec<u8>) {
        // Of other events nothing is looked at: this is asked for each of them.
        if let Some(decoded) = outcome.decoded()
            && decoded.firewall_action.is_some()
        {
            self.with_event(decoded, None, |event| {
                wire::firewall_text::write(event, out);
            });
        }
    }

    /// Calls `write` unless the event is one that archives do not hold.
    fn with_archived(&self, outcome: &Outcome, write: impl FnOnce(&EventView<'_>)) {
        let change = outcome.matched().and_then(|matched| matched.file_change.as_deref());
        match outcome {
            Outcome::Dropped { event, why: DropReason::Repeated } => {
                write(&self.repeated_view(event));
            }
            Outcome::Dropped { why: DropReason::NothingNew | DropReason::Malformed, .. } => {}
            Outcome::Unmatched(decoded) => self.with_event(decoded, change, write),
            Outcome::Silent(matched) => self.with_event(&matched.decoded, change, write),
            Outcome::Alert(alert) => self.with_event(&alert.matched.decoded, change, write),
        }
    }

    /// An event that came back undecoded; its header is read once more.
    // compat: OSSEC leaves repeated events out of archives.
    fn repeated_view<'a>(&'a self, event: &'a Event) -> EventView<'a> {
        let options = self.policy.decoders.options();
        let header = decode::header::parse(&event.line, options.forms);
        let part = |span: Span| event.line.get(span.range()).unwrap_or_default();
        let is_agent = event.location.starts_with(b"(");
        let sender = header.hostname.map_or(&options.server_name[..], part);
        EventView {
            at: event.received,
            program_name: header.program_name.map(part),
            hostname: if is_agent { &event.location } else { sender },
            location: &event.location,
            hostname_is_location: is_agent,
            full_log: &event.line,
            log: part(header.log),
            ..EventView::default()
        }
    }
}

impl AlertWriter {
    fn with_event(
        &self,
        decoded: &Decoded,
        change: Option<&FileChange>,
        write: impl FnOnce(&EventView<'_>),
    ) {
        let decoder = decoded.decoder.and_then(|index| self.policy.decoders.decoder(index));
        let view = EventView {
            at: decoded.event.received,
            decoder: decoder.map(decoder_view).or(decoded.internal.map(internal_view)),
            program_name: decoded.program_name(),
            field: Field::ALL.map(|field| decoded.field(field)),
            dynamic_fields: &[],
            hostname: decoded.hostname(),
            location: &decoded.event.location,
            hostname_is_location: decoded.hostname_is_location(),
            full_log: decoded.full_log(),
            log: decoded.log(),
            multi_line: decoded.rewritten.is_some() && decoded.relayed_rule.is_none(),
            file_change: change.map(file_change),
            firewall_action: decoded.firewall_action,
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
        view: EventView<'_>,
        write: impl FnOnce(&EventView<'_>),
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
        write(&EventView { dynamic_fields, ..view });
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

/// The engine's own decoders have a name and nothing else.
fn internal_view(name: &str) -> DecoderView<'_> {
    DecoderView { name, ..DecoderView::default() }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use engine::Engine;
    use model::{Queue, RamMemory, Timestamp};

    use super::*;
    use crate::home::{Parts, load_parts};

    const DECODERS: &str = r#"
        <decoder name="wall"><program_name>^wall</program_name></decoder>
        <decoder name="wall-event">
          <parent>wall</parent><type>firewall</type>
          <regex>^(\w+) (\w+) (\S+):(\d+) (\S+):(\d+) (\w+)</regex>
          <order>action,protocol,srcip,srcport,dstip,dstport,log</order>
        </decoder>"#;

    const RULES: &str = r#"
        <group name="x,">
          <rule id="1" level="0" noalert="1">
            <category>syslog</category><description>Logs.</description>
          </rule>
          <rule id="2" level="0" noalert="1">
            <category>ossec</category><description>Ours.</description>
          </rule>
          <rule id="3" level="0">
            <category>firewall</category><description>Firewalls.</description>
          </rule>
          <rule id="100" level="4">
            <if_sid>1</if_sid><match>door</match><description>A door.</description>
          </rule>
          <rule id="550" level="7">
            <if_sid>2</if_sid><decoded_as>syscheck_integrity_changed</decoded_as>
            <description>Changed.</description>
          </rule>
        </group>"#;

    /// What the four kinds of files get of one event.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Written {
        archive: String,
        archive_json: String,
        firewall: String,
        alert: String,
    }

    struct Run {
        engine: Engine,
        writer: AlertWriter,
    }

    impl Run {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let place = |name: &str, text: &str| {
                let path = folder.path().join(name);
                fs::write(&path, text).unwrap();
                vec![path]
            };
            let rules = place("rules.xml", RULES);
            let decoders = place("decoder.xml", DECODERS);
            let policy = load_parts(&Parts { rules, decoders, ..Parts::default() }).unwrap();
            let policy = Arc::new(policy);
            Self {
                engine: Engine::new(Arc::clone(&policy), Box::new(RamMemory::default()), 1),
                writer: AlertWriter::new(policy),
            }
        }

        fn written(&mut self, queue: Queue, location: &str, line: &str) -> Written {
            let outcome = self.engine.process(Event {
                received: Timestamp::utc(1_795_560_311),
                queue,
                location: location.into(),
                line: line.into(),
            });
            let text = |write: &dyn Fn(&mut Vec<u8>)| {
                let mut out = Vec::new();
                write(&mut out);
                String::from_utf8(out).unwrap()
            };
            let template = CustomTemplate::parse(b"$RULEID $HOSTNAME $FULLLOG");
            Written {
                archive: text(&|out| self.writer.archive_text(&outcome, out)),
                archive_json: text(&|out| self.writer.archive_json(&outcome, out)),
                firewall: text(&|out| self.writer.firewall(&outcome, out)),
                alert: match &outcome {
                    Outcome::Alert(alert) => text(&|out| self.writer.custom(&template, alert, out)),
                    Outcome::Dropped { .. } | Outcome::Unmatched(_) | Outcome::Silent(_) => {
                        String::new()
                    }
                },
            }
        }
    }

    #[test]
    fn an_alert_and_its_repetition_are_archived() {
        let line = "Nov 24 22:45:11 web1 bell: a door\tcloses";
        let text =
            "2026 Nov 24 22:45:11 web1->/var/log/a Nov 24 22:45:11 web1 bell: a door\\tcloses\n";
        let mut run = Run::new();
        let first = run.written(Queue::LocalFile, "/var/log/a", line);
        assert_eq!(first.archive, text);
        assert_eq!(
            first.archive_json,
            concat!(
                r#"{"program_name":"bell","log":"a door\tcloses","#,
                r#""rule":{"level":4,"comment":"A door.","sidid":100,"firedtimes":1,"group":"x,","groups":["x"]},"#,
                r#""full_log":"Nov 24 22:45:11 web1 bell: a door\tcloses","#,
                r#""timestamp":"2026 Nov 24 22:45:11","agent_name":"web1","logfile":"/var/log/a"}"#,
                "\n"
            )
        );
        assert_eq!(first.alert, "100 web1 Nov 24 22:45:11 web1 bell: a door\\tcloses\n");
        let second = run.written(Queue::LocalFile, "/var/log/a", line);
        assert_eq!(
            second.archive_json,
            concat!(
                r#"{"program_name":"bell","log":"a door\tcloses","#,
                r#""full_log":"Nov 24 22:45:11 web1 bell: a door\tcloses","#,
                r#""timestamp":"2026 Nov 24 22:45:11","agent_name":"web1","logfile":"/var/log/a"}"#,
                "\n"
            )
        );
        assert_eq!(
            second,
            Written {
                archive: text.into(),
                archive_json: second.archive_json.clone(),
                ..Written::default()
            }
        );
    }

    #[test]
    fn repeated_events_of_agents() {
        let mut run = Run::new();
        let (location, line) = ("(a) 192.0.2.5->/var/log/a", "Nov 24 22:45:11 web1 bell: rings");
        let first = run.written(Queue::LocalFile, location, line);
        assert_eq!(first.archive, format!("2026 Nov 24 22:45:11 {location} {line}\n"));
        assert_eq!(run.written(Queue::LocalFile, location, line), first);
    }

    #[test]
    fn firewall_events() {
        let mut run = Run::new();
        let mut line = |text: &str| {
            let line = format!("Nov 24 22:45:11 web1 wall: {text}");
            run.written(Queue::LocalFile, "/var/log/a", &line)
        };
        let place = "2026 Nov 24 22:45:11 web1->/var/log/a";
        let written = line("Block TCP 192.0.2.1:80 198.51.100.1:22 x");
        assert_eq!(written.firewall, format!("{place} DROP TCP 192.0.2.1:80->198.51.100.1:22\n"));
        // The decoded action stays; the field that is called like a key gives way.
        let json = &written.archive_json;
        assert!(json.contains(r#""action":"Block""#), "{json}");
        assert!(json.contains(r#""log_":"x","decoder":{"parent":"wall","name":"wall"}"#), "{json}");
        assert_eq!(line("Block TCP").firewall, "");
    }

    #[test]
    fn keep_alives_stand_in_json_alone() {
        let written = Run::new().written(Queue::LocalFile, "(a) any->ossec-keepalive", "--MARK--");
        assert_eq!(written.archive, "");
        assert!(written.archive_json.contains(r#""full_log":"--MARK--""#));
    }

    #[test]
    fn file_integrity() {
        let mut run = Run::new();
        let sum = |size| format!("{size}:33188:0:0:d41d8cd98f00b204e9800998ecf8427e:xxx /etc/a");
        let first = run.written(Queue::Syscheck, "syscheck", &sum(1));
        assert_eq!(first, Written::default());
        let changed = run.written(Queue::Syscheck, "syscheck", &sum(2));
        assert!(
            changed.archive.ends_with(
                "->syscheck Integrity checksum changed for: '/etc/a'\n\
                 Size changed from '1' to '2'\n\n"
            ),
            "{}",
            changed.archive
        );
        let json = &changed.archive_json;
        assert!(json.contains(r#","decoder":{"name":"syscheck_integrity_changed"},"#), "{json}");
        assert!(json.contains(r#""filename":"/etc/a","rule":{"level":7,"#), "{json}");
        assert_eq!(run.written(Queue::Syscheck, "syscheck", "nonsense"), Written::default());
    }
}
