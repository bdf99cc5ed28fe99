//! `<localfile>`: which logs are watched.

use model::{SourceId, Span};

/// One section: files, a command or the journal, all framed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    pub format: LogFormat,
    /// Where the section stands.
    pub at: (SourceId, Span),
    /// Paths, globs and date patterns; for `journald` the program names. Empty for commands.
    pub locations: Vec<Location>,
    /// The shell text of `command` and `full_command`.
    pub command: Option<String>,
    /// What stands for the command in messages.
    pub alias: Option<String>,
    /// Seconds between runs of the command.
    pub frequency: u32,
}

/// One `<location>`, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub text: String,
    pub at: (SourceId, Span),
}

/// How bytes become messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// One message a line: `syslog`, `generic`, `apache`, `iis`, `squid`, `snort-fast`, `syslog-pipe`.
    Line,
    SnortFull,
    /// `multi-line: N`; 0 and 1 are one message a line.
    MultiLine(u32),
    MultiLineIndented,
    NmapGreppable,
    MySql,
    MsSql,
    PostgreSql,
    DjbMultilog,
    OssecAlert,
    Audit,
    ModSecAudit,
    Command,
    FullCommand,
    Journald,
    /// `eventlog` and `eventchannel`: not on this system.
    Windows,
}
