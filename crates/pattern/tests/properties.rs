//! What holds for all patterns and subjects, tried on many made at random.

use pattern::{Captures, GateBuilder, Hit, Hits, Language, PatternId, PatternSet, Scratch, Slot};

/// A small generator: the same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const LITERALS: [&str; 14] =
    ["a", "b", "ab", "from ", "user", "error", "Bad", "0", " ", "-", "x=", ":", "key", "s"];

fn pcre2(random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..1 + random.below(4) {
        let item = match random.below(if depth == 0 { 6 } else { 9 }) {
            0..=2 => random.one_of(&LITERALS).to_owned(),
            3 => random
                .one_of(&[
                    r"\d", r"\w", r"\s", r"\S", r"\W", r"\D", ".", r"\.", r"\<", r"\h", r"\N",
                ])
                .to_owned(),
            4 => random
                .one_of(&[
                    "[ab]",
                    "[^a]",
                    "[a-f0-9]",
                    r"[\w.]",
                    r"[^\d ]",
                    "[]a]",
                    "[^]b]",
                    r"[\]x-]",
                    "[[:alpha:]_]",
                    "[[:^digit:]]",
                    "[^[:space:]]",
                    "[[:upper:]]",
                    "[^[:lower:]]",
                    "[a&&b]",
                    "[a--b]",
                    "[[a]",
                    r"[\x41-\x43]",
                    r"[\<\>]",
                    "[+--]",
                    "[a-]",
                    "[[:punct:]]",
                    "[[:xdigit:]]",
                    "[[:print:]]",
                    "[[:cntrl:]]",
                    "[[:word:]]",
                ])
                .to_owned(),
            5 => random
                .one_of(&[
                    r"\b", r"\B", r"\x61", r"\x{62}", r"\t", r"\n", r"\061", r"\Qa.b\E", "(?#c)",
                    "{", "a{x", r"\e", r"\cA", r"\-", r"\:",
                ])
                .to_owned(),
            6 => format!("({})", pcre2(random, depth - 1)),
            7 => format!("(?:{}|{})", pcre2(random, depth - 1), pcre2(random, depth - 1)),
            _ => format!("({}|{})", pcre2(random, depth - 1), pcre2(random, depth - 1)),
        };
        out.push_str(&item);
        // After a comment or an assertion a quantifier would belong to something else.
        let quantifiable = !matches!(item.as_str(), r"\b" | r"\B" | "(?#c)");
        if quantifiable && random.below(3) == 0 {
            out.push_str(
                random.one_of(&["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}?"]),
            );
        }
    }
    out
}

fn os_regex(random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..1 + random.below(4) {
        match random.below(if depth == 0 { 5 } else { 7 }) {
            0 | 1 => out.push_str(random.one_of(&LITERALS)),
            2 | 3 => {
                let class = random.one_of(&[
                    r"\w", r"\d", r"\s", r"\p", r"\W", r"\D", r"\S", r"\.", r"\t", r"\$", r"\(",
                    r"\\", r"\|", r"\<",
                ]);
                out.push_str(class);
                out.push_str(random.one_of(&["", "", "+", "*"]));
            }
            4 => out.push_str(random.one_of(&["+", ".", "[", "?", "{2}"])),
            5 => out.push_str(&format!("({})", os_regex(random, depth - 1))),
            _ => out.push_str(&format!(
                "({}|{})",
                os_regex(random, depth - 1),
                os_regex(random, depth - 1)
            )),
        }
    }
    out
}

fn os_match(random: &mut Random) -> String {
    let words: Vec<&str> = (0..1 + random.below(3)).map(|_| random.one_of(&LITERALS)).collect();
    words.join(random.one_of(&["", "|", "."]))
}

fn pattern(random: &mut Random) -> (Language, String) {
    let (language, text) = match random.below(5) {
        0 => (Language::Match, os_match(random)),
        1 | 2 => (Language::Regex, os_regex(random, 2)),
        _ => (Language::Pcre2, pcre2(random, 2)),
    };
    let start = random.one_of(&["", "", "^"]);
    let end = random.one_of(&["", "", "", "$"]);
    (language, format!("{start}{text}{end}"))
}

fn subject(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..random.below(8) {
        out.push_str(match random.below(4) {
            0 => {
                random.one_of(&["a", "b", "0", " ", "\t", ".", "<", "]", "-", "_", "+", "\\", "$"])
            }
            1 => random.one_of(&["A", "\n", "\x01", "{", "a{,2}", "a.b", "(", "|", "&", "^"]),
            _ => random.one_of(&LITERALS),
        });
    }
    out
}

/// Non-ASCII text too, among it what folds to ASCII letters.
fn foreign_subject(random: &mut Random) -> Vec<u8> {
    let mut out = subject(random).into_bytes();
    for _ in 0..1 + random.below(2) {
        let at = random.below(out.len() + 1);
        let part: &[u8] =
            [&b"\xC5\xBF"[..], b"\xE2\x84\xAA", b"\xC3\xA9", b"\xFF", b"\xC3"][random.below(5)];
        out.splice(at..at, part.iter().copied());
    }
    out
}

struct Tried {
    set: PatternSet,
    scratch: Scratch,
}

impl Tried {
    fn compile(random: &mut Random) -> Option<(Self, PatternId, String)> {
        let (language, text) = pattern(random);
        let mut set = PatternSet::default();
        // Some come out such that no engine takes them: `(+` and the like.
        let id = set.compile(language, text.as_bytes()).ok()?;
        let shown = format!("{language:?} {text:?}");
        Some((Self { set, scratch: Scratch::default() }, id, shown))
    }

    fn is_match(&mut self, id: PatternId, subject: &[u8]) -> bool {
        self.scratch.begin_event();
        self.set.is_match(id, subject, &mut self.scratch)
    }

    fn find_end(&mut self, id: PatternId, subject: &[u8]) -> Option<usize> {
        self.scratch.begin_event();
        self.set.find_end(id, subject, &mut self.scratch)
    }
}

#[test]
fn engines_agree() {
    let mut random = Random(7);
    let (mut compared, mut matched) = (0, 0);
    for _ in 0..3_000 {
        let Some((mut tried, id, shown)) = Tried::compile(&mut random) else { continue };
        for _ in 0..12 {
            let text = subject(&mut random);
            let subject = text.as_bytes();
            // compat: what is compared without an engine does not end before a newline.
            if tried.set.is_anchored_literal(id) && text.ends_with('\n') {
                continue;
            }
            let Some(expected) = tried.set.find_end_by_backtracking(id, subject) else { continue };
            assert_eq!(tried.find_end(id, subject), expected, "{shown} on {text:?}");
            assert_eq!(tried.is_match(id, subject), expected.is_some(), "{shown} on {text:?}");
            let mut captures = Captures::default();
            let end = tried.set.captures(id, subject, &mut tried.scratch, &mut captures);
            assert_eq!(end, expected, "{shown} on {text:?}");
            compared += 1;
            matched += usize::from(expected.is_some());
            let Some(found) = tried.set.find_end_by_automaton(id, subject) else { continue };
            assert_eq!(found.is_some(), expected.is_some(), "{shown} on {text:?}");
            // A newline at the end belongs to the automaton's match of `$`.
            if !text.ends_with('\n') {
                assert_eq!(found, expected, "{shown} on {text:?}");
            }
        }
        assert_eq!(tried.scratch.counts.undecided, 0, "{shown}");
    }
    assert!(compared > 20_000 && matched > 2_500, "{compared} {matched}");
}

#[test]
fn long_subjects_get_the_same_answer() {
    let mut random = Random(8);
    for _ in 0..200 {
        let Some((mut tried, id, shown)) = Tried::compile(&mut random) else { continue };
        for _ in 0..4 {
            let mut text = String::new();
            while text.len() < 600 {
                text.push_str(&subject(&mut random));
            }
            let subject = text.as_bytes();
            // compat: what is compared without an engine does not end before a newline.
            if tried.set.is_anchored_literal(id) && text.ends_with('\n') {
                continue;
            }
            let Some(expected) = tried.set.find_end_by_backtracking(id, subject) else { continue };
            assert_eq!(tried.find_end(id, subject), expected, "{shown} on {text:?}");
            assert_eq!(tried.is_match(id, subject), expected.is_some(), "{shown} on {text:?}");
            let mut captures = Captures::default();
            let end = tried.set.captures(id, subject, &mut tried.scratch, &mut captures);
            assert_eq!(end, expected, "{shown} on {text:?}");
        }
    }
}

/// Needles that are exact are the whole answer; others are in every subject that matches.
#[test]
fn gate_never_misses() {
    let mut random = Random(9);
    let (mut exact, mut needed) = (0, 0);
    for _ in 0..300 {
        let mut set = PatternSet::default();
        let mut builder = GateBuilder::default();
        let mut gated = Vec::new();
        for _ in 0..1 + random.below(30) {
            let (language, text) = pattern(&mut random);
            let Ok(id) = set.compile(language, text.as_bytes()) else { continue };
            let hit = builder.add(gated.len() as Slot, &set, id);
            let exact = set.needles(id).is_some_and(|needles| needles.exact);
            assert!(hit == Hit::Candidate || exact, "{language:?} {text:?}");
            gated.push((id, hit == Hit::Match, format!("{language:?} {text:?}")));
        }
        let gate = builder.build();
        let (mut hits, mut scratch) = (Hits::default(), Scratch::default());
        for round in 0..60 {
            let subject = match round % 3 {
                0 => foreign_subject(&mut random),
                _ => subject(&mut random).into_bytes(),
            };
            hits.clear(gated.len());
            gate.scan(&subject, &mut hits);
            for (slot, (id, is_exact, shown)) in gated.iter().enumerate() {
                scratch.begin_event();
                let matches = set.is_match(*id, &subject, &mut scratch);
                let hit = hits.contains(slot as Slot);
                let on = subject.escape_ascii();
                if *is_exact {
                    assert_eq!(hit, matches, "{shown} on {on}");
                    exact += usize::from(hit);
                } else {
                    assert!(hit || !matches, "{shown} on {on}");
                    needed += usize::from(matches);
                }
            }
        }
    }
    assert!(exact > 1_000 && needed > 1_000, "{exact} {needed}");
}

/// More needles than 16 bits can count.
#[test]
fn many_needles() {
    let mut set = PatternSet::default();
    let mut builder = GateBuilder::default();
    let count = 350;
    let mut probes = Vec::new();
    for slot in 0..count {
        let words: Vec<String> = (0..200).map(|n| format!("^{n:x}word{slot:x}")).collect();
        let others: Vec<String> = (0..200).map(|n| format!("{n:x}term{slot:x}-")).collect();
        let text = [words, others].concat().join("|");
        let id = set.compile(Language::Match, text.as_bytes()).unwrap();
        builder.add(slot as Slot, &set, id);
        probes.push((slot, format!("7word{slot:x}")));
        probes.push((slot, format!("_7term{slot:x}-")));
    }
    let gate = builder.build();
    let mut hits = Hits::default();
    for (slot, probe) in probes {
        hits.clear(count);
        gate.scan(probe.as_bytes(), &mut hits);
        assert!(hits.contains(slot as Slot), "{probe}");
    }
}

/// Constructs that only PCRE2 has still answer, and offer no structure.
#[test]
fn backtracking_only() {
    for (pattern, subject, expected) in [
        (r"(a)\1", "aa", true),
        (r"(a)\1", "ab", false),
        (r"a(?=b)", "ab", true),
        (r"a(?!b)", "ab", false),
        (r"(?<=x)a", "xa", true),
        (r"(?<!x)a", "xa", false),
        ("(?>a+)ab", "aaab", false),
        ("a++ab", "aaab", false),
        ("a?+a", "a", false),
        ("a{1,2}+a", "aa", false),
        (r"a\Rb", "a\r\nb", true),
        (r"(?|(a)|(b))\1", "bb", true),
        (r"(?<x>a)\k<x>", "aa", true),
        (r"\Ga", "ab", true),
        (r"a\Kb", "ab", true),
        ("(?x) a b # c", "ab", true),
        ("(?m)^b", "a\nb", true),
        ("a(?i)b", "aB", true),
        (r"\o{141}", "a", true),
        (r"[\Qa]\E]", "]", true),
        (r"[\H]", "a", true),
        (r"[\1]", "\u{1}", true),
        ("(a(?1)?b)", "aabb", true),
        ("(a)?(?(1)b|c)", "c", true),
    ] {
        let mut set = PatternSet::default();
        let id = set.compile(Language::Pcre2, pattern.as_bytes()).unwrap();
        assert!(set.find_end_by_automaton(id, b"").is_none(), "{pattern}");
        assert!(set.structure(id).is_none(), "{pattern}");
        assert!(set.needles(id).is_none(), "{pattern}");
        let mut scratch = Scratch::default();
        let found = set.is_match(id, subject.as_bytes(), &mut scratch);
        assert_eq!(found, expected, "{pattern} on {subject:?}");
        assert_eq!(scratch.counts, Default::default(), "{pattern}");
    }
}

/// Each byte on its own: what a construct matches is the same for both engines.
#[test]
fn translations_byte_by_byte() {
    const PATTERNS: &[&str] = &[
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r"\h",
        r"\H",
        r"\v",
        r"\V",
        r"\N",
        ".",
        r"\n",
        r"\r",
        r"\t",
        r"\f",
        r"\a",
        r"\e",
        r"\cA",
        r"\cz",
        r"\c[",
        r"\x4",
        r"\x41",
        r"\x{e4}",
        r"\0",
        r"\012",
        r"\0101",
        r"\<",
        r"\>",
        r"\_",
        r"\-",
        r"\]",
        r"\Q.*\E?",
        "{",
        "}",
        "]",
        "&",
        "~",
        "#",
        "é",
        "[a-z]",
        "[^a-z]",
        "[]]",
        "[^]]",
        "[]-a]",
        "[a-]",
        "[-a]",
        "[a-c-e]",
        "[--/]",
        "[+--]",
        "[.]",
        "[$]",
        "[|]",
        "[(]",
        "[{]",
        "[[]",
        "[[a]",
        "[a[]",
        "[a&&b]",
        "[a~~b]",
        "[#]",
        "[ ]",
        r"[\d]",
        r"[\D]",
        r"[\w]",
        r"[\W]",
        r"[\s]",
        r"[\S]",
        r"[\h]",
        r"[\v]",
        r"[\b]",
        r"[\n\t]",
        r"[\x41-\x45]",
        r"[\x80-\xff]",
        r"[^\x80-\xff]",
        r"[\0-\x1f]",
        r"[\]]",
        r"[\\]",
        r"[\^a]",
        r"[\-]",
        r"[a\-z]",
        r"[\w.-]",
        r"[\E]]",
        r"[a\Ec]",
        r"[\cA]",
        r"[\e]",
        "[é]",
        "[[:alpha:]]",
        "[[:digit:]]",
        "[[:alnum:]]",
        "[[:upper:]]",
        "[[:lower:]]",
        "[[:space:]]",
        "[[:blank:]]",
        "[[:punct:]]",
        "[[:print:]]",
        "[[:graph:]]",
        "[[:cntrl:]]",
        "[[:xdigit:]]",
        "[[:word:]]",
        "[[:^alpha:]]",
        "[[:^upper:]]",
        "[[:^space:]]",
        "[^[:lower:]]",
        "[^[:^digit:]]",
        "[[:alpha:][:digit:]-]",
        "[a[:digit:]]",
        "[[:alpha]",
        "[[:]",
        "(?-i:a)",
        "(?s:.)",
        "(?-s:.)",
        "(?i:a)",
        "(?s)x|.",
        "(?-i)a",
        "(?si)a|.",
        "(?<n>a)",
        "(?P<n>a)",
        "(?'n'a)",
        "a(?#b)",
        "(?#b)a",
        "()",
        "(?:)",
        "a|",
        "|a",
        r"\Aa",
        r"a\z",
        r"a\Z",
        r"\ba",
        r"\Ba",
        "^a",
        "a$",
        "^$",
    ];
    let mut translated = 0;
    for pattern in PATTERNS {
        let mut set = PatternSet::default();
        let id = set
            .compile(Language::Pcre2, pattern.as_bytes())
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        translated += usize::from(set.find_end_by_automaton(id, b"").is_some());
        for byte in 0..=255 {
            for subject in [&[byte][..], &[b' ', byte], &[byte, b'\n'], &[byte, byte]] {
                let on = subject.escape_ascii();
                // compat: as above.
                if set.is_anchored_literal(id) && subject.ends_with(b"\n") {
                    continue;
                }
                let expected = set.find_end_by_backtracking(id, subject).unwrap();
                let mut scratch = Scratch::default();
                assert_eq!(set.find_end(id, subject, &mut scratch), expected, "{pattern} on {on}");
                let Some(found) = set.find_end_by_automaton(id, subject) else { continue };
                assert_eq!(found.is_some(), expected.is_some(), "{pattern} on {on}");
                if !subject.ends_with(b"\n") {
                    assert_eq!(found, expected, "{pattern} on {on}");
                }
            }
        }
    }
    assert!(translated + 6 > PATTERNS.len(), "{translated} of {}", PATTERNS.len());
}

#[test]
fn quantifiers() {
    let subjects = ["", "a", "aa", "aaa", "aaaa", "ab", "aab", "a{2", "a{,2}", "a{2,1}", "a{}"];
    for pattern in [
        "^a*$",
        "^a+$",
        "^a?$",
        "^a{2}$",
        "^a{2,}$",
        "^a{2,3}$",
        "^a{2",
        "^a{}$",
        "^a{x}$",
        "^a*?$",
        "^a+?b",
        "^a??b",
        "^a{2}?$",
        "^a{2,}?b",
        "^(a{2}){2}$",
        "^(?:a|b){3}",
        "^(a*)*$",
        "^(a|ab)(b?)$",
        "(?#x)a+b",
        "a(?#x)+b",
        r"\Qa\E+b",
        r"a\Q\E+b",
        r"a\E+b",
    ] {
        let mut set = PatternSet::default();
        let id = set.compile(Language::Pcre2, pattern.as_bytes()).unwrap();
        assert!(set.find_end_by_automaton(id, b"").is_some(), "{pattern}");
        for subject in subjects {
            let expected = set.find_end_by_backtracking(id, subject.as_bytes()).unwrap();
            let found = set.find_end_by_automaton(id, subject.as_bytes()).unwrap();
            assert_eq!(found, expected, "{pattern} on {subject}");
        }
    }
}

/// A verb may not hide behind something that looks like a class.
#[test]
fn hidden_verbs_are_refused() {
    for pattern in [
        "(*UTF)a",
        "a(*ACCEPT)",
        "[[:alpha:][](*ACCEPT)",
        r"\c[(*ACCEPT)",
        "(?#[)(*ACCEPT)",
        "(?x)#[\n(*ACCEPT)",
        "(?C'[')(*ACCEPT)",
        r"\Q[\E(*ACCEPT)",
        r"\\(*ACCEPT)",
        "[](*]](*ACCEPT)",
        r"[\E][](*ACCEPT)]",
    ] {
        let error = PatternSet::default().compile(Language::Pcre2, pattern.as_bytes()).unwrap_err();
        assert!(error.message.contains("verbs"), "{pattern}: {error}");
    }
    for pattern in ["[(*]", "[[:alpha:](*]", r"\(*", r"\Q(*\E", "(?#(*)a", "[^](*]"] {
        let compiled = PatternSet::default().compile(Language::Pcre2, pattern.as_bytes());
        assert!(compiled.is_ok(), "{pattern}: {compiled:?}");
    }
}
