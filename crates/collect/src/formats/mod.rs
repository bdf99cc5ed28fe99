//! How the bytes of a log become messages.
//!
//! A [`Framer`] takes bytes as they come and gives out messages, each with the position up to
//! which the stream is then used. It has no file and no clock: whoever reads the source tells it
//! when the source has been idle. [`ALL`] lists what can be framed; to add a format, write its
//! file and add it there (docs/add-a-log-format.md).
//!
//! Invariants: where the input is cut into pushes changes nothing. What is held is bounded by a
//! few times [`model::limits::LINE_BYTES_MAX`]. What is cut or skipped is counted.

mod audit;
mod djb_multilog;
mod headed;
pub(crate) mod joined;
mod line_format;
pub(crate) mod lines;
mod modsec_audit;
mod mssql_log;
mod multi_line;
mod multi_line_indented;
mod mysql_log;
mod nmapg;
mod ossecalert;
mod plain;
mod postgresql_log;
mod snort_full;

use std::ops::Add;

use config::sections::LogFormat;
use model::Queue;

pub(crate) use line_format::{LineFormat, LineFramer};

/// One finished message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub text: &'a [u8],
    /// Bytes of the stream, counted from its start (the offset given to [`framer`]), that are used
    /// up once this message is dealt with. Reading again from there loses nothing, and repeats
    /// nothing but parts of audit events whose records are interleaved.
    pub end: u64,
}

/// Where messages go.
pub type Out<'o> = &'o mut dyn FnMut(Message<'_>);

/// Makes messages of one stream of bytes.
pub trait Framer: Send {
    /// Takes the bytes that follow on those seen so far.
    fn push(&mut self, bytes: &[u8], out: Out<'_>);

    /// Whether something is held back that an idle source should give out.
    fn holds(&self) -> bool {
        self.waiting() != Waiting::Nothing
    }

    /// The source has been idle, or has ended: gives out what is held.
    fn flush(&mut self, out: Out<'_>);

    fn counts(&self) -> FramerCounts;

    /// What the framer waits for, which says how long to wait before [`Framer::flush`].
    fn waiting(&self) -> Waiting;
}

/// What was not given out as it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FramerCounts {
    /// Lines and messages longer than [`model::limits::LINE_BYTES_MAX`]; their rest is left out.
    pub cut: u64,
    /// Lines and records that are not of the format, or break off. They are skipped.
    pub malformed: u64,
}

impl Add for FramerCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { cut: self.cut + other.cut, malformed: self.malformed + other.malformed }
    }
}

/// What a framer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    Nothing,
    /// The end of a line or record that has begun, which is sure to come if its writer lives: wait
    /// long.
    LineEnd,
    /// More lines of a group that may be complete as it is: wait a moment.
    Continuation,
}

/// What a framer may need to know about its source.
#[derive(Clone, Copy, Debug)]
pub struct FramerContext<'a> {
    pub path: &'a [u8],
    /// The name of this host, perhaps with its domain.
    pub hostname: &'a [u8],
}

/// One way to make messages of bytes.
pub trait Format: Sync {
    /// The name of its [`LogFormat`], and of its folder of cases.
    fn name(&self) -> &'static str;
    /// What it reads, in a few words.
    fn about(&self) -> &'static str;
    /// Where its messages belong.
    fn queue(&self) -> Queue {
        Queue::LocalFile
    }
    /// A framer for a stream that is read from `start` on; `None` where the context does not fit.
    fn framer(
        &self,
        format: LogFormat,
        start: u64,
        context: &FramerContext<'_>,
    ) -> Option<Box<dyn Framer>>;
}

/// All formats of files and pipes.
pub const ALL: &[&dyn Format] = &[
    &plain::Plain,
    &snort_full::SnortFull,
    &multi_line::MultiLine,
    &multi_line_indented::MultiLineIndented,
    &nmapg::Nmapg,
    &mysql_log::MySqlLog,
    &mssql_log::MsSqlLog,
    &postgresql_log::PostgreSqlLog,
    &djb_multilog::DjbMultilog,
    &ossecalert::OssecAlert,
    &audit::Audit,
    &modsec_audit::ModSecAudit,
];

/// A framer for a stream that is read from `start` on. `None` for what is no format of a file
/// (commands, the journal, Windows), and for `djb-multilog` where the path names no program.
pub fn framer(
    format: LogFormat,
    start: u64,
    context: &FramerContext<'_>,
) -> Option<Box<dyn Framer>> {
    of(format)?.framer(format, start, context)
}

/// Where messages of a format belong.
pub fn queue(format: LogFormat) -> Queue {
    of(format).map_or(Queue::LocalFile, Format::queue)
}

fn of(format: LogFormat) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|known| known.name() == format.name())
}
