//! Walks through a file: text, comments, tags.

use crate::{
    Parsed,
    cursor::{Cursor, is_blank},
    findings::Findings,
    messages, tag,
    tree::Tree,
};
use model::{SourceId, Span, limits::FILE_BYTES_MAX};

/// Reads a file. After an error it goes on as well as it can, so that one run tells of all errors.
pub fn parse(source: SourceId, text: &[u8]) -> Parsed {
    let mut findings = Findings::new(source);
    if text.len() > FILE_BYTES_MAX {
        findings.add(messages::file_too_long(text.len()), FILE_BYTES_MAX, text.len());
        return Parsed { elements: Vec::new(), diagnostics: findings.into_list() };
    }
    let mut reader = Reader { cursor: Cursor::new(text), tree: Tree::new(text), findings };
    reader.read();
    let Reader { tree, mut findings, .. } = reader;
    let elements = tree.finish(&mut findings);
    Parsed { elements, diagnostics: findings.into_list() }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    tree: Tree<'a>,
    findings: Findings,
}

impl Reader<'_> {
    fn read(&mut self) {
        self.skip_prolog();
        while !self.findings.full() && !self.tree.abandoned() {
            self.read_text();
            if self.cursor.peek().is_none() {
                break;
            }
            // compat: an escaped `<` is text, but a comment is not looked at for escapes.
            match self.cursor.peek_second() {
                Some(b'!') => self.skip_comment(),
                second if self.cursor.previous() == Some(b'\\') => self.read_escaped(second),
                Some(b'/') => self.read_close(),
                Some(b'?') => self.skip_misplaced_prolog(),
                Some(byte) if !is_blank(byte) && byte != b'>' => self.read_open(),
                _ => self.read_stray(),
            }
        }
    }

    /// A byte order mark and `<?…?>`, only at the very start.
    fn skip_prolog(&mut self) {
        if self.cursor.rest().starts_with(b"\xef\xbb\xbf") {
            self.cursor.skip(3);
        }
        let (start, rest) = (self.cursor.at(), self.cursor.rest());
        if !rest.starts_with(b"<?") {
            return;
        }
        match rest.windows(2).position(|pair| pair == b"?>") {
            Some(at) => self.cursor.skip(at + 2),
            None => {
                self.findings.add(messages::prolog_not_closed(), start, start + 2);
                self.skip_tag();
            }
        }
    }

    /// Everything up to the next `<`.
    fn read_text(&mut self) {
        let start = self.cursor.at();
        self.cursor.take_until(|byte| byte == b'<');
        self.tree.text(start..self.cursor.at(), &mut self.findings);
    }

    fn skip_comment(&mut self) {
        let (start, rest) = (self.cursor.at(), self.cursor.rest());
        let body = rest.get(2..).unwrap_or_default();
        let end = body.iter().enumerate().position(|(at, &byte)| {
            let before = body.get(..at).unwrap_or_default();
            byte == b'>' && (before.ends_with(b"--") || before.ends_with(b"!"))
        });
        let Some(end) = end else {
            self.findings.add(messages::comment_not_closed(rest), start, start + 2);
            self.tree.abandon();
            return;
        };
        if let Some(what) = messages::unsupported_markup(rest) {
            self.findings.add(messages::markup_is_comment(what), start, start + 2);
        }
        self.cursor.skip(2 + end + 1);
    }

    fn read_escaped(&mut self, second: Option<u8>) {
        if second == Some(b'/') {
            self.tree.note_escaped_close(self.cursor.rest().get(2..).unwrap_or_default());
        }
        self.read_less_than();
    }

    fn read_stray(&mut self) {
        let at = self.cursor.at();
        self.findings.add(messages::stray_less_than(), at, at + 1);
        self.read_less_than();
    }

    /// The `<` as text.
    fn read_less_than(&mut self) {
        let at = self.cursor.at();
        self.cursor.skip(1);
        self.tree.text(at..at + 1, &mut self.findings);
    }

    fn skip_misplaced_prolog(&mut self) {
        let at = self.cursor.at();
        self.findings.add(messages::prolog_misplaced(), at, at + 2);
        self.skip_tag();
    }

    fn skip_tag(&mut self) {
        self.cursor.take_until(|byte| byte == b'>');
        self.cursor.skip(1);
    }

    fn read_open(&mut self) {
        match tag::read(&mut self.cursor, &mut self.findings) {
            Some(tag) => self.tree.open(tag, &mut self.findings),
            None => self.tree.abandon(),
        }
    }

    fn read_close(&mut self) {
        let start = self.cursor.at();
        self.cursor.skip(2);
        // A `<` cannot be part of what was meant, so a missing `>` does not swallow the next tag.
        let mut name = self.cursor.take_until(|byte| byte == b'>' || byte == b'<');
        if self.cursor.peek() == Some(b'>') {
            self.cursor.skip(1);
        } else {
            name = name.trim_ascii_end();
            let message = messages::close_tag_not_closed(name);
            self.findings.add(message, start, start + 2 + name.len());
        }
        let span = Span::new(start, self.cursor.at());
        self.tree.close(name, span, &mut self.findings);
    }
}
