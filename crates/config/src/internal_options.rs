//! `internal_options.conf` and `local_internal_options.conf`: numbers that few people change.
//!
//! A line is `section.name=digits`. What the local file says wins; within a file the first line
//! does. Fixed: an option that neither file has gets its default.

use std::collections::BTreeMap;

use model::diagnostic::nearest;
use model::{Diagnostic, SourceId, Span};

use crate::{messages, value};

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

/// Seconds, for rules without `timeframe`.
pub const DEFAULT_TIMEFRAME: IntOption = option("analysisd.default_timeframe", 60, 604_800, 360);
/// How far an hour's events must be above their average to be unusual, as a part of it.
pub const STATS_PERCENT_DIFF: IntOption = option("analysisd.stats_percent_diff", 5, 9999, 150);
/// The same in events, at least.
pub const STATS_MIN_DIFF: IntOption = option("analysisd.stats_mindiff", 10, 999_999, 1250);
/// The same in events, at most.
pub const STATS_MAX_DIFF: IntOption = option("analysisd.stats_maxdiff", 10, 999_999, 999_000);
/// New keys of `ids` decoders that later ones are compared with.
pub const FTS_LIST_SIZE: IntOption = option("analysisd.fts_list_size", 12, 512, 32);
/// Common prefix from which on such keys are alike.
pub const FTS_MIN_SIZE: IntOption = option("analysisd.fts_min_size_for_str", 6, 128, 14);
/// Whether firewall events are written.
pub const LOG_FW: IntOption = option("analysisd.log_fw", 0, 1, 1);
/// Fields that one decoder may fill.
pub const DECODER_ORDER_SIZE: IntOption = option("analysisd.decoder_order_size", 8, 1024, 256);
/// Events kept for each rule that others count.
pub const SID_PREV_MATCHED_MAX: IntOption =
    option("analysisd.sid_prev_matched_max", 16, 65_536, 128);

const QUEUE_DEFAULT: u32 = 16_384;

/// The options that are read, in the order of OSSEC's file.
pub const ALL: &[IntOption] = &[
    DEFAULT_TIMEFRAME,
    STATS_MAX_DIFF,
    STATS_MIN_DIFF,
    STATS_PERCENT_DIFF,
    FTS_LIST_SIZE,
    FTS_MIN_SIZE,
    LOG_FW,
    DECODER_ORDER_SIZE,
    SID_PREV_MATCHED_MAX,
    option("analysisd.event_threads", 0, 32, 0),
    option("analysisd.rule_matching_threads", 0, 32, 0),
    option("analysisd.syscheck_threads", 0, 32, 0),
    option("analysisd.rootcheck_threads", 0, 32, 0),
    option("analysisd.hostinfo_threads", 0, 32, 0),
    option("analysisd.input_demux_threads", 1, 8, 2),
    queue("analysisd.decode_event_queue_size"),
    queue("analysisd.raw_input_queue_size"),
    queue("analysisd.decode_syscheck_queue_size"),
    queue("analysisd.decode_rootcheck_queue_size"),
    queue("analysisd.decode_hostinfo_queue_size"),
    queue("analysisd.decode_output_queue_size"),
    queue("analysisd.alerts_queue_size"),
    queue("analysisd.statistical_queue_size"),
    queue("analysisd.archives_queue_size"),
    queue("analysisd.firewall_queue_size"),
    queue("analysisd.fts_queue_size"),
    option("analysisd.raw_input_push_wait_ms", 0, 5000, 25),
    option("analysisd.demux_push_wait_ms", 0, 5000, 50),
    option("analysisd.shard_push_wait_ms", 0, 5000, 75),
    option("analysisd.alerts_push_wait_ms", 0, 5000, 100),
    option("analysisd.state_interval", 0, 86_400, 5),
    option("analysisd.geoip_jsonout", 0, 1, 0),
    option("analysisd.debug", 0, 2, 0),
];

/// Sections whose options are read by programs that are not configured here yet.
const OTHER_SECTIONS: &[&str] = &[
    "agent",
    "authd",
    "dbd",
    "logcollector",
    "maild",
    "monitord",
    "ossec",
    "remoted",
    "rootcheck",
    "syscheck",
    "windows",
];

const fn option(name: &'static str, min: u32, max: u32, default: u32) -> IntOption {
    IntOption { name, min, max, default }
}

const fn queue(name: &'static str) -> IntOption {
    option(name, 128, 2_000_000, QUEUE_DEFAULT)
}

impl InternalOptions {
    /// The value of an option, or its default.
    pub fn get(&self, option: &IntOption) -> u32 {
        self.values.get(option.name).copied().unwrap_or(option.default)
    }

    /// Reads a file whose values count less than those already read: the local file comes first.
    pub fn read(&mut self, source: SourceId, text: &[u8]) -> Vec<Diagnostic> {
        let mut file = File { source, values: BTreeMap::new(), findings: Vec::new() };
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
        file.findings
    }
}

struct File {
    source: SourceId,
    /// `None` where a line has a value that cannot be used.
    values: BTreeMap<&'static str, Option<u32>>,
    findings: Vec<Diagnostic>,
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
        let section = key.split('.').next().unwrap_or_default();
        if !OTHER_SECTIONS.contains(&section) {
            let meant = nearest(key, ALL.iter().map(|option| option.name));
            self.add(messages::unknown_option(key, meant), span);
        }
    }

    fn add(&mut self, finding: Diagnostic, span: Span) {
        self.findings.push(finding.at(self.source, span));
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
            "analysisd.log_fw=1\nanalysisd.fts_list_size=12\nmaild.x=9\n\n",
        );
        assert_eq!(codes, [] as [&str; 0]);
        assert_eq!((options.get(&LOG_FW), options.get(&FTS_LIST_SIZE)), (0, 12));
        assert_eq!(options.get(&DEFAULT_TIMEFRAME), 360);
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
    fn mistakes() {
        let text = "word\nanalysisd.log_fw = 1\nanalysisd.log_fv=1\n\
            analysisd.log_fw=0\nanalysisd.log_fw=1\nanalysisd.debug=x\n";
        let (options, codes) = read(text, "");
        let expected =
            ["not-an-option", "blank-in-option", "unknown-option", "option-repeated", "bad-number"];
        assert_eq!(codes, expected);
        assert_eq!(options.get(&LOG_FW), 0);
    }
}
