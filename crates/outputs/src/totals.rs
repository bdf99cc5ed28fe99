//! How much happened in each hour: the blocks of `stats/totals`.
//!
//! A block has a line `HOUR-RULE-LEVEL-COUNT` for each rule that matched, by rule id, then
//! `HOUR--ALERTS--EVENTS--SYSCHECK--FIREWALL` and an empty line. It is written when the hour is
//! over, and once more for the rest of an hour that began before a restart.

use std::collections::BTreeMap;
use std::io::Write;

use model::Timestamp;

const SECONDS_OF_HOUR: i64 = 3600;
/// How long events of an hour are waited for when it is over.
const LATE_SECONDS_MAX: i64 = 60;
/// First bytes of a saved count; the last is the version of the layout.
const MAGIC: &[u8; 8] = b"totals\0\x01";

/// What is counted of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedEvent {
    /// Id and level of the rule that matched in the end.
    pub rule: Option<(u32, u16)>,
    pub is_alert: bool,
    pub is_syscheck: bool,
    pub is_firewall: bool,
}

/// The counts of one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourTotals {
    /// Hours since the epoch, in local time.
    hour: i64,
    alerts: u64,
    events: u64,
    syscheck: u64,
    firewall: u64,
    /// Level and number of matches, by rule id.
    rules: BTreeMap<u32, (u16, u64)>,
}

/// Counts events by the hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    current: Option<HourTotals>,
}

impl Totals {
    /// Counts an event. The first one of another hour gives the counts of the hour before. A clock
    /// that is put back by less than an hour begins none.
    #[must_use = "the hour that is over is to be written"]
    pub fn count(&mut self, at: Timestamp, event: &CountedEvent) -> Option<HourTotals> {
        let hour = hour_of(at);
        let over = self.current.take_if(|current| ![hour, hour + 1].contains(&current.hour));
        let current =
            self.current.get_or_insert_with(|| HourTotals { hour, ..HourTotals::default() });
        current.add(event);
        over
    }

    /// Ends an hour that is over although no event came; `at` is now. Events may be a little late:
    /// they still count. Not to be called while events are judged again after a kill, for then the
    /// hour's events are still to come.
    #[must_use = "the hour that is over is to be written"]
    pub fn end_hour(&mut self, at: Timestamp) -> Option<HourTotals> {
        let seconds = at.seconds.saturating_sub(LATE_SECONDS_MAX);
        let hour = hour_of(Timestamp { seconds, ..at });
        self.current.take_if(|current| current.hour < hour)
    }

    /// What was counted so far, to be written at the end of the program.
    #[must_use = "the counts are to be written"]
    pub fn take(&mut self) -> Option<HourTotals> {
        self.current.take()
    }

    /// The counts as bytes, for a checkpoint.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        if let Some(current) = &self.current {
            out.extend_from_slice(&current.hour.to_le_bytes());
            for count in [current.alerts, current.events, current.syscheck, current.firewall] {
                out.extend_from_slice(&count.to_le_bytes());
            }
            for (id, (level, count)) in &current.rules {
                out.extend_from_slice(&id.to_le_bytes());
                out.extend_from_slice(&level.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
        }
        out
    }

    /// `None` if the bytes are none that [`Self::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        if rest.is_empty() {
            return Some(Self::default());
        }
        let mut current =
            HourTotals { hour: i64::from_le_bytes(take(&mut rest)?), ..HourTotals::default() };
        for count in
            [&mut current.alerts, &mut current.events, &mut current.syscheck, &mut current.firewall]
        {
            *count = u64::from_le_bytes(take(&mut rest)?);
        }
        while !rest.is_empty() {
            let id = u32::from_le_bytes(take(&mut rest)?);
            let level = u16::from_le_bytes(take(&mut rest)?);
            current.rules.insert(id, (level, u64::from_le_bytes(take(&mut rest)?)));
        }
        Some(Self { current: Some(current) })
    }
}

impl HourTotals {
    /// When the hour began: the time of the block.
    pub fn at(&self) -> Timestamp {
        // Local time, as the file's name has it.
        Timestamp::utc(self.hour.saturating_mul(SECONDS_OF_HOUR))
    }

    /// Appends the block.
    pub fn write(&self, out: &mut Vec<u8>) {
        let hour = self.at().civil().hour;
        for (id, (level, count)) in &self.rules {
            // Writing to memory does not fail.
            let _ = writeln!(out, "{hour}-{id}-{level}-{count}");
        }
        let Self { alerts, events, syscheck, firewall, .. } = self;
        let _ = write!(out, "{hour}--{alerts}--{events}--{syscheck}--{firewall}\n\n");
    }

    fn add(&mut self, event: &CountedEvent) {
        // Saturating: what a damaged checkpoint holds is not known.
        let add = |count: &mut u64, is_one| *count = count.saturating_add(u64::from(is_one));
        add(&mut self.events, true);
        add(&mut self.alerts, event.is_alert);
        add(&mut self.syscheck, event.is_syscheck);
        add(&mut self.firewall, event.is_firewall);
        if let Some((id, level)) = event.rule {
            let (known, count) = self.rules.entry(id).or_insert((level, 0));
            *known = level;
            add(count, true);
        }
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.seconds.saturating_add(i64::from(at.utc_offset)).div_euclid(SECONDS_OF_HOUR)
}

fn take<const LENGTH: usize>(rest: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 22:45:11 on Nov 24 of 2026, in a zone an hour east.
    const AT: Timestamp = Timestamp { seconds: 1_795_556_711, utc_offset: 3600 };

    fn later(seconds: i64) -> Timestamp {
        Timestamp { seconds: AT.seconds + seconds, ..AT }
    }

    fn text(hour: &HourTotals) -> String {
        let mut out = Vec::new();
        hour.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_block_for_each_hour() {
        let mut totals = Totals::default();
        let alert =
            CountedEvent { rule: Some((5716, 5)), is_alert: true, ..CountedEvent::default() };
        let silent = CountedEvent { rule: Some((100, 0)), ..CountedEvent::default() };
        let file = CountedEvent { is_syscheck: true, ..CountedEvent::default() };
        let wall = CountedEvent { is_firewall: true, ..CountedEvent::default() };
        for event in [alert, alert, silent, file, wall] {
            assert_eq!(totals.count(AT, &event), None);
        }
        let hour = totals.count(later(3600), &silent).unwrap();
        assert_eq!(text(&hour), "22-100-0-1\n22-5716-5-2\n22--2--5--1--1\n\n");
        assert_eq!((hour.at().civil().day, hour.at().civil().hour), (24, 22));
        // 23:45:11, 00:00:59 and 00:01:00.
        assert_eq!(totals.end_hour(later(3600)), None);
        assert_eq!(totals.end_hour(later(4548)), None);
        let hour = totals.end_hour(later(4549)).unwrap();
        assert_eq!(text(&hour), "23-100-0-1\n23--0--1--0--0\n\n");
        assert_eq!(totals.take(), None);
    }

    #[test]
    fn clocks_that_go_back() {
        let mut totals = Totals::default();
        let event = CountedEvent::default();
        assert_eq!(totals.count(AT, &event), None);
        // By less than an hour: still the same block.
        assert_eq!(totals.count(later(-3600), &event), None);
        let hour = totals.count(later(-7200), &event).unwrap();
        assert_eq!(text(&hour), "22--0--2--0--0\n\n");
        assert_eq!(text(&totals.take().unwrap()), "20--0--1--0--0\n\n");
    }

    proptest! {
        #[test]
        fn counts_come_back(
            events in proptest::collection::vec(
                (0_i64..3600, proptest::option::of((0_u32..4, 0_u16..16)), any::<[bool; 3]>()), 0..20,
            ),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut totals = Totals::default();
            for (seconds, rule, [is_alert, is_syscheck, is_firewall]) in events {
                let event = CountedEvent { rule, is_alert, is_syscheck, is_firewall };
                let _ = totals.count(Timestamp::utc(seconds), &event);
            }
            let bytes = totals.to_bytes();
            prop_assert_eq!(Totals::from_bytes(&bytes), Some(totals));
            // What is cut is refused or shorter; nothing panics.
            let cut = cut.index(bytes.len());
            let _ = Totals::from_bytes(&bytes[..cut]);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(Totals::from_bytes(&bytes), None);
        }
    }
}
