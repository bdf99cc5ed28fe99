//! One component of a glob against one name, as glob(3) in the C locale.

/// Whether `name` fits the component `pattern`: `*`, `?`, `[…]`, `[!…]` (or `[^…]`), named classes
/// such as `[[:digit:]]`, and `\` before a byte that means itself. A dot at the start of a name is
/// matched by a dot alone. Neither may hold a `/`.
///
/// The time is bounded by the product of both lengths: of several stars only the last one is
/// tried again.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && !matches!(pattern, [b'.', ..] | [b'\\', b'.', ..]) {
        return false;
    }
    let (mut pattern_at, mut name_at) = (0, 0);
    // Where to go on if what follows the last star does not fit: behind it, one byte further on.
    let mut again: Option<(usize, usize)> = None;
    loop {
        let rest = pattern.get(pattern_at..).unwrap_or_default();
        let byte = name.get(name_at).copied();
        match (rest.first(), byte) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                pattern_at += 1;
                again = Some((pattern_at, name_at));
                continue;
            }
            (Some(_), Some(byte)) => {
                if let Some(used) = fits(rest, byte) {
                    pattern_at += used;
                    name_at += 1;
                    continue;
                }
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        let Some((behind_star, from)) = again else { return false };
        if from >= name.len() {
            return false;
        }
        again = Some((behind_star, from + 1));
        (pattern_at, name_at) = (behind_star, from + 1);
    }
}

/// Whether `text` means more than itself in a glob.
pub(crate) fn is_wild(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// What a component without wildcards stands for.
pub(crate) fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            byte => out.push(byte),
        }
    }
    out
}

/// How many bytes of the pattern stand for `byte`, if its first item does.
fn fits(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'\\'] => None,
        [b'[', set @ ..] => match in_set(set, byte) {
            Some((is_in, used)) => is_in.then_some(used + 1),
            None => (byte == b'[').then_some(1),
        },
        [plain, ..] => (*plain == byte).then_some(1),
        [] => None,
    }
}

/// Whether `byte` is in the set whose text follows a `[`, and how long that text is with its `]`.
/// `None` if it never closes.
fn in_set(set: &[u8], byte: u8) -> Option<(bool, usize)> {
    let is_negated = matches!(set.first(), Some(b'!' | b'^'));
    let mut at = usize::from(is_negated);
    let mut is_in = false;
    let mut is_first = true;
    loop {
        let rest = set.get(at..)?;
        if !is_first && rest.first() == Some(&b']') {
            return Some((is_in != is_negated, at + 1));
        }
        is_first = false;
        if let Some((is_of_class, used)) = in_class(rest, byte) {
            is_in |= is_of_class;
            at += used;
            continue;
        }
        let (low, used) = member(rest)?;
        at += used;
        let high = match set.get(at..) {
            Some([b'-', after @ ..]) if !after.is_empty() && after.first() != Some(&b']') => {
                let (high, used) = member(after)?;
                at += used + 1;
                high
            }
            _ => low,
        };
        is_in |= (low..=high).contains(&byte);
    }
}

fn member(set: &[u8]) -> Option<(u8, usize)> {
    match set {
        [b'\\', escaped, ..] => Some((*escaped, 2)),
        [plain, ..] => Some((*plain, 1)),
        [] => None,
    }
}

/// `[:NAME:]` at the start of `set`.
fn in_class(set: &[u8], byte: u8) -> Option<(bool, usize)> {
    let text = set.strip_prefix(b"[:")?;
    let end = text.windows(2).position(|pair| pair == b":]")?;
    let is_of_class = match text.get(..end)? {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    };
    Some((is_of_class, end + 4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_glob() {
        for (pattern, fitting, other) in [
            ("*", &["a", "abc", "a.b"][..], &[".a", ".", ".."][..]),
            ("a*c", &["ac", "abc", "abcbc"], &["a", "ab", "xac", "acx"]),
            ("*.log", &["a.log", "a.b.log"], &[".log", "log", "a.log.1"]),
            (".*", &[".a", "."], &["a"]),
            ("\\.*", &[".a"], &["a"]),
            ("?", &["a"], &["", "ab", "."]),
            ("a?c", &["abc", "a.c"], &["ac", "abbc"]),
            ("[abc]", &["a", "b", "c"], &["d", "ab", ""]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[!a-c]", &["d", "-"], &["a", "b"]),
            ("[^a]", &["b"], &["a"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[!]a]", &["b"], &["]", "a"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[z-a]", &[], &["a", "z", "m", "-"]),
            ("[\\]a]", &["]", "a"], &["\\"]),
            ("[.]a", &[], &[".a", "a"]),
            ("a[.]b", &["a.b"], &["axb"]),
            ("[[:digit:]]*", &["1", "1a"], &["a1", ""]),
            ("[[:upper:]_]", &["A", "_"], &["a", ":"]),
            ("[[:nothing:]", &["[", ":", "n"], &["x"]),
            ("a[b", &["a[b"], &["ab", "a"]),
            ("a\\*", &["a*"], &["ab", "a\\"]),
            ("a\\", &[], &["a", "a\\"]),
            ("", &[""], &["a"]),
            ("a*b*c*d", &["abcd", "axbxcxd"], &["abdc", "axbxdx"]),
        ] {
            for name in fitting {
                assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
            for name in other {
                assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = b"a*".repeat(2000);
        assert!(!matches(&pattern, &b"a".repeat(1999)));
        assert!(matches(&pattern, &b"a".repeat(4000)));
    }

    /// The definition, without care for time.
    fn by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=name.len()).any(|skipped| by_definition(rest, &name[skipped..]))
            }
            ([], _) | (_, []) => false,
            (_, [byte, name @ ..]) => {
                fits(pattern, *byte).is_some_and(|used| by_definition(&pattern[used..], name))
            }
        }
    }

    proptest! {
        #[test]
        fn stars_as_defined(pattern in "[ab*?\\[\\]!\\\\-]{0,12}", name in "[ab\\[-]{0,10}") {
            prop_assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                by_definition(pattern.as_bytes(), name.as_bytes())
            );
        }

        #[test]
        fn any_bytes_end(pattern: Vec<u8>, name: Vec<u8>) {
            matches(&pattern, &name);
        }

        #[test]
        fn an_escaped_name_fits_itself(name in "[^/]{0,12}") {
            let pattern: Vec<u8> = name.bytes().flat_map(|byte| [b'\\', byte]).collect();
            prop_assert!(matches(&pattern, name.as_bytes()));
            prop_assert_eq!(without_escapes(&pattern), name.as_bytes());
        }
    }
}
