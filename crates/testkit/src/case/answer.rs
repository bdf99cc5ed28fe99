//! Answers: what came out, and what a case expects.

use std::fmt;

use super::bytes::escape;
use super::bytes::unescape_value;

/// What came out for one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub hostname: Vec<u8>,
    pub program: Option<Vec<u8>>,
    pub log: Vec<u8>,
    pub decoder: Option<String>,
    /// Label and value, in the order they were assigned.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Id, level, and whether there is an alert.
    pub rule: Option<(u32, u16, bool)>,
    /// How many earlier events the alert shows.
    pub context: usize,
}

/// What a case expects of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Decoder { name: Option<String>, fields: Vec<(String, Vec<u8>)> },
    Rule { id: u32, level: u16, alert: bool, context: usize },
    NoRule,
    Program(Option<Vec<u8>>),
    Hostname(Vec<u8>),
    Log(Vec<u8>),
}

/// What an [`Expected`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Decoder,
    Rule,
    Program,
    Hostname,
    Log,
}

impl Expected {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Decoder { .. } => Kind::Decoder,
            Self::Rule { .. } | Self::NoRule => Kind::Rule,
            Self::Program(_) => Kind::Program,
            Self::Hostname(_) => Kind::Hostname,
            Self::Log(_) => Kind::Log,
        }
    }

    /// The part of an answer that is of that kind.
    pub fn of(kind: Kind, answer: &Answer) -> Self {
        match kind {
            Kind::Decoder => {
                Self::Decoder { name: answer.decoder.clone(), fields: answer.fields.clone() }
            }
            Kind::Rule => match answer.rule {
                Some((id, level, alert)) => {
                    Self::Rule { id, level, alert, context: answer.context }
                }
                None => Self::NoRule,
            },
            Kind::Program => Self::Program(answer.program.clone()),
            Kind::Hostname => Self::Hostname(answer.hostname.clone()),
            Kind::Log => Self::Log(answer.log.clone()),
        }
    }

    /// Reads what follows the `=`; the mistake if it is no expectation.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split("  ").map(str::trim).filter(|part| !part.is_empty());
        let first = parts.next().ok_or("an answer is missing")?;
        let rest: Vec<&str> = parts.collect();
        let (word, value) = first.split_once(' ').unwrap_or((first, ""));
        let expected = match (word, value) {
            ("no", "decoder") => return decoder(None, &rest),
            ("decoder", _) => return decoder(Some(text_of(value)?), &rest),
            ("rule", _) => return rule(value, &rest),
            ("no", "rule") => Self::NoRule,
            ("no", "program") => Self::Program(None),
            ("program", _) => Self::Program(Some(bytes_of(value)?)),
            ("hostname", _) => Self::Hostname(bytes_of(value)?),
            ("log", _) => Self::Log(bytes_of(value)?),
            _ => {
                return Err(format!(
                    "unknown answer \"{first}\"; known are decoder, rule, program, hostname, log, \
                     no decoder, no rule and no program"
                ));
            }
        };
        match rest.first() {
            None => Ok(expected),
            Some(part) => Err(format!("unexpected \"{part}\"; write a second blank as \\x20")),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decoder { name, fields } => {
                match name {
                    Some(name) => write!(f, "decoder {}", escape(name.as_bytes()))?,
                    None => f.write_str("no decoder")?,
                }
                for (label, value) in fields {
                    let label = escape(label.as_bytes()).replace(' ', "\\x20");
                    write!(f, "  {label} {}", escape(value))?;
                }
                Ok(())
            }
            Self::Rule { id, level, alert, context } => {
                let word = if *alert { "alert" } else { "silent" };
                write!(f, "rule {id} level {level}  {word}")?;
                if *context != 0 {
                    write!(f, "  context {context}")?;
                }
                Ok(())
            }
            Self::NoRule => f.write_str("no rule"),
            Self::Program(None) => f.write_str("no program"),
            Self::Program(Some(name)) => write!(f, "program {}", escape(name)),
            Self::Hostname(name) => write!(f, "hostname {}", escape(name)),
            Self::Log(text) => write!(f, "log {}", escape(text)),
        }
    }
}

fn decoder(name: Option<String>, parts: &[&str]) -> Result<Expected, String> {
    let mut fields = Vec::new();
    for part in parts {
        let (label, value) =
            part.split_once(' ').ok_or_else(|| format!("field \"{part}\" has no value"))?;
        fields.push((text_of(label)?, bytes_of(value)?));
    }
    Ok(Expected::Decoder { name, fields })
}

fn rule(numbers: &str, parts: &[&str]) -> Result<Expected, String> {
    let wrong = || "expected rule N level L  alert or silent  context C".to_owned();
    let (id, level) = numbers.split_once(" level ").ok_or_else(wrong)?;
    let id = id.trim().parse().map_err(|_| wrong())?;
    let level = level.trim().parse().map_err(|_| wrong())?;
    let (alert, context) = match parts {
        [alert] => (*alert, 0),
        [alert, context] => {
            let count = context.strip_prefix("context ").ok_or_else(wrong)?;
            (*alert, count.parse().map_err(|_| wrong())?)
        }
        _ => return Err(wrong()),
    };
    let alert = match alert {
        "alert" => true,
        "silent" => false,
        _ => return Err(wrong()),
    };
    Ok(Expected::Rule { id, level, alert, context })
}

fn bytes_of(value: &str) -> Result<Vec<u8>, String> {
    if value.is_empty() {
        return Err("a value is missing; write an empty one as \"\"".to_owned());
    }
    unescape_value(value)
}

fn text_of(value: &str) -> Result<String, String> {
    String::from_utf8(bytes_of(value)?).map_err(|_| format!("\"{value}\" is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_both_ways() {
        for text in [
            "decoder sshd",
            "decoder sshd  srcip 192.0.2.7  dstuser a b \\x20c  a\\x20b \"\"",
            "no decoder  id 1",
            "rule 5716 level 5  alert",
            "rule 5720 level 0  silent  context 11",
            "no rule",
            "program \"\"",
            "no program",
            "hostname (a) any->b",
            "log C:\\\\x\\xff",
        ] {
            let parsed = Expected::parse(text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("", "an answer is missing"),
            ("rules 1", "unknown answer \"rules 1\""),
            ("rule 1", "expected rule N level L"),
            ("rule 1 level 2", "expected rule N level L"),
            ("rule 1 level 2  alarm", "expected rule N level L"),
            ("rule 1 level 2  alert  3", "expected rule N level L"),
            ("decoder", "a value is missing"),
            ("decoder a  b", "field \"b\" has no value"),
            ("log a  b", "unexpected \"b\""),
            ("log a\\q", "unknown escape \\q"),
            ("no rule  x", "unexpected \"x\""),
        ] {
            let error = Expected::parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
