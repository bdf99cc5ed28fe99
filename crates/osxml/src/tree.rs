//! Nests what the reader finds, with a stack instead of recursion.

use crate::{
    Element,
    cursor::is_blank,
    findings::Findings,
    limits::{ELEMENTS_MAX, SHOWN_BYTES_MAX, TEXT_BYTES_MAX},
    messages,
    tag::Tag,
    variables::Variables,
};
use model::{Span, diagnostic::nearest, limits::XML_DEPTH_MAX};
use std::ops::Range;

/// The elements read so far.
pub(crate) struct Tree<'a> {
    text: &'a [u8],
    /// The open elements, the innermost last.
    open: Vec<Open<'a>>,
    roots: Vec<Element>,
    variables: Variables,
    elements: usize,
    lines: Lines<'a>,
    text_outside: bool,
    abandoned: bool,
}

struct Open<'a> {
    element: Element,
    /// The name as it is in the file.
    name: &'a [u8],
    line: u32,
    content_too_long: bool,
    /// There was a close tag behind a backslash.
    escaped_close: bool,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            open: Vec::new(),
            roots: Vec::new(),
            variables: Variables::default(),
            elements: 0,
            lines: Lines { text, at: 0, line: 1 },
            text_outside: false,
            abandoned: false,
        }
    }

    /// Whether going on would only lead to errors that are none.
    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned
    }

    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Text at this place in the file.
    pub(crate) fn text(&mut self, place: Range<usize>, findings: &mut Findings) {
        let text = self.text.get(place.clone()).unwrap_or_default();
        if text.is_empty() {
            return;
        }
        let Some(open) = self.open.last_mut() else {
            self.text_outside(text, place, findings);
            return;
        };
        let element = &mut open.element;
        if element.content.len().saturating_add(text.len()) > TEXT_BYTES_MAX {
            if !open.content_too_long {
                let message = messages::too_long("the content of", open.name);
                findings.add_at(message, element.name_span);
            }
            open.content_too_long = true;
            return;
        }
        if element.content.is_empty() {
            element.content_span = Span::new(place.start, place.end);
        }
        element.content.extend_from_slice(text);
        element.content_span = Span::new(element.content_span.range().start, place.end);
    }

    /// compat: ignored; but it is said once.
    fn text_outside(&mut self, text: &[u8], place: Range<usize>, findings: &mut Findings) {
        let Some(first) = text.iter().position(|&byte| !is_blank(byte)) else {
            return;
        };
        if !self.text_outside {
            findings.add(messages::text_outside(), place.start + first, place.end);
        }
        self.text_outside = true;
    }

    pub(crate) fn open(&mut self, tag: Tag, findings: &mut Findings) {
        if self.elements >= ELEMENTS_MAX {
            findings.add_at(messages::too_many_elements(), tag.span);
            return self.abandon();
        }
        if self.open.len() >= XML_DEPTH_MAX {
            findings.add_at(messages::too_deep(), tag.span);
            return self.abandon();
        }
        self.elements += 1;
        let name = self.text.get(tag.name.range()).unwrap_or_default();
        let end = tag.span.range().end;
        let mut element = Element {
            name: String::from_utf8_lossy(name).into_owned(),
            name_span: tag.name,
            attributes: tag.attributes,
            content_span: Span::new(end, end),
            span: tag.span,
            ..Element::default()
        };
        if !is_variable(&element) {
            self.variables.expand_attributes(&mut element, findings);
        }
        let line = self.lines.of(tag.span.range().start);
        let open = Open { element, name, line, content_too_long: false, escaped_close: false };
        match tag.closed {
            true => self.attach(open, end, findings),
            false => self.open.push(open),
        }
    }

    /// Closes the innermost element, if this is its close tag.
    pub(crate) fn close(&mut self, name: &[u8], span: Span, findings: &mut Findings) {
        if name.len() > TEXT_BYTES_MAX {
            findings.add_at(messages::too_long("the close tag", name), span);
        }
        let Some(innermost) = self.open.last() else {
            return findings.add_at(messages::close_without_open(name), span);
        };
        if innermost.name == name {
            return self.close_innermost(span, findings);
        }
        let trimmed = name.trim_ascii_end();
        if innermost.name == trimmed {
            findings.add_at(messages::blank_in_close(&innermost.element.name), span);
            return self.close_innermost(span, findings);
        }
        if self.open.iter().any(|open| open.name == trimmed) {
            return self.close_outer(trimmed, span, findings);
        }
        let alike = alike(trimmed, &innermost.element.name);
        let open = &innermost.element.name;
        findings.add_at(messages::close_mismatch(trimmed, open, innermost.line, alike), span);
        if alike {
            self.close_innermost(span, findings);
        }
    }

    /// Closes an element around the innermost one; those within were not closed.
    fn close_outer(&mut self, name: &[u8], span: Span, findings: &mut Findings) {
        while let Some(innermost) = self.open.last()
            && innermost.name != name
        {
            let message = innermost.not_closed(Some(name));
            findings.add_at(message, innermost.element.name_span);
            self.close_innermost(Span::new(span.range().start, span.range().start), findings);
        }
        self.close_innermost(span, findings);
    }

    fn close_innermost(&mut self, close: Span, findings: &mut Findings) {
        if let Some(open) = self.open.pop() {
            self.attach(open, close.range().end, findings);
        }
    }

    /// Puts a finished element into its parent.
    fn attach(&mut self, open: Open<'a>, end: usize, findings: &mut Findings) {
        let mut element = open.element;
        element.span = Span::new(element.span.range().start, end);
        if let Some(parent) = self.open.last_mut() {
            parent.drop_content(&element, end, findings);
        }
        if is_variable(&element) {
            return self.variables.define(element, findings);
        }
        self.variables.expand_content(&mut element, findings);
        match self.open.last_mut() {
            Some(parent) => parent.element.children.push(element),
            None => self.roots.push(element),
        }
    }

    /// Remembers a `\</name>`, to explain an element that is not closed.
    pub(crate) fn note_escaped_close(&mut self, rest: &[u8]) {
        if let Some(open) = self.open.last_mut()
            && rest.strip_prefix(open.name).is_some_and(|after| after.starts_with(b">"))
        {
            open.escaped_close = true;
        }
    }

    /// The elements at top level; what is still open is closed and told.
    pub(crate) fn finish(mut self, findings: &mut Findings) -> Vec<Element> {
        let end = Span::new(self.text.len(), self.text.len());
        while let Some(innermost) = self.open.last()
            && !findings.full()
        {
            if !self.abandoned {
                findings.add_at(innermost.not_closed(None), innermost.element.name_span);
            }
            self.close_innermost(end, findings);
        }
        self.roots
    }
}

impl Open<'_> {
    /// compat: a child makes its parent forget the text before it.
    fn drop_content(&mut self, child: &Element, end: usize, findings: &mut Findings) {
        let element = &mut self.element;
        if element.content.iter().any(|&byte| !is_blank(byte)) {
            let message = messages::text_before_child(&element.name, &child.name);
            findings.add_at(message, element.content_span);
        }
        element.content.clear();
        element.content_span = Span::new(end, end);
        self.content_too_long = false;
    }

    fn not_closed(&self, before: Option<&[u8]>) -> model::Diagnostic {
        messages::not_closed(&self.element.name, self.line, before, self.escaped_close)
    }
}

fn is_variable(element: &Element) -> bool {
    element.is("var")
}

/// Whether a close tag is most likely a misspelt one of this element.
fn alike(close: &[u8], open: &str) -> bool {
    // Comparing long names costs too much, and people do not write them.
    close.len() <= SHOWN_BYTES_MAX
        && open.len() <= SHOWN_BYTES_MAX
        && nearest(&String::from_utf8_lossy(close), [open]).is_some()
}

/// Counts lines up to offsets that only grow.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> u32 {
        let between = self.text.get(self.at..offset).unwrap_or_default();
        let breaks = between.iter().filter(|&&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.at = offset;
        self.line
    }
}
