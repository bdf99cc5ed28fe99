//! What an alert record tells, borrowed from whoever holds it.

use model::{Field, Timestamp};

/// One alert, ready to be written. Absent things are `None`, never empty stand-ins.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertView<'a> {
    /// Counts from 1 for each start; with `at` it names the alert.
    pub id: u64,
    /// When the event was received.
    pub at: Timestamp,
    pub rule: RuleView<'a>,
    /// Whether the record is marked for mail.
    pub mail: bool,
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
    /// Earlier events, newest first.
    pub previous: &'a [&'a [u8]],
    /// Whether `full_log` and `previous` were composed by the engine, so that their newlines are
    /// line ends and not bytes that somebody sent.
    pub multi_line: bool,
    /// What a file-integrity event says of the file named by [`Field::Filename`].
    pub file_change: Option<FileChangeView<'a>>,
}

impl<'a> AlertView<'a> {
    pub(crate) fn field(&self, field: Field) -> Option<&'a [u8]> {
        self.field.get(field as usize).copied().flatten()
    }
}

/// The rule that fired.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleView<'a> {
    pub id: u32,
    pub level: u16,
    pub description: &'a str,
    /// As written in the rule file: names that normally each end in a comma.
    pub groups: &'a str,
    /// As configured; 0 for a rule without one.
    pub frequency: u32,
    /// How often the rule has fired, this time included.
    pub fired_times: u64,
    pub info: Option<&'a str>,
    pub cve: Option<&'a str>,
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
