//! What tests put around an engine: a memory that outlives it, and somebody to explain to.

use std::sync::{Arc, Mutex};

use decode::{DecodeStep, DecodeTrace, Decoded, Decoder};
use engine::Policy;
use engine::explain::{Trace, Tried};
use model::{Memory, RamMemory, Table};
use rules::ruleset::Rule;

/// A memory that several engines see, one after the other.
#[derive(Clone, Default)]
pub(crate) struct SharedMemory(Arc<Mutex<RamMemory>>);

impl SharedMemory {
    /// A memory of its own with the same content.
    pub(crate) fn copy(&self) -> Self {
        let content = self.0.lock().unwrap().clone();
        Self(Arc::new(Mutex::new(content)))
    }
}

impl Memory for SharedMemory {
    fn get(&mut self, table: Table, key: &[u8], out: &mut Vec<u8>) -> bool {
        self.0.lock().unwrap().get(table, key, out)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.0.lock().unwrap().put(table, key, value);
    }

    fn scan(&mut self, table: Table, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.0.lock().unwrap().scan(table, prefix, visit);
    }
}

/// Is told everything and keeps nothing.
pub(crate) struct Nobody;

impl DecodeTrace for Nobody {
    fn decoder(&mut self, _: &Decoder, _: DecodeStep) {}
}

impl Trace for Nobody {
    fn decoded(&mut self, _: &Decoded, _: &Policy) {}
    fn rule(&mut self, _: &Rule, _: Tried) {}
    fn children(&mut self, _: &Rule) {}
}
