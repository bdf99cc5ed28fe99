//! Decoders as the loader makes them and the tree walk uses them.

use hashbrown::HashMap;
use model::{Category, DecoderId, SourceId, Span};
use pattern::{Gate, PatternId, PatternSet};

use crate::fields::Name;
use crate::header::Forms;
use crate::plugins::Plugin;

/// Position of a decoder in its [`DecoderSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecoderIndex(pub u32);

/// All decoders, linked into two lists of trees: those that ask for a program name and those that
/// do not. An event with a program name is only shown to the first list, any other to the second.
#[derive(Default)]
pub struct DecoderSet {
    pub(crate) decoders: Vec<Decoder>,
    pub(crate) with_program: Vec<DecoderIndex>,
    pub(crate) without_program: Siblings,
    pub(crate) patterns: PatternSet,
    pub(crate) dynamic_names: Vec<String>,
    pub(crate) ids: HashMap<Vec<u8>, DecoderId>,
    pub(crate) options: DecodeOptions,
}

/// What decoding needs to know of its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// This server's short name, the host of events that name none.
    pub server_name: Vec<u8>,
    pub forms: Forms,
    /// compat: control characters are removed from lines before anything looks at them.
    pub strip_control: bool,
}

/// One decoder.
pub struct Decoder {
    /// As shown to people: a child goes by its parent's name unless it uses its own.
    pub name: String,
    /// As written.
    pub own_name: String,
    /// The name of the top-level decoder above, or the own one.
    pub parent_name: String,
    pub id: DecoderId,
    pub category: Category,
    pub program: Option<PatternId>,
    pub prematch: Option<(PatternId, Offset)>,
    pub regex: Option<(PatternId, Offset)>,
    pub order: Vec<Name>,
    pub fts: Option<FtsFields>,
    pub accumulate: bool,
    pub plugin: Option<&'static dyn Plugin>,
    pub at: (SourceId, Span),
    pub(crate) children: Siblings,
    /// The next sibling belongs to the same group of decoders and is tried as well.
    pub(crate) has_next: bool,
}

/// Where in a log a decoder's pattern begins to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    Start,
    AfterParent,
    AfterPrematch,
    AfterRegex,
}

/// Decoders that are tried one after the other, with a gate for their prematches.
#[derive(Default)]
pub(crate) struct Siblings {
    pub(crate) members: Vec<DecoderIndex>,
    /// Finds which prematches that look from the log's start can match. Slots are positions.
    pub(crate) from_start: Gate,
    /// The same for those that look behind the parent's match.
    pub(crate) after_parent: Gate,
}

/// The values that make up a first-time-seen key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FtsFields {
    pub user: bool,
    pub srcip: bool,
    pub dstip: bool,
    pub id: bool,
    pub location: bool,
    pub data: bool,
    pub system_name: bool,
}

impl DecoderSet {
    pub fn decoder(&self, index: DecoderIndex) -> Option<&Decoder> {
        self.decoders.get(index.0 as usize)
    }

    /// All decoders in load order.
    pub fn iter(&self) -> impl Iterator<Item = &Decoder> {
        self.decoders.iter()
    }

    /// The identity that a rule means by a decoder's name.
    pub fn id(&self, name: &[u8]) -> Option<DecoderId> {
        self.ids.get(name).copied()
    }

    /// The names a rule may use, in no order.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.ids.keys().map(Vec::as_slice)
    }

    /// Names of dynamic fields; a [`crate::DynamicField`] is a position in it.
    pub fn dynamic_names(&self) -> &[String] {
        &self.dynamic_names
    }

    pub fn patterns(&self) -> &PatternSet {
        &self.patterns
    }

    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }
}

impl std::fmt::Debug for DecoderSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecoderSet").field("decoders", &self.decoders.len()).finish_non_exhaustive()
    }
}
