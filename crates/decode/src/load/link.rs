//! Links decoders into trees.

use hashbrown::HashMap;
use pattern::{GateBuilder, PatternSet, Slot};

use super::element::Draft;
use super::{INTERNAL_NAMES, Ids, Loader, NAMES_MAX, messages};
use crate::set::{DecodeOptions, Decoder, DecoderIndex, DecoderSet, Offset, Siblings};

/// Decoders that may share a parent, or have none: a gate numbers them with 16 bits.
const SIBLINGS_MAX: usize = 60_000;

/// Links the decoders of all files; `drafts` are in file order.
pub(super) fn link(loader: &mut Loader, drafts: Vec<Draft>, options: DecodeOptions) -> DecoderSet {
    let mut linker = Linker::default();
    for draft in drafts {
        linker.add(loader, draft);
    }
    linker.finish(loader, options)
}

#[derive(Default)]
struct Linker {
    decoders: Vec<Decoder>,
    /// Top-level decoders by name; several may share one.
    tops: HashMap<String, Vec<usize>>,
    /// Children by the names of their parent and their own, in order.
    groups: HashMap<(String, String), Vec<usize>>,
    ids: Ids,
    with_program: Vec<DecoderIndex>,
    without_program: Vec<DecoderIndex>,
}

impl Linker {
    fn add(&mut self, loader: &mut Loader, draft: Draft) {
        if !self.ids.has_room_for(&draft.name) {
            let finding = messages::too_many_names(&draft.name, NAMES_MAX);
            loader.report(draft.at.0, draft.at.1, finding);
            return;
        }
        let Some(parent) = &draft.parent else {
            self.add_top(loader, draft);
            return;
        };
        let parent_name = String::from_utf8_lossy(&parent.bytes).into_owned();
        match self.tops.get(&parent_name).cloned() {
            Some(parents) => self.add_child(loader, draft, &parent_name, &parents),
            None => {
                let is_child = self.decoders.iter().any(|decoder| decoder.own_name == parent_name);
                let tops = self.tops.keys().map(String::as_str);
                let finding = messages::unknown_parent(&draft.name, &parent_name, is_child, tops);
                loader.report(draft.at.0, parent.at, finding);
            }
        }
    }

    fn add_top(&mut self, loader: &mut Loader, draft: Draft) {
        let index = self.decoders.len();
        let list = match draft.program {
            Some(_) => &mut self.with_program,
            None => &mut self.without_program,
        };
        if list.len() >= SIBLINGS_MAX {
            let finding = messages::too_many_siblings(&draft.name, SIBLINGS_MAX);
            loader.report(draft.at.0, draft.at.1, finding);
            return;
        }
        list.push(DecoderIndex(index as u32));
        self.tops.entry(draft.name.clone()).or_default().push(index);
        let id = self.ids.of(&draft.name);
        let name = draft.name.clone();
        self.decoders.push(decoder(draft, name, id));
    }

    fn add_child(&mut self, loader: &mut Loader, draft: Draft, parent: &str, parents: &[usize]) {
        let is_full = |&parent: &usize| {
            let parent: Option<&Decoder> = self.decoders.get(parent);
            parent.is_some_and(|parent| parent.children.members.len() >= SIBLINGS_MAX)
        };
        if parents.iter().any(is_full) {
            let finding = messages::too_many_siblings(&draft.name, SIBLINGS_MAX);
            loader.report(draft.at.0, draft.at.1, finding);
            return;
        }
        let index = DecoderIndex(self.decoders.len() as u32);
        let group = self.groups.entry((parent.to_owned(), draft.name.clone())).or_default();
        let earlier = group.last().copied();
        let first = group.first().copied();
        group.push(index.0 as usize);
        if let Some(first) = first.and_then(|first| self.decoders.get(first)) {
            check_group_member(loader, &draft, first);
        } else if looks_behind_regex(&draft) {
            let finding = messages::offset_without_regex(&draft.name);
            loader.report(draft.at.0, draft.at.1, finding);
        }
        // All before the last one have their mark from when the last one came.
        if let Some(earlier) = earlier.and_then(|earlier| self.decoders.get_mut(earlier)) {
            earlier.has_next = true;
        }
        // compat: every name is known to `decoded_as`, but events carry the parent's.
        let own_id = self.ids.of(&draft.name);
        let (shown, id) = if draft.use_own_name {
            (draft.name.clone(), own_id)
        } else {
            (parent.to_owned(), self.ids.of(parent))
        };
        let mut child = decoder(draft, shown, id);
        child.parent_name = parent.to_owned();
        self.decoders.push(child);
        for &parent in parents {
            if let Some(parent) = self.decoders.get_mut(parent) {
                parent.children.members.push(index);
            }
        }
    }

    fn finish(mut self, loader: &mut Loader, options: DecodeOptions) -> DecoderSet {
        for name in INTERNAL_NAMES {
            self.ids.of(name);
        }
        let patterns = std::mem::take(&mut loader.patterns);
        let gated: Vec<Siblings> = self
            .decoders
            .iter()
            .map(|decoder| self.siblings(&patterns, &decoder.children.members))
            .collect();
        let without_program = self.siblings(&patterns, &self.without_program);
        for (decoder, children) in self.decoders.iter_mut().zip(gated) {
            decoder.children = children;
        }
        DecoderSet {
            decoders: self.decoders,
            with_program: self.with_program,
            without_program,
            patterns,
            dynamic_names: std::mem::take(&mut loader.dynamic.names),
            ids: self.ids.known,
            options,
        }
    }

    /// A list of decoders with its gates.
    fn siblings(&self, patterns: &PatternSet, members: &[DecoderIndex]) -> Siblings {
        let (mut from_start, mut after_parent) =
            (GateBuilder::for_trying(), GateBuilder::for_trying());
        for (position, &index) in members.iter().enumerate() {
            let slot = Slot::try_from(position).unwrap_or(Slot::MAX);
            match self.decoders.get(index.0 as usize).and_then(|decoder| decoder.prematch) {
                Some((pattern, Offset::AfterParent)) => {
                    after_parent.add(slot, patterns, pattern);
                }
                Some((pattern, _)) => {
                    from_start.add(slot, patterns, pattern);
                }
                None => from_start.add_always(slot),
            }
        }
        Siblings {
            members: members.to_vec(),
            from_start: from_start.build(),
            after_parent: after_parent.build(),
        }
    }
}

/// What a decoder that continues an earlier one of its name may not have.
fn check_group_member(loader: &mut Loader, draft: &Draft, first: &Decoder) {
    let language = |pattern| loader.patterns.source(pattern).map(|(language, _)| language);
    let mixed = match (first.regex, draft.regex) {
        (Some((pattern, _)), Some(part)) => language(pattern) != Some(part.language),
        _ => false,
    };
    let (source, at) = draft.at;
    if looks_behind_regex(draft) && first.regex.is_none() && first.prematch.is_none() {
        loader.report(source, at, messages::offset_without_regex(&draft.name));
    }
    if draft.prematch.is_some() || draft.fts.is_some() {
        loader.report(source, at, messages::group_with_prematch(&draft.name));
    }
    if mixed {
        loader.report(source, at, messages::group_mixes_languages(&draft.name));
    }
}

fn looks_behind_regex(draft: &Draft) -> bool {
    draft.regex.is_some_and(|part| part.offset == Offset::AfterRegex)
}

fn decoder(draft: Draft, name: String, id: model::DecoderId) -> Decoder {
    let part = |part: Option<super::element::Part>| part.map(|part| (part.pattern, part.offset));
    Decoder {
        parent_name: name.clone(),
        name,
        own_name: draft.name,
        id,
        category: draft.category,
        program: draft.program,
        prematch: part(draft.prematch),
        regex: part(draft.regex),
        order: draft.order,
        fts: draft.fts,
        accumulate: draft.accumulate,
        plugin: draft.plugin,
        at: draft.at,
        children: Siblings::default(),
        has_next: false,
    }
}
