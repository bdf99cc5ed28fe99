//! What is wrong with decoder files: text, and the codes of its findings in order.

use decode::{DecodeOptions, LoadInput, Loaded, load};
use model::{Source, Sources};

fn loaded(text: &str) -> (Loaded, Sources) {
    let mut sources = Sources::default();
    let id = sources.add(Source::new("decoders.xml", text.as_bytes()));
    let files = [(id, text.as_bytes())];
    let input = LoadInput { files: &files, options: DecodeOptions::default(), order_fields_max: 4 };
    (load(&input), sources)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (loaded, _) = loaded(text);
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|finding| finding.code).collect();
    let shown = text.get(..400).unwrap_or(text);
    assert_eq!(codes, expected, "{shown}");
    assert_eq!(loaded.is_usable(), expected.is_empty());
    for finding in &loaded.diagnostics {
        assert!(finding.at.is_some(), "{finding:?}");
        let mut letters = finding.message.chars();
        assert!(letters.next().is_some_and(|first| !first.is_uppercase()), "{finding:?}");
        assert!(!finding.message.ends_with('.'), "{finding:?}");
    }
}

/// A decoder `d` of these elements.
fn top(inside: &str) -> String {
    format!("<decoder name=\"d\">{inside}</decoder>")
}

/// A decoder `c` of these elements below a plain one.
fn child(inside: &str) -> String {
    format!("{}<decoder name=\"c\"><parent>d</parent>{inside}</decoder>", top(PREMATCH))
}

const PREMATCH: &str = "<prematch>^door</prematch>";
const REGEX: &str = "<regex>by (\\S+)</regex><order>user</order>";

#[test]
fn good() {
    check("", &[]);
    check(&top(PREMATCH), &[]);
    check(&top("<program_name>^doord</program_name>"), &[]);
    check(&top("<program_name_pcre2>^door(?=d)</program_name_pcre2>"), &[]);
    check(&top(&format!("{PREMATCH}{REGEX}<fts>name, user, location</fts>")), &[]);
    check(&top(&format!("{PREMATCH}<plugin_decoder>PF_Decoder</plugin_decoder>")), &[]);
    check(&top(&format!("{PREMATCH}<TYPE>ids</TYPE>")), &[]);
    check(&top("<pre_match>x</pre_match>"), &["unknown-element", "nothing-to-match"]);
    check(&top(&format!("{PREMATCH}<ftscomment>x</ftscomment><accumulate/>")), &[]);
    check(&child(REGEX), &[]);
    check(&child("<pcre2>^closed$</pcre2><order>id</order>"), &[]);
    check(&top("<prematch>^do</prematch><prematch>or</prematch>"), &[]);
    let in_top = "<regex offset=\"after_prematch\">(\\d+)</regex><order>id</order>";
    check(&top(&format!("{PREMATCH}{in_top}")), &[]);
}

#[test]
fn elements_and_attributes() {
    check("<rule id=\"1\"></rule>", &["not-a-decoder"]);
    check("<decoder></decoder>", &["missing-name"]);
    check("<decoder name=\"\"></decoder>", &["missing-name"]);
    check(
        &format!("<decoder name=\"d\" status=\"on\">{PREMATCH}</decoder>"),
        &["unknown-attribute"],
    );
    check(&top(&format!("{PREMATCH}<status>on</status>")), &["unknown-element"]);
    check(&top("<prematch after=\"x\">a</prematch>"), &["unknown-attribute"]);
    check(
        &top(&format!("{PREMATCH}<fts offset=\"after_parent\">name</fts>")),
        &["unknown-attribute", "missing-regex"],
    );
    check(&child("<prematch offset=\"behind\">a</prematch>"), &["unknown-offset"]);
    check(
        &child("<prematch>a</prematch><prematch offset=\"after_parent\">b</prematch>"),
        &["late-offset"],
    );
}

#[test]
fn values() {
    check(&top("<prematch>(</prematch>"), &["bad-pattern"]);
    check(&top("<prematch></prematch>"), &["bad-pattern"]);
    check(&top("<program_name_pcre2>(*UTF)a</program_name_pcre2>"), &["bad-pattern"]);
    check(&top(&format!("{PREMATCH}<type>IDS</type>")), &["unknown-type"]);
    check(&top(&format!("{PREMATCH}<plugin_decoder>pf</plugin_decoder>")), &["unknown-plugin"]);
    let order = |order: &str| child(&format!("<regex>(\\d+)</regex><order>{order}</order>"));
    check(&order("a,b,c,d"), &[]);
    check(&order("a,b,c,d,e"), &["order-too-long"]);
    check(&order("a,,b"), &["empty-field"]);
    check(&order(""), &["empty-field"]);
    let fts = |fts: &str| child(&format!("{REGEX}<fts>{fts}</fts>"));
    check(&fts("name,user,srcip,dstip,id,location,data,system_name"), &[]);
    check(&fts("name,user,srcip,dstip,id,location,data,system_name,id"), &["fts-too-long"]);
    check(&fts("name,colour"), &["unknown-fts"]);
}

#[test]
fn pattern_lengths() {
    use model::limits::PATTERN_BYTES_MAX;
    // Elements end at 8191 bytes; the pattern is put together from several. A comment makes it
    // long, but not large.
    let pattern = |len: usize| {
        let text = format!("a(?#{})", "x".repeat(len - 5));
        let parts = text.as_bytes().chunks(8000).map(|part| String::from_utf8_lossy(part));
        let element = |part| format!("<prematch_pcre2>{part}</prematch_pcre2>");
        top(&parts.map(element).collect::<String>())
    };
    check(&pattern(PATTERN_BYTES_MAX), &[]);
    check(&pattern(PATTERN_BYTES_MAX + 1), &["pattern-too-long"]);
}

#[test]
fn combinations() {
    check(&top(""), &["nothing-to-match"]);
    check(&top(REGEX), &["nothing-to-match"]);
    check(&child("<regex>(a)</regex>"), &["missing-order"]);
    check(&child("<order>user</order>"), &["missing-regex"]);
    check(&child("<fts>user</fts>"), &["missing-regex"]);
    let plugin = "<plugin_decoder>PF_Decoder</plugin_decoder>";
    check(&child(&format!("{REGEX}{plugin}")), &["plugin-with-regex"]);
    check(&child(&format!("<order>user</order>{plugin}")), &["plugin-with-regex"]);
    check(&child("<regex>^closed$</regex><order>id</order>"), &["no-captures"]);
}

#[test]
fn offsets() {
    let regex = |offset| format!("<regex offset=\"{offset}\">(a)</regex><order>id</order>");
    check(&top("<prematch offset=\"after_parent\">a</prematch>"), &["offset-without-parent"]);
    check(&child("<prematch offset=\"after_prematch\">a</prematch>"), &["bad-offset"]);
    check(&child("<prematch offset=\"after_regex\">a</prematch>"), &["bad-offset"]);
    check(&top(&(PREMATCH.to_owned() + &regex("after_parent"))), &["offset-without-parent"]);
    check(&top(&(PREMATCH.to_owned() + &regex("after_regex"))), &["offset-without-parent"]);
    check(&child(&regex("after_prematch")), &["offset-without-prematch"]);
    check(&child(&regex("after_regex")), &["offset-without-regex"]);
    check(&child(&regex("after_parent")), &[]);
    check(&child(&(PREMATCH.to_owned() + &regex("after_prematch"))), &[]);
}

#[test]
fn decoders_among_one_another() {
    check(&top("<parent>e</parent>"), &["unknown-parent"]);
    // A parent stands before its children, and has none itself.
    let reversed = format!("<decoder name=\"c\"><parent>d</parent></decoder>{}", top(PREMATCH));
    check(&reversed, &["unknown-parent"]);
    let third = "<decoder name=\"e\"><parent>c</parent></decoder>";
    check(&(child(REGEX) + third), &["unknown-parent"]);
    let again = |inside: &str| {
        format!("{}<decoder name=\"c\"><parent>d</parent>{inside}</decoder>", child(REGEX))
    };
    check(&again(REGEX), &[]);
    check(&again(&format!("{PREMATCH}{REGEX}")), &["group-with-prematch"]);
    check(&again(&format!("{REGEX}<fts>user</fts>")), &["group-with-prematch"]);
    check(&again("<pcre2>(a)</pcre2><order>id</order>"), &["group-mixes-languages"]);
    let plugin = child("<plugin_decoder>PF_Decoder</plugin_decoder>");
    let after = "<regex offset=\"after_regex\">(a)</regex><order>id</order>";
    let after = format!("<decoder name=\"c\"><parent>d</parent>{after}</decoder>");
    check(&(plugin + &after), &["offset-without-regex"]);
}

/// All that is wrong is said at once, and each in its place.
#[test]
fn several_findings_in_one_run() {
    let text = "\
<decoder name=\"a\"><prematch>\\q</prematch><type>odd</type></decoder>
<rule/>
<decoder name=\"b\"><prematch>b</prematch></decoder>
<decoder name=\"c\"><parent>bb</parent><regx>x</regx><order>,</order></decoder>
<decoder name=\"e\"><parent>c</parent></decoder>
";
    let (loaded, sources) = loaded(text);
    let found: Vec<(usize, usize, &str)> = loaded
        .diagnostics
        .iter()
        .map(|finding| {
            let (source, span) = finding.at.unwrap();
            let (line, column) = sources.get(source).unwrap().position(span.start);
            (line, column, finding.code)
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, 48, "unknown-type"),
            (1, 29, "bad-pattern"),
            (2, 2, "not-a-decoder"),
            (4, 39, "unknown-element"),
            (4, 59, "empty-field"),
            (4, 59, "empty-field"),
            (4, 2, "missing-regex"),
            (5, 27, "unknown-parent"),
        ]
    );
    // What is right is there all the same.
    assert_eq!(loaded.decoders.iter().map(|decoder| &decoder.name).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn siblings_at_their_limit() {
    let many = |count: usize| {
        let mut text = top(PREMATCH);
        for number in 0..count {
            text.push_str(&format!("<decoder name=\"c{}\"><parent>d</parent>", number % 7));
            text.push_str("<regex>(a)</regex><order>id</order></decoder>");
        }
        text
    };
    check(&many(60_000), &[]);
    check(&many(60_001), &["too-many-siblings"]);
}

#[test]
fn names_and_fields_at_their_limit() {
    let decoders = |count: usize| {
        (0..count)
            .map(|n| format!("<decoder name=\"d{n}\">{}</decoder>", program(n)))
            .collect::<String>()
    };
    // Half of them ask for a program name, so that neither list is full.
    fn program(number: usize) -> &'static str {
        if number.is_multiple_of(2) {
            "<prematch>a</prematch>"
        } else {
            "<program_name>a</program_name>"
        }
    }
    check(&decoders(65_000), &[]);
    check(&decoders(65_001), &["too-many-names"]);
    let fields = |count: usize| {
        let mut text = top(PREMATCH);
        for first in (0..count).step_by(4) {
            let names: Vec<_> = (first..count.min(first + 4)).map(|n| format!("f{n}")).collect();
            text.push_str("<decoder name=\"c\"><parent>d</parent><regex>(a)</regex>");
            text.push_str(&format!("<order>{}</order></decoder>", names.join(",")));
        }
        text
    };
    check(&fields(60_000), &[]);
    check(&fields(60_001), &["too-many-fields"]);
}

/// The first example of every finding a reader of the file may get says what to do.
#[test]
fn findings_have_hints() {
    let (loaded, _) =
        loaded("<decoder name=\"d\"><prematc>a</prematc><type>firewal</type></decoder>");
    let hints: Vec<_> =
        loaded.diagnostics.iter().filter_map(|finding| finding.hint.as_deref()).collect();
    assert_eq!(
        hints,
        [
            "did you mean `<prematch>`?",
            "did you mean `firewall`?",
            "a decoder without a parent needs one of them",
        ]
    );
}
