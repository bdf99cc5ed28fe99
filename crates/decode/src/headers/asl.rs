//! The Apple System Log: everything is a `[Key value]`.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;

use memchr::memchr;
use model::Span;

/// `[Time 2006.12.28 15:53:55 UTC] [Sender x] …`
pub(super) struct AppleSystemLog;

/// Where the entries after the time begin.
const ENTRIES: usize = 25;

impl Form for AppleSystemLog {
    fn name(&self) -> &'static str {
        "apple-system-log"
    }

    fn example(&self) -> &'static str {
        "[Time 2006.12.28 15:53:55 UTC] [Sender prog] [Message text] [Host host]"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 25
            && line.has(b'[', &[0])
            && line.has(b'T', &[1])
            && line.has(b' ', &[5, 16])
            && line.has(b'.', &[10, 13])
            && line.has(b':', &[19]);
        fits.then(|| entries(line))
    }
}

/// Reads the entries up to the host, which is the last one.
fn entries(line: Line<'_>) -> Header {
    let mut header = line.log_from(0);
    let mut message_seen = false;
    let mut at = ENTRIES;
    while let Some(open) = find(line.text, b'[', at) {
        at = open + 1;
        if header.program_name.is_none() && word(line.text, open, b"[Sender ") {
            let start = open + b"[Sender ".len();
            let Some(close) = find(line.text, b']', start) else { break };
            header.program_name = Some(Span::new(start, close));
            at = close;
        } else if !message_seen && word(line.text, open, b"[Message ") {
            message_seen = true;
            let start = open + b"[Message ".len();
            let Some(close) = find(line.text, b']', start) else {
                header.log = line.rest(start);
                break;
            };
            header.log = Span::new(start, close);
            at = close;
        } else if word(line.text, open, b"[Host ") {
            let start = open + b"[Host ".len();
            header.hostname = find(line.text, b']', start).map(|close| Span::new(start, close));
            break;
        }
    }
    header
}

fn find(text: &[u8], byte: u8, start: usize) -> Option<usize> {
    memchr(byte, text.get(start..)?).map(|at| start + at)
}

fn word(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(word))
}
