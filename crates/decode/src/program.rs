//! Remembers which decoders a program name can belong to, so that each name is matched once.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use pattern::Scratch;

use crate::decoded::ProgramKey;
use crate::set::{DecoderIndex, DecoderSet};

/// Names remembered before all are forgotten; a sender of ever new names gains nothing but that.
const PROGRAMS_MAX: usize = 4096;
const NAME_BYTES_MAX: usize = 256;

/// Program names seen, and their decoders.
#[derive(Debug)]
pub(crate) struct Programs {
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    /// By number; 0 stands for names that are not remembered.
    decoders: Vec<Vec<DecoderIndex>>,
    generation: u32,
}

impl Default for Programs {
    fn default() -> Self {
        Self { numbers: HashMap::default(), decoders: vec![Vec::new()], generation: 1 }
    }
}

impl Programs {
    /// The key of a name, matching it against all decoders if it is new.
    pub(crate) fn key(
        &mut self,
        name: &[u8],
        set: &DecoderSet,
        search: &mut Scratch,
    ) -> ProgramKey {
        if let Some(&number) = self.numbers.get(name) {
            return ProgramKey { generation: self.generation, number };
        }
        let fits = |&index: &DecoderIndex, search: &mut Scratch| {
            set.decoder(index)
                .and_then(|decoder| decoder.program)
                .is_some_and(|pattern| set.patterns.is_match(pattern, name, search))
        };
        let mut decoders = Vec::new();
        for index in &set.with_program {
            if fits(index, search) {
                decoders.push(*index);
            }
        }
        if name.len() > NAME_BYTES_MAX {
            self.decoders[0] = decoders;
            return ProgramKey { generation: self.generation, number: 0 };
        }
        if self.decoders.len() > PROGRAMS_MAX {
            self.numbers.clear();
            self.decoders.truncate(1);
            self.generation += 1;
        }
        let number = self.decoders.len() as u32;
        self.decoders.push(decoders);
        self.numbers.insert(name.into(), number);
        ProgramKey { generation: self.generation, number }
    }

    /// The decoders whose program name fits, in load order.
    pub(crate) fn decoders(&self, key: ProgramKey) -> &[DecoderIndex] {
        self.decoders.get(key.number as usize).map(Vec::as_slice).unwrap_or_default()
    }
}
