//! Which decoders no event can reach.

use std::collections::{BTreeSet, HashMap};

use pattern::{End, PatternId, PatternSet};

use crate::set::{Decoder, DecoderIndex, DecoderSet, Offset};

/// Decoders that are never reached, by position, each with one that stands in its way.
pub(super) fn unreachable(set: &DecoderSet) -> HashMap<usize, &Decoder> {
    let mut hidden = HashMap::new();
    hide_tops(set, &set.without_program.members, &mut hidden);
    hide_tops(set, &set.with_program, &mut hidden);
    let mut reached = BTreeSet::new();
    let mut hidden_children = HashMap::new();
    for parent in set.iter() {
        hide_children(set, &parent.children.members, &mut reached, &mut hidden_children);
    }
    // A child of several parents is reached if it is below one of them.
    hidden.extend(hidden_children.into_iter().filter(|(index, _)| !reached.contains(index)));
    hidden
}

fn hide_tops<'a>(
    set: &'a DecoderSet,
    tops: &[DecoderIndex],
    hidden: &mut HashMap<usize, &'a Decoder>,
) {
    let decoders: Vec<_> = tops.iter().filter_map(|&top| Some((top, set.decoder(top)?))).collect();
    for (at, &(index, decoder)) in decoders.iter().enumerate() {
        let earlier = decoders.iter().take(at).map(|&(_, earlier)| earlier);
        let in_the_way = earlier.into_iter().find(|earlier| {
            accepts_all_of(&set.patterns, earlier.program, decoder.program)
                && prematch_accepts_all_of(&set.patterns, earlier, decoder)
        });
        if let Some(in_the_way) = in_the_way {
            hidden.insert(index.0 as usize, in_the_way);
        }
    }
}

/// Walks a list of children as decoding does, where every prematch may fail or fit.
fn hide_children<'a>(
    set: &'a DecoderSet,
    members: &[DecoderIndex],
    reached: &mut BTreeSet<usize>,
    hidden: &mut HashMap<usize, &'a Decoder>,
) {
    let children: Vec<_> =
        members.iter().filter_map(|&child| Some((child.0 as usize, set.decoder(child)?))).collect();
    let mut reached_here = BTreeSet::new();
    let mut accepting: Vec<&Decoder> = Vec::new();
    let mut blocked = None;
    let mut at = 0;
    while at < children.len() && blocked.is_none() {
        let group = group_len(&children, at);
        let members = children.get(at..at + group).unwrap_or_default();
        let Some(&(index, first)) = members.first() else { break };
        let in_the_way =
            accepting.iter().find(|other| prematch_accepts_all_of(&set.patterns, other, first));
        if let Some(&in_the_way) = in_the_way {
            hidden.insert(index, in_the_way);
            for &(member, _) in members {
                hidden.entry(member).or_insert(in_the_way);
            }
        } else {
            reached_here.extend(members.iter().map(|&(member, _)| member));
            accepting.push(first);
            let always = first.prematch.is_none_or(|(pattern, _)| set.patterns.is_always(pattern));
            blocked = always.then_some(first);
        }
        at += group;
    }
    if let Some(in_the_way) = blocked {
        for &(index, _) in children.get(at..).unwrap_or_default() {
            hidden.insert(index, in_the_way);
        }
    }
    reached.extend(reached_here);
}

fn group_len(children: &[(usize, &Decoder)], at: usize) -> usize {
    let rest = children.get(at..).unwrap_or_default();
    let run = rest.iter().take_while(|(_, child)| child.has_next).count();
    (run + 1).min(rest.len())
}

fn prematch_accepts_all_of(patterns: &PatternSet, wide: &Decoder, narrow: &Decoder) -> bool {
    match (wide.prematch, narrow.prematch) {
        (None, _) => true,
        (Some((pattern, _)), None) => patterns.is_always(pattern),
        (Some((wide, wide_offset)), Some((narrow, narrow_offset))) => {
            if wide_offset == narrow_offset {
                return accepts_all_of(patterns, Some(wide), Some(narrow));
            }
            // What looks at the whole log sees all that is behind the parent's match.
            wide_offset == Offset::Start && is_wider(patterns, wide, narrow, true)
        }
    }
}

fn accepts_all_of(
    patterns: &PatternSet,
    wide: Option<PatternId>,
    narrow: Option<PatternId>,
) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(wide), None) => patterns.is_always(wide),
        (Some(wide), Some(narrow)) => wide == narrow || is_wider(patterns, wide, narrow, false),
    }
}

/// Whether `wide` matches for certain where `narrow` does: each literal that `narrow` needs
/// contains one that is enough for `wide`.
fn is_wider(patterns: &PatternSet, wide: PatternId, narrow: PatternId, anywhere: bool) -> bool {
    if patterns.is_always(wide) {
        return true;
    }
    let (Some(enough), Some(needed)) = (patterns.needles(wide), patterns.needles(narrow)) else {
        return false;
    };
    enough.exact
        && !needed.ascii_only
        && needed.literals.iter().all(|needed| {
            enough.literals.iter().any(|enough| {
                let free = enough.at_end == End::Anywhere;
                let at_start = enough.at_start && needed.at_start && !anywhere;
                let (inner, outer) = (&enough.bytes, &needed.bytes);
                if enough.at_start {
                    free && at_start && outer.starts_with(inner)
                } else {
                    free && outer.windows(inner.len()).any(|part| part == &**inner)
                }
            })
        })
}
