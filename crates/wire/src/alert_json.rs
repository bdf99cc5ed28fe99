//! The line of `alerts.json`: OSSEC's keys in OSSEC's order, what is absent left out.

use model::Field;

use crate::AlertView;
use crate::Change;
use crate::DecoderJson;
use crate::FileChangeView;
use crate::RuleJson;
use crate::digits::push_date_time;
use crate::digits::push_number;
use crate::digits::push_signed;
use crate::scan::json_plain_length;

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
/// `alert.decoder`.
pub fn write(
    alert: &AlertView<'_>,
    rule: &RuleJson,
    decoder: Option<&DecoderJson>,
    out: &mut Vec<u8>,
) {
    rule.push(out, alert.rule.fired_times, alert.full_log);
    out.extend_from_slice(b",\"id\":\"");
    let start = out.len();
    push_signed(out, alert.at.seconds);
    let seconds = start..out.len();
    out.push(b'.');
    push_number(out, alert.id);
    out.extend_from_slice(b"\",\"TimeStamp\":");
    // Milliseconds: the same digits again.
    out.extend_from_within(seconds);
    if alert.at.seconds != 0 {
        out.extend_from_slice(b"000");
    }
    if let Some(decoder) = decoder {
        out.extend_from_slice(&decoder.names);
    }
    push_fields(alert, &ADDRESS_KEYS, out);
    push_some(out, b",\"location\":\"", alert.location);
    push_string(out, b",\"full_log\":\"", alert.full_log);
    // compat: of the earlier events only the second is given; with check_diff it is the old text.
    if let Some(previous) = alert.previous.get(1) {
        push_string(out, b",\"previous_output\":\"", previous);
    }
    if let Some(path) = alert.field(Field::Filename) {
        push_file(path, alert.file_change.unwrap_or_default(), out);
    }
    push_some(out, b",\"hostname\":\"", alert.hostname);
    if let Some(program) = alert.program_name {
        push_string(out, b",\"program_name\":\"", program);
    }
    push_fields(alert, &DATA_KEYS, out);
    push_dynamic_fields(alert, out);
    if let Some(decoder) = decoder {
        out.extend_from_slice(&decoder.description);
    }
    push_origin(alert, out);
    out.extend_from_slice(b"}\n");
}

fn push_fields(alert: &AlertView<'_>, keys: &[(Field, &[u8])], out: &mut Vec<u8>) {
    for &(field, key) in keys {
        if let Some(value) = alert.field(field) {
            push_string(out, key, value);
        }
    }
}

fn push_file(path: &[u8], change: FileChangeView<'_>, out: &mut Vec<u8>) {
    push_string(out, b",\"SyscheckFile\":{\"path\":\"", path);
    push_change(out, b"md5", change.md5, push_quoted);
    push_change(out, b"sha1", change.sha1, push_quoted);
    push_change(out, b"sha256", change.sha256, push_quoted);
    push_change(out, b"owner", change.owner, push_quoted);
    push_change(out, b"gowner", change.group_owner, push_quoted);
    push_change(out, b"perm", change.permissions, |out, mode| push_number(out, u64::from(mode)));
    out.push(b'}');
}

fn push_change<T: Copy + PartialEq>(
    out: &mut Vec<u8>,
    key: &[u8],
    change: Change<T>,
    push_value: fn(&mut Vec<u8>, T),
) {
    if change.before == change.after {
        return;
    }
    for (suffix, value) in [(&b"_before\":"[..], change.before), (b"_after\":", change.after)] {
        if let Some(value) = value {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(key);
            out.extend_from_slice(suffix);
            push_value(out, value);
        }
    }
}

// compat: OSSEC repeats a key where a decoder's field has the name of another; here such a field
// gets an underscore at its end.
fn push_dynamic_fields(alert: &AlertView<'_>, out: &mut Vec<u8>) {
    for (name, value) in alert.dynamic_fields {
        out.extend_from_slice(b",\"");
        push_escaped(out, name);
        push_string(out, if is_own_key(name) { b"_\":\"" } else { b"\":\"" }, value);
    }
}

/// Who sent the event, when it came and from which file.
fn push_origin(alert: &AlertView<'_>, out: &mut Vec<u8>) {
    let agent = Agent::of(alert.location);
    push_some(out, b",\"agent_name\":\"", agent.map_or(alert.hostname, |agent| agent.name));
    if let Some(agent) = agent {
        push_some(out, b",\"agentip\":\"", agent.address);
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    push_date_time(out, alert.at);
    out.push(b'"');
    push_some(out, b",\"logfile\":\"", agent.map_or(alert.location, |agent| agent.log_file));
}

/// The parts of an agent's location, `(NAME) ADDRESS->LOGFILE`. A missing part is empty.
#[derive(Clone, Copy)]
struct Agent<'a> {
    name: &'a [u8],
    address: &'a [u8],
    log_file: &'a [u8],
}

impl<'a> Agent<'a> {
    fn of(location: &'a [u8]) -> Option<Self> {
        let inner = location.strip_prefix(b"(")?;
        let (name, after) = split_once(inner, b')')?;
        let address = after
            .strip_prefix(b" ")
            .and_then(|text| split_once(text, b'-'))
            .map_or(&b""[..], |(address, _)| address);
        let log_file = split_once(after, b'>').map_or(&b""[..], |(_, file)| file);
        Some(Self { name, address, log_file })
    }
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(memchr::memchr(separator, text)?)?;
    Some((before, rest.get(1..)?))
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

/// As [`push_string`], but nothing for an empty value.
fn push_some(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    if !value.is_empty() {
        push_string(out, key, value);
    }
}

/// Appends `key`, which ends in an opening quote, and the string's rest.
pub(crate) fn push_string(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(key);
    push_escaped(out, value);
    out.push(b'"');
}

fn push_quoted(out: &mut Vec<u8>, value: &[u8]) {
    push_string(out, b"\"", value);
}

/// Appends the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(json_plain_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { return };
        if byte.is_ascii() {
            push_escape(out, byte);
            rest = after;
        } else {
            // No sequence goes on behind an ASCII byte, so the run can be checked by itself.
            let length = special.iter().position(u8::is_ascii).unwrap_or(special.len());
            let (run, after) = special.split_at(length);
            push_utf8(out, run);
            rest = after;
        }
    }
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let digit = |half: u8| HEX[usize::from(half & 15)];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn push_utf8(out: &mut Vec<u8>, run: &[u8]) {
    for chunk in run.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::DecoderView;
    use crate::RuleView;

    fn json(alert: &AlertView<'_>) -> String {
        let mut out = Vec::new();
        let decoder = alert.decoder.map(|decoder| DecoderJson::new(&decoder));
        write(alert, &RuleJson::new(&alert.rule), decoder.as_ref(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn composite() -> AlertView<'static> {
        let mut alert = AlertView {
            id: 16,
            at: Timestamp::utc(1_795_560_317),
            rule: RuleView {
                id: 5720,
                level: 10,
                description: "Multiple SSHD authentication failures.",
                groups: "syslog,sshd,authentication_failures,",
                frequency: 6,
                fired_times: 1,
                ..RuleView::default()
            },
            decoder: Some(DecoderView {
                name: "sshd",
                parent: Some("sshd"),
                ..DecoderView::default()
            }),
            program_name: Some(b"sshd"),
            hostname: b"web1",
            location: b"/var/log/auth.log",
            full_log: b"Aug 12 10:01:07 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
            previous: &[
                b"Aug 12 10:01:06 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
                b"Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
            ],
            ..AlertView::default()
        };
        alert.field[Field::SrcIp as usize] = Some(b"203.0.113.77");
        alert.field[Field::DstUser as usize] = Some(b"root");
        alert
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
                r#""hostname":"web1","program_name":"sshd","decoder_desc":{"parent":"sshd","name":"sshd"},"#,
                r#""agent_name":"web1","timestamp":"2026 Nov 24 22:45:17","logfile":"/var/log/auth.log"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn every_key_in_its_order() {
        let mut alert = AlertView {
            decoder: Some(DecoderView {
                name: "n",
                parent: Some("p"),
                first_seen: 3,
                accumulate: 1,
                first_seen_comment: Some("c"),
            }),
            dynamic_fields: &[(b"user_agent", b"x"), (b"hostname", b"y")],
            hostname: b"(ag 1) any->/var/log/a-b>c",
            location: b"(ag 1) any->/var/log/a-b>c",
            hostname_is_location: true,
            full_log: b"log",
            ..composite()
        };
        for (index, value) in alert.field.iter_mut().enumerate() {
            *value = Some(&b"0123456789abcdef"[index..=index]);
        }
        let json = json(&alert);
        let (_, after_rule) = json.split_once("},").unwrap();
        assert_eq!(
            after_rule,
            concat!(
                r#""id":"1795560317.16","TimeStamp":1795560317000,"decoder":"n","decoder_parent":"p","#,
                r#""action":"7","protocol":"6","srcip":"2","srcgeoip":"e","srcport":"4","srcuser":"1","#,
                r#""dstip":"3","dstgeoip":"f","dstport":"5","dstuser":"0","#,
                r#""location":"(ag 1) any->/var/log/a-b>c","full_log":"log","#,
                r#""previous_output":"Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2","#,
                r#""SyscheckFile":{"path":"d"},"hostname":"(ag 1) any->/var/log/a-b>c","program_name":"sshd","#,
                r#""status":"b","url":"9","data":"a","systemname":"c","user_agent":"x","hostname_":"y","#,
                r#""decoder_desc":{"fts":3,"accumulate":1,"parent":"p","name":"n","ftscomment":"c"},"#,
                r#""agent_name":"ag 1","agentip":"any","timestamp":"2026 Nov 24 22:45:17","#,
                r#""logfile":"/var/log/a-b>c"}"#,
                "\n"
            )
        );
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
            let mut alert = AlertView { file_change: Some(change), ..AlertView::default() };
            alert.field[Field::Filename as usize] = Some(b"/etc/a");
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
            let alert = AlertView {
                location: location.as_bytes(),
                hostname: b"host",
                ..AlertView::default()
            };
            let value: Value = serde_json::from_str(&json(&alert)).unwrap();
            assert_eq!(value.get("agent_name").and_then(Value::as_str), name, "{location}");
            assert_eq!(value.get("agentip").and_then(Value::as_str), address, "{location}");
            assert_eq!(value.get("logfile").and_then(Value::as_str), file, "{location}");
        }
    }

    #[test]
    fn escapes() {
        for (text, expected) in [
            (
                &b"a\"\\/\x08\x0c\n\r\t\x00\x1f\x7f"[..],
                "a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f",
            ),
            ("gr\u{fc}n \u{1f600}".as_bytes(), "gr\u{fc}n \u{1f600}"),
            (b"\xff\xc3(\xe2\x82", "\u{fffd}\u{fffd}(\u{fffd}"),
        ] {
            let mut out = Vec::new();
            push_escaped(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_line_that_reads_back(
            value in proptest::collection::vec(any::<u8>(), 1..60),
            groups in "(rootcheck,)?[a-z_,]{0,12}",
        ) {
            let mut alert = AlertView {
                rule: RuleView { groups: &groups, ..RuleView::default() },
                program_name: Some(&value),
                hostname: &value,
                location: &value,
                full_log: &value,
                previous: &[b"", &value],
                dynamic_fields: &[(&value, &value)],
                ..composite()
            };
            alert.field = [Some(&value); Field::COUNT];
            let json = json(&alert);
            prop_assert_eq!(json.find('\n'), Some(json.len() - 1));
            let read: Value = serde_json::from_str(&json).unwrap();
            let expected = String::from_utf8_lossy(&value);
            for key in ["full_log", "location", "hostname", "previous_output", "srcip", "url"] {
                prop_assert_eq!(read[key].as_str(), Some(&*expected));
            }
        }
    }
}
