//! The record of `alerts.log`.
//!
//! In texts the engine composed (`multi_line`) a newline ends a line, but no such line may start a
//! record: `** Alert` at its start becomes `\x2a* Alert`.

use model::Field;
use model::limits::ALERT_LINE_BYTES_MAX;

use crate::AlertView;
use crate::digits::push_alert_id;
use crate::digits::push_number;
use crate::record::push_escaped;
use crate::record::push_lines;
use crate::record::push_time_and_place;

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
        if let Some(value) = alert.event.field(field) {
            out.extend_from_slice(label);
            push_escaped(out, value);
            out.push(b'\n');
        }
    }
    let logs = std::iter::once(&alert.event.full_log).chain(alert.previous);
    for log in logs {
        // Cut before it is escaped: the limit is on what came in.
        let log = log.get(..ALERT_LINE_BYTES_MAX).unwrap_or(log);
        if alert.event.multi_line {
            push_lines(out, log, |line| line.starts_with(RECORD_START));
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
    push_alert_id(out, alert.event.at, alert.id);
    out.extend_from_slice(if alert.mail { b": mail  - " } else { b": - " });
    push_escaped(out, alert.rule.groups.as_bytes());
    out.push(b'\n');
    push_time_and_place(out, &alert.event);
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

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::EventView;
    use crate::RuleView;
    use crate::samples::event;
    use crate::samples::failed_login;

    fn text(alert: &AlertView<'_>) -> String {
        let mut out = Vec::new();
        write(alert, &mut out);
        String::from_utf8(out).unwrap()
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
        let event = EventView {
            location: b"(agent1) 192.0.2.5->/var/log/a",
            hostname: b"(agent1) 192.0.2.5->/var/log/a",
            hostname_is_location: true,
            full_log: b"third",
            ..event()
        };
        let mut alert =
            AlertView { mail: false, event, previous: &[b"second", b"first"], ..failed_login() };
        for (index, value) in alert.event.field.iter_mut().enumerate() {
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
            rule: RuleView {
                id: 550,
                level: 7,
                description: "Integrity checksum changed.",
                groups: "ossec,syscheck,",
                ..RuleView::default()
            },
            mail: true,
            event: EventView {
                at: Timestamp::utc(1_795_560_314),
                hostname: b"vm",
                location: b"syscheck",
                full_log:
                    b"Integrity checksum changed for: '/etc/te st'\nSize changed from '100' to '120'\n",
                multi_line: true,
                ..EventView::default()
            },
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
        let alert_of = |event| AlertView { event, ..failed_login() };
        let one_line = EventView { full_log: log, ..event() };
        assert!(
            text(&alert_of(one_line))
                .ends_with("\na\\n\\n** Alert 1.1: - x,\\tb\\x1b[0m\\x7f\\\\r\n\n")
        );
        let composed = EventView { multi_line: true, ..one_line };
        assert!(
            text(&alert_of(composed))
                .ends_with("\na\n\n\\x2a* Alert 1.1: - x,\\tb\\x1b[0m\\x7f\\\\r\n\n")
        );
    }

    #[test]
    fn log_at_its_limit() {
        let long = [b'a'; ALERT_LINE_BYTES_MAX + 1];
        let at_limit = &long[..ALERT_LINE_BYTES_MAX];
        let text_of = |full_log| {
            let event = EventView { full_log, ..event() };
            text(&AlertView { event, ..failed_login() })
        };
        assert_eq!(text_of(&long), text_of(at_limit));
    }

    proptest! {
        #[test]
        fn a_record_is_as_many_lines_as_it_says(
            value in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let event = EventView {
                field: [Some(&value); Field::COUNT],
                hostname: &value,
                location: &value,
                full_log: &value,
                ..event()
            };
            let alert = AlertView { event, previous: &[&value], ..failed_login() };
            let mut out = Vec::new();
            write(&alert, &mut out);
            prop_assert_eq!(out.iter().filter(|byte| byte.is_ascii_control()).count(), 13);
        }
    }
}
