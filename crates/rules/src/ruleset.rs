//! The linked rule tree: what the loader makes and the engine walks.

use crate::address::AddressList;
use crate::lists::{List, ListTest};
use crate::time::{TimeWindow, Weekdays};
use hashbrown::HashMap;
use model::{Category, DecoderId, SourceId, Span};
use pattern::{PatternId, PatternSet};

/// Position of a rule in [`Ruleset::rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub u32);

/// An immutable set of rules, linked into the trees under its templates.
#[derive(Debug, Default)]
pub struct Ruleset {
    /// All rules, in load order.
    pub rules: Vec<Rule>,
    /// The templates (ids 1–9), in load order: the roots of the tree.
    pub roots: Vec<RuleIndex>,
    /// The patterns of all rules.
    pub patterns: PatternSet,
    /// The key-value lists that rules look things up in.
    pub lists: Vec<List>,
    /// Rules that count every alerting event whose text fits (`if_matched_regex`).
    pub counted_by_text: Vec<RuleIndex>,
    pub by_id: HashMap<u32, RuleIndex>,
}

impl Ruleset {
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.rules[index.0 as usize]
    }

    /// The rule of an id.
    pub fn find(&self, id: u32) -> Option<&Rule> {
        self.by_id.get(&id).map(|&index| self.rule(index))
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    pub id: u32,
    pub level: u16,
    pub category: Category,
    /// The groups as written: names that normally each end in a comma.
    pub groups: String,
    pub description: String,
    pub info: Vec<Info>,
    /// As written; the correlation's own count is in [`Correlation`].
    pub frequency: u32,
    /// What must hold, in the order of evaluation. Stateful ones come last, but lists come after
    /// them (see [`Condition::is_stateful`]).
    pub conditions: Vec<Condition>,
    /// Evaluated after all conditions.
    pub correlation: Option<Correlation>,
    /// Rules tried below this one, in the order of trying.
    pub children: Vec<RuleIndex>,
    /// Returns to the parent instead of firing when no child fires.
    pub noalert: bool,
    /// Seconds of silence after an alert; 0 is none.
    pub ignore_seconds: u32,
    /// Fields whose values are put into the ignore table when the rule fires.
    pub ignore: KeyFields,
    /// Fields whose values silence the rule if they are in the ignore table.
    pub check_if_ignored: KeyFields,
    /// Whether an alert is written (level, `log_alert_level` and options taken together).
    pub log: bool,
    /// Whether the alert asks for mail.
    pub mail: bool,
    pub active_response: bool,
    /// Correlating rules that count events whose final rule is this one.
    pub counted_by: Vec<RuleIndex>,
    /// Where the rule is written; after an overwrite, where the overwrite is.
    pub at: (SourceId, Span),
}

/// Additional information on a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub kind: InfoKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoKind {
    Text,
    Link,
    Cve,
    Osvdb,
}

/// One thing that must hold for a rule to match.
#[derive(Debug, PartialEq)]
pub enum Condition {
    DecodedAs(DecoderId),
    /// The subject is set and the pattern is found in it.
    Text {
        subject: Subject,
        pattern: PatternId,
    },
    /// Exact, case-sensitive.
    Action(Vec<u8>),
    /// The dynamic field of this name (lower case) is set and the pattern is found in it.
    Dynamic {
        name: Vec<u8>,
        pattern: PatternId,
    },
    SrcIp(AddressList),
    DstIp(AddressList),
    Compiled(CompiledRule),
    /// The log has at least this many bytes.
    SizeAtLeast(u32),
    TimeOfDay(TimeWindow),
    Weekday(Weekdays),
    /// `check_diff`.
    Changed,
    /// `if_fts`.
    FirstSeen,
    List(ListTest),
}

impl Condition {
    /// Whether evaluating it reads or changes what is remembered.
    pub fn is_stateful(&self) -> bool {
        matches!(self, Self::Changed | Self::FirstSeen)
    }
}

/// What a text condition is searched in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Log,
    ProgramName,
    Id,
    Url,
    /// The target user if set, else the source user.
    User,
    Status,
    Hostname,
    ExtraData,
    SrcPort,
    DstPort,
    SrcGeoIp,
    DstGeoIp,
}

/// A test that is part of the program (`compiled_rule`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompiledRule {
    /// `check_id_size`
    LongId,
    /// `comp_srcuser_dstuser`
    SameUsers,
    /// `comp_mswin_targetuser_calleruser_diff`
    WindowsUsersDiffer,
    /// `is_simple_http_request`
    SimpleHttpRequest,
    /// `is_valid_crawler`
    KnownCrawler,
}

/// Counts earlier events and fires when there are enough of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    pub over: CorrelationOver,
    /// As written: fires on event number `frequency + 2`.
    pub frequency: u32,
    /// Seconds.
    pub timeframe: u32,
    /// Values that must be set and equal in all counted events.
    pub same: CorrelationKeys,
    /// Values that must be set and differ from the current event's.
    pub different: CorrelationKeys,
}

/// Which events a correlation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrelationOver {
    /// Events whose final rule is this one.
    Sid(RuleIndex),
    /// Events whose final rule has a fitting group (linked at load: [`Rule::counted_by`]).
    Group,
    /// Alerting events of the same category whose log fits.
    Text(PatternId),
}

/// A set of values that correlation compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CorrelationKeys(u16);

/// One value that correlation compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CorrelationKey {
    SrcIp = 1,
    SrcPort = 1 << 1,
    DstPort = 1 << 2,
    User = 1 << 3,
    /// The host name; of an agent's event, agent and file.
    Location = 1 << 4,
    Id = 1 << 5,
    Url = 1 << 6,
    SrcGeoIp = 1 << 7,
}

impl CorrelationKeys {
    pub const ORDER: [CorrelationKey; 8] = [
        CorrelationKey::SrcIp,
        CorrelationKey::SrcPort,
        CorrelationKey::DstPort,
        CorrelationKey::User,
        CorrelationKey::Location,
        CorrelationKey::Id,
        CorrelationKey::Url,
        CorrelationKey::SrcGeoIp,
    ];

    pub fn insert(&mut self, key: CorrelationKey) {
        self.0 |= key as u16;
    }

    pub fn remove(&mut self, key: CorrelationKey) {
        self.0 &= !(key as u16);
    }

    pub fn contains(self, key: CorrelationKey) -> bool {
        self.0 & key as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = CorrelationKey> {
        Self::ORDER.into_iter().filter(move |&key| self.contains(key))
    }
}

/// A set of event values that make up an ignore entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyFields(pub u8);

impl KeyFields {
    pub const USER: Self = Self(1);
    pub const SRCIP: Self = Self(1 << 1);
    pub const DSTIP: Self = Self(1 << 2);
    pub const ID: Self = Self(1 << 3);
    pub const LOCATION: Self = Self(1 << 4);
    pub const DATA: Self = Self(1 << 5);
    /// The system name (`name`).
    pub const NAME: Self = Self(1 << 6);

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
