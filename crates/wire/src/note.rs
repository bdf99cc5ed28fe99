//! The small messages between roles: acknowledgements, requests, reports.
//!
//! A note is one packet: a letter, then its values. Like batches, notes are private to one build.

use crate::bytes::{Cursor, Ended, push_string};
use crate::frame::{BadFrame, BatchId};

/// Bytes of one note: the longest is an order with all that it may hold.
pub const NOTE_BYTES_MAX: usize = 20 * 1024;

/// Names an order, the same when it is sent again: where in the event log its event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId {
    /// Names the log: its numbers begin anew when all that analysis remembers is gone.
    pub epoch: u64,
    pub batch: u64,
    /// Counts the orders of a batch from 0.
    pub index: u32,
}

impl OrderId {
    /// Appends its bytes.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.batch.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    ///
    /// Where the bytes end too early.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self, Ended> {
        Ok(Self { epoch: cursor.u64()?, batch: cursor.u64()?, index: cursor.u32()? })
    }
}

/// A message between two roles, or between a role and the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Analysis has stored all batches up to this one; positions may be saved.
    Stored(BatchId),
    /// Whoever receives starts anew: go back to what was acknowledged last.
    Resume,
    /// Run a command of the configuration: which `localfile` it is, and the hash of its text, so
    /// that two readings of the configuration are not mixed up. The answer carries `token`.
    Run { token: u32, localfile: u32, hash: u64 },
    /// Read the journal, all boots, from behind this cursor or from where what stands for it says,
    /// to its end.
    ReadJournal { token: u32, cursor: Vec<u8> },
    /// Follow the journal of this boot, from there on.
    FollowJournal { token: u32, cursor: Vec<u8> },
    /// Started; the packet carries the reading end of its output.
    Output { token: u32 },
    /// Not started, or ended otherwise than with success; says why.
    Failed { token: u32, why: Vec<u8> },
    /// Do this, if it was not done: an order of `respond`.
    Order { id: OrderId, order: Vec<u8> },
    /// All orders up to this one are done, or on disk to be done.
    Obeyed(OrderId),
    /// Have all roles read the configuration anew, if it is good.
    Reload,
    /// A role is ready for work: what its sandbox has, and what the host lacks for it.
    Ready { layers: Vec<u8>, missing: Vec<u8> },
}

impl Note {
    /// The packet.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Stored(id) => {
                out.push(b'S');
                out.extend_from_slice(&id.incarnation.to_le_bytes());
                out.extend_from_slice(&id.number.to_le_bytes());
            }
            Self::Resume => out.push(b'R'),
            Self::Run { token, localfile, hash } => {
                out.push(b'C');
                out.extend_from_slice(&token.to_le_bytes());
                out.extend_from_slice(&localfile.to_le_bytes());
                out.extend_from_slice(&hash.to_le_bytes());
            }
            Self::ReadJournal { token, cursor } => {
                out.push(b'B');
                out.extend_from_slice(&token.to_le_bytes());
                push_string(&mut out, cursor);
            }
            Self::FollowJournal { token, cursor } => {
                out.push(b'J');
                out.extend_from_slice(&token.to_le_bytes());
                push_string(&mut out, cursor);
            }
            Self::Output { token } => {
                out.push(b'O');
                out.extend_from_slice(&token.to_le_bytes());
            }
            Self::Failed { token, why } => {
                out.push(b'F');
                out.extend_from_slice(&token.to_le_bytes());
                push_string(&mut out, why);
            }
            Self::Order { id, order } => {
                out.push(b'A');
                id.write(&mut out);
                push_string(&mut out, order);
            }
            Self::Obeyed(id) => {
                out.push(b'D');
                id.write(&mut out);
            }
            Self::Reload => out.push(b'L'),
            Self::Ready { layers, missing } => {
                out.push(b'Y');
                push_string(&mut out, layers);
                push_string(&mut out, missing);
            }
        }
        out.truncate(NOTE_BYTES_MAX);
        out
    }

    /// Reads a packet.
    ///
    /// # Errors
    ///
    /// Where it is none, or goes on behind its end.
    pub fn parse(packet: &[u8]) -> Result<Self, BadFrame> {
        let mut cursor = Cursor::new(packet);
        let note = match cursor.u8()? {
            b'S' => Self::Stored(BatchId { incarnation: cursor.u64()?, number: cursor.u64()? }),
            b'R' => Self::Resume,
            b'C' => {
                Self::Run { token: cursor.u32()?, localfile: cursor.u32()?, hash: cursor.u64()? }
            }
            b'B' => Self::ReadJournal { token: cursor.u32()?, cursor: cursor.string()?.to_vec() },
            b'J' => Self::FollowJournal { token: cursor.u32()?, cursor: cursor.string()?.to_vec() },
            b'O' => Self::Output { token: cursor.u32()? },
            b'F' => Self::Failed { token: cursor.u32()?, why: cursor.string()?.to_vec() },
            b'A' => {
                let id = OrderId::read(&mut cursor)?;
                Self::Order { id, order: cursor.string()?.to_vec() }
            }
            b'D' => Self::Obeyed(OrderId::read(&mut cursor)?),
            b'L' => Self::Reload,
            b'Y' => {
                let layers = cursor.string()?.to_vec();
                Self::Ready { layers, missing: cursor.string()?.to_vec() }
            }
            _ => return Err(BadFrame::Unknown),
        };
        if cursor.is_empty() { Ok(note) } else { Err(BadFrame::Length) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notes_come_back_and_are_not_cut_or_longer() {
        let notes = [
            Note::Stored(BatchId { incarnation: 1, number: u64::MAX }),
            Note::Resume,
            Note::Run { token: 1, localfile: 2, hash: 3 },
            Note::ReadJournal { token: 8, cursor: b"since=1".to_vec() },
            Note::FollowJournal { token: 9, cursor: b"s=1;i=2".to_vec() },
            Note::Output { token: 4 },
            Note::Order { id: OrderId { epoch: 1, batch: 2, index: 3 }, order: b"x".to_vec() },
            Note::Obeyed(OrderId { epoch: 4, batch: 5, index: 6 }),
            Note::Reload,
            Note::Failed { token: 5, why: b"no such file".to_vec() },
            Note::Ready { layers: b"user".to_vec(), missing: Vec::new() },
        ];
        for note in notes {
            let packet = note.write();
            assert_eq!(Note::parse(&packet), Ok(note));
            assert_eq!(Note::parse(&packet[..packet.len() - 1]), Err(BadFrame::Length));
            assert_eq!(Note::parse(&[&packet[..], b"x"].concat()), Err(BadFrame::Length));
        }
        assert_eq!(Note::parse(b"?"), Err(BadFrame::Unknown));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(packet in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(note) = Note::parse(&packet) {
                prop_assert_eq!(note.write(), packet);
            }
        }
    }
}
