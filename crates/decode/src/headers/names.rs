//! Host and program: what follows the date in most forms.

use crate::header::Forms;
use crate::header::Header;
use crate::headers::Line;

use std::net::Ipv6Addr;

use memchr::memchr;
use memchr::memmem;
use model::Span;

/// Bytes of an IPv6 address with its zone.
const ADDRESS_BYTES_MAX: usize = 64;

/// The bytes of host and program names.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let known = byte as u8;
        table[byte] = known.is_ascii_alphanumeric()
            || matches!(known, b'(' | b')' | b'-' | b'.' | b'/' | b'@' | b'_');
        byte += 1;
    }
    table
};

/// A program name and where the log starts after it.
struct Program {
    name: Span,
    log: usize,
}

/// Reads host and program of `line` from `start`, behind the date.
pub(super) fn read(line: Line<'_>, start: usize) -> Header {
    let text = line.text;
    let word = if byte(text, start) == Some(b' ') { start + 1 } else { start };
    let end = name_end(text, word);
    match byte(text, end) {
        Some(b' ') => with_host(line, Span::new(word, end), end + 1),
        // compat: Solaris writes the program where others write the host.
        Some(b':') if byte(text, end + 1) == Some(b' ') => {
            let program = Program { name: Span::new(word, end), log: end + 2 };
            with_program(line, None, &program)
        }
        _ => match line.forms {
            Forms::Strict => line.log_from(word),
            Forms::Extended => match address_end(text, word) {
                Some(end) => with_host(line, Span::new(word, end), end + 1),
                None => line.log_from(word),
            },
        },
    }
}

fn with_host(line: Line<'_>, host: Span, start: usize) -> Header {
    match program(line.text, start) {
        Some(program) => with_program(line, Some(host), &program),
        None => Header { hostname: Some(host), ..line.log_from(start) },
    }
}

fn with_program(line: Line<'_>, hostname: Option<Span>, program: &Program) -> Header {
    let log = after_message_id(line.text, program.log);
    Header { hostname, program_name: Some(program.name), log: line.rest(log) }
}

/// `prog: `, `prog[12]: `, `prog[12] ` or AIX's `facility|facility:severity prog…`.
fn program(text: &[u8], start: usize) -> Option<Program> {
    let end = name_end(text, start);
    let name = Span::new(start, end);
    match byte(text, end)? {
        b':' if byte(text, end + 1) == Some(b' ') => Some(Program { name, log: end + 2 }),
        b'[' => {
            let bracket = process_end(text, end)?;
            let log = match text.get(bracket..)? {
                [b']', b':', b' ', ..] => bracket + 3,
                [b']', b' ', ..] => bracket + 2,
                _ => return None,
            };
            Some(Program { name, log })
        }
        b'|' => aix_program(text, end),
        _ => None,
    }
}

/// The program after AIX's facility and severity; `bar` is the position of the `|`.
fn aix_program(text: &[u8], bar: usize) -> Option<Program> {
    if !byte(text, bar + 1)?.is_ascii_lowercase() {
        return None;
    }
    let colon = run_end(text, bar + 2, u8::is_ascii_alphanumeric);
    if byte(text, colon) != Some(b':') {
        return None;
    }
    let blank = run_end(text, colon + 1, u8::is_ascii_alphanumeric);
    if byte(text, blank) != Some(b' ') {
        return None;
    }
    let end = name_end(text, blank + 1);
    let name = Span::new(blank + 1, end);
    let log = match (byte(text, end), process_end(text, end)) {
        (Some(b':'), _) if byte(text, end + 1) == Some(b' ') => end + 2,
        (_, Some(bracket)) if text.get(bracket..).is_some_and(|rest| rest.starts_with(b"]: ")) => {
            bracket + 3
        }
        (_, Some(bracket)) => bracket,
        // Fixed: OSSEC takes the whole rest of the line as the program's name.
        (_, None) => end,
    };
    Some(Program { name, log })
}

/// The end of the digits in `[12`, which must stand at `start`.
fn process_end(text: &[u8], start: usize) -> Option<usize> {
    match text.get(start..)? {
        [b'[', digit, ..] if digit.is_ascii_digit() => {
            Some(run_end(text, start + 1, u8::is_ascii_digit))
        }
        _ => None,
    }
}

/// Steps over Solaris' `[ID 800047 auth.info] ` at `start`.
fn after_message_id(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    if !rest.starts_with(b"[ID ") {
        return start;
    }
    memmem::find(rest, b"] ").map_or(start, |end| start + end + 2)
}

/// The end of an IPv6 address at `start` that is followed by a blank.
fn address_end(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let rest = rest.get(..ADDRESS_BYTES_MAX).unwrap_or(rest);
    let word = rest.get(..memchr(b' ', rest)?)?;
    let address = memchr(b'%', word).map_or(word, |zone| word.get(..zone).unwrap_or(word));
    memchr(b':', address)?;
    std::str::from_utf8(address).ok()?.parse::<Ipv6Addr>().ok()?;
    Some(start + word.len())
}

#[inline]
fn byte(text: &[u8], at: usize) -> Option<u8> {
    text.get(at).copied()
}

#[inline]
fn name_end(text: &[u8], start: usize) -> usize {
    // The index is a byte and the table has 256 entries, so no check remains.
    run_end(text, start, |&byte| NAME[usize::from(byte)])
}

#[inline]
fn run_end(text: &[u8], start: usize, within: impl Fn(&u8) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.iter().position(|byte| !within(byte)).map_or(start + rest.len(), |len| start + len)
}
