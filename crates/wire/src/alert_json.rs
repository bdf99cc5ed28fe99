//! The line of `alerts.json`: OSSEC's keys in OSSEC's order, what is absent left out.

use model::Field;
use model::limits::CONTEXT_LINES_MAX;

use crate::AlertView;
use crate::DecoderJson;
use crate::FileChangeView;
use crate::RuleJson;
use crate::digits::push_number;
use crate::digits::push_signed;
use crate::event_json::Origin;
use crate::event_json::close_line;
use crate::event_json::push_changes;
use crate::event_json::push_dynamic_fields;
use crate::event_json::push_fields;
use crate::event_json::push_program_name;
use crate::json_string::push_quoted;
use crate::json_string::push_some;
use crate::json_string::push_string;

/// The decoded values that stand before the location.
const ADDRESS_KEYS: [(Field, &[u8]); 10] = [
    (Field::Action, b",\"action\":\""),
    (Field::Protocol, b",\"protocol\":\""),
    (Field::SrcIp, b",\"srcip\":\""),
    (Field::SrcGeoIp, b",\"srcgeoip\":\""),
    (Field::SrcPort, b",\"srcport\":\""),
    (Field::SrcUser, b",\"srcuser\":\""),
    (Field::DstIp, b",\"dstip\":\""),
    (Field::DstGeoIp, b",\"dstgeoip\":\""),
    (Field::DstPort, b",\"dstport\":\""),
    (Field::DstUser, b",\"dstuser\":\""),
];

/// The decoded values that stand behind the program's name.
const DATA_KEYS: [(Field, &[u8]); 4] = [
    (Field::Status, b",\"status\":\""),
    (Field::Url, b",\"url\":\""),
    (Field::Data, b",\"data\":\""),
    (Field::SystemName, b",\"systemname\":\""),
];

/// Appends the line of an alert, newline included. `rule` was made of `alert.rule`, `decoder` of
/// the event's decoder.
pub fn write(
    alert: &AlertView<'_>,
    rule: &RuleJson,
    decoder: Option<&DecoderJson>,
    out: &mut Vec<u8>,
) {
    let event = &alert.event;
    let start = out.len();
    rule.push(out, alert.rule.fired_times, event.full_log);
    push_id(out, alert);
    if let Some(decoder) = decoder {
        decoder.push_names(out);
    }
    push_fields(out, event, &ADDRESS_KEYS);
    push_some(out, b",\"location\":\"", event.location);
    push_string(out, b",\"full_log\":\"", event.full_log);
    push_previous(out, alert.previous);
    if let Some(path) = event.field(Field::Filename) {
        push_file(out, path, &event.file_change.unwrap_or_default());
    }
    push_some(out, b",\"hostname\":\"", event.hostname);
    push_program_name(out, event);
    push_fields(out, event, &DATA_KEYS);
    push_dynamic_fields(out, event, is_own_key);
    if let Some(decoder) = decoder {
        decoder.push_object(out, b",\"decoder_desc\":");
    }
    let origin = Origin::of(event);
    origin.push_agent(out);
    origin.push_timestamp(out);
    origin.push_log_file(out);
    close_line(out, start);
}

fn push_id(out: &mut Vec<u8>, alert: &AlertView<'_>) {
    out.extend_from_slice(b",\"id\":\"");
    let start = out.len();
    push_signed(out, alert.event.at.seconds);
    let seconds = start..out.len();
    out.push(b'.');
    push_number(out, alert.id);
    out.extend_from_slice(b"\",\"TimeStamp\":");
    // Milliseconds: the same digits again.
    out.extend_from_within(seconds);
    if alert.event.at.seconds != 0 {
        out.extend_from_slice(b"000");
    }
}

// compat: OSSEC's key holds the second earlier event only; with check_diff it is the old text. All
// of them stand in a key of our own.
fn push_previous(out: &mut Vec<u8>, previous: &[&[u8]]) {
    if let Some(second) = previous.get(1) {
        push_string(out, b",\"previous_output\":\"", second);
    }
    for (index, line) in previous.iter().take(CONTEXT_LINES_MAX).enumerate() {
        out.extend_from_slice(if index == 0 { b",\"previous\":[" } else { b"," });
        push_quoted(out, line);
    }
    if !previous.is_empty() {
        out.push(b']');
    }
}

fn push_file(out: &mut Vec<u8>, path: &[u8], change: &FileChangeView<'_>) {
    push_string(out, b",\"SyscheckFile\":{\"path\":\"", path);
    push_changes(out, change);
    out.push(b'}');
}

/// Whether a key of the line itself, one that is not a decoder's static field, has this name.
fn is_own_key(name: &[u8]) -> bool {
    matches!(
        name,
        b"rule"
            | b"TimeStamp"
            | b"decoder"
            | b"decoder_parent"
            | b"srcgeoip"
            | b"dstgeoip"
            | b"location"
            | b"full_log"
            | b"previous_output"
            | b"previous"
            | b"SyscheckFile"
            | b"hostname"
            | b"program_name"
            | b"systemname"
            | b"decoder_desc"
            | b"agent_name"
            | b"agentip"
            | b"timestamp"
            | b"logfile"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::Change;
    use crate::DecoderView;
    use crate::EventView;
    use crate::RuleView;
    use crate::samples::composite;

    fn json(alert: &AlertView<'_>) -> String {
        let mut out = Vec::new();
        let decoder = alert.event.decoder.map(|decoder| DecoderJson::new(&decoder));
        write(alert, &RuleJson::new(&alert.rule), decoder.as_ref(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn composite_alert() {
        assert_eq!(
            json(&composite()),
            concat!(
                r#"{"rule":{"level":10,"comment":"Multiple SSHD authentication failures.","sidid":5720,"frequency":6,"firedtimes":1,"group":"syslog,sshd,authentication_failures,","groups":["syslog","sshd","authentication_failures"]},"#,
                r#""id":"1795560317.16","TimeStamp":1795560317000,"decoder":"sshd","decoder_parent":"sshd","#,
                r#""srcip":"203.0.113.77","dstuser":"root","location":"/var/log/auth.log","#,
                r#""full_log":"Aug 12 10:01:07 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""previous_output":"Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""previous":["Aug 12 10:01:06 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2"],"#,
                r#""hostname":"web1","program_name":"sshd","decoder_desc":{"parent":"sshd","name":"sshd"},"#,
                r#""agent_name":"web1","timestamp":"2026 Nov 24 22:45:17","logfile":"/var/log/auth.log"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn every_key_in_its_order() {
        let mut event = EventView {
            decoder: Some(DecoderView {
                name: "n",
                parent: Some("p"),
                first_seen: 3,
                accumulate: 1,
                first_seen_comment: Some("c"),
            }),
            dynamic_fields: &[(b"user_agent", b"x"), (b"hostname", b"y"), (b"hostname_", b"z")],
            hostname: b"(ag 1) any->/var/log/a-b>c",
            location: b"(ag 1) any->/var/log/a-b>c",
            hostname_is_location: true,
            full_log: b"log",
            ..composite().event
        };
        for (index, value) in event.field.iter_mut().enumerate() {
            *value = Some(&b"0123456789abcdef"[index..=index]);
        }
        let json = json(&AlertView { event, ..composite() });
        let (_, after_rule) = json.split_once("},").unwrap();
        assert_eq!(
            after_rule,
            concat!(
                r#""id":"1795560317.16","TimeStamp":1795560317000,"decoder":"n","decoder_parent":"p","#,
                r#""action":"7","protocol":"6","srcip":"2","srcgeoip":"e","srcport":"4","srcuser":"1","#,
                r#""dstip":"3","dstgeoip":"f","dstport":"5","dstuser":"0","#,
                r#""location":"(ag 1) any->/var/log/a-b>c","full_log":"log","#,
                r#""previous_output":"Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""previous":["Aug 12 10:01:06 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2"],"#,
                r#""SyscheckFile":{"path":"d"},"hostname":"(ag 1) any->/var/log/a-b>c","program_name":"sshd","#,
                r#""status":"b","url":"9","data":"a","systemname":"c","user_agent":"x","hostname_":"y","hostname__":"z","#,
                r#""decoder_desc":{"fts":3,"accumulate":1,"parent":"p","name":"n","ftscomment":"c"},"#,
                r#""agent_name":"ag 1","agentip":"any","timestamp":"2026 Nov 24 22:45:17","#,
                r#""logfile":"/var/log/a-b>c"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn earlier_events_at_their_limit() {
        for (count, written, has_output) in [
            (0, 0, false),
            (1, 1, false),
            (2, 2, true),
            (CONTEXT_LINES_MAX, CONTEXT_LINES_MAX, true),
            (CONTEXT_LINES_MAX + 1, CONTEXT_LINES_MAX, true),
        ] {
            let previous = vec![&b"x"[..]; count];
            let alert = AlertView { previous: &previous, ..composite() };
            let read: Value = serde_json::from_str(&json(&alert)).unwrap();
            let lines = read.get("previous").map_or(0, |lines| lines.as_array().unwrap().len());
            assert_eq!(lines, written);
            assert_eq!(read.get("previous_output").is_some(), has_output);
        }
    }

    #[test]
    fn changed_and_new_files() {
        let changed = FileChangeView {
            md5: Change { before: Some(b"m"), after: Some(b"n") },
            sha1: Change { before: Some(b"s"), after: Some(b"s") },
            owner: Change { before: Some(b"0"), after: Some(b"5") },
            permissions: Change { before: Some(33188), after: Some(33206) },
            ..FileChangeView::default()
        };
        let new = FileChangeView {
            md5: Change { before: None, after: Some(b"m") },
            sha256: Change { before: None, after: Some(b"h") },
            ..FileChangeView::default()
        };
        for (change, expected) in [
            (
                changed,
                r#""md5_before":"m","md5_after":"n","owner_before":"0","owner_after":"5","perm_before":33188,"perm_after":33206"#,
            ),
            (new, r#""md5_after":"m","sha256_after":"h""#),
        ] {
            let mut alert = AlertView::default();
            alert.event.file_change = Some(change);
            alert.event.field[Field::Filename as usize] = Some(b"/etc/a");
            let expected = format!(r#","SyscheckFile":{{"path":"/etc/a",{expected}}},"timestamp""#);
            let json = json(&alert);
            assert!(json.contains(&expected), "{json}");
        }
    }

    #[test]
    fn broken_agent_locations() {
        for (location, name, address, file) in [
            ("(a", Some("host"), None, Some("(a")),
            ("(a)", Some("a"), None, None),
            ("(a) 10.0.0.1", Some("a"), None, None),
            ("(a) 10.0.0.0/8->", Some("a"), Some("10.0.0.0/8"), None),
            ("10.0.0.1", Some("host"), None, Some("10.0.0.1")),
        ] {
            let event = EventView {
                location: location.as_bytes(),
                hostname: b"host",
                ..EventView::default()
            };
            let alert = AlertView { event, ..AlertView::default() };
            let value: Value = serde_json::from_str(&json(&alert)).unwrap();
            assert_eq!(value.get("agent_name").and_then(Value::as_str), name, "{location}");
            assert_eq!(value.get("agentip").and_then(Value::as_str), address, "{location}");
            assert_eq!(value.get("logfile").and_then(Value::as_str), file, "{location}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_line_that_reads_back(
            value in proptest::collection::vec(any::<u8>(), 1..60),
            groups in "(rootcheck,)?[a-z_,]{0,12}",
        ) {
            let event = EventView {
                program_name: Some(&value),
                hostname: &value,
                location: &value,
                full_log: &value,
                dynamic_fields: &[(&value, &value)],
                field: [Some(&value); Field::COUNT],
                ..composite().event
            };
            let alert = AlertView {
                rule: RuleView { groups: &groups, ..RuleView::default() },
                event,
                previous: &[b"", &value],
                ..composite()
            };
            let json = json(&alert);
            prop_assert_eq!(json.find('\n'), Some(json.len() - 1));
            let read: Value = serde_json::from_str(&json).unwrap();
            let expected = String::from_utf8_lossy(&value);
            for key in ["full_log", "location", "hostname", "previous_output", "srcip", "url"] {
                prop_assert_eq!(read[key].as_str(), Some(&*expected));
            }
            prop_assert_eq!(read["previous"][1].as_str(), Some(&*expected));
        }
    }
}
