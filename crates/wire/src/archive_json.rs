//! The line of `archives.json`: OSSEC's keys in OSSEC's order, what is absent left out.

use model::Field;

use crate::DecoderJson;
use crate::EventView;
use crate::RuleJson;
use crate::event_json::Origin;
use crate::event_json::close_line;
use crate::event_json::push_changes;
use crate::event_json::push_dynamic_fields;
use crate::event_json::push_fields;
use crate::event_json::push_program_name;
use crate::json_string::push_some;
use crate::json_string::push_string;

const KEYS: [(Field, &[u8]); 14] = [
    (Field::SrcIp, b",\"srcip\":\""),
    (Field::DstIp, b",\"dstip\":\""),
    (Field::SrcPort, b",\"srcport\":\""),
    (Field::DstPort, b",\"dstport\":\""),
    (Field::Protocol, b",\"protocol\":\""),
    (Field::Action, b",\"action\":\""),
    (Field::SrcUser, b",\"srcuser\":\""),
    (Field::DstUser, b",\"dstuser\":\""),
    (Field::Id, b",\"id\":\""),
    (Field::Status, b",\"status\":\""),
    (Field::Url, b",\"url\":\""),
    (Field::Data, b",\"data\":\""),
    (Field::SystemName, b",\"systemname\":\""),
    (Field::Filename, b",\"filename\":\""),
];

/// The rule that an event matched in the end.
#[derive(Clone, Copy, Debug)]
pub struct FinalRule<'a> {
    pub json: &'a RuleJson,
    /// How often it has fired, this time included.
    pub fired_times: u64,
}

/// Appends the line of an event, newline included. `decoder` was made of `event.decoder`.
pub fn write(
    event: &EventView<'_>,
    rule: Option<FinalRule<'_>>,
    decoder: Option<&DecoderJson>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    push_program_name(out, event);
    push_some(out, b",\"log\":\"", event.log);
    push_fields(out, event, &KEYS);
    if let Some(change) = &event.file_change {
        push_changes(out, change);
    }
    if let Some(rule) = rule {
        rule.json.push(out, rule.fired_times, event.full_log);
    }
    push_dynamic_fields(out, event, is_own_key);
    if let Some(decoder) = decoder {
        decoder.push_object(out, b",\"decoder\":");
    }
    push_string(out, b",\"full_log\":\"", event.full_log);
    let origin = Origin::of(event);
    origin.push_timestamp(out);
    origin.push_agent(out);
    origin.push_log_file(out);
    close_line(out, start);
}

/// Whether a key of the line itself, one that is not a decoder's static field, has this name.
fn is_own_key(name: &[u8]) -> bool {
    matches!(
        name,
        b"program_name"
            | b"log"
            | b"systemname"
            | b"md5_before"
            | b"md5_after"
            | b"sha1_before"
            | b"sha1_after"
            | b"sha256_before"
            | b"sha256_after"
            | b"owner_before"
            | b"owner_after"
            | b"gowner_before"
            | b"gowner_after"
            | b"perm_before"
            | b"perm_after"
            | b"rule"
            | b"decoder"
            | b"full_log"
            | b"timestamp"
            | b"agent_name"
            | b"agentip"
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
    use crate::FileChangeView;
    use crate::RuleView;
    use crate::samples::composite;

    fn json(event: &EventView<'_>, rule: Option<&RuleView<'_>>) -> String {
        let mut out = b"before".to_vec();
        let decoder = event.decoder.map(|decoder| DecoderJson::new(&decoder));
        let made = rule.map(RuleJson::new);
        let fired_times = rule.map_or(0, |rule| rule.fired_times);
        let rule = made.as_ref().map(|json| FinalRule { json, fired_times });
        write(event, rule, decoder.as_ref(), &mut out);
        let text = String::from_utf8(out).unwrap();
        text.strip_prefix("before").unwrap().to_owned()
    }

    #[test]
    fn an_event_with_its_rule() {
        let alert = composite();
        assert_eq!(
            json(&alert.event, Some(&alert.rule)),
            concat!(
                r#"{"program_name":"sshd","log":"Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""srcip":"203.0.113.77","dstuser":"root","#,
                r#""rule":{"level":10,"comment":"Multiple SSHD authentication failures.","sidid":5720,"frequency":6,"firedtimes":1,"group":"syslog,sshd,authentication_failures,","groups":["syslog","sshd","authentication_failures"]},"#,
                r#""decoder":{"parent":"sshd","name":"sshd"},"#,
                r#""full_log":"Aug 12 10:01:07 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""timestamp":"2026 Nov 24 22:45:17","agent_name":"web1","logfile":"/var/log/auth.log"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_bare_event() {
        assert_eq!(
            json(&EventView::default(), None),
            "{\"full_log\":\"\",\"timestamp\":\"1970 Jan 01 00:00:00\"}\n"
        );
        let decoder = Some(DecoderView { name: "n", ..DecoderView::default() });
        let event = EventView { decoder, ..EventView::default() };
        assert!(json(&event, None).starts_with(r#"{"decoder":{"name":"n"},"full_log":"","#));
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
            dynamic_fields: &[(b"user_agent", b"x"), (b"perm_after", b"y"), (b"hostname", b"z")],
            hostname: b"(ag 1) any->/var/log/a",
            location: b"(ag 1) any->/var/log/a",
            hostname_is_location: true,
            full_log: b"full",
            log: b"log",
            file_change: Some(FileChangeView {
                md5: Change { before: Some(b"m"), after: Some(b"n") },
                sha1: Change { before: Some(b"s"), after: Some(b"s") },
                sha256: Change { before: None, after: Some(b"h") },
                owner: Change { before: Some(b"0"), after: Some(b"5") },
                group_owner: Change { before: Some(b"1"), after: Some(b"6") },
                permissions: Change { before: Some(33188), after: Some(33206) },
            }),
            ..composite().event
        };
        for (index, value) in event.field.iter_mut().enumerate() {
            *value = Some(&b"0123456789abcdef"[index..=index]);
        }
        let rule = RuleView { id: 7, fired_times: 2, ..RuleView::default() };
        assert_eq!(
            json(&event, Some(&rule)),
            concat!(
                r#"{"program_name":"sshd","log":"log","#,
                r#""srcip":"2","dstip":"3","srcport":"4","dstport":"5","protocol":"6","action":"7","#,
                r#""srcuser":"1","dstuser":"0","id":"8","status":"b","url":"9","data":"a","#,
                r#""systemname":"c","filename":"d","#,
                r#""md5_before":"m","md5_after":"n","sha256_after":"h","#,
                r#""owner_before":"0","owner_after":"5","gowner_before":"1","gowner_after":"6","#,
                r#""perm_before":33188,"perm_after":33206,"#,
                r#""rule":{"level":0,"sidid":7,"firedtimes":2},"#,
                r#""user_agent":"x","perm_after_":"y","hostname":"z","#,
                r#""decoder":{"fts":3,"accumulate":1,"parent":"p","name":"n","ftscomment":"c"},"#,
                r#""full_log":"full","timestamp":"2026 Nov 24 22:45:17","#,
                r#""agent_name":"ag 1","agentip":"any","logfile":"/var/log/a"}"#,
                "\n"
            )
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_line_that_reads_back(
            value in proptest::collection::vec(any::<u8>(), 1..60),
        ) {
            let event = EventView {
                field: [Some(&value); Field::COUNT],
                dynamic_fields: &[(b"rule", &value)],
                program_name: Some(&value),
                hostname: &value,
                location: &value,
                full_log: &value,
                log: &value,
                ..composite().event
            };
            let json = json(&event, Some(&composite().rule));
            prop_assert_eq!(json.find('\n'), Some(json.len() - 1));
            let read: Value = serde_json::from_str(&json).unwrap();
            let expected = String::from_utf8_lossy(&value);
            for key in ["program_name", "log", "id", "filename", "full_log", "rule_"] {
                prop_assert_eq!(read[key].as_str(), Some(&*expected));
            }
        }
    }
}
