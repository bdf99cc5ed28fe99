//! `internal_options.conf` and `local_internal_options.conf`: numbers that few people change.
//!
//! A line is `section.name=digits`. What the local file says wins; within a file the first line
//! does. Fixed: an option that neither file has gets its default.

use std::collections::BTreeMap;

use model::{Diagnostic, SourceId, Span};

use crate::findings::{self, Findings};
use crate::{messages, value};

mod table;

pub use table::*;

/// An option, its range and its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntOption {
    pub name: &'static str,
    pub min: u32,
    pub max: u32,
    pub default: u32,
}

/// What both files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalOptions {
    values: BTreeMap<&'static str, u32>,
}

impl InternalOptions {
    /// The value of an option, or its default.
    pub fn get(&self, option: &IntOption) -> u32 {
        self.values.get(option.name).copied().unwrap_or(option.default)
    }

    /// Reads a file whose values count less than those already read: the local file comes first.
    pub fn read(&mut self, source: SourceId, text: &[u8]) -> Vec<Diagnostic> {
        let findings = Findings::new(source, findings::File::InternalOptions, Vec::new());
        let mut file = File { values: BTreeMap::new(), findings };
        let mut start = 0;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            file.line(line, start);
            start += line.len();
        }
        for (name, value) in file.values {
            if let Some(value) = value {
                self.values.entry(name).or_insert(value);
            }
        }
        file.findings.into_list()
    }
}

struct File {
    /// `None` where a line has a value that cannot be used.
    values: BTreeMap<&'static str, Option<u32>>,
    findings: Findings,
}

impl File {
    fn line(&mut self, line: &[u8], start: usize) {
        let line = line.trim_ascii_end();
        if line.is_empty() || matches!(line.first(), Some(b'#' | b' ')) {
            return;
        }
        let span = |from: usize, to: usize| Span::new(start + from, start + to);
        let equals = line.iter().position(|&byte| byte == b'=');
        let Some(equals) = equals.filter(|&at| line.iter().take(at).any(|&byte| byte == b'.'))
        else {
            let message = messages::not_an_option(&String::from_utf8_lossy(line));
            return self.add(message, span(0, line.len()));
        };
        let (key, number) = line.split_at(equals);
        let number = number.get(1..).unwrap_or_default();
        let text = String::from_utf8_lossy(key);
        if key.trim_ascii().len() != key.len() {
            return self.add(messages::blank_in_option(text.trim()), span(0, equals));
        }
        let Some(option) = ALL.iter().find(|option| option.name.as_bytes() == key) else {
            return self.unknown(&text, span(0, equals));
        };
        if self.values.contains_key(option.name) {
            return self.add(messages::option_repeated(option.name), span(0, equals));
        }
        let value =
            value::digits(number).filter(|number| (option.min..=option.max).contains(number));
        if value.is_none() {
            let shown = String::from_utf8_lossy(number);
            let message =
                messages::option_out_of_range(option.name, &shown, option.min, option.max);
            self.add(message, span(equals + 1, line.len()));
        }
        self.values.insert(option.name, value);
    }

    fn unknown(&mut self, key: &str, span: Span) {
        let meant = self.findings.meant(key, ALL.iter().map(|option| option.name));
        self.add(messages::unknown_option(key, meant), span);
    }

    fn add(&mut self, finding: Diagnostic, span: Span) {
        self.findings.add_at(finding, span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(local: &str, main: &str) -> (InternalOptions, Vec<&'static str>) {
        let mut options = InternalOptions::default();
        let mut findings = options.read(SourceId(0), local.as_bytes());
        findings.extend(options.read(SourceId(1), main.as_bytes()));
        (options, findings.iter().map(|finding| finding.code).collect())
    }

    #[test]
    fn the_local_file_wins() {
        let (options, codes) = read(
            "# c\nanalysisd.log_fw=0\r\n",
            "analysisd.log_fw=1\nanalysisd.fts_list_size=12\nmaild.groupping=0\n\n",
        );
        assert_eq!(codes, [] as [&str; 0]);
        assert_eq!((options.get(&LOG_FW), options.get(&FTS_LIST_SIZE)), (0, 12));
        assert_eq!((options.get(&DEFAULT_TIMEFRAME), options.get(&MAIL_GROUPING)), (360, 0));
    }

    #[test]
    fn ranges() {
        for (value, expected) in [("11", 32), ("12", 12), ("512", 512), ("513", 32), ("", 32)] {
            let (options, codes) = read("", &format!("analysisd.fts_list_size={value}"));
            assert_eq!(options.get(&FTS_LIST_SIZE), expected, "{value}");
            assert_eq!(codes.len(), usize::from(expected == 32), "{value}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        let mut names: Vec<&str> = ALL.iter().map(|option| option.name).collect();
        for option in ALL {
            assert!((option.min..=option.max).contains(&option.default), "{}", option.name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn mistakes() {
        let text = "word\nanalysisd.log_fw = 1\nanalysisd.log_fv=1\n\
            analysisd.log_fw=0\nanalysisd.log_fw=1\nanalysisd.debug=x\n\
            maild.grouping=1\nshell.debug=1\n";
        let (options, codes) = read(text, "");
        let expected = [
            "not-an-option",
            "blank-in-option",
            "unknown-option",
            "option-repeated",
            "bad-number",
            "unknown-option",
            "unknown-option",
        ];
        assert_eq!(codes, expected);
        assert_eq!(options.get(&LOG_FW), 0);
    }
}
