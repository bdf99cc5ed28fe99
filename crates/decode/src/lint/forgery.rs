//! Whether text that a line's author chooses can supply a field, shown by lines that do it.

use model::{Diagnostic, Event, Field};

use crate::decoded::Decoded;
use crate::fields::Name;
use crate::set::{Decoder, DecoderSet, Offset};
use crate::tree::{DecodeScratch, DecodeStep, DecodeTrace};

use super::sample::{Sample, samples};
use super::{is_anchored, messages};

/// A line of which a decoder takes another value than it should.
pub(super) struct Forged {
    pub(super) label: &'static str,
    /// The text that the author of the line chooses.
    pub(super) controlled: String,
    pub(super) log: Vec<u8>,
    pub(super) honest: &'static [u8],
    pub(super) evil: &'static [u8],
}

/// Makes lines and decodes them.
pub(super) struct Forger<'a> {
    set: &'a DecoderSet,
    scratch: DecodeScratch,
    spare: Box<Decoded>,
    /// Lines that may still be tried for the decoder at hand.
    tries: usize,
}

/// Lines tried for one decoder; with those of real rule sets a few hundred do.
const TRIES_MAX: usize = 6000;
/// Ways of writing an honest line that are tried.
const HONEST_MAX: usize = 12;
/// Samples of a prematch or program name that are tried.
const LEADS_MAX: usize = 4;

/// A line of which the decoder takes the value that it should.
struct Honest {
    /// Everything before the text of the decoder's own regex.
    head: Vec<u8>,
    /// How much of it the header is.
    header: usize,
    sample: Sample,
    /// The piece with the value.
    target: usize,
}

/// Which field, and two values that can stand in it.
#[derive(Clone, Copy)]
struct Target {
    name: Name,
    rank: usize,
    label: &'static str,
    honest: &'static [u8],
    evil: &'static [u8],
    is_address: bool,
}

impl Target {
    fn new(name: Name, rank: usize) -> Option<Self> {
        let Name::Static(field) = name else { return None };
        let (honest, evil): (&[u8], &[u8]) = match field {
            Field::SrcIp | Field::DstIp => (b"192.0.2.10", b"6.6.6.6"),
            Field::SrcPort | Field::DstPort => (b"4022", b"6666"),
            Field::SrcUser | Field::DstUser => (b"bob", b"mallory"),
            Field::Protocol
            | Field::Action
            | Field::Id
            | Field::Url
            | Field::Data
            | Field::Status
            | Field::SystemName
            | Field::Filename
            | Field::SrcGeoIp
            | Field::DstGeoIp => return None,
        };
        let is_address = matches!(field, Field::SrcIp | Field::DstIp);
        Some(Self { name, rank, label: field.label(), honest, evil, is_address })
    }

    fn forged(&self, honest: &Honest, line: &[u8], controlled: String) -> Forged {
        Forged {
            label: self.label,
            controlled,
            log: line.get(honest.header..).unwrap_or_default().to_vec(),
            honest: self.honest,
            evil: self.evil,
        }
    }
}

/// Whether the regex of one decoder matched.
struct Watch<'a> {
    decoder: &'a Decoder,
    matched: bool,
}

impl DecodeTrace for Watch<'_> {
    fn decoder(&mut self, decoder: &Decoder, step: DecodeStep) {
        let matches = matches!(step, DecodeStep::RegexMatches(_));
        self.matched |= matches && std::ptr::eq(decoder, self.decoder);
    }
}

impl<'a> Forger<'a> {
    pub(super) fn new(set: &'a DecoderSet) -> Self {
        let (scratch, spare) = (DecodeScratch::default(), Box::default());
        Self { set, scratch, spare, tries: 0 }
    }

    /// Adds what can be forged of a decoder's fields.
    pub(super) fn check(
        &mut self,
        index: usize,
        decoder: &'a Decoder,
        findings: &mut Vec<Diagnostic>,
    ) {
        let targets = decoder
            .order
            .iter()
            .enumerate()
            .filter_map(|(rank, &name)| Target::new(name, rank))
            // A name that comes twice keeps the last value.
            .filter(|target| {
                decoder.order.iter().skip(target.rank + 1).all(|name| *name != target.name)
            });
        for target in targets {
            self.tries = TRIES_MAX;
            let honest = self.honest(index, decoder, target);
            findings.extend(self.forge(decoder, target, &honest));
        }
    }

    fn forge(
        &mut self,
        decoder: &'a Decoder,
        target: Target,
        honest: &[Honest],
    ) -> Option<Diagnostic> {
        let code = if target.is_address { "forgeable-address" } else { "forgeable-field" };
        for honest in honest {
            if let Some(forged) = self.inside(decoder, target, honest) {
                return Some(messages::forgeable(decoder, &forged, code));
            }
        }
        // Who writes the text around a match is not known: only for addresses, where it matters.
        if !target.is_address {
            return None;
        }
        for honest in honest {
            if let Some(forged) = self.behind(decoder, target, honest) {
                return Some(messages::last_place(decoder, &forged));
            }
        }
        let (pattern, _) = decoder.regex?;
        if self.set.patterns.structure(pattern).is_none_or(|structure| is_anchored(&structure)) {
            return None;
        }
        for honest in honest {
            if let Some(forged) = self.before(decoder, target, honest) {
                return Some(messages::first_place(decoder, &forged));
            }
        }
        None
    }

    /// Chooses the text of one piece such that the value moves into it.
    fn inside(&mut self, decoder: &'a Decoder, target: Target, honest: &Honest) -> Option<Forged> {
        let pieces = &honest.sample.pieces;
        let mut rank = 0;
        for (at, piece) in pieces.iter().enumerate() {
            let name = (piece.captures > 0).then(|| decoder.order.get(rank)).flatten();
            rank += piece.captures;
            if at == honest.target || name == Some(&target.name) {
                continue;
            }
            let Some(controlled) = controlled(name, piece.any_text) else { continue };
            for copy_from in copies(honest, at) {
                let copied = honest.copy(copy_from, target.evil);
                for separator in [&b""[..], b" "] {
                    for text in [
                        [&piece.text, separator, &copied].concat(),
                        [&copied, separator, &piece.text].concat(),
                        [&piece.text, separator, &copied, separator, &piece.text].concat(),
                    ] {
                        let line = honest.line(Some((at, &text)));
                        if self.value_is(decoder, target, &line, target.evil) {
                            return Some(target.forged(honest, &line, controlled));
                        }
                    }
                }
            }
        }
        None
    }

    /// Adds text behind the match.
    fn behind(&mut self, decoder: &'a Decoder, target: Target, honest: &Honest) -> Option<Forged> {
        let line = honest.line(None);
        let filled = [&line, &b" and more"[..]].concat();
        if !self.value_is(decoder, target, &filled, target.honest) {
            return None;
        }
        for copy_from in 0..=honest.target {
            let line = [&line, &b" "[..], &honest.copy(copy_from, target.evil)].concat();
            if self.value_is(decoder, target, &line, target.evil) {
                return Some(target.forged(honest, &line, String::new()));
            }
        }
        None
    }

    /// Adds text before the match.
    fn before(&mut self, decoder: &'a Decoder, target: Target, honest: &Honest) -> Option<Forged> {
        let own = honest.copy(0, target.honest);
        let filled = [&honest.head, &b" some text "[..], &own].concat();
        if !self.value_is(decoder, target, &filled, target.honest) {
            return None;
        }
        let line = [&honest.head, &b" "[..], &honest.copy(0, target.evil), b" ", &own].concat();
        self.value_is(decoder, target, &line, target.evil)
            .then(|| target.forged(honest, &line, String::new()))
    }

    /// Lines of which the decoder takes the honest value.
    fn honest(&mut self, index: usize, decoder: &'a Decoder, target: Target) -> Vec<Honest> {
        let mut found = Vec::new();
        let Some((pattern, _)) = decoder.regex else { return found };
        let Some(structure) = self.set.patterns.structure(pattern) else { return found };
        for lead in self.leads(index, decoder) {
            let all = samples(&structure, &lead.words);
            for mut sample in all {
                let Some(at) = sample.captured(target.rank) else { continue };
                let Some(piece) = sample.pieces.get_mut(at) else { continue };
                piece.text = target.honest.to_vec();
                let honest = lead.heads.iter().find_map(|(head, header)| {
                    let (head, header) = (head.clone(), *header);
                    let honest = Honest { head, header, sample: sample.clone(), target: at };
                    let line = honest.line(None);
                    self.value_is(decoder, target, &line, target.honest).then_some(honest)
                });
                found.extend(honest);
                if found.len() == HONEST_MAX || self.tries == 0 {
                    return found;
                }
            }
        }
        found
    }

    /// What may stand before the text of a decoder's regex, for each decoder above it.
    fn leads(&self, index: usize, decoder: &'a Decoder) -> Vec<Lead> {
        let is_own = |parent: &Decoder| {
            parent.children.members.iter().any(|child| child.0 as usize == index)
        };
        let parents: Vec<&Decoder> = self.set.iter().filter(|parent| is_own(parent)).collect();
        if parents.is_empty() {
            return vec![self.lead(decoder, &[decoder])];
        }
        parents.into_iter().map(|parent| self.lead(parent, &self.path(parent, index))).collect()
    }

    /// The decoders that an event passes below `parent` on its way: those of the same group.
    fn path(&self, parent: &'a Decoder, index: usize) -> Vec<&'a Decoder> {
        let members = &parent.children.members;
        let at = members.iter().position(|child| child.0 as usize == index).unwrap_or(0);
        let before = members.get(..at).unwrap_or_default().iter().rev();
        let group = before
            .filter_map(|&child| self.set.decoder(child))
            .take_while(|sibling| sibling.has_next)
            .count();
        let path = members.get(at - group..=at).unwrap_or_default();
        path.iter().filter_map(|&child| self.set.decoder(child)).collect()
    }

    fn lead(&self, top: &Decoder, path: &[&Decoder]) -> Lead {
        let texts = |pattern| {
            let structure = self.set.patterns.structure(pattern);
            let all = structure.map(|structure| samples(&structure, &[])).unwrap_or_default();
            all.iter().map(Sample::text).take(LEADS_MAX).collect::<Vec<_>>()
        };
        let headers: Vec<Vec<u8>> = match top.program {
            None => vec![Vec::new()],
            Some(program) => texts(program)
                .iter()
                .map(|program| [b"Jan  1 00:00:00 host ", &program[..], b": "].concat())
                .collect(),
        };
        let mut parts: Vec<Vec<Vec<u8>>> = Vec::new();
        parts.extend(top.prematch.map(|(pattern, _)| texts(pattern)));
        if let Some(first) = path.first().filter(|first| !std::ptr::eq(**first, top)) {
            parts.extend(first.prematch.map(|(pattern, _)| texts(pattern)));
        }
        // Those before it in the group have taken their part of the line.
        let before = path.split_last().map(|(_, before)| before).unwrap_or_default();
        if path.last().is_some_and(|own| own.regex.is_some_and(|(_, o)| o == Offset::AfterRegex)) {
            parts.extend(before.iter().filter_map(|member| Some(texts(member.regex?.0))));
        }
        let mut words: Vec<Vec<u8>> = parts
            .iter()
            .flatten()
            .flat_map(|text| text.split(|byte| !byte.is_ascii_alphanumeric()))
            .filter(|word| !word.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        words.sort();
        words.dedup();
        words.truncate(LEADS_MAX);
        Lead { heads: heads(&headers, &parts), words }
    }

    fn value_is(
        &mut self,
        decoder: &'a Decoder,
        target: Target,
        line: &[u8],
        expected: &[u8],
    ) -> bool {
        let Some(left) = self.tries.checked_sub(1) else { return false };
        self.tries = left;
        self.scratch.search.begin_event();
        let event = Event {
            line: line.to_vec(),
            location: b"/var/log/messages".to_vec(),
            ..Event::default()
        };
        let mut watch = Watch { decoder, matched: false };
        let spare = std::mem::take(&mut self.spare);
        let decoded = self.set.decode_traced(event, &mut self.scratch, spare, &mut watch);
        let value = decoded.fields.value(target.name, decoded.full_log());
        let same = value == Some(expected);
        self.spare = decoded;
        watch.matched && same
    }
}

/// Texts before that of a regex, shortest first, with the length of the header in each.
struct Lead {
    heads: Vec<(Vec<u8>, usize)>,
    words: Vec<Vec<u8>>,
}

/// Every header with every choice of the parts behind it.
fn heads(headers: &[Vec<u8>], parts: &[Vec<Vec<u8>>]) -> Vec<(Vec<u8>, usize)> {
    let parts = parts.get(..parts.len().min(4)).unwrap_or_default();
    let mut out = Vec::new();
    for header in headers {
        for chosen in 0..1usize << parts.len() {
            let mut texts = vec![header.clone()];
            for (number, part) in parts.iter().enumerate() {
                if chosen >> number & 1 == 1 {
                    texts = texts
                        .iter()
                        .flat_map(|text| {
                            part.iter().flat_map(move |more| {
                                [[text, &more[..]].concat(), [text, &more[..], b" "].concat()]
                            })
                        })
                        .collect();
                }
            }
            out.extend(texts.into_iter().take(32).map(|text| (text, header.len())));
        }
    }
    out
}

/// What a piece is, if the author of a line may choose its text.
fn controlled(name: Option<&Name>, any_text: bool) -> Option<String> {
    match name {
        // A user name may hold blanks, whatever the pattern hopes.
        Some(Name::Static(
            field @ (Field::DstUser | Field::SrcUser | Field::Url | Field::Filename),
        )) => Some(format!("the text of {}", field.label())),
        _ if any_text => Some("text of any kind before or behind it".to_owned()),
        _ => None,
    }
}

/// From which pieces on a copy of the line may start, to be put into piece `at`.
fn copies(honest: &Honest, at: usize) -> std::ops::RangeInclusive<usize> {
    if at < honest.target { at + 1..=honest.target } else { 0..=honest.target }
}

impl Honest {
    /// The line, with another text for one of its pieces.
    fn line(&self, changed: Option<(usize, &[u8])>) -> Vec<u8> {
        let mut line = self.head.clone();
        for (at, piece) in self.sample.pieces.iter().enumerate() {
            match changed {
                Some((changed, text)) if changed == at => line.extend_from_slice(text),
                _ => line.extend_from_slice(&piece.text),
            }
        }
        line
    }

    /// The sample from one piece on, with another value.
    fn copy(&self, from: usize, value: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        for (at, piece) in self.sample.pieces.iter().enumerate().skip(from) {
            text.extend_from_slice(if at == self.target { value } else { &piece.text });
        }
        text
    }
}
