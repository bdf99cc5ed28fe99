//! First time seen: which combinations of values have never occurred.

use std::collections::VecDeque;

use decode::{Decoded, Decoder};
use hashbrown::HashSet;
use model::{Category, Field, Memory, Table};

use crate::checkpoint::bytes::{Reader, Writer};
use crate::key::write_joined;

/// Keys kept in RAM. More are counted, and are new each time.
const KEYS_MAX: usize = 262_144;

/// All keys seen, here and before the last restart.
#[derive(Debug)]
pub(crate) struct FirstSeen {
    keys: HashSet<Box<[u8]>, foldhash::fast::RandomState>,
    /// The newest keys of intrusion detection systems.
    recent_ids: VecDeque<Vec<u8>>,
    list_size: usize,
    prefix_min: usize,
    key: Vec<u8>,
    /// Keys that found no room.
    pub(crate) not_kept: u64,
}

impl FirstSeen {
    pub(crate) fn new(list_size: usize, prefix_min: usize, memory: &mut dyn Memory) -> Self {
        let mut keys = HashSet::default();
        memory.scan(Table::FirstSeen, b"", &mut |key, _| {
            if keys.len() < KEYS_MAX {
                keys.insert(Box::from(key));
            }
        });
        let recent_ids = VecDeque::new();
        Self { keys, recent_ids, list_size, prefix_min, key: Vec::new(), not_kept: 0 }
    }

    /// Writes what [`Memory`] does not hold.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.recent_ids.iter(), |out, key| out.bytes(key));
    }

    pub(crate) fn load(&mut self, input: &mut Reader<'_>) -> Option<()> {
        for _ in 0..input.length()? {
            self.recent_ids.push_back(input.bytes()?.to_vec());
        }
        Some(())
    }

    /// Whether the event's key is new; from now on it is not.
    pub(crate) fn is_new(
        &mut self,
        decoder: &Decoder,
        decoded: &Decoded,
        memory: &mut dyn Memory,
    ) -> bool {
        if !self.write_key(decoder, decoded) || self.keys.contains(self.key.as_slice()) {
            return false;
        }
        if decoded.category == Category::Ids && !self.is_new_to_ids() {
            return false;
        }
        if self.keys.len() >= KEYS_MAX {
            self.not_kept += 1;
            return true;
        }
        self.keys.insert(self.key.as_slice().into());
        memory.put(Table::FirstSeen, &self.key, b"");
        true
    }

    /// Writes `DECODER ID DSTUSER SRCUSER SRCIP DSTIP DATA SYSTEMNAME LOCATION`, where what is not
    /// selected is empty. False if the decoder selects nothing.
    fn write_key(&mut self, decoder: &Decoder, decoded: &Decoded) -> bool {
        let Some(fts) = decoder.fts else { return false };
        let field =
            |selected: bool, field| decoded.field(field).filter(|_| selected).unwrap_or_default();
        let location = if fts.location { decoded.event.location.as_slice() } else { b"" };
        let parts = [
            decoder.name.as_bytes(),
            field(fts.id, Field::Id),
            field(fts.user, Field::DstUser),
            // compat: the source user can not be selected.
            b"",
            field(fts.srcip, Field::SrcIp),
            field(fts.dstip, Field::DstIp),
            field(fts.data, Field::Data),
            field(fts.system_name, Field::SystemName),
            location,
        ];
        write_joined(&mut self.key, &parts);
        true
    }

    /// Shortens the key if several recent ones begin alike; whether the result is new.
    fn is_new_to_ids(&mut self) -> bool {
        let common = |other: &Vec<u8>| {
            other.iter().zip(&self.key).take_while(|(theirs, ours)| theirs == ours).count()
        };
        let alike = self.recent_ids.iter().filter(|other| common(other) > self.prefix_min).count();
        if alike > 2 {
            self.key.truncate(self.prefix_min);
            if self.keys.contains(self.key.as_slice()) {
                return false;
            }
        }
        self.recent_ids.push_back(self.key.clone());
        if self.recent_ids.len() > self.list_size {
            self.recent_ids.pop_front();
        }
        true
    }
}
