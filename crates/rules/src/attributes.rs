//! The attributes of `<rule>`.

use crate::draft::Rank;
use crate::messages;
use crate::read::Context;
use model::{Span, diagnostic};
use osxml::{Attribute, Element};

/// What the attributes of one rule say.
#[derive(Debug)]
pub(crate) struct RuleAttributes {
    pub(crate) id: Option<(u32, Span)>,
    pub(crate) level: u16,
    pub(crate) level_at: Span,
    pub(crate) rank: Rank,
    /// Bytes; 0 is off.
    pub(crate) maxsize: u32,
    /// Seconds.
    pub(crate) timeframe: u32,
    pub(crate) frequency: (u32, Span),
    pub(crate) noalert: bool,
    /// Seconds.
    pub(crate) ignore: u32,
    pub(crate) overwrite: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Id,
    Level,
    Maxsize,
    Timeframe,
    Frequency,
    Accuracy,
    Noalert,
    Ignore,
    Overwrite,
}

const NAMES: [(&str, Name); 9] = [
    ("id", Name::Id),
    ("level", Name::Level),
    ("maxsize", Name::Maxsize),
    ("timeframe", Name::Timeframe),
    ("frequency", Name::Frequency),
    ("accuracy", Name::Accuracy),
    ("noalert", Name::Noalert),
    ("ignore", Name::Ignore),
    ("overwrite", Name::Overwrite),
];

/// Reads the attributes of a rule; errors are reported and defaults put in their place.
pub(crate) fn read(context: &mut Context<'_>, rule: &Element) -> RuleAttributes {
    let mut read = RuleAttributes {
        id: None,
        level: 0,
        level_at: rule.name_span,
        rank: Rank::new(0, true),
        maxsize: 0,
        timeframe: context.input.options.default_timeframe,
        frequency: (0, rule.name_span),
        noalert: false,
        ignore: 0,
        overwrite: false,
    };
    let mut level = None;
    let mut accurate = true;
    for attribute in &rule.attributes {
        let known = NAMES.iter().find(|(name, _)| attribute.name.eq_ignore_ascii_case(name));
        let Some(&(_, name)) = known else {
            let meant = diagnostic::nearest(&attribute.name, NAMES.iter().map(|(name, _)| *name));
            let finding = messages::unknown_attribute(&attribute.name, "rule", meant);
            context.report(finding, attribute.name_span);
            continue;
        };
        let at = attribute.value_span;
        match name {
            Name::Id => {
                read.id = number(context, attribute, 6).map(|id| (id, at));
                if read.id.is_none() {
                    continue;
                }
            }
            Name::Level => {
                read.level_at = at;
                // A bad level has its own error; it is not missing as well.
                level = Some(number(context, attribute, 4).unwrap_or_default());
            }
            Name::Maxsize => read.maxsize = number(context, attribute, 4).unwrap_or_default(),
            Name::Timeframe => {
                read.timeframe = number(context, attribute, 5).unwrap_or_default();
            }
            Name::Frequency => {
                read.frequency = (number(context, attribute, 4).unwrap_or_default(), at);
            }
            Name::Accuracy => accurate = number(context, attribute, 4) != Some(0),
            Name::Noalert => {
                read.noalert = true;
                if [&b"0"[..], b"no", b"false"].contains(&attribute.value.as_slice()) {
                    context.report(messages::noalert_is_on(&attribute.value), at);
                }
            }
            Name::Ignore => read.ignore = number(context, attribute, 6).unwrap_or_default(),
            Name::Overwrite => match attribute.value.as_slice() {
                b"yes" => read.overwrite = true,
                b"no" => read.overwrite = false,
                other => context.report(messages::bad_value("overwrite", other, "yes or no"), at),
            },
        }
    }
    if !rule.attributes.iter().any(|attribute| attribute.name.eq_ignore_ascii_case("id")) {
        context.report(messages::missing_attribute("rule", "id"), rule.name_span);
    }
    match level {
        None => context.report(messages::missing_attribute("rule", "level"), rule.name_span),
        // compat: level 99 is the mark of level 0 while sorting, so it becomes 0.
        Some(99) => context.report(messages::level_99(), read.level_at),
        Some(level) => {
            read.level = u16::try_from(level).unwrap_or(u16::MAX);
            if level > 16 {
                context.report(messages::unusual_level(level), read.level_at);
            }
        }
    }
    read.rank = Rank::new(read.level, accurate);
    read
}

/// A number of at most `width` digits. compat: further digits are ignored.
fn number(context: &mut Context<'_>, attribute: &Attribute, width: usize) -> Option<u32> {
    let value = attribute.value.as_slice();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        let finding = messages::bad_value(&attribute.name, value, "a number");
        context.report(finding, attribute.value_span);
        return None;
    }
    let used = &value[..value.len().min(width)];
    if used.len() < value.len() {
        let finding = messages::number_cut(&attribute.name, value, used);
        context.report(finding, attribute.value_span);
    }
    Some(used.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}
