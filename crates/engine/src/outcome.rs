//! What the engine says about an event.

use decode::Decoded;
use model::{Event, Timestamp};
use rules::ruleset::RuleIndex;

use crate::internal::Attributes;

/// What became of an event.
#[derive(Debug)]
pub enum Outcome {
    /// No rule was asked.
    Dropped {
        event: Event,
        why: DropReason,
    },
    /// No rule fits.
    Unmatched(Box<Decoded>),
    /// A rule fits, but nobody is told.
    Silent(Matched),
    Alert(Alert),
}

/// Why no rule was asked about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It equals one of the last three events.
    Repeated,
    /// File integrity, rootcheck or host information without news.
    NothingNew,
    /// Not a message of the sensor it claims to come from.
    Malformed,
}

/// A decoded event and its rule.
#[derive(Debug)]
pub struct Matched {
    pub decoded: Box<Decoded>,
    pub rule: RuleIndex,
    /// How often the rule has matched, this time included.
    pub fired_times: u64,
    /// Whether active responses follow: its level is not 0, and nothing silences it. That no alert
    /// is written does not matter.
    pub responds: bool,
    /// What changed of a file.
    pub file_change: Option<Box<FileChange>>,
    /// Earlier events that a correlation counted, or the output before a change; newest first.
    pub context: Context,
}

/// A file's attributes, as far as they changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    pub before: Attributes,
    pub after: Attributes,
}

/// What people are told.
#[derive(Debug)]
pub struct Alert {
    /// Counts alerts from 1.
    pub id: u64,
    pub matched: Matched,
    pub at: Timestamp,
}

/// Lines printed with an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Context {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The lines, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().enumerate().map(|(index, &end)| {
            let start = index.checked_sub(1).and_then(|before| self.ends.get(before));
            self.text.get(start.copied().unwrap_or(0)..end).unwrap_or_default()
        })
    }

    pub(crate) fn push(&mut self, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.ends.push(self.text.len());
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

impl Outcome {
    /// The rule and event, if a rule fits.
    pub fn matched(&self) -> Option<&Matched> {
        match self {
            Self::Dropped { .. } | Self::Unmatched(_) => None,
            Self::Silent(matched) => Some(matched),
            Self::Alert(alert) => Some(&alert.matched),
        }
    }

    /// The decoded event, if it was looked at.
    pub fn decoded(&self) -> Option<&Decoded> {
        match self {
            Self::Dropped { .. } => None,
            Self::Unmatched(decoded) => Some(decoded),
            Self::Silent(matched) => Some(&matched.decoded),
            Self::Alert(alert) => Some(&alert.matched.decoded),
        }
    }

    pub fn is_alert(&self) -> bool {
        matches!(self, Self::Alert(_))
    }
}
