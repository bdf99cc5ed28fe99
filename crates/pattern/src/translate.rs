//! OS_Match and OS_Regex rewritten as regular expressions, as OSSEC 4 itself does.
//!
//! Each language has two texts as its result: one for PCRE2 in byte mode, which is only used on
//! ASCII subjects, and one for the linear engine in Unicode mode.

use crate::PatternError;

/// One pattern in the syntaxes of both engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) pcre2: String,
    pub(crate) linear: String,
}

impl Texts {
    fn new() -> Self {
        Self { pcre2: String::new(), linear: String::new() }
    }

    fn both(&mut self, text: &str) {
        self.pcre2.push_str(text);
        self.linear.push_str(text);
    }

    /// A literal part of the pattern. Bytes that are not UTF-8 stand for themselves.
    fn literal(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_ascii() {
                    self.both(&regex_syntax::escape(character.encode_utf8(&mut [0; 4])));
                } else {
                    self.linear.push(character);
                    push_bytes(&mut self.pcre2, character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            push_bytes(&mut self.pcre2, chunk.invalid());
            for byte in chunk.invalid() {
                self.linear.push_str(&format!("(?-u:\\x{byte:02X})"));
            }
        }
    }

    /// A class that excludes something: in the linear engine a byte that is no part of valid
    /// UTF-8 counts as one character, neither a blank nor part of a word.
    fn excluding(&mut self, class: &str) {
        self.pcre2.push_str(class);
        self.linear.push_str(&format!("(?:{class}|(?-u:[\\x80-\\xFF]))"));
    }
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str(&format!("\\x{byte:02X}"));
    }
}

/// The end of the subject, or before its last newline: what `$` means to PCRE2. The newline becomes
/// part of the match, which [`crate::scratch`] has to keep in mind.
pub(crate) const END_OR_LAST_NEWLINE: &str = "(?:\\n?\\z)";

/// OS_Match in its general form: only `^`, `$` and `|` are special.
pub(crate) fn os_match(text: &[u8]) -> Texts {
    let mut out = Texts::new();
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        match byte {
            b'^' => out.both("\\A"),
            b'$' => {
                out.pcre2.push('$');
                out.linear.push_str(END_OR_LAST_NEWLINE);
            }
            b'|' => out.both("|"),
            _ => {
                let end = rest.iter().position(|b| b"^$|".contains(b)).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                out.literal(literal);
                rest = after;
                continue;
            }
        }
        rest = &rest[1..];
    }
    out
}

const PUNCTUATION: &str = r##"[()*+,.:;<=>?\[\]!"'#%&$|{}\-]"##;

/// OS_Regex: see `docs/compatibility.md`, "pattern languages".
pub(crate) fn os_regex(text: &[u8]) -> Result<Texts, PatternError> {
    if text.is_empty() {
        return Err(PatternError::new(0, "empty pattern"));
    }
    let mut out = Texts::new();
    let lazy = lazy_quantifiers(text);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => {
                let Some(&escaped) = text.get(at + 1) else {
                    return Err(PatternError::new(at, "pattern ends in a backslash")
                        .hint("write `\\\\` for a backslash"));
                };
                class(&mut out, escaped, at)?;
                at += 2;
                continue;
            }
            b'+' | b'*' if is_quantifier(text, at) => {
                out.both(if byte == b'+' { "+" } else { "*" });
                if lazy.get(at).copied().unwrap_or(false) {
                    out.both("?");
                }
            }
            b'$' => out.both("\\z"),
            b'^' => out.both("\\A"),
            b'|' => out.both("|"),
            b'(' => out.both("("),
            b')' => out.both(")"),
            _ => {
                let run = text[at..]
                    .iter()
                    .position(|b| b"\\+*$^|()".contains(b))
                    .unwrap_or(text.len() - at)
                    .max(1);
                out.literal(&text[at..at + run]);
                at += run;
                continue;
            }
        }
        at += 1;
    }
    Ok(out)
}

fn class(out: &mut Texts, escaped: u8, at: usize) -> Result<(), PatternError> {
    match escaped {
        b'w' => out.both("[A-Za-z0-9@_\\-]"),
        b'W' => out.excluding("[^A-Za-z0-9@_\\-]"),
        b'd' => out.both("[0-9]"),
        b'D' => out.excluding("[^0-9]"),
        b's' => out.both("[ ]"),
        b'S' => out.excluding("[^ ]"),
        b'p' => out.both(PUNCTUATION),
        b'.' => out.excluding("(?s:.)"),
        b't' => out.both("\\t"),
        b'$' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'\\' | b'|' => {
            out.both("\\");
            out.both(char::from(escaped).encode_utf8(&mut [0; 4]));
        }
        b'<' => out.both("<"),
        other => {
            let shown = char::from(other).escape_default();
            return Err(PatternError::new(at, format!("`\\{shown}` means nothing in OS_Regex"))
                .hint("known are \\w \\d \\s \\p \\t \\. \\W \\D \\S and a backslash before $ ( ) { } [ ] \\ | <"));
        }
    }
    Ok(())
}

/// compat: a `+` or `*` counts as a quantifier when the byte two before it is a backslash.
fn is_quantifier(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at], b'+' | b'*')
}

/// compat: every quantifier is lazy but for the last one of an alternative, when nothing but
/// closing parentheses follows it.
fn lazy_quantifiers(text: &[u8]) -> Vec<bool> {
    (0..text.len())
        .map(|at| {
            let last = text[at + 1..].iter().find(|&&byte| byte != b')');
            let ends_alternative = matches!(last, None | Some(b'|'));
            let after_backslash = at >= 1 && text[at - 1] == b'\\';
            is_quantifier(text, at) && (after_backslash || !ends_alternative)
        })
        .collect()
}
