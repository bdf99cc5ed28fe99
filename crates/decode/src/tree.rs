//! The walk through the decoder trees: which decoder an event belongs to and what it takes out.

use model::{Event, Span, limits};
use pattern::{Captures, Hits};

use crate::decoded::{Decoded, ProgramKey, part};
use crate::header;
use crate::plugins::PluginOutput;
use crate::program::Programs;
use crate::set::{Decoder, DecoderIndex, DecoderSet, Offset, Siblings};

/// What one thread needs to decode. Belongs to one [`DecoderSet`].
#[derive(Debug, Default)]
pub struct DecodeScratch {
    pub search: pattern::Scratch,
    pub(crate) programs: Programs,
    hits: Hits,
    captures: Captures,
    /// Lines that were longer than [`limits::LINE_BYTES_MAX`] and cut.
    pub lines_cut: u64,
}

/// Whom [`DecoderSet::decode_traced`] tells which decoders were tried.
pub trait DecodeTrace {
    fn decoder(&mut self, decoder: &Decoder, step: DecodeStep);
}

/// What was found when a decoder was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeStep {
    ProgramDiffers,
    PrematchFails,
    Accepted,
    RegexFails,
    /// With how many captures.
    RegexMatches(usize),
    Plugin,
}

/// Is told everything and keeps nothing, at no cost.
#[derive(Clone, Copy, Debug)]
pub struct Untraced;

impl DecodeTrace for Untraced {
    #[inline(always)]
    fn decoder(&mut self, _: &Decoder, _: DecodeStep) {}
}

impl DecoderSet {
    /// Says what `event` says. `spare` lends its buffers; what it holds is lost.
    pub fn decode(
        &self,
        event: Event,
        scratch: &mut DecodeScratch,
        spare: Box<Decoded>,
    ) -> Box<Decoded> {
        self.decode_traced(event, scratch, spare, &mut Untraced)
    }

    /// As [`Self::decode`], telling `trace` which decoders were tried.
    pub fn decode_traced(
        &self,
        event: Event,
        scratch: &mut DecodeScratch,
        spare: Box<Decoded>,
        trace: &mut impl DecodeTrace,
    ) -> Box<Decoded> {
        let mut decoded = self.header(event, scratch, spare);
        if let Some((index, matched)) = self.choose(&decoded, scratch, trace) {
            self.descend(index, matched, &mut decoded, scratch, trace);
        }
        decoded
    }

    /// Cleans the line and reads its header.
    fn header(
        &self,
        mut event: Event,
        scratch: &mut DecodeScratch,
        spare: Box<Decoded>,
    ) -> Box<Decoded> {
        self.clean(&mut event.line, scratch);
        let header = header::parse(&event.line, self.options.forms);
        let program = match header.program_name {
            Some(span) => {
                let name = part(&event.line, span.range());
                scratch.programs.key(name, self, &mut scratch.search)
            }
            None => ProgramKey::default(),
        };
        let mut decoded = spare;
        decoded.event = event;
        decoded.renew(header, program, &self.options.server_name);
        decoded
    }

    /// The record of an event of the product's own sensors: its line is no log line and stays as it
    /// is.
    pub fn undecoded(&self, event: Event, spare: Box<Decoded>) -> Box<Decoded> {
        let header =
            header::Header { log: Span::new(0, event.line.len()), ..header::Header::default() };
        let mut decoded = spare;
        decoded.event = event;
        decoded.renew(header, ProgramKey::default(), &self.options.server_name);
        decoded
    }

    fn clean(&self, line: &mut Vec<u8>, scratch: &mut DecodeScratch) {
        if line.len() > limits::LINE_BYTES_MAX {
            line.truncate(limits::LINE_BYTES_MAX);
            scratch.lines_cut += 1;
        }
        if self.options.strip_control {
            line.retain(|byte| !byte.is_ascii_control());
        } else {
            let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b'\0'));
            line.truncate(end.map_or(0, |end| end + 1));
        }
    }

    /// The top-level decoder that the event belongs to for good, and where its match ends in the
    /// log.
    fn choose(
        &self,
        decoded: &Decoded,
        scratch: &mut DecodeScratch,
        trace: &mut impl DecodeTrace,
    ) -> Option<(DecoderIndex, usize)> {
        let log = decoded.log();
        if decoded.header.program_name.is_some() {
            let DecodeScratch { programs, search, .. } = scratch;
            return programs.decoders(decoded.program).iter().find_map(|&index| {
                let decoder = self.decoder(index)?;
                match decoder.prematch {
                    None => Some((index, 0)),
                    Some((pattern, _)) => match self.patterns.find_end(pattern, log, search) {
                        Some(end) => Some((index, end)),
                        None => {
                            trace.decoder(decoder, DecodeStep::PrematchFails);
                            None
                        }
                    },
                }
            });
        }
        self.without_program.candidates(log, 0, &mut scratch.hits);
        let mut from = 0;
        while let Some(at) = scratch.hits.next(from, self.without_program.members.len()) {
            from = at + 1;
            let index = *self.without_program.members.get(at)?;
            let decoder = self.decoder(index)?;
            let (pattern, _) = decoder.prematch?;
            match self.patterns.find_end(pattern, log, &mut scratch.search) {
                Some(end) => return Some((index, end)),
                None => trace.decoder(decoder, DecodeStep::PrematchFails),
            }
        }
        None
    }

    /// Finds the child that fits below a top-level decoder and runs what takes out fields.
    fn descend(
        &self,
        top: DecoderIndex,
        parent_end: usize,
        decoded: &mut Decoded,
        scratch: &mut DecodeScratch,
        trace: &mut impl DecodeTrace,
    ) {
        let Some(decoder) = self.decoder(top) else { return };
        self.belongs(top, decoded, trace);
        let (members, start, match_end) = if decoder.children.members.is_empty() {
            (std::slice::from_ref(&top), 0, parent_end)
        } else {
            let members = decoder.children.members.as_slice();
            let chosen =
                self.choose_child(&decoder.children, parent_end, decoded.log(), scratch, trace);
            // compat: without a fitting child the parent's own regex is not tried either.
            let Some((at, end, has_prematch)) = chosen else { return };
            if has_prematch && let Some(&child) = members.get(at) {
                self.belongs(child, decoded, trace);
            }
            (members, at, end)
        };
        let first = members.get(start).and_then(|&index| self.decoder(index));
        if let Some(plugin) = first.and_then(|decoder| decoder.plugin) {
            if let Some(decoder) = first {
                trace.decoder(decoder, DecodeStep::Plugin);
            }
            let mut output = PluginOutput::default();
            plugin.decode(decoded.log(), &mut output);
            decoded.apply_plugin(&output);
            return;
        }
        let ends = Ends { parent: parent_end, prematch: match_end };
        self.run_group(members.get(start..).unwrap_or_default(), ends, decoded, scratch, trace);
    }

    /// The first child whose prematch fits or that has none: its position, where its match ends,
    /// whether it has a prematch.
    fn choose_child(
        &self,
        children: &Siblings,
        parent_end: usize,
        log: &[u8],
        scratch: &mut DecodeScratch,
        trace: &mut impl DecodeTrace,
    ) -> Option<(usize, usize, bool)> {
        children.candidates(log, parent_end, &mut scratch.hits);
        let mut from = 0;
        loop {
            let at = scratch.hits.next(from, children.members.len())?;
            let child = self.decoder(*children.members.get(at)?)?;
            // A candidate may lie inside a group whose first member has failed already.
            if at > from
                && let Some(skipped) = self.end_of_failed_group(children, from, at)
                && skipped > at
            {
                from = skipped;
                continue;
            }
            let Some((pattern, offset)) = child.prematch else {
                return Some((at, parent_end, false));
            };
            let begin = if offset == Offset::AfterParent { parent_end } else { 0 };
            let subject = log.get(begin..).unwrap_or_default();
            if let Some(end) = self.patterns.find_end(pattern, subject, &mut scratch.search) {
                return Some((at, begin + end, true));
            }
            trace.decoder(child, DecodeStep::PrematchFails);
            from = self.after_failed(children, at);
        }
    }

    /// Where the walk goes on after the child at `at` failed: behind its group.
    fn after_failed(&self, children: &Siblings, at: usize) -> usize {
        let members = children.members.get(at..).unwrap_or_default();
        let group = members
            .iter()
            .take_while(|&&index| self.decoder(index).is_some_and(|decoder| decoder.has_next))
            .count();
        at + group + 1
    }

    /// Walks from `from` as if every child before `to` failed; where that walk gets to.
    fn end_of_failed_group(&self, children: &Siblings, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        while at < to {
            at = self.after_failed(children, at);
        }
        Some(at)
    }

    /// Runs the regexes of a decoder and of those that continue it.
    fn run_group(
        &self,
        members: &[DecoderIndex],
        ends: Ends,
        decoded: &mut Decoded,
        scratch: &mut DecodeScratch,
        trace: &mut impl DecodeTrace,
    ) {
        let mut previous = None;
        for &index in members {
            let Some(decoder) = self.decoder(index) else { return };
            let Some((pattern, offset)) = decoder.regex else { return };
            let begin = match offset {
                Offset::Start => 0,
                Offset::AfterParent => ends.parent,
                Offset::AfterPrematch => ends.prematch,
                Offset::AfterRegex => previous.unwrap_or(ends.prematch),
            };
            let log_start = decoded.header.log.start as usize;
            let subject = decoded.log().get(begin..).unwrap_or_default();
            let DecodeScratch { search, captures, .. } = scratch;
            let end = self.patterns.captures(pattern, subject, search, captures);
            previous = end.map(|end| begin + end);
            match end {
                Some(_) => {
                    self.belongs(index, decoded, &mut Untraced);
                    trace.decoder(decoder, DecodeStep::RegexMatches(captures.spans().len()));
                    for (&name, &(from, to)) in decoder.order.iter().zip(captures.spans()) {
                        let base = log_start + begin;
                        let span = Span::new(base + from as usize, base + to as usize);
                        decoded.fields.assign(name, span);
                    }
                }
                None => trace.decoder(decoder, DecodeStep::RegexFails),
            }
            if !decoder.has_next {
                return;
            }
        }
    }

    fn belongs(&self, index: DecoderIndex, decoded: &mut Decoded, trace: &mut impl DecodeTrace) {
        if let Some(decoder) = self.decoder(index) {
            trace.decoder(decoder, DecodeStep::Accepted);
            decoded.decoder = Some(index);
            decoded.decoder_id = Some(decoder.id);
            decoded.category = decoder.category;
        }
    }
}

/// Where earlier matches end in the log.
#[derive(Clone, Copy)]
struct Ends {
    parent: usize,
    prematch: usize,
}

impl Siblings {
    /// Which members can match at all.
    fn candidates(&self, log: &[u8], parent_end: usize, hits: &mut Hits) {
        hits.clear(self.members.len());
        self.from_start.scan(log, hits);
        self.after_parent.scan(log.get(parent_end..).unwrap_or_default(), hits);
    }
}
