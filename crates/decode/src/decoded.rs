//! What an event says, once decoded.

use std::ops::Range;

use model::{Category, DecoderId, Event, Field, Span};

use crate::fields::{Fields, Name};
use crate::header::Header;
use crate::plugins::{PluginOutput, PluginValue, RelayedAlert};
use crate::set::DecoderIndex;

/// An event and what it says. Made by [`crate::DecoderSet::decode`] and not changed after.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    pub event: Event,
    /// What is looked at instead of the event's line, where an internal decoder wrote a text of
    /// its own.
    pub rewritten: Option<Vec<u8>>,
    pub header: Header,
    pub category: Category,
    /// The decoder that had the last word; `None` if none fits.
    pub decoder: Option<DecoderIndex>,
    /// The identity that `decoded_as` compares.
    pub decoder_id: Option<DecoderId>,
    /// The name shown for an event of an internal decoder.
    pub internal: Option<&'static str>,
    pub fields: Fields,
    /// What the event is, if it is an alert of another server. It is only used as such if the
    /// engine has the rule: see [`Self::accept_relayed`].
    pub relayed: Option<RelayedAlert>,
    /// The rule that fires without matching anything, once a relayed alert was accepted.
    pub relayed_rule: Option<u32>,
    /// What a firewall did, in one of four words, where [`Self::normalise_firewall_action`] was
    /// asked to find out.
    pub firewall_action: Option<&'static str>,
    /// The program name's number in the scratch that decoded this.
    pub program: ProgramKey,
    pub(crate) server: Vec<u8>,
}

/// Bytes of the location that a relayed alert gets.
const RELAYED_LOCATION_BYTES_MAX: usize = 255;

/// Identifies a program name within one [`crate::DecodeScratch`], until its memory is renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramKey {
    /// Which renewal the number belongs to.
    pub generation: u32,
    /// 0 stands for "no program name".
    pub number: u32,
}

impl Decoded {
    /// The whole text: the event's line as far as it is used, or an internal decoder's text.
    pub fn full_log(&self) -> &[u8] {
        self.rewritten.as_deref().unwrap_or(&self.event.line)
    }

    /// The text behind the header.
    pub fn log(&self) -> &[u8] {
        self.part(self.header.log)
    }

    /// `None` without one; an empty name is a name.
    pub fn program_name(&self) -> Option<&[u8]> {
        self.header.program_name.map(|span| self.part(span))
    }

    /// The location of an agent's event, else the header's host, else this server's name.
    pub fn hostname(&self) -> &[u8] {
        if self.hostname_is_location() {
            return &self.event.location;
        }
        match self.header.hostname {
            Some(span) => self.part(span),
            None => &self.server,
        }
    }

    /// Whether host and location are one and the same: of agents' and relayed events.
    pub fn hostname_is_location(&self) -> bool {
        self.event.location.starts_with(b"(") || self.relayed_rule.is_some()
    }

    /// The value of a static field.
    pub fn field(&self, field: Field) -> Option<&[u8]> {
        self.fields.get(field, self.full_log())
    }

    /// The target user, or else the source user.
    pub fn user(&self) -> Option<&[u8]> {
        self.field(Field::DstUser).or_else(|| self.field(Field::SrcUser))
    }

    /// Makes this the blank record of its event, whatever it held before.
    pub(crate) fn renew(&mut self, header: Header, program: ProgramKey, server: &[u8]) {
        self.rewritten = None;
        self.header = header;
        self.category = Category::default();
        self.decoder = None;
        self.decoder_id = None;
        self.internal = None;
        self.fields.clear();
        self.relayed = None;
        self.relayed_rule = None;
        self.firewall_action = None;
        self.program = program;
        if self.server != server {
            self.server = server.to_vec();
        }
    }

    /// Brings the many words for what a firewall did to four: `DROP`, `CLOSED`, `ALLOW`,
    /// `UNKNOWN`. The decoded action stays as it is.
    pub fn normalise_firewall_action(&mut self) {
        self.firewall_action = self.field(Field::Action).map(|action| {
            let contains = |word: &[u8]| {
                action.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
            };
            match action.first().map(u8::to_ascii_lowercase) {
                Some(b'd' | b'r' | b'b') => "DROP",
                Some(b'c' | b't') => "CLOSED",
                Some(b'a' | b'p' | b'o') => "ALLOW",
                _ if contains(b"drop") => "DROP",
                _ if contains(b"accept") => "ALLOW",
                _ => "UNKNOWN",
            }
        });
    }

    /// Takes what an internal decoder made of the event: its identity, the name to show, its text
    /// and the file it is about.
    pub fn accept_internal(
        &mut self,
        id: Option<DecoderId>,
        name: &'static str,
        text: &[u8],
        filename: &[u8],
    ) {
        self.category = Category::Ossec;
        self.decoder_id = id;
        self.internal = Some(name);
        self.rewritten = Some(text.to_vec());
        self.header.log = Span::new(0, text.len());
        if !filename.is_empty() {
            self.fields.assign_text(Name::Static(Field::Filename), &[filename]);
        }
    }

    /// Takes a relayed alert for what it says: rule, location and original text.
    pub fn accept_relayed(&mut self, relayed: RelayedAlert) {
        let log = self.log().get(relayed.log.range()).unwrap_or_default().to_vec();
        let location = self.log().get(relayed.location.range()).unwrap_or_default().to_vec();
        self.event.location.push(b'|');
        self.event.location.extend_from_slice(&location);
        self.event.location.truncate(RELAYED_LOCATION_BYTES_MAX);
        // Values are spans of the old text: keep them as texts before it goes.
        self.fields.detach(&self.event.line);
        self.header.log = Span::new(0, log.len());
        self.header.hostname = None;
        self.header.program_name = None;
        self.rewritten = Some(log);
        self.relayed_rule = Some(relayed.rule);
    }

    /// Assigns what a plugin found.
    pub(crate) fn apply_plugin(&mut self, output: &PluginOutput) {
        let start = self.header.log.start as usize;
        let shift = |span: Span| Span::new(start + span.range().start, start + span.range().end);
        for (field, value) in output.fields() {
            let name = Name::Static(field);
            match value {
                PluginValue::Log(span) => self.fields.assign(name, shift(span)),
                PluginValue::Word(word) => self.fields.assign_text(name, &[word.as_bytes()]),
                PluginValue::Joined(first, second) => {
                    let line = &self.event.line;
                    let parts =
                        [part(line, shift(first).range()), part(line, shift(second).range())];
                    self.fields.assign_text(name, &parts);
                }
            }
        }
        self.category = output.category.unwrap_or(self.category);
        self.relayed = output.alert;
    }

    fn part(&self, span: Span) -> &[u8] {
        part(self.full_log(), span.range())
    }
}

/// Bytes of a text; empty where the range does not lie in it.
pub(crate) fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}
