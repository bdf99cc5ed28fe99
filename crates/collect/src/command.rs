//! The output of a command as messages.
//!
//! In go an alias and bytes that a command has printed; who runs it, and when, is not known here.
//! `command` gives a message for each line ([`CommandLines`]), `full_command` one for all of it
//! ([`full_output`]). Rules and `check_diff` rely on the form of both.
//!
//! Invariants: a message has at most [`LINE_BYTES_MAX`] bytes; any output gives some answer.

use model::limits::{LINE_BYTES_MAX, LOCATION_BYTES_MAX};

use crate::formats::joined::Joined;
use crate::formats::lines::Line;
use crate::formats::{Framer, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// Bytes of what stands before the output.
// compat: what an alias has beyond that is not in the message, though it is in the location.
pub const PREFIX_BYTES_MAX: usize = 255;

/// What each line of `command` begins with: `ossec: output: 'ALIAS': `.
pub fn prefix(alias: &[u8]) -> Vec<u8> {
    named(alias, b"': ")
}

/// The location of what a command prints: its alias, or its text, without colons.
pub fn location(alias: &[u8]) -> Vec<u8> {
    let mut location = without_colons(alias);
    location.truncate(LOCATION_BYTES_MAX);
    location
}

/// The message of `full_command`: the alias, a line end, and the output without its last line end,
/// without `\r`, and with each pair of line ends made one. NUL becomes a blank. A message that is
/// too long ends at [`LINE_BYTES_MAX`]; whoever collects the output need not keep more than that.
/// A command that printed nothing gives no message.
// compat: `check_diff` sees that output changed, not that it is gone. Fixed: a NUL does not hide
// what follows it.
pub fn full_output(alias: &[u8], output: &[u8]) -> Option<Vec<u8>> {
    if output.is_empty() {
        return None;
    }
    let mut message = named(alias, b"':");
    message.push(b'\n');
    let output = output.strip_suffix(b"\n").unwrap_or(output);
    let mut is_pair_open = false;
    for &byte in output {
        let is_second = byte == b'\n' && is_pair_open;
        match byte {
            b'\r' => continue,
            _ if is_second => {}
            0 => message.push(b' '),
            _ => message.push(byte),
        }
        is_pair_open = byte == b'\n' && !is_second;
        if message.len() >= LINE_BYTES_MAX {
            break;
        }
    }
    Some(message)
}

/// Makes a message of each line that a command prints.
pub struct CommandLines(LineFramer<Prefixed>);

impl CommandLines {
    pub fn new(alias: &[u8]) -> Self {
        let lines = Prefixed { prefix: prefix(alias), joined: Joined::default() };
        Self(LineFramer::new(0, lines))
    }
}

impl Framer for CommandLines {
    fn push(&mut self, bytes: &[u8], out: Out<'_>) {
        self.0.push(bytes, out);
    }

    fn flush(&mut self, out: Out<'_>) {
        self.0.flush(out);
    }

    fn counts(&self) -> FramerCounts {
        self.0.counts()
    }

    fn waiting(&self) -> Waiting {
        self.0.waiting()
    }
}

struct Prefixed {
    prefix: Vec<u8>,
    joined: Joined,
}

impl LineFormat for Prefixed {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        // compat: an empty line is the prefix alone.
        self.joined.begin_with(&self.prefix, line);
        self.joined.add(line.text);
        self.joined.give(out);
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: 0 }
    }
}

fn named(alias: &[u8], end: &[u8]) -> Vec<u8> {
    let mut name = [b"ossec: output: '", &*without_colons(alias), end].concat();
    name.truncate(PREFIX_BYTES_MAX);
    name
}

// compat: a location ends at its first colon.
fn without_colons(alias: &[u8]) -> Vec<u8> {
    alias.iter().map(|&byte| if byte == b':' { b'\\' } else { byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(alias: &str, output: &[u8]) -> Vec<(String, u64)> {
        let mut lines = CommandLines::new(alias.as_bytes());
        let mut given = Vec::new();
        lines.push(output, &mut |message| {
            given.push((String::from_utf8_lossy(message.text).into_owned(), message.end));
        });
        lines.flush(&mut |message| {
            given.push((String::from_utf8_lossy(message.text).into_owned(), message.end));
        });
        given
    }

    fn full(output: &str) -> Option<String> {
        let message = full_output(b"a:b", output.as_bytes())?;
        let message = String::from_utf8(message).unwrap();
        Some(message.strip_prefix("ossec: output: 'a\\b':\n").unwrap().to_owned())
    }

    #[test]
    fn a_message_for_each_line() {
        let expected = |text: &str, end| (format!("ossec: output: 'df -P': {text}"), end);
        let given = lines("df -P", b"/dev/sda1 1\n\n/dev/sda2 2\r\nend");
        assert_eq!(
            given,
            [
                expected("/dev/sda1 1", 12),
                expected("", 13),
                expected("/dev/sda2 2\r", 26),
                expected("end", 29)
            ]
        );
        assert_eq!(lines("df -P", b""), []);
    }

    #[test]
    fn a_line_at_its_limit() {
        let room = LINE_BYTES_MAX - prefix(b"a").len();
        for (length, cut) in [(room, 0), (room + 1, 1)] {
            let mut lines = CommandLines::new(b"a");
            let mut longest = 0;
            lines.push(&[vec![b'x'; length], vec![b'\n']].concat(), &mut |message| {
                longest = message.text.len();
            });
            assert_eq!((longest, lines.counts().cut), (LINE_BYTES_MAX, cut));
        }
    }

    #[test]
    fn names_without_colons() {
        assert_eq!(prefix(b"printf 'a:b'"), b"ossec: output: 'printf 'a\\b'': ");
        assert_eq!(location(b"printf 'a:b'"), b"printf 'a\\b'");
        let fixed = "ossec: output: '': ".len();
        for (length, end) in [(PREFIX_BYTES_MAX - fixed, "a': "), (PREFIX_BYTES_MAX, "aaaa")] {
            let prefix = prefix("a".repeat(length).as_bytes());
            assert_eq!(prefix.len(), PREFIX_BYTES_MAX);
            assert!(prefix.ends_with(end.as_bytes()));
        }
        assert_eq!(location(&[b'a'; LOCATION_BYTES_MAX + 1]).len(), LOCATION_BYTES_MAX);
    }

    #[test]
    fn all_output_in_one_message() {
        for (output, expected) in [
            ("", None),
            ("\n", Some("")),
            ("a", Some("a")),
            ("a\n", Some("a")),
            ("a\r\nb\r\n", Some("a\nb")),
            ("a\n\nb", Some("a\nb")),
            ("a\n\n\nb", Some("a\n\nb")),
            ("a\n\n\n\nb", Some("a\n\nb")),
            ("a\n\r\nb", Some("a\nb")),
            ("a\n\n", Some("a\n")),
            ("a\0b\n", Some("a b")),
        ] {
            assert_eq!(full(output).as_deref(), expected, "{output:?}");
        }
    }

    #[test]
    fn all_output_at_its_limit() {
        let head = full_output(b"a", b"x").unwrap().len() - 1;
        for length in [LINE_BYTES_MAX - head, LINE_BYTES_MAX - head + 1] {
            assert_eq!(full_output(b"a", &vec![b'x'; length]).unwrap().len(), LINE_BYTES_MAX);
        }
    }
}
