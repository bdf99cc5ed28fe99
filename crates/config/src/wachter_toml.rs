//! `wachter.toml`: what OSSEC has no word for.
//!
//! ```toml
//! compat = "strict"
//!
//! [journal]
//! bytes_max = 1_073_741_824
//! days_max = 0
//!
//! [metrics]
//! listen = "127.0.0.1:9184"
//!
//! [collect]
//! line_wait_ms = 5000
//! command_timeout = 60
//! ```

use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};

use model::{Diagnostic, SourceId, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::findings::meant;
use crate::messages;

/// What the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WachterToml {
    pub compat: Compat,
    pub journal: Journal,
    pub metrics: Metrics,
    pub collect: Collect,
}

/// How closely OSSEC is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// `"ours"`: the same answers, but for faults that hide attacks.
    #[default]
    Ours,
    /// `"strict"`: the same answers, faults included.
    Strict,
}

/// How much is kept of the events that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    pub bytes_max: u64,
    /// 0: as long as there is room.
    pub days_max: u32,
}

/// Where counters can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// A loopback address, so that no other machine can ask; nowhere, if there is none.
    pub listen: Option<SocketAddr>,
}

/// How logs are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// How long a line without its end is held.
    pub line_wait_ms: u32,
    /// Seconds that a command may take.
    pub command_timeout: u32,
}

const JOURNAL_BYTES: RangeInclusive<u64> = 16 << 20..=1 << 50;
const JOURNAL_DAYS: RangeInclusive<u64> = 0..=36_500;
const LINE_WAIT_MS: RangeInclusive<u64> = 1..=3_600_000;
const COMMAND_TIMEOUT: RangeInclusive<u64> = 1..=86_400;

impl Default for Journal {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, days_max: 0 }
    }
}

impl Default for Collect {
    fn default() -> Self {
        Self { line_wait_ms: 5000, command_timeout: 60 }
    }
}

/// A setting: the table it stands in (none is the top), its name, and where its value goes.
struct Key {
    table: &'static str,
    name: &'static str,
    read: fn(&mut WachterToml, &DeValue<'_>) -> Result<(), Diagnostic>,
}

const KEYS: &[Key] = &[
    Key { table: "", name: "compat", read: |it, value| set(&mut it.compat, compat(value)) },
    Key {
        table: "journal",
        name: "bytes_max",
        read: |it, value| {
            set(&mut it.journal.bytes_max, integer("bytes_max", value, JOURNAL_BYTES, "bytes"))
        },
    },
    Key {
        table: "journal",
        name: "days_max",
        read: |it, value| {
            set(&mut it.journal.days_max, integer("days_max", value, JOURNAL_DAYS, "days"))
        },
    },
    Key {
        table: "metrics",
        name: "listen",
        read: |it, value| set(&mut it.metrics.listen, loopback(value).map(Some)),
    },
    Key {
        table: "collect",
        name: "line_wait_ms",
        read: |it, value| {
            let wait = integer("line_wait_ms", value, LINE_WAIT_MS, "milliseconds");
            set(&mut it.collect.line_wait_ms, wait)
        },
    },
    Key {
        table: "collect",
        name: "command_timeout",
        read: |it, value| {
            let seconds = integer("command_timeout", value, COMMAND_TIMEOUT, "seconds");
            set(&mut it.collect.command_timeout, seconds)
        },
    },
];

/// Reads the file.
pub fn read(source: SourceId, text: &[u8]) -> (WachterToml, Vec<Diagnostic>) {
    let mut reader = Reader { source, settings: WachterToml::default(), findings: Vec::new() };
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            reader.add(messages::toml_not_utf8(), error.valid_up_to()..error.valid_up_to() + 1);
            return (reader.settings, reader.findings);
        }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.add(messages::not_toml(error.message()), error.span().unwrap_or_default());
    }
    reader.table("", table.get_ref());
    reader.findings.sort_by_key(|finding| finding.at);
    (reader.settings, reader.findings)
}

struct Reader {
    source: SourceId,
    settings: WachterToml,
    findings: Vec<Diagnostic>,
}

impl Reader {
    fn table(&mut self, table: &str, settings: &DeTable<'_>) {
        for (name, value) in settings {
            let known = KEYS.iter().filter(|key| key.table == table);
            let at_top = |key: &&Key| table.is_empty() && key.table == name.get_ref().as_ref();
            if let Some(key) = known.clone().find(|key| key.name == name.get_ref().as_ref()) {
                if let Err(finding) = (key.read)(&mut self.settings, value.get_ref()) {
                    self.add(finding, value.span());
                }
            } else if let Some(key) = KEYS.iter().find(at_top) {
                self.inner_table(key.table, value);
            } else {
                let tables = KEYS.iter().map(|key| key.table);
                let tables = tables.filter(|other| table.is_empty() && !other.is_empty());
                let meant = meant(name.get_ref(), known.map(|key| key.name).chain(tables));
                self.add(messages::unknown_key(name.get_ref(), table, meant), name.span());
            }
        }
    }

    fn inner_table(&mut self, name: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref().as_table() {
            Some(settings) => self.table(name, settings),
            None => self.add(messages::not_a_table(name), value.span()),
        }
    }

    fn add(&mut self, finding: Diagnostic, span: Range<usize>) {
        self.findings.push(finding.at(self.source, Span::new(span.start, span.end)));
    }
}

fn set<T>(place: &mut T, value: Result<T, Diagnostic>) -> Result<(), Diagnostic> {
    *place = value?;
    Ok(())
}

fn compat(value: &DeValue<'_>) -> Result<Compat, Diagnostic> {
    match value.as_str() {
        Some("ours") => Ok(Compat::Ours),
        Some("strict") => Ok(Compat::Strict),
        _ => Err(messages::bad_compat(&["ours", "strict"])),
    }
}

fn integer<T: TryFrom<u64>>(
    key: &str,
    value: &DeValue<'_>,
    range: RangeInclusive<u64>,
    unit: &str,
) -> Result<T, Diagnostic> {
    let number = value
        .as_integer()
        .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
        .filter(|number| range.contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| messages::bad_integer(key, *range.start(), *range.end(), unit))
}

fn loopback(value: &DeValue<'_>) -> Result<SocketAddr, Diagnostic> {
    let address: Option<SocketAddr> = value.as_str().and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| messages::bad_listener("listen"))?;
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(messages::listener_not_local("listen")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(findings: &[Diagnostic]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn settings_and_mistakes() {
        let cases: [(&[u8], Compat, &[&str]); 7] = [
            (b"", Compat::Ours, &[]),
            (b"compat = \"strict\" # yes", Compat::Strict, &[]),
            (b"compat = \"ours\"", Compat::Ours, &[]),
            (b"compat = \"strikt\"", Compat::Ours, &["bad-value"]),
            (b"compat = 1\ncompt = 2", Compat::Ours, &["bad-value", "unknown-key"]),
            (b"[compat]\nstrict = true", Compat::Ours, &["bad-value"]),
            (b"\xff", Compat::Ours, &["not-text"]),
        ];
        for (text, compat, expected) in cases {
            let (settings, findings) = read(SourceId(0), text);
            assert_eq!(settings.compat, compat, "{text:?}");
            assert_eq!(codes(&findings), expected, "{text:?}");
        }
    }

    #[test]
    fn tables() {
        let text = "[journal]\nbytes_max = 16_777_216\ndays_max = 30\n\
            [metrics]\nlisten = \"[::1]:80\"\n[collect]\nline_wait_ms = 0x10\ncommand_timeout = 1\n";
        let (settings, findings) = read(SourceId(0), text.as_bytes());
        assert_eq!(findings, []);
        let expected = WachterToml {
            compat: Compat::Ours,
            journal: Journal { bytes_max: 16 << 20, days_max: 30 },
            metrics: Metrics { listen: "[::1]:80".parse().ok() },
            collect: Collect { line_wait_ms: 16, command_timeout: 1 },
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn mistakes_in_tables() {
        let cases = [
            ("[journal]\nbytes_max = 16_777_215", "bad-value"),
            ("[journal]\nbytes_max = \"1 GiB\"", "bad-value"),
            ("[journal]\ndays_max = -1", "bad-value"),
            ("[journal]\nday_max = 1", "unknown-key"),
            ("[jornal]\ndays_max = 1", "unknown-key"),
            ("journal = 1", "bad-value"),
            ("[metrics]\nlisten = \"9184\"", "bad-value"),
            ("[metrics]\nlisten = \"0.0.0.0:9184\"", "not-loopback"),
            ("[metrics]\nlisten = \"[::ffff:192.0.2.1]:9184\"", "not-loopback"),
            ("[collect]\nline_wait_ms = 0", "bad-value"),
            ("[collect]\ncommand_timeout = 86_401", "bad-value"),
        ];
        for (text, code) in cases {
            let (settings, findings) = read(SourceId(0), text.as_bytes());
            assert_eq!(settings, WachterToml::default(), "{text}");
            assert_eq!(codes(&findings), [code], "{text}");
            assert!(findings.iter().all(|finding| finding.hint.is_some()), "{text}");
        }
        let (_, findings) = read(SourceId(0), b"[jornal]\n[collect]\nline_wait = 1");
        let hints: Vec<Option<&str>> = findings.iter().map(|it| it.hint.as_deref()).collect();
        assert_eq!(hints, [Some("did you mean `journal`?"), Some("did you mean `line_wait_ms`?")]);
    }

    #[test]
    fn errors_have_a_place() {
        let (_, findings) = read(SourceId(3), b"compat = \"strict\"\nx = =\n");
        assert!(findings.iter().any(|finding| finding.code == "not-toml"));
        assert!(findings.iter().all(|finding| finding.at.is_some()));
    }
}
