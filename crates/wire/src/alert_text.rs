//! The record of `alerts.log`.
//!
//! Values from outside are escaped: a tab as `\t`, newline and carriage return as `\n` and `\r`,
//! other bytes of 0x00–0x1F and 0x7F as `\xNN`. Backslashes stay single, so that ordinary lines
//! stay what they are; the escape is for reading, not for going back. In texts the engine composed
//! (`multi_line`) a newline ends a line, but no such line may start a record: `** Alert` at its
//! start becomes `\x2a* Alert`.
// compat: OSSEC removes control characters before decoding; here they are kept and shown.

use memchr::memchr;
use model::Field;
use model::limits::ALERT_LINE_BYTES_MAX;

use crate::AlertView;
use crate::digits::push_alert_id;
use crate::digits::push_date_time;
use crate::digits::push_number;
use crate::scan::printable_length;

const RECORD_START: &[u8] = b"** Alert";

/// The decoded values of a record, in their order.
const LABELS: [(Field, &[u8]); 7] = [
    (Field::SrcIp, b"Src IP: "),
    (Field::SrcGeoIp, b"Src Location: "),
    (Field::SrcPort, b"Src Port: "),
    (Field::DstIp, b"Dst IP: "),
    (Field::DstGeoIp, b"Dst Location: "),
    (Field::DstPort, b"Dst Port: "),
    (Field::DstUser, b"User: "),
];

/// Appends the record of an alert, with the empty line that ends it.
pub fn write(alert: &AlertView<'_>, out: &mut Vec<u8>) {
    push_header(alert, out);
    push_rule(alert, out);
    for (field, label) in LABELS {
        if let Some(value) = alert.field(field) {
            out.extend_from_slice(label);
            push_escaped(out, value);
            out.push(b'\n');
        }
    }
    let logs = std::iter::once(&alert.full_log).chain(alert.previous);
    for log in logs {
        // Cut before it is escaped: the limit is on what came in.
        let log = log.get(..ALERT_LINE_BYTES_MAX).unwrap_or(log);
        if alert.multi_line {
            push_lines(out, log);
        } else {
            push_escaped(out, log);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

fn push_header(alert: &AlertView<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(RECORD_START);
    out.push(b' ');
    push_alert_id(out, alert.at, alert.id);
    out.extend_from_slice(if alert.mail { b": mail  - " } else { b": - " });
    push_escaped(out, alert.rule.groups.as_bytes());
    out.push(b'\n');
    push_date_time(out, alert.at);
    out.push(b' ');
    // compat: OSSEC 4 prints the host of an agent's file-integrity alert twice.
    if !alert.hostname_is_location {
        push_escaped(out, alert.hostname);
        out.extend_from_slice(b"->");
    }
    push_escaped(out, alert.location);
    out.push(b'\n');
}

fn push_rule(alert: &AlertView<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Rule: ");
    push_number(out, u64::from(alert.rule.id));
    out.extend_from_slice(b" (level ");
    push_number(out, u64::from(alert.rule.level));
    out.extend_from_slice(b") -> '");
    push_escaped(out, alert.rule.description.as_bytes());
    out.extend_from_slice(b"'\n");
}

fn push_lines(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let end = memchr(b'\n', rest);
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        if line.starts_with(RECORD_START) {
            out.extend_from_slice(b"\\x2a");
            push_escaped(out, line.strip_prefix(b"*").unwrap_or(line));
        } else {
            push_escaped(out, line);
        }
        let Some((newline, after)) = after.split_first() else { return };
        out.push(*newline);
        rest = after;
    }
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(printable_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { return };
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte & 15)]),
        }
        rest = after;
    }
}

fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::RuleView;

    fn text(alert: &AlertView<'_>) -> String {
        let mut out = Vec::new();
        write(alert, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn failed_login() -> AlertView<'static> {
        let mut alert = AlertView {
            id: 2,
            at: Timestamp::utc(1_795_560_311),
            rule: RuleView {
                id: 5716,
                level: 5,
                description: "SSHD authentication failed.",
                groups: "syslog,sshd,authentication_failed,",
                ..RuleView::default()
            },
            mail: true,
            hostname: b"web1",
            location: b"/var/log/auth.log",
            full_log: b"Aug 12 10:00:02 web1 sshd[1234]: Failed password for root from 203.0.113.8 port 4223 ssh2",
            ..AlertView::default()
        };
        alert.field[Field::SrcIp as usize] = Some(b"203.0.113.8");
        alert.field[Field::DstUser as usize] = Some(b"root");
        alert
    }

    #[test]
    fn mail_alert() {
        assert_eq!(
            text(&failed_login()),
            "** Alert 1795560311.2: mail  - syslog,sshd,authentication_failed,\n\
             2026 Nov 24 22:45:11 web1->/var/log/auth.log\n\
             Rule: 5716 (level 5) -> 'SSHD authentication failed.'\n\
             Src IP: 203.0.113.8\n\
             User: root\n\
             Aug 12 10:00:02 web1 sshd[1234]: Failed password for root from 203.0.113.8 port 4223 ssh2\n\
             \n"
        );
    }

    #[test]
    fn every_label_and_earlier_events() {
        let mut alert = AlertView {
            mail: false,
            location: b"(agent1) 192.0.2.5->/var/log/a",
            hostname: b"(agent1) 192.0.2.5->/var/log/a",
            hostname_is_location: true,
            full_log: b"third",
            previous: &[b"second", b"first"],
            ..failed_login()
        };
        for (index, value) in alert.field.iter_mut().enumerate() {
            *value = Some(&b"0123456789abcdef"[index..=index]);
        }
        assert_eq!(
            text(&alert),
            "** Alert 1795560311.2: - syslog,sshd,authentication_failed,\n\
             2026 Nov 24 22:45:11 (agent1) 192.0.2.5->/var/log/a\n\
             Rule: 5716 (level 5) -> 'SSHD authentication failed.'\n\
             Src IP: 2\nSrc Location: e\nSrc Port: 4\n\
             Dst IP: 3\nDst Location: f\nDst Port: 5\n\
             User: 0\n\
             third\nsecond\nfirst\n\n"
        );
    }

    #[test]
    fn composed_text_keeps_its_lines() {
        let alert = AlertView {
            id: 7,
            at: Timestamp::utc(1_795_560_314),
            rule: RuleView {
                id: 550,
                level: 7,
                description: "Integrity checksum changed.",
                groups: "ossec,syscheck,",
                ..RuleView::default()
            },
            mail: true,
            hostname: b"vm",
            location: b"syscheck",
            full_log:
                b"Integrity checksum changed for: '/etc/te st'\nSize changed from '100' to '120'\n",
            multi_line: true,
            ..AlertView::default()
        };
        assert_eq!(
            text(&alert),
            "** Alert 1795560314.7: mail  - ossec,syscheck,\n\
             2026 Nov 24 22:45:14 vm->syscheck\n\
             Rule: 550 (level 7) -> 'Integrity checksum changed.'\n\
             Integrity checksum changed for: '/etc/te st'\n\
             Size changed from '100' to '120'\n\
             \n\n"
        );
    }

    #[test]
    fn nobody_forges_a_record() {
        let log = b"a\n\n** Alert 1.1: - x,\tb\x1b[0m\x7f\\\r";
        let one_line = AlertView { full_log: log, ..failed_login() };
        assert!(text(&one_line).ends_with("\na\\n\\n** Alert 1.1: - x,\\tb\\x1b[0m\\x7f\\\\r\n\n"));
        let composed = AlertView { multi_line: true, ..one_line };
        assert!(
            text(&composed).ends_with("\na\n\n\\x2a* Alert 1.1: - x,\\tb\\x1b[0m\\x7f\\\\r\n\n")
        );
    }

    #[test]
    fn log_at_its_limit() {
        let long = [b'a'; ALERT_LINE_BYTES_MAX + 1];
        let at_limit = &long[..ALERT_LINE_BYTES_MAX];
        let expected = text(&AlertView { full_log: at_limit, ..failed_login() });
        assert_eq!(text(&AlertView { full_log: &long, ..failed_login() }), expected);
    }

    proptest! {
        #[test]
        fn a_record_is_as_many_lines_as_it_says(
            value in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut alert = AlertView {
                hostname: &value,
                location: &value,
                full_log: &value,
                previous: &[&value],
                ..failed_login()
            };
            alert.field = [Some(&value); Field::COUNT];
            let mut out = Vec::new();
            write(&alert, &mut out);
            prop_assert_eq!(out.iter().filter(|byte| byte.is_ascii_control()).count(), 13);
        }
    }
}
