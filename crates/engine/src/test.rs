//! The tests of rules that depend on the event alone.

use decode::Decoded;
use model::Field;
use pattern::Scratch;
use rules::lists::{ListField, ListTest, Lookup};
use rules::ruleset::{CompiledRule, Condition, Subject};

use crate::policy::Policy;

/// Whether a condition holds. Stateful ones are somebody else's to test and hold here.
pub(crate) fn holds(
    condition: &Condition,
    decoded: &Decoded,
    policy: &Policy,
    search: &mut Scratch,
) -> bool {
    let patterns = &policy.ruleset.patterns;
    match condition {
        Condition::DecodedAs(id) => decoded.decoder_id == Some(*id),
        Condition::Text { subject, pattern } => subject_of(*subject, decoded)
            .is_some_and(|subject| patterns.is_match(*pattern, subject, search)),
        Condition::Action(text) => action(decoded).is_some_and(|action| action == text.as_slice()),
        Condition::Dynamic { name, pattern } => policy
            .dynamic_fields
            .get(name.as_slice())
            .and_then(|&field| decoded.fields.get_dynamic(field, decoded.full_log()))
            .is_some_and(|value| patterns.is_match(*pattern, value, search)),
        Condition::SrcIp(list) => {
            decoded.field(Field::SrcIp).is_some_and(|address| list.contains(address))
        }
        Condition::DstIp(list) => {
            decoded.field(Field::DstIp).is_some_and(|address| list.contains(address))
        }
        Condition::Compiled(rule) => compiled(*rule, decoded),
        Condition::SizeAtLeast(bytes) => decoded.log().len() >= *bytes as usize,
        Condition::TimeOfDay(window) => window.contains(decoded.event.received.minute_of_day()),
        Condition::Weekday(days) => days.contains(decoded.event.received.weekday()),
        Condition::List(test) => list(test, decoded, policy, search),
        Condition::Changed | Condition::FirstSeen => true,
    }
}

/// The action as rules see it: normalised where the event is a firewall's.
fn action(decoded: &Decoded) -> Option<&[u8]> {
    decoded.firewall_action.map(str::as_bytes).or_else(|| decoded.field(Field::Action))
}

/// The text a condition looks at, if the event has it.
pub(crate) fn subject_of(subject: Subject, decoded: &Decoded) -> Option<&[u8]> {
    match subject {
        Subject::Log => Some(decoded.log()),
        Subject::ProgramName => decoded.program_name(),
        Subject::Id => decoded.field(Field::Id),
        Subject::Url => decoded.field(Field::Url),
        Subject::User => decoded.user(),
        Subject::Status => decoded.field(Field::Status),
        Subject::Hostname => Some(decoded.hostname()),
        Subject::ExtraData => decoded.field(Field::Data),
        Subject::SrcPort => decoded.field(Field::SrcPort),
        Subject::DstPort => decoded.field(Field::DstPort),
        Subject::SrcGeoIp => decoded.field(Field::SrcGeoIp),
        Subject::DstGeoIp => decoded.field(Field::DstGeoIp),
    }
}

fn list(test: &ListTest, decoded: &Decoded, policy: &Policy, search: &mut Scratch) -> bool {
    let value = match test.field {
        ListField::SrcIp => decoded.field(Field::SrcIp),
        ListField::SrcPort => decoded.field(Field::SrcPort),
        ListField::DstIp => decoded.field(Field::DstIp),
        ListField::DstPort => decoded.field(Field::DstPort),
        // compat: the other way round than the option `user`.
        ListField::User => decoded.field(Field::SrcUser).or_else(|| decoded.field(Field::DstUser)),
        ListField::Url => decoded.field(Field::Url),
        ListField::Id => decoded.field(Field::Id),
        ListField::Hostname => Some(decoded.hostname()),
        ListField::ProgramName => decoded.program_name(),
        ListField::Status => decoded.field(Field::Status),
        ListField::Action => action(decoded),
    };
    let Some(key) = value else { return false };
    let Some(list) = policy.ruleset.lists.get(usize::from(test.list.0)) else { return false };
    let mut fits = |found: Option<&[u8]>| {
        found.is_some_and(|value| {
            test.value
                .is_some_and(|pattern| policy.ruleset.patterns.is_match(pattern, value, search))
        })
    };
    match test.lookup {
        Lookup::MatchKey => list.lookup(key).is_some(),
        Lookup::NotMatchKey => list.lookup(key).is_none(),
        Lookup::MatchKeyValue => fits(list.lookup(key)),
        Lookup::AddressMatchKey => list.lookup_address_prefix(key).is_some(),
        Lookup::NotAddressMatchKey => list.lookup_address_prefix(key).is_none(),
        Lookup::AddressMatchKeyValue => fits(list.lookup_address_prefix(key)),
    }
}

fn compiled(rule: CompiledRule, decoded: &Decoded) -> bool {
    match rule {
        CompiledRule::LongId => decoded.field(Field::Id).is_some_and(|id| id.len() >= 10),
        CompiledRule::SameUsers => {
            match (decoded.field(Field::SrcUser), decoded.field(Field::DstUser)) {
                (Some(source), Some(target)) => source == target,
                _ => true,
            }
        }
        CompiledRule::WindowsUsersDiffer => windows_users_differ(decoded.log()),
        CompiledRule::SimpleHttpRequest => {
            let get = action(decoded).is_none_or(|action| action.eq_ignore_ascii_case(b"GET"));
            get && decoded.field(Field::Url).is_some_and(|url| !url.contains(&b'?'))
        }
        // Fixed: no name look-up, which OSSEC does while it matches and which cannot succeed.
        CompiledRule::KnownCrawler => {
            const NETWORKS: [&[u8]; 7] =
                [b"72.14.", b"209.85.", b"65.55.", b"207.46.", b"74.6.", b"72.30.", b"67.195."];
            NETWORKS.iter().any(|network| decoded.log().starts_with(network))
        }
    }
}

fn windows_users_differ(log: &[u8]) -> bool {
    let after = |label: &[u8]| {
        let start = memchr::memmem::find(log, label)? + label.len();
        let rest = log.get(start..)?;
        let value = rest.get(rest.iter().position(|&byte| byte == b':')? + 1..)?;
        let end = (0..value.len())
            .find(|&at| value[at] == b'\t' || value[at..].starts_with(b"  "))
            .unwrap_or(value.len());
        value.get(..end)
    };
    match (after(b"Target Account Name"), after(b"Caller User Name")) {
        (Some(target), Some(caller)) => target != caller,
        _ => false,
    }
}
