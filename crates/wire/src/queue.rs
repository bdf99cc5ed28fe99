//! The line of OSSEC's queue socket: `Q:LOCATION:TEXT`.

use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;
use std::str;

use memchr::{memchr, memchr_iter, memmem};
use model::limits::LOCATION_BYTES_MAX;
use model::{Event, Queue, Timestamp};

/// The longest text of an IPv6 address with its zone that is looked for.
const SENDER_BYTES_MAX: usize = 64;

/// Why a datagram is not a queue line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// Fewer than four bytes.
    TooShort,
    /// The `:` after the queue letter or after the location is missing.
    NoSeparator,
    /// The location starts like an agent's but has no `->`.
    NoArrow,
    /// The location has a path component `..`.
    ParentPath,
    /// The location is longer than [`LOCATION_BYTES_MAX`].
    LocationTooLong,
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "queue line is too short",
            Self::NoSeparator => "queue line lacks a colon after its letter or location",
            Self::NoArrow => "agent location lacks an arrow",
            Self::ParentPath => "location climbs to a parent directory",
            Self::LocationTooLong => "location is too long",
        })
    }
}

impl Error for QueueError {}

/// The event of one datagram. One NUL byte at its end is removed, as senders add it.
///
/// The location ends at the first `:`; for agents, `(NAME) IP->LOCATION`, at the first one after
/// the arrow. Only for letter `2` (remote syslog) may the location, or an agent's part after the
/// arrow, hold colons: where the text up to some `:` is an IPv6 address, with or without a zone,
/// the longest such address is the location, and `[ADDRESS]` is unwrapped. The longest, because
/// an address cut short inside its last groups is the likelier mistake than a message that starts
/// with a hexadecimal number and a colon. Senders who must be sure write the brackets, as
/// [`write()`] does.
// compat: OSSEC splits IPv6 senders at their first colon.
pub fn parse(datagram: &[u8], received: Timestamp) -> Result<Event, QueueError> {
    let datagram = datagram.strip_suffix(b"\0").unwrap_or(datagram);
    let [letter, separator, rest @ ..] = datagram else { return Err(QueueError::TooShort) };
    if datagram.len() < 4 {
        return Err(QueueError::TooShort);
    }
    if *separator != b':' {
        return Err(QueueError::NoSeparator);
    }
    let queue = Queue::from_letter(*letter);
    let (agent, rest) = split_agent(rest)?;
    let (place, text) = match queue {
        Queue::Syslog => split_sender(rest),
        Queue::LocalFile
        | Queue::HostInfo
        | Queue::Syscheck
        | Queue::Rootcheck
        | Queue::Other(_) => split_first_colon(rest),
    }
    .ok_or(QueueError::NoSeparator)?;
    if agent.len() + place.len() > LOCATION_BYTES_MAX {
        return Err(QueueError::LocationTooLong);
    }
    let location = [agent, place].concat();
    if location.split(|&byte| byte == b'/').any(|component| component == b"..") {
        return Err(QueueError::ParentPath);
    }
    Ok(Event { received, queue, location, line: text.to_vec() })
}

/// Appends the queue line of an event, without a NUL. An IPv6 sender is written in brackets, so
/// that [`parse`] finds its end whatever the text starts with.
pub fn write(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(&[event.queue.letter(), b':']);
    let (agent, place) = split_agent(&event.location).unwrap_or((b"", &event.location));
    out.extend_from_slice(agent);
    if event.queue == Queue::Syslog && is_ipv6(place) {
        out.push(b'[');
        out.extend_from_slice(place);
        out.push(b']');
    } else {
        out.extend_from_slice(place);
    }
    out.push(b':');
    out.extend_from_slice(&event.line);
}

/// `(NAME) IP->` and what follows; nothing and everything where no agent is named.
fn split_agent(text: &[u8]) -> Result<(&[u8], &[u8]), QueueError> {
    if !text.starts_with(b"(") {
        return Ok((b"", text));
    }
    let arrow = memmem::find(text, b"->").ok_or(QueueError::NoArrow)?;
    Ok(text.split_at(arrow + 2))
}

fn split_sender(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(inner) = text.strip_prefix(b"[")
        && let Some(end) = memmem::find(inner, b"]:")
        && let Some((address, rest)) = inner.split_at_checked(end)
        && is_ipv6(address)
    {
        return Some((address, rest.get(2..)?));
    }
    let near = text.get(..SENDER_BYTES_MAX).unwrap_or(text);
    memchr_iter(b':', near)
        .filter_map(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .rfind(|(address, _)| is_ipv6(address))
        .or_else(|| split_first_colon(text))
}

fn split_first_colon(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr(b':', text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether all of `text` is an IPv6 address, perhaps with a zone: `fe80::1%eth0`.
fn is_ipv6(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let zone_is_name =
        !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    zone_is_name && address.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_text(datagram: &str) -> Result<(char, String, String), QueueError> {
        let event = parse(datagram.as_bytes(), Timestamp::utc(7))?;
        assert_eq!(event.received, Timestamp::utc(7));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ok((char::from(event.queue.letter()), text(event.location), text(event.line)))
    }

    #[test]
    fn lines_are_split() {
        for (datagram, letter, location, line) in [
            ("1:/var/log/messages:Aug 1 10:00:00 a", '1', "/var/log/messages", "Aug 1 10:00:00 a"),
            ("1:a:text\0", '1', "a", "text"),
            ("1:a:\0\0", '1', "a", "\0"),
            ("1:a:", '1', "a", ""),
            ("1::a", '1', "", "a"),
            ("x:a:b", 'x', "a", "b"),
            ("8:syscheck:1:2:3 /etc/a\n@", '8', "syscheck", "1:2:3 /etc/a\n@"),
            ("1:(web1) any->/var/log/a:b: c", '1', "(web1) any->/var/log/a", "b: c"),
            ("1:(web1) fe80::1->/var/log/a:b", '1', "(web1) fe80::1->/var/log/a", "b"),
            ("1:/a/..b/c:d", '1', "/a/..b/c", "d"),
            ("1:cat ../x:d", '1', "cat ../x", "d"),
            ("2:10.0.0.7:a: b", '2', "10.0.0.7", "a: b"),
            ("2:fe80::a00:27ff:fe4e:66a1:su: b", '2', "fe80::a00:27ff:fe4e:66a1", "su: b"),
            ("2:2001:db8::1:Mar 1 10:00:00 h", '2', "2001:db8::1", "Mar 1 10:00:00 h"),
            ("2:1:2:3:4:5:6:7:8:9: a", '2', "1:2:3:4:5:6:7:8", "9: a"),
            ("2:::ffff:10.0.0.7:a", '2', "::ffff:10.0.0.7", "a"),
            ("2:fe80::1%eth0:a: b", '2', "fe80::1%eth0", "a: b"),
            ("2:[fe80::1]:10:20:30 b", '2', "fe80::1", "10:20:30 b"),
            ("2:[web]:a", '2', "[web]", "a"),
            ("2:(r) any->2001:db8::1:su: b", '2', "(r) any->2001:db8::1", "su: b"),
            ("2:2001:db8::1:a: b", '2', "2001:db8::1:a", " b"),
            ("1:2001:db8::1:a", '1', "2001", "db8::1:a"),
        ] {
            let expected = Ok((letter, location.to_owned(), line.to_owned()));
            assert_eq!(parse_text(datagram), expected, "{datagram:?}");
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for (datagram, error) in [
            ("", QueueError::TooShort),
            ("1:a", QueueError::TooShort),
            ("1:a\0", QueueError::TooShort),
            ("1/a:b", QueueError::NoSeparator),
            ("1:abc", QueueError::NoSeparator),
            ("2:abc", QueueError::NoSeparator),
            ("1:(a) any->abc", QueueError::NoSeparator),
            ("1:(a) any:abc", QueueError::NoArrow),
            ("1:..:abc", QueueError::ParentPath),
            ("1:../a:b", QueueError::ParentPath),
            ("1:/a/..:b", QueueError::ParentPath),
            ("1:(a) any->/../b:c", QueueError::ParentPath),
        ] {
            assert_eq!(parse_text(datagram), Err(error), "{datagram:?}");
        }
    }

    #[test]
    fn location_at_its_limit() {
        let line = |length: usize| format!("1:{}:text", "a".repeat(length));
        assert!(parse_text(&line(LOCATION_BYTES_MAX)).is_ok());
        assert_eq!(parse_text(&line(LOCATION_BYTES_MAX + 1)), Err(QueueError::LocationTooLong));
    }

    proptest! {
        #[test]
        fn a_parsed_line_comes_back(datagram in r"[12]:(\(a\) b->)?[:\[\]0-9a-f(./>-]{0,30}:\PC{0,9}") {
            let Ok(event) = parse(datagram.as_bytes(), Timestamp::utc(0)) else { return Ok(()) };
            let mut written = Vec::new();
            write(&event, &mut written);
            let again = parse(&written, Timestamp::utc(0));
            if !event.location.starts_with(b"(") {
                prop_assert_eq!(again, Ok(event));
            }
        }

        #[test]
        fn any_bytes_are_survived(datagram in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&datagram, Timestamp::utc(0));
        }
    }
}
