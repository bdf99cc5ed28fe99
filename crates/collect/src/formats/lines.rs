//! Bytes to lines, as fast as the end of a line is found.

use model::limits::LINE_BYTES_MAX;

use memchr::{memchr, memchr_iter};

/// One line, without its `\n`. A `\r` stays, and each NUL has become a blank.
// compat: OSSEC keeps `\r` on Unix. Fixed: of a line with NUL it loses the rest.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    /// Where the line begins in the stream.
    pub(crate) start: u64,
    /// Where the next one begins.
    pub(crate) end: u64,
}

/// Cuts a stream into lines. A line that lies whole in what is pushed is given out where it lies;
/// only one that is not complete yet is kept, up to [`LINE_BYTES_MAX`] bytes of it.
pub(crate) struct Lines {
    /// The first bytes of the line that is not complete.
    partial: Vec<u8>,
    /// Where that line begins.
    partial_start: u64,
    /// Whether it is longer than what is kept.
    is_cut: bool,
    /// Bytes of the stream seen.
    seen: u64,
    /// Lines longer than [`LINE_BYTES_MAX`].
    cut: u64,
    /// Room for a line whose NUL bytes are replaced.
    cleaned: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(start: u64) -> Self {
        Self {
            partial: Vec::new(),
            partial_start: start,
            is_cut: false,
            seen: start,
            cut: 0,
            cleaned: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        let mut rest = bytes;
        if self.is_within_line() {
            let Some(at) = memchr(b'\n', bytes) else { return self.keep(bytes) };
            let (last, next) = bytes.split_at(at);
            self.keep(last);
            rest = next.get(1..).unwrap_or_default();
            self.seen += 1;
            self.give_partial(&mut each);
        }
        let has_nul = memchr(0, rest).is_some();
        let mut from = 0;
        for at in memchr_iter(b'\n', rest) {
            let text = rest.get(from..at).unwrap_or_default();
            from = at + 1;
            self.give(text, has_nul, &mut each);
        }
        self.keep(rest.get(from..).unwrap_or_default());
    }

    /// Gives out what there is of a line that is not complete.
    pub(crate) fn flush(&mut self, mut each: impl FnMut(Line<'_>)) {
        if self.is_within_line() {
            self.give_partial(&mut each);
        }
    }

    pub(crate) fn is_within_line(&self) -> bool {
        !self.partial.is_empty()
    }

    pub(crate) fn cut(&self) -> u64 {
        self.cut
    }

    /// A line that lies in what was pushed.
    #[inline]
    fn give(&mut self, text: &[u8], has_nul: bool, each: &mut impl FnMut(Line<'_>)) {
        let start = self.seen;
        self.seen += text.len() as u64 + 1;
        let end = self.seen;
        let mut text = text;
        if text.len() > LINE_BYTES_MAX {
            self.cut += 1;
            text = text.get(..LINE_BYTES_MAX).unwrap_or(text);
        }
        if has_nul {
            self.cleaned.clear();
            append_without_nul(text, &mut self.cleaned);
            text = &self.cleaned;
        }
        each(Line { text, start, end });
    }

    fn give_partial(&mut self, each: &mut impl FnMut(Line<'_>)) {
        self.cut += u64::from(self.is_cut);
        each(Line { text: &self.partial, start: self.partial_start, end: self.seen });
        self.partial.clear();
        self.is_cut = false;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !self.is_within_line() {
            self.partial_start = self.seen;
        }
        let room = LINE_BYTES_MAX - self.partial.len().min(LINE_BYTES_MAX);
        let (kept, rest) = bytes.split_at(bytes.len().min(room));
        append_without_nul(kept, &mut self.partial);
        self.is_cut |= !rest.is_empty();
        self.seen += bytes.len() as u64;
    }
}

fn append_without_nul(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(bytes.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
}
