//! `<localfile>`: which logs are watched.

use model::{SourceId, Span};
use osxml::Element;

use crate::findings::{File, Findings};
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, any_case, many, one};
use crate::value;

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

/// Seconds between runs of a command, if nothing is said.
const FREQUENCY_DEFAULT: u32 = 360;

/// What formats are called. The first name of a format is its own, the others mean the same.
const FORMATS: &[(&str, LogFormat)] = &[
    ("syslog", LogFormat::Line),
    ("generic", LogFormat::Line),
    ("apache", LogFormat::Line),
    ("iis", LogFormat::Line),
    ("squid", LogFormat::Line),
    ("snort-fast", LogFormat::Line),
    ("syslog-pipe", LogFormat::Line),
    ("snort-full", LogFormat::SnortFull),
    ("multi-line_indented", LogFormat::MultiLineIndented),
    ("nmapg", LogFormat::NmapGreppable),
    ("mysql_log", LogFormat::MySql),
    ("mssql_log", LogFormat::MsSql),
    ("postgresql_log", LogFormat::PostgreSql),
    ("djb-multilog", LogFormat::DjbMultilog),
    ("ossecalert", LogFormat::OssecAlert),
    ("audit", LogFormat::Audit),
    ("modsec-audit", LogFormat::ModSecAudit),
    ("command", LogFormat::Command),
    ("full_command", LogFormat::FullCommand),
    ("journald", LogFormat::Journald),
    ("eventlog", LogFormat::Windows),
    ("eventchannel", LogFormat::Windows),
];

/// The format with a number of lines in it.
const MULTI_LINE: &str = "multi-line";

impl LogFormat {
    /// The format of this name, which may be `multi-line: N`.
    pub fn parse(text: &str) -> Option<Self> {
        let known = FORMATS.iter().find(|(name, _)| *name == text).map(|(_, format)| *format);
        known.or_else(|| {
            let number = text.strip_prefix(MULTI_LINE)?.trim_start().strip_prefix(':')?.trim();
            // compat: no number is one line.
            match number.is_empty() {
                true => Some(Self::MultiLine(1)),
                false => value::digits(number.as_bytes()).map(Self::MultiLine),
            }
        })
    }

    /// The name of the format, without its number of lines.
    pub fn name(self) -> &'static str {
        let known = FORMATS.iter().find(|(_, format)| *format == self);
        known.map_or(MULTI_LINE, |(name, _)| name)
    }

    /// Whether a command gives the bytes.
    pub fn is_command(self) -> bool {
        matches!(self, Self::Command | Self::FullCommand)
    }
}

#[derive(Default)]
pub(super) struct Draft {
    format: Option<LogFormat>,
    locations: Vec<Location>,
    command: Option<String>,
    alias: Option<String>,
    frequency: Option<u32>,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    // Fixed: OSSEC keeps the last location alone.
    many("location", |it, element, findings| {
        if let Some(text) = value::text(element, findings) {
            it.locations.push(Location { text, at: findings.content(element) });
        }
    }),
    any_case(one("log_format", log_format)),
    one("command", |it, element, findings| {
        it.command = value::text(element, findings).or(it.command.take());
    }),
    any_case(one("alias", |it, element, findings| {
        it.alias = value::text(element, findings).or(it.alias.take());
    })),
    one("frequency", frequency),
    // compat: these concern event channels of Windows.
    one("only-future-events", |_, _, _| {}),
    one("query", |_, _, _| {}),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    let of_others = conf.localfiles.len();
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        section::has_all(section, &[("log_format", "syslog")], findings);
        check_source(section, &mut draft, findings);
        let Draft { format, locations, command, alias, frequency } = draft;
        let Some(format) = format else { continue };
        if format.is_command() && command.is_none() || !format.is_command() && locations.is_empty()
        {
            continue;
        }
        conf.localfiles.push(LocalFile {
            format,
            at: findings.name(section),
            locations,
            command,
            alias,
            frequency: frequency.unwrap_or(FREQUENCY_DEFAULT),
        });
    }
    check_repeated(conf.localfiles.get(of_others..).unwrap_or_default(), findings);
}

/// Whether a section says where its bytes come from, and only that.
fn check_source(section: &Element, draft: &mut Draft, findings: &mut Findings) {
    let (has_command, has_location) =
        (section::has(section, "command"), section::has(section, "location"));
    let Some(format) = draft.format else {
        if !has_command && !has_location {
            findings.add(messages::no_location(), section);
        }
        return;
    };
    if format.is_command() {
        if !has_command {
            let message = messages::format_without_command(format.name());
            findings.add_to_content(message, section::at(section, "log_format"));
        }
        for location in draft.locations.drain(..) {
            let cure = "remove it: <command> says where the messages come from";
            findings.add_to(messages::no_effect("<location>", cure), location.at);
        }
        return;
    }
    if !has_location {
        findings.add(messages::no_location(), section);
    }
    if has_command {
        let cure = "write <log_format>command</log_format> or `full_command`, or remove it";
        findings.add(messages::no_effect("<command>", cure), section::at(section, "command"));
        draft.command = None;
    }
    if format == LogFormat::Windows {
        if findings.file() == File::OssecConf {
            let cure = "remove it: there are event logs on Windows alone";
            findings.add(messages::no_effect("this <localfile>", cure), section);
        }
    } else if format != LogFormat::Journald {
        draft.locations.retain(|location| is_usable(location, findings));
    }
}

fn is_usable(location: &Location, findings: &mut Findings) -> bool {
    let path = location.text.as_str();
    // Not on this system: nothing is there, and nothing is wrong.
    if value::is_of_windows(path) {
        return true;
    }
    let finding = if value::climbs(path) {
        messages::parent_path(path)
    } else if !path.starts_with('/') {
        messages::not_absolute("location", path)
    } else {
        return true;
    };
    findings.add_to(finding, location.at);
    false
}

/// Reports paths that are named twice. That identical commands run twice may be meant.
fn check_repeated(localfiles: &[LocalFile], findings: &mut Findings) {
    let mut seen = std::collections::HashSet::new();
    for localfile in localfiles {
        for location in &localfile.locations {
            let kind = localfile.format == LogFormat::Journald;
            if !seen.insert((kind, location.text.as_str())) {
                findings.add_to(messages::path_repeated(&location.text), location.at);
            }
        }
    }
}

fn log_format(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    draft.format = LogFormat::parse(&text).or(draft.format);
    if LogFormat::parse(&text).is_some() {
        return;
    }
    let finding = match text.split(':').next() {
        Some(name) if name.trim_end() == MULTI_LINE => messages::bad_multi_line(&text),
        _ => {
            let names: Vec<&str> =
                FORMATS.iter().map(|(name, _)| *name).chain([MULTI_LINE]).collect();
            let meant = findings.meant(&text, names.iter().copied());
            messages::unknown_value(&element.name, &text, meant, &names)
        }
    };
    findings.add_to_content(finding, element);
}

fn frequency(draft: &mut Draft, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    let seconds = match text.as_str() {
        "hourly" => Some(3600),
        "daily" => Some(86_400),
        digits => value::digits(digits.as_bytes()).filter(|&seconds| seconds > 0),
    };
    match seconds {
        Some(seconds) => draft.frequency = Some(seconds),
        None => findings.add_to_content(messages::bad_frequency(&text), element),
    }
}
