//! Which decoders and rules were tried: as OSSEC shows it (`-v`), and with reasons (`--trace`).

use decode::{DecodeStep, DecodeTrace, Decoded, Decoder, DecoderSet};
use engine::Policy;
use engine::explain::{Trace, Tried};
use model::Field;
use pattern::{Language, PatternId, PatternSet};
use rules::lists::ListTest;
use rules::ruleset::{CompiledRule, Condition, Rule, RuleIndex, Subject};

use super::phases::Phases;
use crate::escape::{self, escaped};

/// Writes the phases of decoding and then the rules that are tried, in OSSEC's layout.
pub(super) struct RuleDebugging<'a> {
    pub(super) phases: &'a Phases,
    pub(super) out: &'a mut Vec<u8>,
}

impl DecodeTrace for RuleDebugging<'_> {
    fn decoder(&mut self, _: &Decoder, _: DecodeStep) {}
}

impl Trace for RuleDebugging<'_> {
    fn decoded(&mut self, decoded: &Decoded, policy: &Policy) {
        self.phases.decoding(decoded, policy, self.out);
        self.out.extend_from_slice(b"\n**Rule debugging:\n");
    }

    fn rule(&mut self, rule: &Rule, tried: Tried) {
        self.out.extend_from_slice(format!("    Trying rule: {} - ", rule.id).as_bytes());
        escape::push(self.out, rule.description.as_bytes());
        self.out.push(b'\n');
        match tried {
            Tried::Matched => {
                let line = format!("       *Rule {} matched.\n", rule.id);
                self.out.extend_from_slice(line.as_bytes());
            }
            Tried::Fails(_) | Tried::FailsByHistory => {}
        }
    }

    fn children(&mut self, _: &Rule) {
        self.out.extend_from_slice(b"       *Trying child rules.\n");
    }
}

/// Writes the phases of decoding, and all decoders and rules that are tried, with reasons.
pub(super) struct Explanation<'a> {
    phases: &'a Phases,
    policy: &'a Policy,
    out: &'a mut Vec<u8>,
    /// What was found while decoding: it is written once the event is known.
    decoders: Vec<String>,
    decoded: Decoded,
    /// The rules above the one that is tried.
    above: Vec<RuleIndex>,
}

impl<'a> Explanation<'a> {
    pub(super) fn new(phases: &'a Phases, policy: &'a Policy, out: &'a mut Vec<u8>) -> Self {
        Self {
            phases,
            policy,
            out,
            decoders: Vec::new(),
            decoded: Decoded::default(),
            above: Vec::new(),
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.out.extend_from_slice("  ".repeat(depth + 2).as_bytes());
        escape::push(self.out, text.as_bytes());
        self.out.push(b'\n');
    }
}

impl DecodeTrace for Explanation<'_> {
    fn decoder(&mut self, decoder: &Decoder, step: DecodeStep) {
        let name = if decoder.name == decoder.own_name {
            decoder.name.clone()
        } else {
            format!("{} ({})", decoder.own_name, decoder.name)
        };
        let patterns = self.policy.decoders.patterns();
        let shown = |pattern: Option<PatternId>| shown_pattern(patterns, pattern);
        self.decoders.push(match step {
            DecodeStep::ProgramDiffers => {
                format!("{name}: program_name {} does not fit", shown(decoder.program))
            }
            DecodeStep::PrematchFails => {
                let prematch = decoder.prematch.map(|(pattern, _)| pattern);
                format!("{name}: prematch {} is not found", shown(prematch))
            }
            DecodeStep::Accepted => format!("{name}: fits"),
            DecodeStep::RegexFails => {
                let regex = decoder.regex.map(|(pattern, _)| pattern);
                format!("{name}: regex {} is not found", shown(regex))
            }
            DecodeStep::RegexMatches(captures) => {
                format!("{name}: regex is found, {captures} captures")
            }
            DecodeStep::Plugin => format!("{name}: its plugin reads the log"),
        });
    }
}

impl Trace for Explanation<'_> {
    fn decoded(&mut self, decoded: &Decoded, policy: &Policy) {
        self.decoded = decoded.clone();
        self.phases.decoding(decoded, policy, self.out);
        self.out.extend_from_slice(b"\n**Decoders tried:\n");
        for text in std::mem::take(&mut self.decoders) {
            self.line(0, &text);
        }
        self.out.extend_from_slice(b"\n**Rules tried:\n");
    }

    fn rule(&mut self, rule: &Rule, tried: Tried) {
        let ruleset = &self.policy.ruleset;
        let index = ruleset.by_id.get(&rule.id).copied();
        while let Some(&parent) = self.above.last()
            && !index.is_some_and(|index| ruleset.rule(parent).children.contains(&index))
        {
            self.above.pop();
        }
        let verdict = match tried {
            Tried::Matched => "fits".to_owned(),
            Tried::Fails(position) => match rule.conditions.get(position) {
                Some(condition) => reason(condition, &self.decoded, self.policy),
                None => "does not fit".to_owned(),
            },
            Tried::FailsByHistory => history_reason(rule),
        };
        let text = format!("{}: {verdict}", rule.id);
        self.line(self.above.len(), &text);
    }

    fn children(&mut self, rule: &Rule) {
        self.above.extend(self.policy.ruleset.by_id.get(&rule.id));
    }
}

/// Why a rule fails although the event alone fits.
fn history_reason(rule: &Rule) -> String {
    match &rule.correlation {
        Some(correlation) => format!(
            "fewer than {} events within {} seconds",
            correlation.frequency.saturating_add(2),
            correlation.timeframe
        ),
        None => "nothing has changed, or it was seen before".to_owned(),
    }
}

/// Why a condition does not hold.
fn reason(condition: &Condition, decoded: &Decoded, policy: &Policy) -> String {
    let patterns = &policy.ruleset.patterns;
    match condition {
        Condition::DecodedAs(id) => {
            format!("decoded_as {} is not the decoder", decoder_names(&policy.decoders, *id))
        }
        Condition::Text { subject, pattern } => {
            let shown = shown_pattern(patterns, Some(*pattern));
            match subject {
                Subject::Log => format!("{shown} is not found in the log"),
                other => {
                    let (word, value) = subject_value(*other, decoded);
                    format!("{word} {shown} is not found in {}", shown_value(value))
                }
            }
        }
        Condition::Action(text) => {
            let action = decoded.firewall_action.map(str::as_bytes);
            let action = action.or_else(|| decoded.field(Field::Action));
            format!("action is {}, not '{}'", shown_value(action), escaped(text))
        }
        Condition::Dynamic { name, pattern } => {
            let shown = shown_pattern(patterns, Some(*pattern));
            format!("field {} does not fit {shown}", escaped(name))
        }
        Condition::SrcIp(_) => {
            format!("srcip {} is not among those wanted", shown_value(decoded.field(Field::SrcIp)))
        }
        Condition::DstIp(_) => {
            format!("dstip {} is not among those wanted", shown_value(decoded.field(Field::DstIp)))
        }
        Condition::Compiled(rule) => format!("compiled_rule {} fails", compiled_word(*rule)),
        Condition::SizeAtLeast(bytes) => {
            format!("the log has {} bytes, less than {bytes}", decoded.log().len())
        }
        Condition::TimeOfDay(_) => {
            let now = decoded.event.received.civil();
            format!("time: it is {:02}:{:02}", now.hour, now.minute)
        }
        Condition::Weekday(_) => {
            let day = usize::from(decoded.event.received.weekday());
            format!("weekday: it is {}", model::time::WEEKDAYS.get(day).unwrap_or(&""))
        }
        Condition::Changed => "check_diff: nothing has changed".to_owned(),
        Condition::FirstSeen => "if_fts: it was seen before".to_owned(),
        Condition::List(test) => list_reason(test, policy),
    }
}

fn list_reason(test: &ListTest, policy: &Policy) -> String {
    let list = policy.ruleset.lists.get(usize::from(test.list.0));
    let name = list.map_or("?", |list| list.name.as_str());
    format!("list {name}: {} by {} fails", test.lookup.word(), test.field.word())
}

/// The names that mean a decoder's identity; there is normally one.
fn decoder_names(decoders: &DecoderSet, id: model::DecoderId) -> String {
    let mut names: Vec<String> =
        decoders.names().filter(|name| decoders.id(name) == Some(id)).map(escaped).collect();
    names.sort_unstable();
    names.join(" or ")
}

fn shown_pattern(patterns: &PatternSet, pattern: Option<PatternId>) -> String {
    match pattern.and_then(|pattern| patterns.source(pattern)) {
        Some((language, text)) => {
            let language = match language {
                Language::Match => "match",
                Language::Regex => "regex",
                Language::Pcre2 => "pcre2",
            };
            format!("{language} `{}`", escaped(text))
        }
        None => "pattern".to_owned(),
    }
}

fn shown_value(value: Option<&[u8]>) -> String {
    match value {
        Some(value) => format!("'{}'", escaped(value)),
        None => "(not set)".to_owned(),
    }
}

/// The option's word and the event's value.
fn subject_value(subject: Subject, decoded: &Decoded) -> (&'static str, Option<&[u8]>) {
    match subject {
        Subject::Log => ("match", Some(decoded.log())),
        Subject::ProgramName => ("program_name", decoded.program_name()),
        Subject::Id => ("id", decoded.field(Field::Id)),
        Subject::Url => ("url", decoded.field(Field::Url)),
        Subject::User => ("user", decoded.user()),
        Subject::Status => ("status", decoded.field(Field::Status)),
        Subject::Hostname => ("hostname", Some(decoded.hostname())),
        Subject::ExtraData => ("extra_data", decoded.field(Field::Data)),
        Subject::SrcPort => ("srcport", decoded.field(Field::SrcPort)),
        Subject::DstPort => ("dstport", decoded.field(Field::DstPort)),
        Subject::SrcGeoIp => ("srcgeoip", decoded.field(Field::SrcGeoIp)),
        Subject::DstGeoIp => ("dstgeoip", decoded.field(Field::DstGeoIp)),
    }
}

fn compiled_word(rule: CompiledRule) -> &'static str {
    match rule {
        CompiledRule::LongId => "check_id_size",
        CompiledRule::SameUsers => "comp_srcuser_dstuser",
        CompiledRule::WindowsUsersDiffer => "comp_mswin_targetuser_calleruser_diff",
        CompiledRule::SimpleHttpRequest => "is_simple_http_request",
        CompiledRule::KnownCrawler => "is_valid_crawler",
    }
}
