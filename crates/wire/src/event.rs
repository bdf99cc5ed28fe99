//! What a record tells of an event, borrowed from whoever holds it.

use model::{Field, Timestamp};

/// One event, ready to be written. Absent things are `None`, never empty stand-ins.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventView<'a> {
    /// When the event was received.
    pub at: Timestamp,
    pub decoder: Option<DecoderView<'a>>,
    pub program_name: Option<&'a [u8]>,
    /// The static fields, at `Field as usize`.
    pub field: [Option<&'a [u8]>; Field::COUNT],
    /// Name and value of the other decoded fields. No name stands twice.
    pub dynamic_fields: &'a [(&'a [u8], &'a [u8])],
    pub hostname: &'a [u8],
    pub location: &'a [u8],
    /// Whether the host is the location itself (agents, remote syslog); then it is written once.
    pub hostname_is_location: bool,
    pub full_log: &'a [u8],
    /// The text behind the header.
    pub log: &'a [u8],
    /// Whether `full_log` was composed by the engine, so that its newlines are line ends and not
    /// bytes that somebody sent. The same holds for an alert's earlier events.
    pub multi_line: bool,
    /// What a file-integrity event says of the file named by [`Field::Filename`].
    pub file_change: Option<FileChangeView<'a>>,
    /// What a firewall did, in one of OSSEC's four words.
    pub firewall_action: Option<&'a str>,
}

impl<'a> EventView<'a> {
    pub(crate) fn field(&self, field: Field) -> Option<&'a [u8]> {
        self.field.get(field as usize).copied().flatten()
    }
}

/// The decoder that matched.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecoderView<'a> {
    pub name: &'a str,
    pub parent: Option<&'a str>,
    /// OSSEC's number for first-time-seen decoders; 0 for others.
    pub first_seen: u32,
    /// OSSEC's number for accumulating decoders; 0 for others.
    pub accumulate: u32,
    pub first_seen_comment: Option<&'a str>,
}

/// A value before and after. Equal halves are not reported; a new file has no `before`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change<T> {
    pub before: Option<T>,
    pub after: Option<T>,
}

/// How a file changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileChangeView<'a> {
    pub md5: Change<&'a [u8]>,
    pub sha1: Change<&'a [u8]>,
    pub sha256: Change<&'a [u8]>,
    pub owner: Change<&'a [u8]>,
    pub group_owner: Change<&'a [u8]>,
    /// The whole `st_mode`.
    pub permissions: Change<u32>,
}
