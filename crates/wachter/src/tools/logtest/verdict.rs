//! `-U RULE:LEVEL:DECODER`: is the answer the expected one?

use std::str::FromStr;

use engine::{Outcome, Policy};

use crate::escape;

/// What is expected of each event, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) rule: String,
    pub(crate) level: String,
    pub(crate) decoder: String,
}

/// How an answer compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    Equal,
    LevelDiffers,
    RuleDiffers,
    DecoderDiffers,
    /// The decoder is the expected one.
    NoRule,
}

impl Decided {
    /// The exit code that says so.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Equal => 0,
            Self::LevelDiffers => 1,
            Self::RuleDiffers => 2,
            Self::DecoderDiffers => 3,
            Self::NoRule => 255,
        }
    }

    /// compat: without a rule the program ends at once.
    pub(crate) fn ends_run(self) -> bool {
        self == Self::NoRule
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(rule), Some(level), Some(decoder)) => Ok(Self { rule, level, decoder }),
            _ => Err(format!("`{}` is not RULE:LEVEL:DECODER", text.escape_debug())),
        }
    }
}

/// The name of the decoder that an event has.
pub(crate) fn decoder_name<'a>(outcome: &Outcome, policy: &'a Policy) -> Option<&'a str> {
    let decoder = policy.decoders.decoder(outcome.decoded()?.decoder?)?;
    Some(&decoder.name)
}

impl Verdict {
    /// Compares an answer. A rule of level 0 is a rule like others.
    pub(crate) fn of(&self, outcome: &Outcome, policy: &Policy) -> Decided {
        let decoder = decoder_name(outcome, policy);
        if decoder.is_none_or(|name| !name.eq_ignore_ascii_case(&self.decoder)) {
            return Decided::DecoderDiffers;
        }
        let Some(matched) = outcome.matched() else { return Decided::NoRule };
        let rule = policy.ruleset.rule(matched.rule);
        if rule.id.to_string() != self.rule {
            Decided::RuleDiffers
        } else if rule.level.to_string() != self.level {
            Decided::LevelDiffers
        } else {
            Decided::Equal
        }
    }

    /// Writes what OSSEC writes about it.
    pub(super) fn print(
        &self,
        decided: &Decided,
        outcome: &Outcome,
        policy: &Policy,
        out: &mut Vec<u8>,
    ) {
        let found = decoder_name(outcome, policy);
        let mut line = |label: &str, name: &str| {
            out.extend_from_slice(label.as_bytes());
            out.push(b'\'');
            escape::push(out, name.as_bytes());
            out.extend_from_slice(b"'\n");
        };
        line("lf->decoder_info->name: ", found.unwrap_or("NULL"));
        line("ut_decoder_name       : ", &self.decoder);
        match decided {
            Decided::DecoderDiffers => {
                line("decoder matched : ", found.unwrap_or("NULL"));
                line("decoder expected: ", &self.decoder);
            }
            Decided::Equal => out.extend_from_slice(b"0\n"),
            Decided::LevelDiffers | Decided::RuleDiffers | Decided::NoRule => {}
        }
    }
}
