//! Links decoders into trees.

use hashbrown::HashMap;
use model::Diagnostic;
use model::diagnostic::nearest;
use pattern::{GateBuilder, PatternSet, Slot};

use super::element::Draft;
use super::{INTERNAL_NAMES, Ids, Loader};
use crate::set::{DecodeOptions, Decoder, DecoderIndex, DecoderSet, Offset, Siblings};

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
    ids: Ids,
    with_program: Vec<DecoderIndex>,
    without_program: Vec<DecoderIndex>,
}

impl Linker {
    fn add(&mut self, loader: &mut Loader, draft: Draft) {
        match &draft.parent {
            None => {
                let index = self.decoders.len();
                let list = if draft.program.is_some() {
                    &mut self.with_program
                } else {
                    &mut self.without_program
                };
                list.push(DecoderIndex(index as u32));
                self.tops.entry(draft.name.clone()).or_default().push(index);
                let id = self.ids.of(&draft.name);
                let name = draft.name.clone();
                self.decoders.push(decoder(draft, name, id));
            }
            Some(parent) => {
                let parent_name = String::from_utf8_lossy(&parent.bytes).into_owned();
                let Some(parents) = self.tops.get(&parent_name).cloned() else {
                    let at = parent.at;
                    self.unknown_parent(loader, &draft, &parent_name, at);
                    return;
                };
                self.add_child(loader, draft, &parent_name, &parents);
            }
        }
    }

    fn unknown_parent(&self, loader: &mut Loader, draft: &Draft, parent: &str, at: model::Span) {
        let is_child = self.decoders.iter().any(|decoder| decoder.own_name == parent);
        let message = format!("decoder `{}` has an unknown parent `{parent}`", draft.name);
        let hint = match nearest(parent, self.tops.keys().map(String::as_str)) {
            _ if is_child => "that decoder has a parent itself; only two levels exist".to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => "the parent must stand before its children".to_owned(),
        };
        let finding = Diagnostic::error("unknown-parent", message);
        loader.diagnostics.push(finding.at(draft.at.0, at).hint(hint));
    }

    fn add_child(&mut self, loader: &mut Loader, draft: Draft, parent: &str, parents: &[usize]) {
        let siblings: Vec<usize> = parents
            .iter()
            .filter_map(|&parent| self.decoders.get(parent))
            .flat_map(|parent| parent.children.members.iter())
            .map(|index| index.0 as usize)
            .collect();
        let same: Vec<usize> = siblings
            .into_iter()
            .filter(|&sibling| {
                self.decoders.get(sibling).is_some_and(|decoder| decoder.own_name == draft.name)
            })
            .collect();
        self.check_group(loader, &draft, &same);
        for sibling in same {
            if let Some(decoder) = self.decoders.get_mut(sibling) {
                decoder.has_next = true;
            }
        }
        let id = if draft.use_own_name {
            self.ids.of(&draft.name)
        } else {
            // compat: the name is known to `decoded_as`, but events carry the parent's.
            self.ids.of(&draft.name);
            self.ids.of(parent)
        };
        let shown = if draft.use_own_name { draft.name.clone() } else { parent.to_owned() };
        let index = DecoderIndex(self.decoders.len() as u32);
        let mut child = decoder(draft, shown, id);
        child.parent_name = parent.to_owned();
        self.decoders.push(child);
        for &parent in parents {
            if let Some(parent) = self.decoders.get_mut(parent) {
                parent.children.members.push(index);
            }
        }
    }

    /// What a decoder that continues an earlier one of its name may not have.
    fn check_group(&self, loader: &mut Loader, draft: &Draft, same: &[usize]) {
        let earlier = same.first().and_then(|&index| self.decoders.get(index));
        let mut refuse = |code, what: &str, hint: &str| {
            let message = format!("decoder `{}` {what}", draft.name);
            loader
                .diagnostics
                .push(Diagnostic::error(code, message).at(draft.at.0, draft.at.1).hint(hint));
        };
        let looks_behind_regex = draft.regex.is_some_and(|part| part.offset == Offset::AfterRegex);
        let Some(earlier) = earlier else {
            if looks_behind_regex {
                refuse(
                    "offset-without-regex",
                    "has no regex before it to look behind",
                    "after_regex continues an earlier decoder of the same name and parent",
                );
            }
            return;
        };
        if looks_behind_regex && earlier.regex.is_none() && earlier.prematch.is_none() {
            refuse(
                "offset-without-regex",
                "continues a decoder without a regex",
                "give the first one a regex",
            );
        }
        if draft.prematch.is_some() || draft.fts.is_some() {
            refuse(
                "group-with-prematch",
                "continues one of the same name and may not have prematch or fts",
                "move it to the first of the group, or use another name",
            );
        }
        let language = |pattern| loader.patterns.source(pattern).map(|(language, _)| language);
        let mixed = match (earlier.regex, draft.regex) {
            (Some((pattern, _)), Some(part)) => language(pattern) != Some(part.language),
            _ => false,
        };
        if mixed {
            let message =
                format!("decoder `{}` mixes regex and pcre2 with one of the same name", draft.name);
            let finding = Diagnostic::error("group-mixes-languages", message);
            loader.diagnostics.push(
                finding.at(draft.at.0, draft.at.1).hint("use one of the two in the whole group"),
            );
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
        let (mut from_start, mut after_parent) = (GateBuilder::default(), GateBuilder::default());
        let mut ungated = Vec::new();
        for (position, &index) in members.iter().enumerate() {
            let slot = Slot::try_from(position).unwrap_or(Slot::MAX);
            let prematch = self.decoders.get(index.0 as usize).and_then(|decoder| decoder.prematch);
            let needles = prematch
                .and_then(|(pattern, _)| patterns.needles(pattern))
                .filter(|needles| GateBuilder::takes(needles) && slot < Slot::MAX);
            match (prematch, needles) {
                (Some((_, Offset::AfterParent)), Some(needles)) => after_parent.add(slot, needles),
                (Some(_), Some(needles)) => from_start.add(slot, needles),
                _ => ungated.push(slot),
            }
        }
        Siblings {
            members: members.to_vec(),
            from_start: from_start.build(),
            after_parent: after_parent.build(),
            ungated,
        }
    }
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
