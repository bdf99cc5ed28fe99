//! The options of a rule: a closed set, one file for each family.
//!
//! Each file holds the family's enum, the words of a rule file for it, and what they mean. To add
//! an option, add a variant and follow the compiler.

pub(crate) mod correlate;
pub(crate) mod place;
pub(crate) mod silence;
pub(crate) mod tell;
pub(crate) mod test;
pub(crate) mod text;

use crate::draft::Place;
use crate::read::Context;
use crate::ruleset::{Condition, Subject};
use osxml::Element;

use self::correlate::{Correlate, CorrelateOption};
use self::place::PlaceOption;
use self::silence::{Silence, SilenceOption};
use self::tell::{Tell, TellOption};
use self::test::{Test, TestOption};
use self::text::TextOption;

/// An option of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    /// A pattern searched in a text.
    Text(TextOption),
    /// Any other test of one event.
    Test(TestOption),
    /// Below which rules it is tried.
    Place(PlaceOption),
    /// Which earlier events are counted.
    Correlate(CorrelateOption),
    /// What is told when it fires, and how.
    Tell(TellOption),
    /// What keeps it from telling.
    Silence(SilenceOption),
}

impl Keyword {
    /// The option of an element name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        TextOption::find(name)
            .map(Self::Text)
            .or_else(|| named(&test::NAMES, name).map(Self::Test))
            .or_else(|| named(&place::NAMES, name).map(Self::Place))
            .or_else(|| CorrelateOption::find(name).map(Self::Correlate))
            .or_else(|| named(&tell::NAMES, name).map(Self::Tell))
            .or_else(|| named(&silence::NAMES, name).map(Self::Silence))
    }

    /// All names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TextOption::names()
            .chain(test::NAMES.into_iter().map(|(name, _)| name))
            .chain(place::NAMES.into_iter().map(|(name, _)| name))
            .chain(correlate::NAMES.into_iter().map(|(name, ..)| name))
            .chain(tell::NAMES.into_iter().map(|(name, _)| name))
            .chain(silence::NAMES.into_iter().map(|(name, _)| name))
    }

    /// The attributes that are read.
    pub(crate) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Test(TestOption::Field) => &["name"],
            Self::Test(TestOption::List) => &["field", "lookup", "check_value"],
            Self::Tell(TellOption::Info) => &["type"],
            Self::Text(_)
            | Self::Test(_)
            | Self::Place(_)
            | Self::Correlate(_)
            | Self::Tell(_)
            | Self::Silence(_) => &[],
        }
    }
}

/// Looks a name up in a family's table, ignoring ASCII case.
fn named<T: Copy>(names: &[(&'static str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|&(_, option)| option)
}

/// The options of one rule while its elements are read.
#[derive(Default)]
pub(crate) struct Gathered<'e> {
    text: text::Gathered<'e>,
    test: test::Gathered<'e>,
    place: place::Gathered<'e>,
    correlate: correlate::Gathered<'e>,
    tell: tell::Gathered,
    silence: Silence,
}

/// What the options of one rule say.
pub(crate) struct Options {
    /// Sorted by [`sort`] once they are complete.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) place: Place,
    pub(crate) correlate: Correlate,
    pub(crate) test: Test,
    pub(crate) tell: Tell,
    pub(crate) silence: Silence,
}

impl<'e> Gathered<'e> {
    pub(crate) fn add(
        &mut self,
        context: &mut Context<'_>,
        keyword: Keyword,
        element: &'e Element,
    ) {
        match keyword {
            Keyword::Text(option) => self.text.add(option, element),
            Keyword::Test(option) => self.test.add(context, option, element),
            Keyword::Place(option) => self.place.add(context, option, element),
            Keyword::Correlate(option) => self.correlate.add(context, option, element),
            Keyword::Tell(option) => self.tell.add(context, option, element),
            Keyword::Silence(option) => self.silence.add(context, option, element),
        }
    }

    pub(crate) fn finish(self, context: &mut Context<'_>, groups: &str) -> Options {
        let mut conditions = self.text.finish(context);
        let test = self.test.finish(context, &mut conditions);
        let place = self.place.finish(context);
        let correlate = self.correlate.finish(context);
        let tell = self.tell.finish(context, groups);
        Options { conditions, place, correlate, test, tell, silence: self.silence }
    }
}

/// Brings conditions into the order of evaluation.
pub(crate) fn sort(conditions: &mut [Condition]) {
    conditions.sort_by_key(turn);
}

/// When a condition has its turn. Equal ones keep their order.
fn turn(condition: &Condition) -> u8 {
    match condition {
        Condition::DecodedAs(_) => 1,
        Condition::Text { subject, .. } => match subject {
            Subject::ProgramName => 2,
            Subject::Id => 3,
            Subject::Log => 4,
            Subject::Url => 7,
            Subject::SrcPort => 11,
            Subject::DstPort => 12,
            Subject::User => 14,
            Subject::SrcGeoIp | Subject::DstGeoIp => 15,
            Subject::ExtraData => 19,
            Subject::Hostname => 20,
            Subject::Status => 21,
        },
        Condition::Action(_) => 6,
        Condition::Dynamic { .. } => 8,
        Condition::SrcIp(_) => 9,
        Condition::DstIp(_) => 10,
        Condition::Compiled(_) => 13,
        Condition::SizeAtLeast(_) => 16,
        Condition::TimeOfDay(_) => 17,
        Condition::Weekday(_) => 18,
        Condition::Changed => 22,
        Condition::FirstSeen => 23,
        Condition::List(_) => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_found_and_stands_once() {
        let mut seen = HashSet::new();
        for name in Keyword::names() {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(Keyword::find(name).is_some(), "{name}");
        }
        assert_eq!(seen.len(), 64);
    }

    #[test]
    fn names_ignore_case_except_five() {
        assert!(Keyword::find("If_SID").is_some());
        assert!(Keyword::find("MATCH_pcre2").is_some());
        for name in
            ["same_id", "different_url", "different_srcip", "different_srcgeoip", "not_same_id"]
        {
            assert!(Keyword::find(&name.to_ascii_uppercase()).is_none(), "{name}");
        }
    }
}
