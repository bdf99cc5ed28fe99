//! The line of `archives.log`: `YYYY Mon DD HH:MM:SS {HOST->}LOCATION FULL_LOG`.
//!
//! In texts the engine composed (`multi_line`) a newline ends a line, but no such line may look
//! like an event of its own: one that begins like a date has its first digit written as `\xNN`.

use memchr::{memchr, memmem};

use crate::EventView;
use crate::record::push_escaped;
use crate::record::push_lines;
use crate::record::push_time_and_place;

/// The location of the messages by which an agent shows that it is there.
const KEEP_ALIVE: &[u8] = b"ossec-keepalive";
const KEEP_ALIVE_OF_AGENT: &[u8] = b"->ossec-keepalive";

/// Whether events of a location are left out of `archives.log`.
// compat: archives.json has them all the same.
pub fn is_left_out(location: &[u8]) -> bool {
    location == KEEP_ALIVE || memmem::find(location, KEEP_ALIVE_OF_AGENT).is_some()
}

/// Appends the line of an event, newline included.
pub fn write(event: &EventView<'_>, out: &mut Vec<u8>) {
    push_time_and_place(out, event);
    out.push(b' ');
    match memchr(b'\n', event.full_log) {
        Some(end) if event.multi_line => {
            let (first, rest) = event.full_log.split_at(end);
            push_escaped(out, first);
            push_lines(out, rest, begins_like_a_date);
        }
        _ => push_escaped(out, event.full_log),
    }
    out.push(b'\n');
}

fn begins_like_a_date(line: &[u8]) -> bool {
    let is_year = line.get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit));
    is_year && line.get(4) == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::event;

    fn text(event: &EventView<'_>) -> String {
        let mut out = Vec::new();
        write(event, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn local_and_agent_events() {
        let log = std::str::from_utf8(event().full_log).unwrap();
        assert_eq!(text(&event()), format!("2026 Nov 24 22:45:11 web1->/var/log/auth.log {log}\n"));
        let agent = EventView {
            hostname: b"(agent1) 192.0.2.5->/var/log/a",
            location: b"(agent1) 192.0.2.5->/var/log/a",
            hostname_is_location: true,
            full_log: b"",
            ..event()
        };
        assert_eq!(text(&agent), "2026 Nov 24 22:45:11 (agent1) 192.0.2.5->/var/log/a \n");
    }

    #[test]
    fn the_whole_text_is_there() {
        let long = vec![b'x'; 60_000];
        let line = text(&EventView { full_log: &long, ..event() });
        assert!(line.ends_with(&format!(" {}\n", "x".repeat(60_000))));
    }

    #[test]
    fn nobody_forges_an_event() {
        let log = b"a\n2026 Nov 24 22:45:11 b\x1b[0m\n\xff 1999\r";
        let one_line = EventView { full_log: log, ..event() };
        let mut out = Vec::new();
        write(&one_line, &mut out);
        assert!(out.ends_with(b"a\\n2026 Nov 24 22:45:11 b\\x1b[0m\\n\xff 1999\\r\n"));
        out.clear();
        write(&EventView { multi_line: true, ..one_line }, &mut out);
        assert!(out.ends_with(b" a\n\\x32026 Nov 24 22:45:11 b\\x1b[0m\n\xff 1999\\r\n"));
    }

    #[test]
    fn composed_text_keeps_its_lines() {
        let file = EventView {
            hostname: b"vm",
            location: b"syscheck",
            full_log: b"Integrity checksum changed for: '/etc/a'\nSize changed from '1' to '2'\n",
            multi_line: true,
            ..event()
        };
        assert_eq!(
            text(&file),
            "2026 Nov 24 22:45:11 vm->syscheck Integrity checksum changed for: '/etc/a'\n\
             Size changed from '1' to '2'\n\n"
        );
    }

    #[test]
    fn keep_alives_are_left_out() {
        for (location, left_out) in [
            ("ossec-keepalive", true),
            ("(a) any->ossec-keepalive", true),
            ("(a) any->ossec-keepalive2", true),
            ("/var/log/ossec-keepalive", false),
            ("ossec-keepalive2", false),
            ("", false),
        ] {
            assert_eq!(is_left_out(location.as_bytes()), left_out, "{location}");
        }
    }
}
