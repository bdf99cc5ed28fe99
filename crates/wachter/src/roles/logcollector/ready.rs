//! Messages of sources that cannot be read again, on their way to the sender.
//!
//! Nothing more is read of such a source while any of its messages wait here, so what waits is
//! bounded by what one read can give.

use std::collections::VecDeque;

use anyhow::Result;
use model::{Queue, Timestamp};
use wire::frame::Sourced;

use super::sender::{Kind, Sender};

/// One message.
pub(super) struct Ready {
    pub(super) source: u64,
    pub(super) end: u64,
    pub(super) queue: Queue,
    pub(super) location: Vec<u8>,
    pub(super) text: Vec<u8>,
    pub(super) kind: Kind,
}

#[derive(Default)]
pub(super) struct ReadyQueue {
    waiting: VecDeque<Ready>,
}

impl ReadyQueue {
    pub(super) fn push(&mut self, ready: Ready) {
        self.waiting.push_back(ready);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Hands on what the sender takes: how many messages, and their bytes.
    pub(super) fn drain(&mut self, now: Timestamp, sender: &mut Sender) -> Result<(u64, u64)> {
        let (mut messages, mut bytes) = (0, 0);
        while sender.may_keep()
            && let Some(ready) = self.waiting.pop_front()
        {
            let event = Sourced {
                source: ready.source,
                end: ready.end,
                queue: ready.queue,
                location: &ready.location,
                text: &ready.text,
            };
            if !sender.push(now, &event, ready.kind.clone())? {
                self.waiting.push_front(ready);
                break;
            }
            messages += 1;
            bytes += ready.text.len() as u64;
        }
        Ok((messages, bytes))
    }
}

/// The name of a stream that begins anew with each start of this process.
pub(super) fn source_of(incarnation: u64, name: &[u8]) -> u64 {
    source_named(&[&incarnation.to_le_bytes()[..], name].concat())
}

/// The name of a stream that is the same after a restart. FNV-1a: it only has to tell streams of
/// one host apart.
pub(super) fn source_named(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
