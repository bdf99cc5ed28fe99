//! A rule as read, before it is linked with others.

use crate::ruleset::{CorrelationKeys, Rule};
use model::{Category, Span};
use pattern::PatternId;

/// One `<rule>` as read.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The rule without children and links. `category` is the default where none is written.
    pub(crate) rule: Rule,
    /// Where the id is written.
    pub(crate) id_at: Span,
    /// Greater ranks are tried first.
    pub(crate) rank: Rank,
    /// Replaces the rule of the same id.
    pub(crate) overwrite: bool,
    pub(crate) place: Place,
    pub(crate) counting: Option<Counting>,
    /// Whether it was read without error.
    pub(crate) sound: bool,
}

/// Where a rule wants to hang.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) if_sid: Vec<(u32, Span)>,
    pub(crate) if_level: Option<(u32, Span)>,
    pub(crate) if_group: Option<(Vec<u8>, Span)>,
    pub(crate) category: Option<(Category, Span)>,
}

/// What a rule wants to count.
#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) over: CountingOver,
    pub(crate) at: Span,
    pub(crate) timeframe: u32,
    pub(crate) same: CorrelationKeys,
    pub(crate) different: CorrelationKeys,
}

#[derive(Debug)]
pub(crate) enum CountingOver {
    Sid(u32),
    Group { text: Vec<u8>, pattern: PatternId },
    Text(PatternId),
}

/// The place of a rule among its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u32);

impl Rank {
    /// Level 0 counts as level 99; a rule without accuracy counts as a hundredth of its level.
    pub(crate) fn new(level: u16, accurate: bool) -> Self {
        let level = if level == 0 { 99 } else { u32::from(level) };
        Self(if accurate { level * 100 } else { level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_zero_is_first_and_inaccurate_rules_are_last() {
        let ranks = [
            Rank::new(0, true),
            Rank::new(16, true),
            Rank::new(1, true),
            Rank::new(0, false),
            Rank::new(16, false),
        ];
        assert!(ranks.windows(2).all(|pair| pair[0] > pair[1]), "{ranks:?}");
    }
}
