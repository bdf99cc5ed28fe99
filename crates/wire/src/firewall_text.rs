//! The line of `firewall.log`:
//! `YYYY Mon DD HH:MM:SS {HOST->}LOCATION ACTION PROTO SRCIP:SRCPORT->DSTIP:DSTPORT`.

use model::Field;

use crate::EventView;
use crate::record::push_escaped;
use crate::record::push_time_and_place;

/// What stands for a port that is not known.
const NO_PORT: &[u8] = b"0";

/// Appends the line of an event, newline included. An event that lacks the firewall's action, the
/// protocol or one of the addresses has none: then nothing is appended, and `false` returned.
pub fn write(event: &EventView<'_>, out: &mut Vec<u8>) -> bool {
    let (Some(action), Some(protocol), Some(source), Some(target)) = (
        event.firewall_action,
        event.field(Field::Protocol),
        event.field(Field::SrcIp),
        event.field(Field::DstIp),
    ) else {
        return false;
    };
    push_time_and_place(out, event);
    let source_port = event.field(Field::SrcPort).unwrap_or(NO_PORT);
    let target_port = event.field(Field::DstPort).unwrap_or(NO_PORT);
    for (before, value) in [
        (&b" "[..], action.as_bytes()),
        (b" ", protocol),
        (b" ", source),
        (b":", source_port),
        (b"->", target),
        (b":", target_port),
    ] {
        out.extend_from_slice(before);
        push_escaped(out, value);
    }
    out.push(b'\n');
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::event;

    fn dropped() -> EventView<'static> {
        let mut event = EventView { firewall_action: Some("DROP"), ..event() };
        for (field, value) in [
            (Field::Protocol, "TCP"),
            (Field::SrcIp, "203.0.113.8"),
            (Field::SrcPort, "4223"),
            (Field::DstIp, "198.51.100.1"),
            (Field::DstPort, "22"),
        ] {
            event.field[field as usize] = Some(value.as_bytes());
        }
        event
    }

    fn text(event: &EventView<'_>) -> Option<String> {
        let mut out = Vec::new();
        let written = write(event, &mut out);
        assert_eq!(written, !out.is_empty());
        written.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn known_and_unknown_ports() {
        let line = "2026 Nov 24 22:45:11 web1->/var/log/auth.log DROP TCP ";
        let mut event = dropped();
        assert_eq!(text(&event), Some(format!("{line}203.0.113.8:4223->198.51.100.1:22\n")));
        event.field[Field::SrcPort as usize] = None;
        event.field[Field::DstPort as usize] = None;
        assert_eq!(text(&event), Some(format!("{line}203.0.113.8:0->198.51.100.1:0\n")));
    }

    #[test]
    fn an_event_without_one_of_the_four_has_no_line() {
        assert_eq!(text(&EventView { firewall_action: None, ..dropped() }), None);
        for field in [Field::Protocol, Field::SrcIp, Field::DstIp] {
            let mut event = dropped();
            event.field[field as usize] = None;
            assert_eq!(text(&event), None, "{field:?}");
        }
    }

    #[test]
    fn values_are_escaped() {
        let mut event = dropped();
        event.field[Field::Protocol as usize] = Some(b"T\nC\x1bP");
        assert!(text(&event).unwrap().contains(" DROP T\\nC\\x1bP 203.0.113.8:"));
    }
}
