//! What an alert record tells, borrowed from whoever holds it.

use crate::EventView;

/// One alert, ready to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertView<'a> {
    /// Counts from 1 for each start; with the event's time it names the alert.
    pub id: u64,
    pub rule: RuleView<'a>,
    /// Whether the record is marked for mail.
    pub mail: bool,
    /// The event that made the rule fire.
    pub event: EventView<'a>,
    /// Earlier events, newest first.
    pub previous: &'a [&'a [u8]],
}

/// The rule that fired.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleView<'a> {
    pub id: u32,
    pub level: u16,
    pub description: &'a str,
    /// As written in the rule file: names that normally each end in a comma.
    pub groups: &'a str,
    /// As configured; 0 for a rule without one.
    pub frequency: u32,
    /// How often the rule has fired, this time included.
    pub fired_times: u64,
    pub info: Option<&'a str>,
    pub cve: Option<&'a str>,
}
