//! One entry of the journal, and the line it becomes.

use std::io::Write;

use model::Timestamp;
use model::limits::LINE_BYTES_MAX;

use super::cursor;

/// The location of every message of the journal.
pub const LOCATION: &[u8] = b"journald";

/// Bytes of each field but the message. A longer one is left out.
pub(super) const FIELD_BYTES_MAX: usize = 4096;

/// Bytes of an identifier that are compared with a `<location>`.
const IDENTIFIER_BYTES_MAX: usize = 127;

/// The fields that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Cursor,
    Realtime,
    Hostname,
    Identifier,
    Command,
    Pid,
    SyslogPid,
    Message,
}

impl Field {
    pub(super) const ALL: [Self; 8] = [
        Self::Cursor,
        Self::Realtime,
        Self::Hostname,
        Self::Identifier,
        Self::Command,
        Self::Pid,
        Self::SyslogPid,
        Self::Message,
    ];

    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"__CURSOR",
            Self::Realtime => b"__REALTIME_TIMESTAMP",
            Self::Hostname => b"_HOSTNAME",
            Self::Identifier => b"SYSLOG_IDENTIFIER",
            Self::Command => b"_COMM",
            Self::Pid => b"_PID",
            Self::SyslogPid => b"SYSLOG_PID",
            Self::Message => b"MESSAGE",
        }
    }

    pub(super) fn bytes_max(self) -> usize {
        if self == Self::Message { LINE_BYTES_MAX } else { FIELD_BYTES_MAX }
    }
}

/// What became of an entry as a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Nothing,
    Whole,
    /// It was longer than [`LINE_BYTES_MAX`], and ends there.
    Cut,
}

/// One entry. A field that is there twice has its first value, as journald's own library says: a
/// service may add fields, but not before those it has.
#[derive(Debug, Default)]
pub struct Entry {
    fields: [Option<Vec<u8>>; Field::ALL.len()],
}

impl Entry {
    /// The name of its place, from which `journalctl --after-cursor` goes on.
    pub fn cursor(&self) -> Option<&[u8]> {
        self.field(Field::Cursor)
    }

    /// Its number among the entries with the same [`Entry::seqnum_id`].
    pub fn seqnum(&self) -> Option<u64> {
        cursor::number(self.cursor()?, b'i')
    }

    /// What numbers it.
    pub fn seqnum_id(&self) -> Option<&[u8]> {
        cursor::item(self.cursor()?, b's')
    }

    pub fn hostname(&self) -> Option<&[u8]> {
        self.field(Field::Hostname)
    }

    /// What the program calls itself, or the name of its executable.
    // Fixed: OSSEC skips entries without SYSLOG_IDENTIFIER.
    pub fn identifier(&self) -> Option<&[u8]> {
        let said = self.field(Field::Identifier).filter(|name| !name.is_empty());
        said.or_else(|| self.field(Field::Command))
    }

    /// The process, as journald saw it, or as it says itself.
    pub fn pid(&self) -> Option<&[u8]> {
        let seen = self.field(Field::Pid).or_else(|| self.field(Field::SyslogPid))?;
        (!seen.is_empty() && seen.iter().all(u8::is_ascii_digit)).then_some(seen)
    }

    pub fn message(&self) -> Option<&[u8]> {
        self.field(Field::Message)
    }

    /// When journald received it, in microseconds since 1970.
    pub fn realtime(&self) -> Option<i64> {
        std::str::from_utf8(self.field(Field::Realtime)?).ok()?.parse().ok()
    }

    /// Whether a `<location>` means this entry: it names the program, or begins with `all` or `/`.
    pub fn matches(&self, location: &[u8]) -> bool {
        if location.starts_with(b"all") || location.starts_with(b"/") {
            return true;
        }
        // compat: what an identifier has beyond that is not looked at.
        let identifier = self.identifier().unwrap_or_default();
        !location.is_empty()
            && identifier.get(..IDENTIFIER_BYTES_MAX).unwrap_or(identifier) == location
    }

    /// Appends `2026-11-25T10:00:00+05:30 HOST IDENTIFIER[PID]: MESSAGE`, or nothing where host,
    /// identifier, time or text is missing. `utc_offset_of` gives the seconds to add at a moment
    /// for local time.
    // Fixed: OSSEC writes `:00` for the minutes of every zone, and no process.
    pub fn line(&self, utc_offset_of: &dyn Fn(i64) -> i32, out: &mut Vec<u8>) -> Written {
        let (Some(realtime), Some(hostname), Some(identifier), Some(message)) =
            (self.realtime(), self.hostname(), self.identifier(), self.message())
        else {
            return Written::Nothing;
        };
        if message.is_empty() {
            return Written::Nothing;
        }
        let start = out.len();
        let seconds = realtime.div_euclid(1_000_000);
        write_rfc3339(Timestamp { seconds, utc_offset: utc_offset_of(seconds) }, out);
        for part in [b" ", hostname, b" ", identifier] {
            out.extend_from_slice(part);
        }
        if let Some(pid) = self.pid() {
            for part in [b"[", pid, b"]"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b": ");
        out.extend(message.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
        if out.len() - start > LINE_BYTES_MAX {
            out.truncate(start + LINE_BYTES_MAX);
            return Written::Cut;
        }
        Written::Whole
    }

    pub(super) fn clear(&mut self) {
        self.fields = Default::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.iter().all(Option::is_none)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.field(field).is_some()
    }

    pub(super) fn set(&mut self, field: Field, value: Vec<u8>) {
        if let Some(place) = self.fields.get_mut(field as usize) {
            *place = Some(value);
        }
    }

    fn field(&self, field: Field) -> Option<&[u8]> {
        self.fields.get(field as usize)?.as_deref()
    }
}

fn write_rfc3339(moment: Timestamp, out: &mut Vec<u8>) {
    let civil = moment.civil();
    let offset = moment.utc_offset;
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    // A vector takes everything.
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        minutes / 60,
        minutes % 60
    );
}
