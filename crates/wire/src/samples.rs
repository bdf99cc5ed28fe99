//! Records that the tests of several formats begin with.

use model::{Field, Timestamp};

use crate::{AlertView, DecoderView, EventView, RuleView};

pub(crate) fn event() -> EventView<'static> {
    let mut event = EventView {
        at: Timestamp::utc(1_795_560_311),
        hostname: b"web1",
        location: b"/var/log/auth.log",
        full_log: b"Aug 12 10:00:02 web1 sshd[1234]: Failed password for root from 203.0.113.8 port 4223 ssh2",
        ..EventView::default()
    };
    event.field[Field::SrcIp as usize] = Some(b"203.0.113.8");
    event.field[Field::DstUser as usize] = Some(b"root");
    event
}

pub(crate) fn failed_login() -> AlertView<'static> {
    AlertView {
        id: 2,
        rule: RuleView {
            id: 5716,
            level: 5,
            description: "SSHD authentication failed.",
            groups: "syslog,sshd,authentication_failed,",
            ..RuleView::default()
        },
        mail: true,
        event: event(),
        previous: &[],
    }
}

/// An alert of a rule that counts.
pub(crate) fn composite() -> AlertView<'static> {
    let mut event = EventView {
        at: Timestamp::utc(1_795_560_317),
        decoder: Some(DecoderView {
            name: "sshd",
            parent: Some("sshd"),
            ..DecoderView::default()
        }),
        program_name: Some(b"sshd"),
        hostname: b"web1",
        location: b"/var/log/auth.log",
        full_log: b"Aug 12 10:01:07 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
        log: b"Failed password for root from 203.0.113.77 port 4223 ssh2",
        ..EventView::default()
    };
    event.field[Field::SrcIp as usize] = Some(b"203.0.113.77");
    event.field[Field::DstUser as usize] = Some(b"root");
    AlertView {
        id: 16,
        rule: RuleView {
            id: 5720,
            level: 10,
            description: "Multiple SSHD authentication failures.",
            groups: "syslog,sshd,authentication_failures,",
            frequency: 6,
            fired_times: 1,
            ..RuleView::default()
        },
        mail: false,
        event,
        previous: &[
            b"Aug 12 10:01:06 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
            b"Aug 12 10:01:05 web1 sshd[1234]: Failed password for root from 203.0.113.77 port 4223 ssh2",
        ],
    }
}
