//! Batches on their way to analysis, and what is known of those that are not stored yet.
//!
//! A message of a file can be read again; of it only the place is remembered until analysis has
//! stored it. Messages that cannot be read again are kept themselves.

use std::collections::VecDeque;

use anyhow::{Context as _, Result};
use model::Timestamp;
use sys::channel::{Channel, Sent};
use wire::frame::{BatchId, BatchWriter, Sourced};

/// Bytes of messages kept until they are stored; with more nothing of their kind is read.
pub(super) const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where a message comes from, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It can be read again.
    File,
    /// It is gone if it is not kept.
    Kept,
    /// The same, and once it is stored the journal can be followed from behind this cursor.
    Journal(Vec<u8>),
}

/// A batch that was sent and is not stored yet.
enum Pending {
    /// How far each source is used up.
    Places {
        number: u64,
        ends: Vec<(u64, u64)>,
    },
    Packet {
        number: u64,
        packet: Vec<u8>,
        cursor: Option<Vec<u8>>,
    },
}

/// What analysis has stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) ends: Vec<(u64, u64)>,
    pub(super) cursor: Option<Vec<u8>>,
}

pub(super) struct Sender {
    channel: Channel,
    incarnation: u64,
    number: u64,
    writer: BatchWriter,
    /// Whether the batch at hand has to be kept; empty batches are of either kind.
    keeps: bool,
    ends: Vec<(u64, u64)>,
    cursor: Option<Vec<u8>>,
    pending: VecDeque<Pending>,
    /// Packets that were sent to the analysis before the present one, and go first.
    again: VecDeque<(Vec<u8>, Option<Vec<u8>>)>,
    /// The next packet is the first after going back. So is the first of each start: what a
    /// predecessor has left in the channel goes before it, and analysis may wait for the mark.
    resumed: bool,
    kept_bytes: usize,
    is_full: bool,
    batches: u64,
}

impl Sender {
    pub(super) fn new(channel: Channel, incarnation: u64) -> Self {
        Self {
            channel,
            incarnation,
            number: 0,
            writer: BatchWriter::default(),
            keeps: false,
            ends: Vec::new(),
            cursor: None,
            pending: VecDeque::new(),
            again: VecDeque::new(),
            resumed: true,
            kept_bytes: 0,
            is_full: false,
            batches: 0,
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether the channel has to become writable before anything goes on.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether messages that cannot be read again may be taken.
    pub(super) fn may_keep(&self) -> bool {
        !self.is_full && self.kept_bytes < KEPT_BYTES_MAX
    }

    pub(super) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// Adds a message; `false` if it was not taken because the channel is full.
    pub(super) fn push(&mut self, now: Timestamp, event: &Sourced<'_>, kind: Kind) -> Result<bool> {
        let keeps = kind != Kind::File;
        if (self.is_full || (!self.writer.is_empty() && self.keeps != keeps)) && !self.flush()? {
            return Ok(false);
        }
        if self.writer.is_empty() {
            self.writer.begin(now);
        }
        if !self.writer.push(event) {
            if !self.flush()? {
                return Ok(false);
            }
            self.writer.begin(now);
            self.writer.push(event);
        }
        self.keeps = keeps;
        match kind {
            Kind::File => match self.ends.last_mut() {
                Some((source, end)) if *source == event.source => *end = event.end,
                _ => self.ends.push((event.source, event.end)),
            },
            Kind::Kept => {}
            Kind::Journal(cursor) => self.cursor = Some(cursor),
        }
        Ok(true)
    }

    /// Sends what is at hand; `false` if the channel is full.
    pub(super) fn flush(&mut self) -> Result<bool> {
        if self.resumed && !self.send_resumed()? {
            return Ok(false);
        }
        while let Some((packet, cursor)) = self.again.pop_front() {
            if !self.send_again(packet, cursor)? {
                return Ok(false);
            }
        }
        if self.writer.is_empty() {
            self.is_full = false;
            return Ok(true);
        }
        let id = BatchId { incarnation: self.incarnation, number: self.number + 1 };
        let packet = self.writer.finish(id, false);
        if self.channel.send(packet).context("sending events")? == Sent::Full {
            self.is_full = true;
            return Ok(false);
        }
        self.is_full = false;
        self.number += 1;
        self.batches += 1;
        let number = self.number;
        if self.keeps {
            let packet = packet.to_vec();
            self.kept_bytes += packet.len();
            let cursor = self.cursor.take();
            self.pending.push_back(Pending::Packet { number, packet, cursor });
        } else {
            let ends = std::mem::take(&mut self.ends);
            self.pending.push_back(Pending::Places { number, ends });
        }
        self.writer.begin(Timestamp::default());
        Ok(true)
    }

    /// The mark that what was sent before is void.
    fn send_resumed(&mut self) -> Result<bool> {
        let mut mark = BatchWriter::default();
        mark.begin(Timestamp::default());
        let id = BatchId { incarnation: self.incarnation, number: self.number + 1 };
        if self.channel.send(mark.finish(id, true)).context("sending events")? == Sent::Full {
            self.is_full = true;
            return Ok(false);
        }
        self.number += 1;
        self.resumed = false;
        Ok(true)
    }

    fn send_again(&mut self, mut packet: Vec<u8>, cursor: Option<Vec<u8>>) -> Result<bool> {
        let id = BatchId { incarnation: self.incarnation, number: self.number + 1 };
        wire::frame::renumber(&mut packet, id);
        if self.channel.send(&packet).context("sending events again")? == Sent::Full {
            self.is_full = true;
            self.again.push_front((packet, cursor));
            return Ok(false);
        }
        self.number += 1;
        self.pending.push_back(Pending::Packet { number: self.number, packet, cursor });
        Ok(true)
    }

    /// Analysis has stored all batches up to this one.
    pub(super) fn stored(&mut self, id: BatchId) -> Stored {
        let mut stored = Stored::default();
        if id.incarnation != self.incarnation {
            return stored;
        }
        while let Some(pending) = self.pending.front() {
            let (Pending::Places { number, .. } | Pending::Packet { number, .. }) = pending;
            if *number > id.number {
                break;
            }
            match self.pending.pop_front() {
                Some(Pending::Places { ends, .. }) => stored.ends.extend(ends),
                Some(Pending::Packet { packet, cursor, .. }) => {
                    self.kept_bytes -= packet.len();
                    stored.cursor = cursor.or(stored.cursor);
                }
                None => {}
            }
        }
        stored
    }

    /// Analysis starts anew: what is kept is sent again, and the caller reads files again from
    /// their acknowledged places.
    pub(super) fn resume(&mut self) {
        self.resumed = true;
        // What is sent from now on may have been sent before: it must be told from what follows.
        self.incarnation = self.incarnation.wrapping_add(1);
        let mut again = VecDeque::new();
        for pending in self.pending.drain(..) {
            if let Pending::Packet { packet, cursor, .. } = pending {
                again.push_back((packet, cursor));
            }
        }
        again.append(&mut self.again);
        self.again = again;
        // What is at hand of files comes again as well; what is kept stays at hand.
        if !self.keeps {
            self.writer.begin(Timestamp::default());
            self.ends.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Queue;
    use sys::channel::Received;
    use wire::frame::{Batch, PACKET_BYTES_MAX};

    use super::*;

    fn event(source: u64, end: u64, text: &'static str) -> Sourced<'static> {
        Sourced { source, end, queue: Queue::LocalFile, location: b"/l", text: text.as_bytes() }
    }

    /// Number, whether it resumes, and texts of each packet that arrived.
    fn arrived(channel: &Channel) -> Vec<(u64, bool, Vec<String>)> {
        let mut buffer = vec![0; PACKET_BYTES_MAX];
        let mut batches = Vec::new();
        while let Received::Packet { bytes, .. } = channel.receive(&mut buffer).unwrap() {
            let batch = Batch::parse(&buffer[..bytes]).unwrap();
            let texts = batch
                .events()
                .map(|event| String::from_utf8_lossy(event.unwrap().text).into_owned());
            batches.push((batch.id.number, batch.resumed, texts.collect()));
        }
        batches
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn files_and_what_is_kept_go_in_batches_of_their_own() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut sender = Sender::new(ours, 7);
        let now = Timestamp::utc(1);
        assert!(sender.push(now, &event(1, 10, "a"), Kind::File).unwrap());
        assert!(sender.push(now, &event(1, 20, "b"), Kind::File).unwrap());
        assert!(sender.push(now, &event(2, 5, "c"), Kind::File).unwrap());
        assert!(sender.push(now, &event(9, 1, "d"), Kind::Kept).unwrap());
        assert!(sender.push(now, &event(9, 2, "e"), Kind::Journal(b"x".to_vec())).unwrap());
        assert!(sender.flush().unwrap());
        assert_eq!(
            arrived(&theirs),
            [
                (1, true, texts(&[])),
                (2, false, texts(&["a", "b", "c"])),
                (3, false, texts(&["d", "e"]))
            ]
        );
        assert!(sender.kept_bytes() > 0);
        let other = BatchId { incarnation: 6, number: 9 };
        assert_eq!(sender.stored(other), Stored::default());
        let stored = sender.stored(BatchId { incarnation: 7, number: 2 });
        assert_eq!(stored.ends, [(1, 20), (2, 5)]);
        let stored = sender.stored(BatchId { incarnation: 7, number: 3 });
        assert_eq!(stored.cursor, Some(b"x".to_vec()));
        assert_eq!(sender.kept_bytes(), 0);
    }

    #[test]
    fn what_is_kept_is_sent_again_after_a_mark() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut sender = Sender::new(ours, 7);
        let now = Timestamp::utc(1);
        sender.push(now, &event(9, 1, "kept"), Kind::Kept).unwrap();
        sender.push(now, &event(1, 10, "file"), Kind::File).unwrap();
        sender.flush().unwrap();
        sender.push(now, &event(1, 20, "at hand"), Kind::File).unwrap();
        arrived(&theirs);
        sender.resume();
        sender.push(now, &event(1, 10, "file"), Kind::File).unwrap();
        sender.flush().unwrap();
        assert_eq!(
            arrived(&theirs),
            [(4, true, texts(&[])), (5, false, texts(&["kept"])), (6, false, texts(&["file"]))]
        );
        assert_eq!(sender.stored(BatchId { incarnation: 8, number: 6 }).ends, [(1, 10)]);
        assert_eq!(sender.kept_bytes(), 0);
    }

    #[test]
    fn a_full_channel_takes_nothing_and_loses_nothing() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut sender = Sender::new(ours, 7);
        let mut pushed = 0;
        while sender.push(Timestamp::utc(1), &event(1, pushed + 1, "text"), Kind::File).unwrap() {
            pushed += 1;
            if pushed % 100 == 0 {
                sender.flush().unwrap();
            }
        }
        assert!(sender.is_full());
        let mut ends: u64 = arrived(&theirs).iter().map(|batch| batch.2.len() as u64).sum();
        assert!(sender.flush().unwrap());
        ends += arrived(&theirs).iter().map(|batch| batch.2.len() as u64).sum::<u64>();
        assert_eq!(ends, pushed);
    }
}
