//! Orders on their way to whoever acts, and those that are not obeyed yet.
//!
//! They are part of the checkpoint: an order outlives the crash of either side. It may arrive more
//! than once, always under the same name.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, bail};
use sys::channel::{Channel, Received, Sent};
use sys::log;
use wire::bytes::{Cursor, Ended, push_string};
use wire::note::{NOTE_BYTES_MAX, Note, OrderId};

/// Orders kept until they are obeyed; of more, the newest are let go.
const PENDING_MAX: usize = 20_000;

/// Orders that are not obeyed, as a checkpoint has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pending {
    /// Oldest first.
    orders: VecDeque<(OrderId, Vec<u8>)>,
}

pub(super) struct Orders {
    channel: Channel,
    pending: Pending,
    /// How many of the pending ones were sent.
    sent: usize,
    /// What is sent next begins anew: whoever acts leaves out what came before.
    resumes: bool,
    is_full: bool,
    /// Orders let go for want of room.
    pub(super) lost: u64,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.orders.len() as u32).to_le_bytes());
        for (id, order) in &self.orders {
            id.write(out);
            push_string(out, order);
        }
    }

    pub(super) fn load(cursor: &mut Cursor<'_>) -> Result<Self, Ended> {
        let mut orders = VecDeque::new();
        for _ in 0..cursor.u32()? {
            orders.push_back((OrderId::read(cursor)?, cursor.string()?.to_vec()));
        }
        Ok(Self { orders })
    }
}

impl Orders {
    pub(super) fn new(channel: Channel, pending: Pending) -> Self {
        Self { channel, pending, sent: 0, resumes: true, is_full: false, lost: 0 }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether the channel has to become writable before more is sent.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Takes orders on and sends what there is room for. Nothing waits for that.
    pub(super) fn give(
        &mut self,
        orders: impl IntoIterator<Item = (OrderId, Vec<u8>)>,
    ) -> Result<()> {
        for order in orders {
            if self.pending.orders.len() >= PENDING_MAX {
                if self.lost == 0 {
                    log::error(
                        "too many active responses wait for ossec-execd; the newest are lost",
                    );
                }
                self.lost += 1;
                continue;
            }
            self.pending.orders.push_back(order);
        }
        self.send()
    }

    /// Sends what there is room for.
    pub(super) fn send(&mut self) -> Result<()> {
        self.is_full = false;
        if self.resumes {
            if !self.send_one(&Note::Resume)? {
                return Ok(());
            }
            (self.resumes, self.sent) = (false, 0);
        }
        while let Some((id, order)) = self.pending.orders.get(self.sent) {
            let note = Note::Order { id: *id, order: order.clone() };
            if !self.send_one(&note)? {
                return Ok(());
            }
            self.sent += 1;
        }
        Ok(())
    }

    fn send_one(&mut self, note: &Note) -> Result<bool> {
        let sent = self.channel.send(&note.write()).context("ordering responses")?;
        self.is_full = sent == Sent::Full;
        Ok(sent == Sent::Yes)
    }

    /// What whoever acts says: what is obeyed, or that they start anew.
    pub(super) fn read_answers(&mut self) -> Result<()> {
        let mut buffer = [0; NOTE_BYTES_MAX];
        loop {
            let received = self.channel.receive(&mut buffer).context("reading what is obeyed")?;
            let bytes = match received {
                Received::Packet { bytes, .. } => bytes,
                Received::Nothing => return self.send(),
                Received::Closed => bail!("the supervisor has gone"),
            };
            match Note::parse(buffer.get(..bytes).unwrap_or_default()) {
                Ok(Note::Obeyed(id)) => self.obeyed(id),
                Ok(Note::Resume) => self.resumes = true,
                Ok(_) | Err(_) => log::error("a note about orders was none and is left out"),
            }
        }
    }

    /// Only of what was sent by us: an answer to a predecessor may be of before a checkpoint.
    fn obeyed(&mut self, id: OrderId) {
        while let Some((first, _)) = self.pending.orders.front()
            && first.epoch == id.epoch
            && *first <= id
            && self.sent > 0
        {
            self.pending.orders.pop_front();
            self.sent -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(batch: u64) -> (OrderId, Vec<u8>) {
        (OrderId { epoch: 1, batch, index: 0 }, vec![batch as u8])
    }

    /// The batches of the orders that arrived; 0 stands for a beginning.
    fn arrived(channel: &Channel) -> Vec<u64> {
        let mut buffer = vec![0; NOTE_BYTES_MAX];
        let mut batches = Vec::new();
        while let Received::Packet { bytes, .. } = channel.receive(&mut buffer).unwrap() {
            batches.push(match Note::parse(&buffer[..bytes]).unwrap() {
                Note::Order { id, .. } => id.batch,
                Note::Resume => 0,
                note => panic!("{note:?}"),
            });
        }
        batches
    }

    #[test]
    fn orders_come_again_until_they_are_obeyed() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut orders = Orders::new(ours, Pending::default());
        orders.give([order(1), order(2), order(3)]).unwrap();
        assert_eq!(arrived(&theirs), [0, 1, 2, 3]);
        theirs.send(&Note::Obeyed(order(2).0).write()).unwrap();
        theirs.send(&Note::Resume.write()).unwrap();
        orders.read_answers().unwrap();
        assert_eq!(arrived(&theirs), [0, 3]);
        orders.give([order(4)]).unwrap();
        assert_eq!((arrived(&theirs), orders.pending().len()), (vec![4], 2));
        let mut bytes = Vec::new();
        orders.pending().save(&mut bytes);
        let pending = Pending::load(&mut Cursor::new(&bytes)).unwrap();
        assert_eq!(&pending, orders.pending());
        // Who comes after a crash sends all of them.
        let Orders { channel, .. } = orders;
        let mut orders = Orders::new(channel, pending);
        orders.send().unwrap();
        assert_eq!(arrived(&theirs), [0, 3, 4]);
        theirs.send(&Note::Obeyed(order(9).0).write()).unwrap();
        orders.read_answers().unwrap();
        assert_eq!(orders.pending().len(), 0);
    }

    #[test]
    fn whoever_does_not_listen_keeps_nobody_waiting() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut orders = Orders::new(ours, Pending::default());
        let long = |batch| (OrderId { epoch: 1, batch, index: 0 }, vec![7; 4096]);
        orders.give((1..=PENDING_MAX as u64 + 5).map(long)).unwrap();
        assert!(orders.is_full());
        assert_eq!((orders.pending().len(), orders.lost), (PENDING_MAX, 5));
        let mut all = arrived(&theirs);
        while orders.is_full() {
            orders.send().unwrap();
            all.extend(arrived(&theirs));
        }
        assert_eq!(all, (0..=PENDING_MAX as u64).collect::<Vec<_>>());
    }
}
