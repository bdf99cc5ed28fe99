//! From alerts to orders.

use decode::Decoded;
use model::Field;
use respond::allow::AllowList;
use respond::decide::{Decider, Decision, Offence, Refusal};
use respond::order::{AlertId, Place};
use rules::ruleset::Rule;
use supervisor::counters::{Counter, Counters};
use sys::log;
use wire::note::OrderId;

use crate::escape::escaped;
use crate::home::Settings;

/// Refusals that are told in a minute; whoever writes logs must not be able to fill ours.
const TOLD_A_MINUTE: u32 = 20;
/// Bits of an order's index for the responses to one event.
const RESPONSE_BITS: u32 = 8;

pub(super) struct Responses {
    decider: Decider,
    /// Names the event log.
    epoch: u64,
    given: Vec<(OrderId, Vec<u8>)>,
    /// The minute of which refusals were told, and how many.
    told: (i64, u32),
}

impl Responses {
    pub(super) fn new(settings: &Settings, epoch: u64) -> Self {
        Self { decider: decider(settings), epoch, given: Vec::new(), told: (0, 0) }
    }

    pub(super) fn replace(&mut self, settings: &Settings) {
        self.decider = decider(settings);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What the event at a place of the event log, under an alert's number, leads to.
    pub(super) fn respond(
        &mut self,
        (batch, event): (u64, u64),
        number: u64,
        rule: &Rule,
        decoded: &Decoded,
        counters: &Counters,
    ) {
        if self.decider.is_empty() {
            return;
        }
        let location = &decoded.event.location;
        let seconds = decoded.event.received.seconds;
        let offence = Offence {
            alert: AlertId { seconds, number },
            rule: rule.id,
            level: rule.level,
            groups: &rule.groups,
            no_response: !rule.active_response,
            srcip: decoded.field(Field::SrcIp),
            srcuser: decoded.field(Field::SrcUser),
            dstuser: decoded.field(Field::DstUser),
            filename: decoded.field(Field::Filename),
            location,
            from_agent: location.starts_with(b"("),
            line: decoded.full_log(),
        };
        let first = (event as u32) << RESPONSE_BITS;
        let indexes = first..=first | ((1 << RESPONSE_BITS) - 1);
        let mut refusals = Vec::new();
        for (index, decision) in indexes.zip(self.decider.decide(&offence)) {
            match decision {
                Decision::Act(order) if order.place == Place::Here => {
                    let mut bytes = Vec::new();
                    order.write(&mut bytes);
                    counters.add(Counter::Orders, 1);
                    self.given.push((OrderId { epoch: self.epoch, batch, index }, bytes));
                }
                Decision::Act(_) => counters.add(Counter::OrdersElsewhere, 1),
                Decision::Refuse(refusal) => refusals.push(refusal),
            }
        }
        for refusal in refusals {
            counters.add(Counter::ResponsesRefused, 1);
            self.tell(seconds, &refusal);
        }
    }

    pub(super) fn take(&mut self) -> Vec<(OrderId, Vec<u8>)> {
        std::mem::take(&mut self.given)
    }

    /// Tells of texts that may be meant to mislead. What is allowed or missing is nothing special.
    fn tell(&mut self, seconds: i64, Refusal { command, why, text }: &Refusal) {
        let code = why.code();
        if code == 0 {
            return;
        }
        let (minute, told) = &mut self.told;
        if *minute != seconds / 60 {
            (*minute, *told) = (seconds / 60, 0);
        }
        *told += 1;
        if *told <= TOLD_A_MINUTE {
            let text = escaped(&respond::order::why(text));
            let text = format!("{command}: `{text}` is {why}. Possible logging attack.");
            log::write(log::Level::Warning, code, text);
        }
    }
}

fn decider(settings: &Settings) -> Decider {
    let decider = Decider::new(&settings.conf, AllowList::of(&settings.conf));
    for (_, why) in &decider.unusable {
        log::error(format_args!("an active response is not in force: {why}"));
    }
    decider
}
