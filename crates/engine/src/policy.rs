//! What the engine goes by: decoders, rules and settings, immutable and shared between threads.

use decode::{DecoderSet, DynamicField};
use hashbrown::HashMap;
use pattern::PatternId;
use rules::ruleset::{Condition, Ruleset, Subject};

use crate::geoip::GeoIp;
use crate::statistics::Margin;

/// Decoders and rules that belong together.
#[derive(Debug)]
pub struct Policy {
    pub decoders: DecoderSet,
    pub ruleset: Ruleset,
    pub geoip: Option<GeoIp>,
    pub options: Options,
    /// All patterns that rules hold against program names, each once.
    pub(crate) program_patterns: Vec<PatternId>,
    /// Dynamic fields by lower-case name.
    pub(crate) dynamic_fields: HashMap<Vec<u8>, DynamicField>,
}

/// Settings of the engine. The defaults are those of OSSEC's `internal_options.conf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// compat: correlation and ignore periods exactly as OSSEC has them.
    pub strict: bool,
    /// Whether a syslog event that equals one of the last three is left out.
    pub drop_repeated: bool,
    /// Whether actions of firewall events are brought to `ALLOW`, `DROP`, `CLOSED` (`log_fw`).
    pub normalise_firewall: bool,
    /// Level of the alerts about unusual numbers of events; 0 is off.
    pub statistics_level: u16,
    /// How far above the average is unusual (`analysisd.stats_*`).
    pub statistics_margin: Margin,
    /// File integrity: stop reporting a file after three changes.
    pub auto_ignore: bool,
    /// File integrity: report files that were not known.
    pub alert_new_files: bool,
    /// File integrity: prefixes of names that are not reported.
    pub syscheck_ignore: Vec<Vec<u8>>,
    /// New `ids` keys that later ones are compared with (`analysisd.fts_list_size`).
    pub fts_list_size: usize,
    /// Common prefix from which on such keys are alike (`analysisd.fts_min_size_for_str`).
    pub fts_prefix_min: usize,
    /// Events that one `if_matched_sid` looks back over in strict mode
    /// (`analysisd.sid_prev_matched_max`).
    pub sid_events_max: usize,
    /// Events remembered for correlation, over all rules.
    pub history_events_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict: false,
            drop_repeated: true,
            normalise_firewall: true,
            statistics_level: 4,
            statistics_margin: Margin::default(),
            auto_ignore: true,
            alert_new_files: false,
            syscheck_ignore: Vec::new(),
            fts_list_size: 32,
            fts_prefix_min: 14,
            sid_events_max: 128,
            history_events_max: 65_536,
        }
    }
}

impl Policy {
    pub fn new(
        decoders: DecoderSet,
        ruleset: Ruleset,
        geoip: Option<GeoIp>,
        options: Options,
    ) -> Self {
        let mut program_patterns: Vec<PatternId> = ruleset
            .rules
            .iter()
            .flat_map(|rule| &rule.conditions)
            .filter_map(|condition| match condition {
                Condition::Text { subject: Subject::ProgramName, pattern } => Some(*pattern),
                _ => None,
            })
            .collect();
        program_patterns.sort_unstable();
        program_patterns.dedup();
        let dynamic_fields = decoders
            .dynamic_names()
            .iter()
            .enumerate()
            .map(|(number, name)| {
                (name.to_ascii_lowercase().into_bytes(), DynamicField(number as u16))
            })
            .collect();
        Self { decoders, ruleset, geoip, options, program_patterns, dynamic_fields }
    }
}
