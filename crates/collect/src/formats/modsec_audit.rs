//! ModSecurity's audit log in one file ("serial").

use config::sections::LogFormat;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// All lines from `--ID-A--` to `--ID-Z--` are one message, joined by blanks.
pub(super) struct ModSecAudit;

impl Format for ModSecAudit {
    fn name(&self) -> &'static str {
        "modsec-audit"
    }

    fn about(&self) -> &'static str {
        "ModSecurity's serial audit log: each transaction is one message"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Transactions::default()))
    }
}

/// Bytes of a transaction's id.
const ID_BYTES_MAX: usize = 63;
/// Bytes of the log after which a transaction is given up whose end does not come: its writer has
/// died, and everything that follows would be taken for a part of it.
const TRANSACTION_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Default)]
struct Transactions {
    /// The id of the transaction that is open. A client cannot know it, and so cannot end its
    /// transaction by what it sends.
    id: Vec<u8>,
    /// Where it begins.
    start: u64,
    // Fixed: of a long transaction the start is kept; OSSEC throws all of it away.
    joined: Joined,
    malformed: u64,
}

impl LineFormat for Transactions {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        let boundary = Boundary::read(line.text);
        if !self.joined.is_open() {
            match boundary {
                Some(Boundary { id, section: b'A' }) => self.begin(id, line),
                Some(_) => self.malformed += 1,
                None => self.malformed += u64::from(!line.text.is_empty()),
            }
            return;
        }
        self.joined.append(b" ", line);
        let is_last =
            boundary.is_some_and(|boundary| boundary.section == b'Z' && boundary.id == self.id);
        if is_last {
            self.joined.give(out);
        } else if line.end - self.start > TRANSACTION_BYTES_MAX {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        self.malformed += u64::from(self.joined.is_open());
        self.joined.give(out);
    }

    fn waiting(&self) -> Waiting {
        if self.joined.is_open() { Waiting::LineEnd } else { Waiting::Nothing }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

impl Transactions {
    fn begin(&mut self, id: &[u8], line: Line<'_>) {
        self.id.clear();
        self.id.extend_from_slice(id);
        self.start = line.start;
        self.joined.begin(line);
    }
}

/// The line before a section.
struct Boundary<'a> {
    id: &'a [u8],
    section: u8,
}

impl<'a> Boundary<'a> {
    /// `--ID-X--`; version 3 of ModSecurity writes `---ID---X--`.
    fn read(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (inner, between) = match line.strip_prefix(b"---") {
            Some(inner) => (inner, b"---".as_slice()),
            None => (line.strip_prefix(b"--")?, b"-".as_slice()),
        };
        let (rest, section) = match inner.strip_suffix(b"--")? {
            [rest @ .., section] if section.is_ascii_alphanumeric() => (rest, *section),
            _ => return None,
        };
        let id = rest.strip_suffix(between)?;
        let is_id =
            (1..=ID_BYTES_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_alphanumeric);
        is_id.then_some(Self { id, section })
    }
}
