//! What analysis must know to go on after a crash as if there had been none, as bytes.

use outputs::FileLength;
use wire::bytes::{Cursor, Ended, push_string};

use super::marks::Marks;
use super::orders::Pending;

/// First bytes; another layout needs others.
const MAGIC: &[u8; 8] = b"wachter6";

/// The state after all events up to a batch of the event log.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    /// The last batch that is in it.
    pub(super) batch: u64,
    /// Names the event log, for orders.
    pub(super) epoch: u64,
    /// Names the decoders and rules that went over it.
    pub(super) policy: u64,
    pub(super) marks: Marks,
    /// Responses that are not given yet.
    pub(super) orders: Pending,
    /// How long each output file was.
    pub(super) files: Vec<FileLength>,
    /// The counts of the hour.
    pub(super) totals: Vec<u8>,
    /// What the engine remembers.
    pub(super) judge: Vec<u8>,
}

/// Why a checkpoint is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the checkpoint is of another version")]
    OtherVersion,
    #[error("the checkpoint is damaged")]
    Damaged,
}

impl From<Ended> for Unusable {
    fn from(_: Ended) -> Self {
        Self::Damaged
    }
}

impl Checkpoint {
    pub(super) fn write(&mut self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.batch.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.policy.to_le_bytes());
        self.marks.save(&mut out);
        self.orders.save(&mut out);
        out.extend_from_slice(&(self.files.len() as u32).to_le_bytes());
        for file in &self.files {
            push_string(&mut out, file.path.as_bytes());
            out.extend_from_slice(&file.length.to_le_bytes());
        }
        push_string(&mut out, &self.totals);
        push_string(&mut out, &self.judge);
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let mut cursor = Cursor::new(bytes);
        if cursor.bytes(MAGIC.len())? != MAGIC {
            return Err(Unusable::OtherVersion);
        }
        let (batch, epoch, policy) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
        let marks = Marks::load(&mut cursor)?;
        let orders = Pending::load(&mut cursor)?;
        let mut files = Vec::new();
        for _ in 0..cursor.u32()? {
            let path = String::from_utf8(cursor.string()?.to_vec());
            let path = path.map_err(|_| Unusable::Damaged)?;
            files.push(FileLength { path, length: cursor.u64()? });
        }
        let totals = cursor.string()?.to_vec();
        let judge = cursor.string()?.to_vec();
        if !cursor.is_empty() {
            return Err(Unusable::Damaged);
        }
        Ok(Self { batch, epoch, policy, marks, orders, files, totals, judge })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_and_damage_is_noticed() {
        let mut marks = Marks::default();
        marks.is_repeat(3, 4, 5);
        let mut checkpoint = Checkpoint {
            batch: 1,
            epoch: 9,
            policy: 2,
            marks,
            orders: Pending::default(),
            files: vec![FileLength { path: "logs/alerts/a.log".to_owned(), length: 6 }],
            totals: b"totals".to_vec(),
            judge: b"judge".to_vec(),
        };
        let bytes = checkpoint.write();
        let mut back = Checkpoint::parse(&bytes).unwrap();
        assert_eq!(back.write(), bytes);
        assert!(back.marks.is_repeat(3, 4, 6));
        for length in 0..bytes.len() {
            assert!(Checkpoint::parse(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Checkpoint::parse(&longer).unwrap_err(), Unusable::Damaged);
        assert_eq!(Checkpoint::parse(b"wachter2........").unwrap_err(), Unusable::OtherVersion);
    }
}
