//! Reads one open tag: a name and attributes.

use crate::{
    Attribute,
    cursor::{Cursor, is_blank},
    findings::Findings,
    limits::{ATTRIBUTES_MAX, TEXT_BYTES_MAX},
    messages,
};
use model::Span;

/// An open tag.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: Span,
    pub(crate) attributes: Vec<Attribute>,
    /// It has no content and no close tag.
    pub(crate) closed: bool,
    /// From `<` to `>`.
    pub(crate) span: Span,
}

/// Reads a tag, with the cursor on its `<`. `None` if the file ends in it.
pub(crate) fn read(cursor: &mut Cursor<'_>, findings: &mut Findings) -> Option<Tag> {
    let start = cursor.at();
    cursor.skip(1);
    let name_start = cursor.at();
    let written = cursor.take_until(|byte| byte == b'>' || is_blank(byte));
    // compat: a slash that ends the name closes the element, wherever the `>` is.
    let (name, closed_by_name) = match written.strip_suffix(b"/") {
        Some(name) => (name, true),
        None => (written, false),
    };
    let name_span = Span::new(name_start, name_start + name.len());
    if name.len() > TEXT_BYTES_MAX {
        findings.add_at(messages::too_long("the element name", name), name_span);
    }
    let mut tag = Reading { cursor, findings, name, attributes: Vec::new() };
    let closed = match closed_by_name {
        true => tag.end_at_slash(),
        false => tag.read_attributes()?,
    };
    let attributes = tag.attributes;
    Some(Tag { name: name_span, attributes, closed, span: Span::new(start, cursor.at()) })
}

struct Reading<'r, 'a> {
    cursor: &'r mut Cursor<'a>,
    findings: &'r mut Findings,
    /// The element's name.
    name: &'a [u8],
    attributes: Vec<Attribute>,
}

impl<'a> Reading<'_, 'a> {
    /// Reads to the end of the tag and returns whether it closes itself.
    fn read_attributes(&mut self) -> Option<bool> {
        loop {
            self.cursor.skip_blanks();
            let separated = self.cursor.previous().is_some_and(is_blank);
            match self.cursor.peek() {
                None => {
                    let at = self.cursor.at();
                    self.findings.add(messages::tag_not_closed(self.name), at, at);
                    return None;
                }
                Some(b'>') => {
                    self.cursor.skip(1);
                    return Some(false);
                }
                Some(b'/') => {
                    self.cursor.skip(1);
                    return Some(self.end_at_slash());
                }
                Some(_) => self.read_attribute(separated),
            }
        }
    }

    /// After the slash: a `>`, or (compat) text of the parent.
    fn end_at_slash(&mut self) -> bool {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some(b'>') => self.cursor.skip(1),
            Some(_) => self.findings.add(messages::text_after_slash(self.name), at - 1, at),
            None => self.findings.add(messages::tag_not_closed(self.name), at - 1, at),
        }
        true
    }

    fn read_attribute(&mut self, separated: bool) {
        let start = self.cursor.at();
        if let (false, Some(last)) = (separated, self.attributes.last()) {
            let message = messages::no_blank_between(last.name.as_bytes());
            self.findings.add(message, start, start + 1);
        }
        let name = self.cursor.take_until(|byte| matches!(byte, b'=' | b'>') || is_blank(byte));
        let name_end = self.cursor.at();
        let span = Span::new(start, name_end);
        self.cursor.skip_blanks();
        if self.cursor.peek() != Some(b'=') {
            self.findings.add_at(messages::attribute_without_value(name), span);
            return self.keep(name, span, &[], span);
        }
        if self.cursor.at() > name_end {
            let message = messages::blank_before_equals(name);
            self.findings.add(message, name_end, self.cursor.at());
        }
        self.cursor.skip(1);
        if name.is_empty() {
            self.findings.add(messages::attribute_without_name(), start, start + 1);
        }
        self.cursor.skip_blanks();
        let (value, value_span) = self.read_value(name);
        self.keep(name, span, &value, value_span);
    }

    fn read_value(&mut self, name: &[u8]) -> (Vec<u8>, Span) {
        let start = self.cursor.at();
        let quote = match self.cursor.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            Some(_) | None => {
                let value = self.bare_value();
                let span = Span::new(start, start + value.len());
                self.cursor.skip(value.len());
                self.findings.add_at(messages::value_without_quotes(name), span);
                return (value.to_vec(), span);
            }
        };
        self.cursor.skip(1);
        let start = self.cursor.at();
        let mut value = self.cursor.take_until(|byte| byte == quote || byte == b'>').to_vec();
        match self.cursor.peek() {
            Some(b'>') => self.skip_greater_than(name, quote, &mut value),
            None => self.findings.add(messages::value_not_closed(name, quote), start - 1, start),
            Some(_) => {}
        }
        let end = self.cursor.at();
        if self.cursor.peek() == Some(quote) {
            self.cursor.skip(1);
        }
        (value, Span::new(start, end))
    }

    /// What was most likely meant as the value where the quotes are missing.
    fn bare_value(&self) -> &'a [u8] {
        let value = self.cursor.clone().take_until(|byte| byte == b'>' || is_blank(byte));
        let closes = self.cursor.rest().get(value.len()) == Some(&b'>');
        match value.strip_suffix(b"/") {
            Some(before) if closes => before,
            Some(_) | None => value,
        }
    }

    /// A `>` in a value. If the quote closes soon in the same line, the `>` was meant as text; else
    /// the quote is missing and the tag ends here.
    fn skip_greater_than(&mut self, name: &[u8], quote: u8, value: &mut Vec<u8>) {
        let at = self.cursor.at();
        self.findings.add(messages::greater_than_in_value(name), at, at + 1);
        let near = self.cursor.rest().iter().take(TEXT_BYTES_MAX).take_while(|&&b| b != b'\n');
        if near.copied().any(|byte| byte == quote) {
            value.extend_from_slice(self.cursor.take_until(|byte| byte == quote));
        }
    }

    fn keep(&mut self, name: &[u8], name_span: Span, value: &[u8], value_span: Span) {
        if name.len() > TEXT_BYTES_MAX {
            self.findings.add_at(messages::too_long("the attribute name", name), name_span);
        }
        if value.len() > TEXT_BYTES_MAX {
            self.findings.add_at(messages::too_long("the value of", name), value_span);
        }
        let name = String::from_utf8_lossy(name).into_owned();
        if self.attributes.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
            return self.findings.add_at(messages::attribute_repeated(&name), name_span);
        }
        if self.attributes.len() >= ATTRIBUTES_MAX {
            return self.findings.add_at(messages::too_many_attributes(), name_span);
        }
        self.attributes.push(Attribute { name, value: value.to_vec(), name_span, value_span });
    }
}
