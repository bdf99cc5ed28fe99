//! Alerts as a person reads them: what happened, where and from whom, and below it the log line.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::escape;

/// The parts of a line of alerts.json that are shown or looked for. What is absent is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Alert<'a> {
    #[serde(borrow)]
    pub(crate) rule: Rule<'a>,
    /// Milliseconds since the epoch.
    #[serde(rename = "TimeStamp")]
    pub(crate) time: i64,
    #[serde(borrow)]
    pub(crate) srcip: Cow<'a, str>,
    #[serde(borrow)]
    srcuser: Cow<'a, str>,
    #[serde(borrow)]
    dstuser: Cow<'a, str>,
    #[serde(borrow)]
    location: Cow<'a, str>,
    #[serde(borrow)]
    hostname: Cow<'a, str>,
    #[serde(borrow)]
    full_log: Cow<'a, str>,
}

/// The rule of an alert.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule<'a> {
    pub(crate) level: u16,
    #[serde(rename = "sidid")]
    pub(crate) id: u32,
    #[serde(rename = "comment", borrow)]
    description: Cow<'a, str>,
    /// Names, each with a comma behind it.
    #[serde(rename = "group", borrow)]
    pub(crate) groups: Cow<'a, str>,
}

impl<'a> Alert<'a> {
    /// `None` if the line is not an alert.
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Writes alerts for a person.
pub(crate) struct AlertLines {
    zone: TimeZone,
    is_coloured: bool,
    text: Vec<u8>,
}

impl AlertLines {
    /// In the local zone; with colours on a terminal, if the user does not refuse them.
    pub(crate) fn new(is_terminal: bool) -> Self {
        // The convention of no-color.org.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::with(TimeZone::system(), is_terminal && !refused)
    }

    fn with(zone: TimeZone, is_coloured: bool) -> Self {
        Self { zone, is_coloured, text: Vec::new() }
    }

    /// Writes the alert of a line of alerts.json if its level is not below this one.
    pub(crate) fn write(
        &mut self,
        line: &[u8],
        level_min: u16,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match Alert::of(line) {
            Some(alert) if alert.rule.level < level_min => Ok(()),
            Some(alert) => self.write_alert(&alert, out),
            None => self.write_unreadable(line, out),
        }
    }

    /// Writes an alert.
    pub(crate) fn write_alert(
        &mut self,
        alert: &Alert<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let rule = &alert.rule;
        self.text.clear();
        self.push_time(alert.time);
        let (start, end) = match self.is_coloured {
            true => colour(rule.level),
            false => ("", ""),
        };
        write!(self.text, "  {start}level {:<2}{end}  rule {:<6}  ", rule.level, rule.id)?;
        escape::push(&mut self.text, rule.description.as_bytes());
        self.text.extend_from_slice(b"  ");
        self.push_place(alert);
        let user = if alert.dstuser.is_empty() { &alert.srcuser } else { &alert.dstuser };
        for (name, value) in [("srcip", &alert.srcip), ("user", user)] {
            if !value.is_empty() {
                write!(self.text, "  {name} ")?;
                escape::push(&mut self.text, value.as_bytes());
            }
        }
        self.text.push(b'\n');
        if !alert.full_log.is_empty() {
            self.text.extend_from_slice(b"    ");
            escape::push(&mut self.text, alert.full_log.as_bytes());
            self.text.push(b'\n');
        }
        out.write_all(&self.text)
    }

    /// Writes a line that is not an alert.
    pub(crate) fn write_unreadable(&mut self, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        self.text.clear();
        self.text.extend_from_slice(b"not an alert:\n    ");
        escape::push(&mut self.text, line);
        self.text.push(b'\n');
        out.write_all(&self.text)
    }

    fn push_time(&mut self, milliseconds: i64) {
        let moment = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
        let local = moment.to_zoned_datetime(self.zone.clone());
        self.text.extend_from_slice(local.strftime("%Y-%m-%d %H:%M:%S").to_string().as_bytes());
    }

    /// `HOST->LOCATION`. The location of an agent names its host already.
    fn push_place(&mut self, alert: &Alert<'_>) {
        if !alert.hostname.is_empty() && !alert.location.contains("->") {
            escape::push(&mut self.text, alert.hostname.as_bytes());
            self.text.extend_from_slice(b"->");
        }
        escape::push(&mut self.text, alert.location.as_bytes());
    }
}

/// What a terminal is told before and after a level.
fn colour(level: u16) -> (&'static str, &'static str) {
    const END: &str = "\x1b[0m";
    match level {
        0..=3 => ("", ""),
        4..=7 => ("\x1b[36m", END),
        8..=11 => ("\x1b[33m", END),
        12.. => ("\x1b[1;31m", END),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, is_coloured: bool) -> String {
        let mut out = Vec::new();
        let mut lines = AlertLines::with(TimeZone::UTC, is_coloured);
        lines.write(line.as_bytes(), 0, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn alerts_as_people_read_them() {
        for (line, expected) in [
            (
                r#"{"rule":{"level":10,"comment":"Many failures.","sidid":5720,"group":"sshd,"},
                    "TimeStamp":1795560317000,"srcip":"203.0.113.77","srcuser":"a","dstuser":"root",
                    "location":"/var/log/auth.log","hostname":"web1","full_log":"Failed \"x\""}"#,
                "2026-11-24 22:45:17  level 10  rule 5720    Many failures.  \
                 web1->/var/log/auth.log  srcip 203.0.113.77  user root\n    Failed \"x\"\n",
            ),
            (
                r#"{"rule":{"level":3,"comment":"c","sidid":2},"TimeStamp":0,"srcuser":"a",
                    "location":"(ag 1) any->/var/log/a","hostname":"h","full_log":""}"#,
                "1970-01-01 00:00:00  level 3   rule 2       c  (ag 1) any->/var/log/a  user a\n",
            ),
            ("{}", "1970-01-01 00:00:00  level 0   rule 0         \n"),
            ("{\u{1b}", "not an alert:\n    {\\x1b\n"),
        ] {
            assert_eq!(shown(line, false), expected);
        }
    }

    #[test]
    fn hostile_text_is_escaped_everywhere() {
        let line = r#"{"rule":{"level":1,"comment":"\u001b[2J","sidid":1},"srcip":"\r","dstuser":"\u202e",
            "location":"\u0000","hostname":"\u0007","full_log":"a\n2026-11-24 level 15\u009b"}"#;
        let shown = shown(line, true);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.chars().all(|character| character == '\n' || !character.is_control()));
        assert!(!shown.contains('\u{202e}'), "{shown}");
    }

    #[test]
    fn colour_tells_how_grave_it_is() {
        for (level, start) in [(0, ""), (4, "\x1b[36m"), (8, "\x1b[33m"), (15, "\x1b[1;31m")] {
            let line = format!(r#"{{"rule":{{"level":{level}}}}}"#);
            assert!(shown(&line, true).contains(&format!("  {start}level {level}")), "{level}");
            assert!(!shown(&line, false).contains('\x1b'), "{level}");
        }
    }

    #[test]
    fn levels_below_are_left_out() {
        let mut lines = AlertLines::with(TimeZone::UTC, false);
        for (level_min, is_shown) in [(0, true), (5, true), (6, false)] {
            let mut out = Vec::new();
            lines.write(br#"{"rule":{"level":5}}"#, level_min, &mut out).unwrap();
            assert_eq!(!out.is_empty(), is_shown, "{level_min}");
        }
    }
}
