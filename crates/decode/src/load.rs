//! Reads decoder files and links them into a [`DecoderSet`].
//!
//! One bad decoder is left out and reported; it never hides what is wrong with the others.

mod element;
mod link;
mod messages;

use hashbrown::HashMap;
use model::{DecoderId, Diagnostic, Severity, SourceId};
use pattern::PatternSet;

use crate::fields::{DynamicField, Name};
use crate::set::{DecodeOptions, DecoderSet};

/// What to load.
#[derive(Clone, Debug)]
pub struct LoadInput<'a> {
    /// Decoder files in the order in which they are read.
    pub files: &'a [(SourceId, &'a [u8])],
    pub options: DecodeOptions,
    /// Most fields that one decoder may fill (`analysisd.decoder_order_size`).
    pub order_fields_max: usize,
}

/// What became of it.
#[derive(Debug)]
pub struct Loaded {
    pub decoders: DecoderSet,
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether the set may be used: there are no errors.
    pub fn is_usable(&self) -> bool {
        self.diagnostics.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// Names of the decoders inside the engine, usable in `decoded_as`.
pub const INTERNAL_NAMES: [&str; 8] = [
    "rootcheck",
    "syscheck_integrity_changed",
    "syscheck_integrity_changed_2nd",
    "syscheck_integrity_changed_3rd",
    "syscheck_new_entry",
    "syscheck_deleted",
    "hostinfo_new",
    "hostinfo_modified",
];

/// Reads and links decoder files.
pub fn load(input: &LoadInput<'_>) -> Loaded {
    let mut loader = Loader {
        patterns: PatternSet::default(),
        dynamic: Interner::default(),
        diagnostics: Vec::new(),
        order_fields_max: input.order_fields_max,
    };
    let mut drafts = Vec::new();
    for &(source, text) in input.files {
        let parsed = osxml::parse(source, text);
        loader.diagnostics.extend(parsed.diagnostics);
        for element in &parsed.elements {
            if let Some(draft) = loader.decoder(source, element) {
                drafts.push(draft);
            }
        }
    }
    let decoders = link::link(&mut loader, drafts, input.options.clone());
    Loaded { decoders, diagnostics: loader.diagnostics }
}

struct Loader {
    patterns: PatternSet,
    dynamic: Interner,
    diagnostics: Vec<Diagnostic>,
    order_fields_max: usize,
}

/// Gives each dynamic field name a number, ignoring case.
#[derive(Default)]
struct Interner {
    names: Vec<String>,
    numbers: HashMap<String, u16>,
}

/// Dynamic fields in one set; their numbers are 16 bits.
const DYNAMIC_FIELDS_MAX: usize = 60_000;

impl Interner {
    /// `None` if there are too many already.
    fn name(&mut self, word: &str) -> Option<Name> {
        let key = word.to_ascii_lowercase();
        if let Some(&number) = self.numbers.get(&key) {
            return Some(Name::Dynamic(DynamicField(number)));
        }
        let number = u16::try_from(self.names.len()).ok()?;
        if usize::from(number) >= DYNAMIC_FIELDS_MAX {
            return None;
        }
        self.names.push(word.to_owned());
        self.numbers.insert(key, number);
        Some(Name::Dynamic(DynamicField(number)))
    }
}

/// Names of decoders in one set; their ids are 16 bits, and the engine's own names need some.
const NAMES_MAX: usize = 65_000;

/// Ids for `decoded_as`, in order of naming.
#[derive(Default)]
struct Ids {
    known: HashMap<Vec<u8>, DecoderId>,
}

impl Ids {
    fn has_room_for(&self, name: &str) -> bool {
        self.known.len() < NAMES_MAX || self.known.contains_key(name.as_bytes())
    }

    fn of(&mut self, name: &str) -> DecoderId {
        let next = DecoderId(u16::try_from(self.known.len()).unwrap_or(u16::MAX));
        *self.known.entry(name.as_bytes().to_vec()).or_insert(next)
    }
}
