//! Here is a file in OSSEC's XML dialect: give me its elements.
//!
//! In go bytes, out come a tree of [`Element`]s with the place of everything in the file, and the
//! findings about the file. Rule files, decoder files and `ossec.conf` are written in this dialect.
//! It is not XML 1.0: there are no entities, `\<` is text, a `<!` is always a comment, and
//! `<var name="X">` defines text for `$X`.
//!
//! # Invariants
//!
//! * Any bytes give an answer: no panic, no recursion, nothing without a limit ([`limits`]).
//! * Nothing is dropped silently. What OSSEC refuses is an error; after any error the tree is only
//!   good for further findings, not for use ([`Parsed::is_usable`]).
//! * No input, output or clock.
//!
//! Start reading at [`parse`] in `reader.rs`; `tag.rs` reads one `<…>`, `tree.rs` nests them and
//! `variables.rs` replaces `$X`. The cases stand in `tests/dialect.rs`: `cargo test -p osxml`.

mod cursor;
mod findings;
pub mod limits;
mod messages;
mod reader;
mod tag;
mod tree;
mod variables;

use model::{Diagnostic, Severity, Span};
use std::borrow::Cow;

pub use reader::parse;

/// What a file says, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The elements at top level. There may be several, or none.
    pub elements: Vec<Element>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether the elements may be used: there are no errors.
    pub fn is_usable(&self) -> bool {
        self.diagnostics.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// One element, with variables replaced and variable definitions removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub name_span: Span,
    pub attributes: Vec<Attribute>,
    /// The text, untrimmed. Of an element with children only the text after the last child is
    /// kept, as OSSEC does it.
    pub content: Vec<u8>,
    /// From the first to the last byte of the content in the file.
    pub content_span: Span,
    /// From `<` of the open tag to `>` of the close tag.
    pub span: Span,
    pub children: Vec<Element>,
}

/// One attribute of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: Vec<u8>,
    pub name_span: Span,
    /// The value without its quotes.
    pub value_span: Span,
}

impl Element {
    /// Whether this is the element's name, ignoring ASCII case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The attribute of this name, ignoring ASCII case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The content as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }

    /// Where byte `i` of the content stands in the file. The whole content where comments or
    /// variables moved the bytes.
    pub fn content_offset(&self, i: usize) -> Span {
        byte_of(self.content_span, self.content.len(), i)
    }
}

impl Attribute {
    /// The value as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }

    /// Where byte `i` of the value stands in the file. The whole value where variables moved it.
    pub fn value_offset(&self, i: usize) -> Span {
        byte_of(self.value_span, self.value.len(), i)
    }
}

/// The place of byte `i` of a text of `length` bytes that was read from `span`.
fn byte_of(span: Span, length: usize, i: usize) -> Span {
    if span.range().len() != length {
        return span;
    }
    let start = span.range().start.saturating_add(i.min(length));
    Span::new(start, start.saturating_add(1).min(span.range().end))
}
