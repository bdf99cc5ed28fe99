//! The languages by table: pattern, subject, end of the match and captures.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use pattern::{Captures, Language, PatternSet, Scratch};

/// End of match and captures, or `None` for no match.
fn search(language: Language, pattern: &str, subject: &str) -> Option<(usize, Vec<String>)> {
    let mut set = PatternSet::default();
    let id = set.compile(language, pattern.as_bytes()).unwrap();
    let mut scratch = Scratch::default();
    let mut captures = Captures::default();
    let end = set.captures(id, subject.as_bytes(), &mut scratch, &mut captures);
    assert_eq!(set.is_match(id, subject.as_bytes(), &mut scratch), end.is_some(), "{pattern}");
    assert_eq!(set.find_end(id, subject.as_bytes(), &mut scratch), end, "{pattern}");
    let texts = captures
        .spans()
        .iter()
        .map(|&(start, end)| {
            String::from_utf8_lossy(&subject.as_bytes()[start as usize..end as usize]).into_owned()
        })
        .collect();
    end.map(|end| (end, texts))
}

#[track_caller]
fn check(language: Language, pattern: &str, subject: &str, end: usize, captures: &[&str]) {
    let captures = captures.iter().map(|&text| text.to_owned()).collect();
    assert_eq!(search(language, pattern, subject), Some((end, captures)), "{pattern} on {subject}");
}

#[track_caller]
fn check_match(language: Language, pattern: &str, subject: &str, expected: bool) {
    assert_eq!(search(language, pattern, subject).is_some(), expected, "{pattern} on {subject:?}");
}

#[test]
fn os_regex_captures() {
    for (pattern, subject, end, captures) in [
        (r"(\w+)", "ab-@_9.x", 6, &["ab-@_9"][..]),
        (r"(\w+) (\w+)", "ab cd ef", 5, &["ab", "cd"]),
        (r"(\S+) (\S+)", "ab cd ef gh", 5, &["ab", "cd"]),
        (r"^(\.+) to (\.+)$", "a to b to c", 11, &["a", "b to c"]),
        (r"(\d+)(\d+)", "12345", 5, &["1", "2345"]),
        (r"(\w+)(\d+)", "ab123", 5, &["ab", "123"]),
        (r"(\w+)\d", "ab12", 3, &["ab"]),
        (r"(\S+)@(\S+)", "a@b@c d", 5, &["a", "b@c"]),
        (r"(\w+)\.(\w+)", "abc.def", 3, &["a", "c"]),
        (r"user (\w+)|uid (\d+)", "uid 77", 6, &["77"]),
        (r"(\w+)|(\d+)z", "12z", 3, &["12z"]),
        (r"^(a|\w+)b", "aab", 3, &["aa"]),
        (r"(a|b|)c", "c", 1, &[""]),
        (r"a(\w*)b", "aXYb", 4, &["XY"]),
        (r"(\w)+", "ab+", 3, &["b"]),
        (r"\(+", "((", 2, &[]),
        (r"(\\+)", r"x\\y", 2, &[r"\"]),
        (r"\\w+x", r"\wwx", 4, &[]),
        (r"(?:a)", "x?:a", 4, &["?:a"]),
        (r"a|", "zzz", 0, &[]),
    ] {
        check(Language::Regex, pattern, subject, end, captures);
    }
}

#[test]
fn os_regex_matches() {
    for (pattern, subject, expected) in [
        ("x.y", "xzy", false),
        ("x.y", "x.y", true),
        (r"a\.b", "a\nb", true),
        ("a+", "aa", false),
        ("a+", "a+", true),
        (r"\s", "\t", false),
        (r"\S", "\t", true),
        (r"\t", "\t", true),
        (r"\p", "-", true),
        (r"\p", "]", true),
        (r"\p", "{", true),
        (r"\p", "/", false),
        (r"\p", "\\", false),
        (r"\p", "@", false),
        (r"\p", "_", false),
        (r"\p", "^", false),
        (r"\p", "~", false),
        (r"\W", "_", false),
        (r"\W", "@", false),
        (r"\W", "-", false),
        (r"\W", ".", true),
        (r"\<a", "x<a", true),
        ("a^b", "a^b", false),
        ("a$b", "a$b", false),
        ("ab$", "ab\n", false),
        (r"\w", "ſ", true),
        (r"(\S+) (\S+)", "é ü", true),
    ] {
        check_match(Language::Regex, pattern, subject, expected);
    }
}

#[test]
fn os_regex_refuses() {
    for pattern in [r"\>", r"\-", r"\n", r"\?", "(", r"a\", ""] {
        let compiled = PatternSet::default().compile(Language::Regex, pattern.as_bytes());
        assert!(compiled.is_err(), "{pattern}");
    }
}

#[test]
fn os_match() {
    for (pattern, subject, expected) in [
        ("abc", "xABC", true),
        ("^abc", "xABC", false),
        ("abc$", "xABC", true),
        ("^abc$", "xABC", false),
        ("^a|b$", "Ax", true),
        ("^a|b$", "xB", true),
        ("^a|b$", "bx", false),
        ("!abc", "abc", false),
        ("!abc", "x!ABC", true),
        ("a.c", "abc", false),
        ("a.c", "a.c", true),
        ("a*c", "a*c", true),
        ("(a)", "(a)", true),
        ("[a]{2}", "[a]{2}", true),
        ("[a]{2}", "aa", false),
        ("a\\|b", "xa\\", true),
        ("a||b", "z", true),
        ("|a", "z", true),
        ("a|", "z", true),
        ("^", "z", true),
        ("$", "z", true),
        ("", "z", true),
        ("^$", "", true),
        ("^$", "z", false),
        ("a^b", "a^b", false),
        ("^^a", "^a", false),
        ("abc$", "abc\n", false),
        ("abc$|x", "abc\n", true),
        ("É", "é", true),
        ("^É", "é", false),
        ("desk", "deſK", true),
        ("^desk", "deſK", false),
    ] {
        check_match(Language::Match, pattern, subject, expected);
    }
}

#[test]
fn pcre2() {
    for (pattern, subject, expected) in [
        ("^abc$", "abc\n", false),
        ("^a.c$", "abc\n", true),
        ("a.c", "a\nc", false),
        ("É", "é", false),
        ("(?-i)abc", "ABC", false),
        ("a{,2}b", "a{,2}b", true),
        ("[[a]", "[", true),
        ("[a&&b]", "&", true),
        ("[]a]", "]", true),
        (r"[\<x]", "<", true),
        (r"\<a\>", "<a>", true),
        (r"[x\d-]", "-", true),
        (r"(a)\1", "aa", true),
        (r"a(?=b)", "ab", true),
        (r"a(?=b)", "ac", false),
        (r"\Qa.b\E+", "a.bb", true),
        ("(?i:x)|y", "X", true),
        (r"$\s", "a\n", true),
        (r"(?:a$)\s|b", "a\n", true),
        (r"(?:a$)|\s", "a\n", true),
    ] {
        check_match(Language::Pcre2, pattern, subject, expected);
    }
    check(Language::Pcre2, "(a)?(b)?(c)", "c", 1, &["c"]);
    check(Language::Pcre2, "(.)", "é", 1, &["\u{FFFD}"]);
}

#[test]
fn pcre2_refuses() {
    for (pattern, offset) in [("", 0), ("(a", 2), ("a(*UTF)", 1), ("(*ACCEPT)", 0)] {
        let error = PatternSet::default().compile(Language::Pcre2, pattern.as_bytes()).unwrap_err();
        assert_eq!(error.offset, offset, "{pattern}: {error}");
    }
    assert!(PatternSet::default().compile(Language::Pcre2, br"[(*]\(\*").is_ok());
}

/// What OSSEC misses because its compiled code runs out of stack.
#[test]
fn long_subjects_are_matched() {
    let mut set = PatternSet::default();
    let mut scratch = Scratch::default();
    let group = set.compile(Language::Regex, br"(\.+) END").unwrap();
    let alternation = set.compile(Language::Pcre2, b"^(?:x|y)+END").unwrap();
    for length in [300, 2000, 6000, 65_000] {
        scratch.begin_event();
        let text = "x".repeat(length);
        assert!(set.is_match(group, format!("{text} END").as_bytes(), &mut scratch));
        assert!(set.is_match(alternation, format!("{text}END").as_bytes(), &mut scratch));
        assert!(!set.is_match(alternation, text.as_bytes(), &mut scratch));
    }
}

/// A line that makes PCRE2 give up is counted, and decided all the same.
#[test]
fn slow_lines_are_counted() {
    let mut set = PatternSet::default();
    let mut scratch = Scratch::default();
    let nested = set.compile(Language::Pcre2, b"(a+)+$").unwrap();
    assert!(!set.is_match(nested, format!("{}!", "a".repeat(400)).as_bytes(), &mut scratch));
    assert_eq!(scratch.counts.limited, 1);
    let backtracking = set.compile(Language::Pcre2, br"(?=a)(a+)+$").unwrap();
    assert!(!set.is_match(backtracking, format!("{}!", "a".repeat(400)).as_bytes(), &mut scratch));
    assert_eq!(scratch.counts.undecided, 1);
}
