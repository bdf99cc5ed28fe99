//! A position in a log, for plugins that read it from left to right.

use memchr::memchr;
use memchr::memmem;
use model::Span;

/// Reads a log. Every step either succeeds and moves on, or says `None` and stays.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// The bytes of a span.
    pub(super) fn bytes(&self, span: Span) -> &'a [u8] {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Steps over `word`, which must come next.
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.rest().starts_with(word) {
            return None;
        }
        self.take(word.len());
        Some(())
    }

    /// Moves behind the next `word`.
    pub(super) fn find(&mut self, word: &[u8]) -> Option<()> {
        let skipped = memmem::find(self.rest(), word)?;
        self.take(skipped + word.len());
        Some(())
    }

    /// What comes before `byte`, which must exist; moves behind it.
    pub(super) fn until(&mut self, byte: u8) -> Option<Span> {
        let len = memchr(byte, self.rest())?;
        let span = self.take(len);
        self.take(1);
        Some(span)
    }

    /// The bytes that fit, possibly none.
    pub(super) fn run(&mut self, fits: impl Fn(u8) -> bool) -> Span {
        let rest = self.rest();
        let len = rest.iter().position(|&byte| !fits(byte)).unwrap_or(rest.len());
        self.take(len)
    }

    /// The bytes that fit, at least one.
    pub(super) fn some(&mut self, fits: impl Fn(u8) -> bool) -> Option<Span> {
        let span = self.run(fits);
        (span.start < span.end).then_some(span)
    }

    /// The next `len` bytes, or what there is of them.
    pub(super) fn take(&mut self, len: usize) -> Span {
        let start = self.at;
        self.at = start.saturating_add(len).min(self.text.len());
        Span::new(start, self.at)
    }
}

/// The first bytes of a span, at most `len`.
pub(super) fn cut(span: Span, len: usize) -> Span {
    let range = span.range();
    Span::new(range.start, range.end.min(range.start + len))
}
