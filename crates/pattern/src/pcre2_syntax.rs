//! PCRE2 text rewritten for a linear-time engine, where the two syntaxes differ.
//!
//! A construct that only a backtracking engine knows makes the pattern [`Untranslatable`]; it then
//! runs on PCRE2 alone. The rewriting also pins down what changed between PCRE2 versions: `{,3}`
//! and `{ 1 }` are literal, as in 10.42.

use crate::PatternError;
use crate::translate::{END_OR_LAST_NEWLINE, Texts};

/// The first construct that the linear engine does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untranslatable;

type Step<T> = Result<T, Untranslatable>;

/// Refuses what may not be in a pattern at all: `(*VERB)`.
///
/// Verbs change limits, newline and UTF conventions, and one of them reads out of bounds in
/// released versions of the library (CVE-2025-58050).
pub(crate) fn refuse_verbs(text: &[u8]) -> Result<(), PatternError> {
    let trusts_classes = !may_hide_brackets(text);
    let mut at = 0;
    let mut in_class = false;
    while let Some(&byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'\\' if rest.starts_with(b"\\Q") => {
                at = memchr::memmem::find(rest, b"\\E").map_or(text.len(), |end| at + end + 1);
            }
            // `\cX` takes any X, also a bracket.
            b'\\' if rest.starts_with(b"\\c") => at += 2,
            b'\\' => at += 1,
            b'[' if !in_class => {
                in_class = true;
                if text.get(at + 1) == Some(&b'^') {
                    at += 1;
                }
                if text.get(at + 1) == Some(&b']') {
                    at += 1;
                }
            }
            b'[' => at += posix_class_len(rest).map_or(0, |len| len - 1),
            b']' => in_class = false,
            b'(' if !in_class && rest.starts_with(b"(?#") => {
                at = memchr::memchr(b')', rest).map_or(text.len(), |end| at + end);
            }
            b'(' if rest.starts_with(b"(*") && !(in_class && trusts_classes) => {
                return Err(PatternError::new(at, "verbs such as `(*NAME)` are not allowed")
                    .hint("remove it, or write `\\(\\*` for the two characters"));
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Whether it is hard to tell where classes begin and end: comments of the extended syntax,
/// callouts and extended classes may hold brackets, and `\E` may part a class from its first `]`.
fn may_hide_brackets(text: &[u8]) -> bool {
    text.windows(3).enumerate().any(|(at, part)| match part {
        [b'\\', b'E', _] => true,
        [b'(', b'?', b'C' | b'['] => true,
        [b'(', b'?', _] => text[at + 2..]
            .iter()
            .take_while(|flag| flag.is_ascii_alphabetic() || b"^-".contains(flag))
            .any(|&flag| flag == b'x'),
        _ => false,
    })
}

/// The length of the `[:name:]` that a text starts with.
fn posix_class_len(text: &[u8]) -> Option<usize> {
    let name = text.strip_prefix(b"[:")?;
    let name = name.strip_prefix(b"^").unwrap_or(name);
    let letters = name.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let rest = name.get(letters..)?;
    rest.starts_with(b":]").then(|| text.len() - rest.len() + 2)
}

/// Both texts of a PCRE2 pattern that is already known to compile.
pub(crate) fn translate(text: &[u8]) -> Step<Texts> {
    let mut translator = Translator { text, at: 0, out: Vec::new(), depth: 0, end_in_group: false };
    translator.run()?;
    // Everything that is not ASCII has been written as `\xHH`, and so have newlines: the text for
    // an end comes from `$` and `\Z` alone.
    let linear = String::from_utf8(translator.out).map_err(|_| Untranslatable)?;
    Ok(Texts { pcre2: linear.replace(END_OR_LAST_NEWLINE, "$"), linear })
}

struct Translator<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Open groups.
    depth: usize,
    /// An open group contains the end of the subject.
    end_in_group: bool,
}

/// One item of a character class.
#[derive(Clone, Copy)]
enum ClassItem {
    Byte(u8),
    /// `\d`, `\W`, …: copied as it is.
    Escape(&'static str),
}

impl Translator<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts_with(&self, prefix: &[u8]) -> bool {
        self.text[self.at..].starts_with(prefix)
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn push_byte(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'_' {
            self.out.push(byte);
        } else {
            self.push(&format!("\\x{byte:02X}"));
        }
    }

    fn run(&mut self) -> Step<()> {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b'$' => {
                    self.at += 1;
                    self.end_of_subject()?;
                }
                b'*' | b'+' | b'?' => {
                    self.out.push(byte);
                    self.at += 1;
                    self.quantifier_suffix()?;
                }
                b'{' => match self.braces() {
                    Some(end) => {
                        self.out.extend_from_slice(&self.text[self.at..end]);
                        self.at = end;
                        self.quantifier_suffix()?;
                    }
                    None => {
                        self.push("\\{");
                        self.at += 1;
                    }
                },
                b')' => self.close_group()?,
                b'^' | b'.' | b'|' => {
                    self.out.push(byte);
                    self.at += 1;
                }
                _ => {
                    self.push_byte(byte);
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    /// `$` or `\Z`, just taken. To PCRE2 the last newline stays outside, so that something may
    /// follow which takes it; only where nothing can follow do the two engines agree.
    fn end_of_subject(&mut self) -> Step<()> {
        self.push(END_OR_LAST_NEWLINE);
        self.end_in_group = self.depth > 0;
        self.nothing_follows()
    }

    fn nothing_follows(&self) -> Step<()> {
        match self.peek(0) {
            None | Some(b'|' | b')') => Ok(()),
            Some(_) => Err(Untranslatable),
        }
    }

    fn close_group(&mut self) -> Step<()> {
        self.out.push(b')');
        self.at += 1;
        self.depth = self.depth.saturating_sub(1);
        if self.end_in_group {
            self.nothing_follows()?;
        }
        if self.depth == 0 {
            self.end_in_group = false;
        }
        Ok(())
    }

    fn quantifier_suffix(&mut self) -> Step<()> {
        match self.peek(0) {
            Some(b'+') => Err(Untranslatable),
            Some(b'?') => {
                self.out.push(b'?');
                self.at += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The end of `{n}`, `{n,}` or `{n,m}` at the current position.
    fn braces(&self) -> Option<usize> {
        let inner = &self.text[self.at + 1..];
        let close = inner.iter().position(|&byte| byte == b'}')?;
        let (low, high) = match inner[..close].iter().position(|&byte| byte == b',') {
            Some(comma) => (&inner[..comma], &inner[comma + 1..close]),
            None => (&inner[..close], &inner[..0]),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        (!low.is_empty() && digits(low) && digits(high)).then_some(self.at + 1 + close + 1)
    }

    fn group(&mut self) -> Step<()> {
        self.at += 1;
        if self.peek(0) != Some(b'?') {
            self.out.push(b'(');
            self.depth += 1;
            return Ok(());
        }
        if self.starts_with(b"?#") {
            let close = self.text[self.at..].iter().position(|&byte| byte == b')');
            self.at += close.ok_or(Untranslatable)? + 1;
            // A comment between an item and its quantifier does not part them; in the linear
            // engine's text nothing is left of it either.
            return Ok(());
        }
        for (opening, closing) in [(&b"?P<"[..], b'>'), (b"?<", b'>'), (b"?'", b'\'')] {
            if self.starts_with(opening) {
                self.at += opening.len();
                if matches!(self.peek(0), Some(b'=' | b'!')) {
                    return Err(Untranslatable);
                }
                let name = self.text[self.at..].iter().position(|&byte| byte == closing);
                self.at += name.ok_or(Untranslatable)? + 1;
                // Names are not used: the group keeps its number.
                self.out.push(b'(');
                self.depth += 1;
                return Ok(());
            }
        }
        // `(?i)`, `(?-i:` and the like; flags that change the syntax stay with PCRE2.
        let rest = &self.text[self.at + 1..];
        let flags = rest.iter().position(|byte| !b"is-".contains(byte)).unwrap_or(rest.len());
        match rest.get(flags) {
            Some(b':') => {}
            // At the end of a group or branch the scope rules of the two engines may differ.
            Some(b')') if flags > 0 && self.out.is_empty() => {}
            _ => return Err(Untranslatable),
        }
        let dashes = rest[..flags].iter().filter(|&&byte| byte == b'-').count();
        if dashes > 1 || rest[..flags].last() == Some(&b'-') {
            return Err(Untranslatable);
        }
        self.push("(?");
        self.depth += usize::from(rest.get(flags) == Some(&b':'));
        self.out.extend_from_slice(&rest[..=flags]);
        self.at += 1 + flags + 1;
        Ok(())
    }

    fn escape(&mut self) -> Step<()> {
        let escaped = self.peek(1).ok_or(Untranslatable)?;
        self.at += 2;
        match escaped {
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' | b'b' | b'B' | b'A' | b'z' => {
                self.out.extend_from_slice(&[b'\\', escaped]);
            }
            b'Z' => self.end_of_subject()?,
            b'h' => self.push("[\\t \\xA0]"),
            b'H' => self.push("[^\\t \\xA0]"),
            b'v' => self.push("[\\n\\x0B\\x0C\\r\\x85]"),
            b'V' => self.push("[^\\n\\x0B\\x0C\\r\\x85]"),
            b'N' if self.peek(0) != Some(b'{') => self.push("[^\\n]"),
            b'Q' => {
                let quoted = &self.text[self.at..];
                let end = memchr::memmem::find(quoted, b"\\E");
                for &byte in &quoted[..end.unwrap_or(quoted.len())] {
                    self.push_byte(byte);
                }
                self.at += end.map_or(quoted.len(), |end| end + 2);
            }
            b'E' => {}
            _ => {
                let byte = self.literal_escape(escaped)?;
                self.push_byte(byte);
            }
        }
        Ok(())
    }

    /// The byte that an escape stands for, its backslash and letter already taken.
    fn literal_escape(&mut self, escaped: u8) -> Step<u8> {
        Ok(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'f' => 0x0C,
            b'a' => 0x07,
            b'e' => 0x1B,
            b'c' => {
                let control = self.peek(0).filter(u8::is_ascii).ok_or(Untranslatable)?;
                self.at += 1;
                control.to_ascii_uppercase() ^ 0x40
            }
            b'x' => self.hexadecimal()?,
            b'0' => {
                let digits =
                    (0..2).take_while(|&n| matches!(self.peek(n), Some(b'0'..=b'7'))).count();
                let value = self.text[self.at..self.at + digits]
                    .iter()
                    .fold(0, |value, digit| value * 8 + (digit - b'0'));
                self.at += digits;
                value
            }
            // Back-references, properties, \R, \X, \K, \G, \C, \g, \k, \o, \N{…}.
            _ if escaped.is_ascii_alphanumeric() => return Err(Untranslatable),
            _ => escaped,
        })
    }

    fn hexadecimal(&mut self) -> Step<u8> {
        let digits = if self.peek(0) == Some(b'{') {
            let close = self.text[self.at..].iter().position(|&byte| byte == b'}');
            let close = self.at + close.ok_or(Untranslatable)?;
            let digits = &self.text[self.at + 1..close];
            self.at = close + 1;
            digits
        } else {
            let count =
                (0..2).take_while(|&n| self.peek(n).is_some_and(|b| b.is_ascii_hexdigit())).count();
            let digits = &self.text[self.at..self.at + count];
            self.at += count;
            digits
        };
        digits.iter().try_fold(0u8, |value, &digit| {
            let digit = char::from(digit).to_digit(16).ok_or(Untranslatable)?;
            let value = u32::from(value) * 16 + digit;
            u8::try_from(value).map_err(|_| Untranslatable)
        })
    }

    fn class(&mut self) -> Step<()> {
        self.at += 1;
        self.out.push(b'[');
        if self.peek(0) == Some(b'^') {
            self.out.push(b'^');
            self.at += 1;
        }
        let mut first = true;
        loop {
            let byte = self.peek(0).ok_or(Untranslatable)?;
            if byte == b']' && !first {
                self.at += 1;
                self.out.push(b']');
                return Ok(());
            }
            if byte == b'[' && matches!(self.peek(1), Some(b':' | b'.' | b'=')) {
                self.posix_class()?;
                first = false;
                continue;
            }
            // An item may be nothing: `\E`.
            let Some(item) = self.class_item()? else { continue };
            first = false;
            let low = match item {
                ClassItem::Escape(text) => {
                    self.push(text);
                    continue;
                }
                ClassItem::Byte(byte) => byte,
            };
            self.push_byte(low);
            let is_range = self.peek(0) == Some(b'-')
                && !matches!(self.peek(1), None | Some(b']'))
                && !(self.peek(1) == Some(b'[') && self.peek(2) == Some(b':'));
            if !is_range {
                continue;
            }
            let before = self.at;
            self.at += 1;
            match self.class_item()? {
                Some(ClassItem::Byte(high)) => {
                    self.out.push(b'-');
                    self.push_byte(high);
                }
                // `a-\d`: the dash is literal.
                _ => {
                    self.at = before + 1;
                    self.push_byte(b'-');
                }
            }
        }
    }

    fn class_item(&mut self) -> Step<Option<ClassItem>> {
        let byte = self.peek(0).ok_or(Untranslatable)?;
        self.at += 1;
        if byte != b'\\' {
            return Ok(Some(ClassItem::Byte(byte)));
        }
        let escaped = self.peek(0).ok_or(Untranslatable)?;
        self.at += 1;
        Ok(Some(match escaped {
            b'd' => ClassItem::Escape("\\d"),
            b'D' => ClassItem::Escape("\\D"),
            b'w' => ClassItem::Escape("\\w"),
            b'W' => ClassItem::Escape("\\W"),
            b's' => ClassItem::Escape("\\s"),
            b'S' => ClassItem::Escape("\\S"),
            b'h' => ClassItem::Escape("\\t \\xA0"),
            b'v' => ClassItem::Escape("\\n\\x0B\\x0C\\r\\x85"),
            b'b' => ClassItem::Byte(0x08),
            b'E' => return Ok(None),
            b'Q' | b'H' | b'V' => return Err(Untranslatable),
            // In a class `\1` to `\7` are octal numbers.
            b'1'..=b'9' => return Err(Untranslatable),
            _ => ClassItem::Byte(self.literal_escape(escaped)?),
        }))
    }

    fn posix_class(&mut self) -> Step<()> {
        let rest = &self.text[self.at..];
        let end = memchr::memmem::find(rest, b":]").ok_or(Untranslatable)? + 2;
        const KNOWN: [&[u8]; 13] = [
            b"alpha", b"digit", b"alnum", b"upper", b"lower", b"space", b"blank", b"punct",
            b"print", b"graph", b"cntrl", b"xdigit", b"word",
        ];
        let name = rest.get(2..end - 2).ok_or(Untranslatable)?;
        let name = name.strip_prefix(b"^").unwrap_or(name);
        if !rest.starts_with(b"[:") || !KNOWN.contains(&name) {
            return Err(Untranslatable);
        }
        self.out.extend_from_slice(&rest[..end]);
        self.at += end;
        Ok(())
    }
}
