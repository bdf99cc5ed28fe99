//! What the dialect means, and what is said about files that break it.
//!
//! A tree is written as `name a=value 'content' (children)`.

use model::{
    SourceId,
    limits::{DIAGNOSTICS_MAX, FILE_BYTES_MAX, XML_DEPTH_MAX},
};
use osxml::{
    Element, Parsed,
    limits::{
        ATTRIBUTES_MAX, ELEMENTS_MAX, EXPANDED_BYTES_MAX, TEXT_BYTES_MAX, VARIABLE_NAME_BYTES_MAX,
    },
};

fn parse(text: impl AsRef<[u8]>) -> Parsed {
    osxml::parse(SourceId(7), text.as_ref())
}

fn codes(parsed: &Parsed) -> Vec<&'static str> {
    parsed.diagnostics.iter().map(|finding| finding.code).collect()
}

fn shown(elements: &[Element]) -> String {
    let one = |element: &Element| {
        let mut text = element.name.clone();
        for attribute in &element.attributes {
            text += &format!(" {}={}", attribute.name, attribute.text());
        }
        text += &format!(" '{}'", element.text());
        if !element.children.is_empty() {
            text += &format!(" ({})", shown(&element.children));
        }
        text
    };
    elements.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The tree of a file without any finding.
#[track_caller]
fn check(text: &str, tree: &str) {
    check_findings(text, &[], tree);
}

#[track_caller]
fn check_findings(text: &str, expected: &[&str], tree: &str) {
    let parsed = parse(text);
    assert_eq!(codes(&parsed), expected, "{text}: {:?}", parsed.diagnostics);
    assert_eq!(shown(&parsed.elements), tree, "{text}");
}

#[test]
fn structure() {
    check("", "");
    check(" \n", "");
    check("<a></a><b></b>", "a '', b ''");
    check("\u{feff}<a></a>", "a ''");
    check("<?xml version=\"1.0\"?><a></a>", "a ''");
    check("\u{feff}<?xml version=\"1.0\"?>\n<a></a>", "a ''");
    check("<a/>", "a ''");
    check("<a />", "a ''");
    check("<a x=\"1\"/>", "a x=1 ''");
    check("<a x=\"1\" />", "a x=1 ''");
    check("<a> x\n y\t</a>", "a ' x\n y\t'");
    check("<a>&lt;&amp;&#60;</a>", "a '&lt;&amp;&#60;'");
    check("<g><b>1</b> c </g>", "g ' c ' (b '1')");
    check("<a>x > y</a>", "a 'x > y'");
    check("<a.b-c:d>x</a.b-c:d>", "a.b-c:d 'x'");
}

#[test]
fn oddities_that_work_are_told() {
    check_findings("x <a></a> > y", &["text-outside"], "a ''");
    check_findings("<g> a <b>1</b> c </g>", &["text-before-child"], "g ' c ' (b '1')");
    check_findings("<g><a / x='1'>t</g>", &["text-after-slash"], "g ' x='1'>t' (a '')");
    check_findings("<![CDATA[x]]> <!-- c --><a/>", &["markup-is-comment"], "a ''");
}

#[test]
fn backslash() {
    check(r"<a>1 \<b> 2</a>", r"a '1 \<b> 2'");
    check(r"<a>x\\<b></a>", r"a 'x\\<b>'");
    check(r"<a>x\</a></a>", r"a 'x\</a>'");
    check(r"<a>x\ <b>y</b></a>".replace("x\\ ", "").as_str(), "a '' (b 'y')");
    check(r"<a>x\<!-- c -->y</a>", r"a 'x\y'");
}

#[test]
fn comments() {
    check("<a>a<!-- c -->b</a>", "a 'ab'");
    check("<!x!><a>a<!-- <b> -- --->b</a>", "a 'ab'");
    check("<a>1<!! !>2</a><!-->", "a '12'");
    check("<!-- <a> --><b/><!-- </b> -->", "b ''");
}

#[test]
fn attributes() {
    check("<a x=\"1\" y='2'>t</a>", "a x=1 y=2 't'");
    check("<a\n x= \n\"1\"\t>t</a>", "a x=1 't'");
    check("<a x=\"it's <b\n\">t</a>", "a x=it's <b\n 't'");
    check("<a x='say \"\"'/>", "a x=say \"\" ''");
    check("<a x=''/>", "a x= ''");
    let parsed = parse("<Rule ID='1'/>");
    let rule = &parsed.elements[0];
    assert!(rule.is("rule") && rule.attribute("id").is_some() && rule.attribute("x").is_none());
}

#[test]
fn variables() {
    let var = "<var name=\"V\">val</var>";
    let with = |text: &str| format!("{var}{text}");
    check(var, "");
    check(&with("<a>$V.</a>"), "a 'val.'");
    check(&with("<a>x $v|$V,$V $V</a>"), "a 'x val|val,val val'");
    check(&with("<a>$V$V</a>"), "a 'valval'");
    check(&with("<a>$V</a>"), "a '$V'");
    check(&with("<a>^a$|^b$</a>"), "a '^a$|^b$'");
    check(&with("<a x='a $V'/>"), "a x=a val ''");
    check(&with(r"<a>x\$V</a>"), r"a 'x\val'");
    check("<a>a$)b $V.</a>", "a 'a$)b $V.'");
    check(&format!("<g><a>(a$)</a>{var}<b>$V </b></g>"), "g '' (a '(a$)', b 'val ')");
    check("<VAR NAME='A'/><a>x$A</a>", "a 'x'");
    check(&with("<var name='W'>$V $X</var><a>$W |</a>"), "a '$V $X |'");
    check_findings(&with("<var name='v'>2</var><a>_$V</a>"), &["variable-repeated"], "a '_val'");
    check_findings("<var name='a b'>2</var>", &["variable-unusable"], "");
}

#[test]
fn variables_that_fail() {
    let with = |text: &str| format!("<var name=\"VALUE\">val</var>{text}");
    let unknown = ["variable-unknown"];
    check_findings(&with("<a>$VALUE-y</a>"), &unknown, "a ''");
    check_findings(&with("<a>a$)b</a>"), &unknown, "a 'a'");
    check_findings(&with("<a x='(a$)'/>"), &unknown, "a x=(a ''");
    check_findings(&with("<a>$X $Y $VALUE</a>"), &["variable-unknown"; 2], "a '  val'");
    check_findings("<var>x</var>", &["variable-without-name"], "");
    check_findings("<var x='1' name='n'>x</var>", &["variable-without-name"], "");
    let parsed = parse(with("<a>$VALU </a>"));
    assert_eq!(parsed.diagnostics[0].hint.as_deref(), Some("did you mean `$value`?"));
}

#[test]
fn errors_do_not_hide_what_follows() {
    check_findings(" <?xml version=\"1.0\"?><a/>", &["prolog-misplaced"], "a ''");
    check_findings("<a/><?xml version=\"1.0\"?>", &["prolog-misplaced"], "a ''");
    check_findings("<?xml version=\"1.0\"><a/>", &["prolog-not-closed"], "a ''");
    check_findings("<a>x</a ><b/>", &["blank-in-close"], "a 'x', b ''");
    check_findings("<a>x</A><b/>", &["close-mismatch"], "a 'x', b ''");
    check_findings("<match>x</mach><b/>", &["close-mismatch"], "match 'x', b ''");
    check_findings("<a>x</regex></a>", &["close-mismatch"], "a 'x'");
    check_findings("<a/></a><b/>", &["close-without-open"], "a '', b ''");
    check_findings("<a><b>x</a><c/>", &["not-closed"], "a '' (b 'x'), c ''");
    check_findings("<a><b>x", &["not-closed"; 2], "a '' (b 'x')");
    check_findings("<a>x</a\n<b/>", &["tag-not-closed"], "a 'x', b ''");
    check_findings("<a>1 < 2</a>", &["stray-less-than"], "a '1 < 2'");
    check_findings("<a><></a>", &["stray-less-than"], "a '<>'");
    check_findings("<a>x<!-- c </a>", &["comment-not-closed"], "a 'x'");
    check_findings("<![CDATA[x]]><a/>", &["comment-not-closed"], "");
    check_findings("<!DOCTYPE html><a/>", &["comment-not-closed"], "");
    check_findings("<a", &["tag-not-closed"], "");
    check_findings("<a x='1'", &["tag-not-closed"], "");
}

#[test]
fn attribute_errors() {
    check_findings("<a x =\"1\" y='2'/>", &["blank-before-equals"], "a x=1 y=2 ''");
    check_findings("<a x=\"1\"y=\"2\"/>", &["no-blank-between"], "a x=1 y=2 ''");
    check_findings("<a x='1' x='2'/>", &["attribute-repeated"], "a x=1 ''");
    check_findings("<a x='1>2' y='3'/>", &["greater-than-in-value"], "a x=1>2 y=3 ''");
    check_findings("<a x='1>t</a>", &["greater-than-in-value"], "a x=1 't'");
    check_findings("<a x>t</a>", &["attribute-without-value"], "a x= 't'");
    check_findings("<a x y='1'/>", &["attribute-without-value"], "a x= y=1 ''");
    check_findings("<a x=1 y=2/>", &["value-without-quotes"; 2], "a x=1 y=2 ''");
    check_findings("<a ='1'/>", &["attribute-without-name"], "a =1 ''");
}

#[test]
fn findings_point_and_help() {
    let check = |text: &str, excerpt: &str, message: &str, hint: &str| {
        let parsed = parse(text);
        let finding = &parsed.diagnostics[0];
        let (source, span) = finding.at.unwrap();
        assert_eq!(source, SourceId(7));
        assert_eq!(&text[span.range()], excerpt, "{text}");
        assert_eq!(finding.message, message);
        assert_eq!(finding.hint.as_deref(), Some(hint));
    };
    check(
        "<g>\n<rule>\n</Rule></g>",
        "</Rule>",
        "`</Rule>` does not close `<rule>` of line 2",
        "did you mean `</rule>`? names must be equal, also in case",
    );
    check(
        r"<a>x\</a>",
        "a",
        "`<a>` of line 1 is not closed before the end of the file",
        r"content cannot end in a backslash: its `\</a>` is text",
    );
    check("<a id =\"1\"/>", " ", "a blank between `id` and `=`", "write `id=` without a blank");
    check(
        "<var name='HOST'>x</var><a>b $HOS c</a>",
        "$HOS",
        "there is no variable `HOS`",
        "did you mean `$host`?",
    );
}

#[test]
fn spans() {
    let text = "<g><rule id=\"12\"> ab<b/>cd<!-- -->e </rule></g>";
    let parsed = parse(text);
    let rule = &parsed.elements[0].children[0];
    let at = |span: model::Span| &text[span.range()];
    assert_eq!(at(rule.span), "<rule id=\"12\"> ab<b/>cd<!-- -->e </rule>");
    assert_eq!(at(rule.name_span), "rule");
    assert_eq!(at(rule.attributes[0].name_span), "id");
    assert_eq!(at(rule.attributes[0].value_span), "12");
    assert_eq!(at(rule.attributes[0].value_offset(1)), "2");
    assert_eq!(at(rule.content_span), "cd<!-- -->e ");
    assert_eq!(rule.content_offset(1), rule.content_span);
    assert_eq!(at(rule.children[0].span), "<b/>");

    let text = "<!-- c --><a>0123</a>";
    let element = &parse(text).elements[0];
    assert_eq!(&text[element.content_offset(2).range()], "2");
    assert_eq!(element.content_offset(4).range(), 17..17);
    assert_eq!(element.content_offset(usize::MAX).range(), 17..17);
}

#[test]
fn text_limits() {
    let long = |length: usize| "x".repeat(length);
    let forms: [fn(&str) -> String; 4] = [
        |text| format!("<a>{text}</a>"),
        |text| format!("<{text}/>"),
        |text| format!("<a x='{text}'/>"),
        |text| format!("<a {text}='1'/>"),
    ];
    for form in forms {
        assert!(codes(&parse(form(&long(TEXT_BYTES_MAX)))).is_empty());
        assert_eq!(codes(&parse(form(&long(TEXT_BYTES_MAX + 1)))), ["too-long"]);
    }
    let close = |length| codes(&parse(format!("<a>x</{}></a>", long(length))));
    assert_eq!(close(TEXT_BYTES_MAX), ["close-mismatch"]);
    assert_eq!(close(TEXT_BYTES_MAX + 1), ["too-long", "close-mismatch"]);
    let name = |length| codes(&parse(format!("<var name='{}'/>", long(length))));
    assert!(name(VARIABLE_NAME_BYTES_MAX).is_empty());
    assert_eq!(name(VARIABLE_NAME_BYTES_MAX + 1), ["variable-name-too-long"]);
}

#[test]
fn too_long_content_is_told_once_in_pieces_too() {
    let text = format!("<a>{}</a>", "x<!-- -->".repeat(TEXT_BYTES_MAX + 9));
    assert_eq!(codes(&parse(text)), ["too-long"]);
    let text = format!("<a>{}</a>", format!("{}<b/>", " ".repeat(5000)).repeat(3));
    assert!(codes(&parse(text)).is_empty());
}

#[test]
fn count_limits() {
    let nested = |depth: usize| codes(&parse("<a>".repeat(depth) + &"</a>".repeat(depth)));
    assert!(nested(XML_DEPTH_MAX).is_empty());
    assert_eq!(nested(XML_DEPTH_MAX + 1), ["too-deep"]);
    let attributes = |count: usize| {
        let list: String = (0..count).map(|i| format!(" a{i}=''")).collect();
        codes(&parse(format!("<a{list}/>")))
    };
    assert!(attributes(ATTRIBUTES_MAX).is_empty());
    assert_eq!(attributes(ATTRIBUTES_MAX + 1), ["too-many-attributes"]);
    let elements = |count: usize| codes(&parse("<a/>".repeat(count)));
    assert!(elements(ELEMENTS_MAX).is_empty());
    assert_eq!(elements(ELEMENTS_MAX + 1), ["too-many-elements"]);
    let findings = |count: usize| codes(&parse("</a>".repeat(count)));
    assert_eq!(findings(DIAGNOSTICS_MAX), vec!["close-without-open"; DIAGNOSTICS_MAX]);
    let full = findings(DIAGNOSTICS_MAX + 1);
    assert_eq!((full.len(), full.last()), (DIAGNOSTICS_MAX, Some(&"too-many-findings")));
}

#[test]
fn size_limits() {
    let file = |length: usize| codes(&parse(vec![b' '; length]));
    assert!(file(FILE_BYTES_MAX).is_empty());
    assert_eq!(file(FILE_BYTES_MAX + 1), ["file-too-long"]);
    // 4096 bytes of value, 1024 times in an element.
    let expanded = |elements: usize, rest: usize| {
        let value = format!("<var name='V'>{}</var><var name='E'>x</var>", "x".repeat(4096));
        let each = format!("<a>{}</a>", "$V.".repeat(1024));
        codes(&parse(format!("{value}{}<a>{}</a>", each.repeat(elements), "$E.".repeat(rest))))
    };
    let elements = EXPANDED_BYTES_MAX / (4096 * 1024);
    assert!(expanded(elements, 0).is_empty());
    assert_eq!(expanded(elements, 2), ["expansion-too-long"]);
}

#[test]
fn any_bytes_give_an_answer() {
    let pieces: [&[u8]; 28] = [
        b"<a>",
        b"</a>",
        b"<b",
        b"/>",
        b"<",
        b">",
        b"/",
        b"!",
        b"<!--",
        b"-->",
        b"\\",
        b"\"",
        b"'",
        b"=",
        b" x=\"1\"",
        b" ",
        b"\n",
        b"<?",
        b"?>",
        b"$V",
        b"$",
        b"|",
        b"<var name='V'>",
        b"</var>",
        b"\xff\x00",
        b"text",
        b"\xef\xbb\xbf",
        b"</",
    ];
    // Knuth's linear congruence: the same cases at every run.
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = Vec::new();
        for _ in 0..24 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let parsed = parse(&text);
        check_spans(&parsed.elements, &text);
        for finding in &parsed.diagnostics {
            let (_, span) = finding.at.unwrap();
            assert!(text.get(span.range()).is_some(), "{finding:?} in {text:?}");
            assert!(finding.hint.is_some());
        }
    }
}

fn check_spans(elements: &[Element], text: &[u8]) {
    for element in elements {
        let spans = [element.span, element.name_span, element.content_span];
        assert!(spans.iter().all(|span| text.get(span.range()).is_some()));
        assert_eq!(text.get(element.span.range().start), Some(&b'<'));
        check_spans(&element.children, text);
    }
}

/// OSSEC's own rules, where they are at hand.
#[test]
fn shipped_files_have_no_errors() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/ossec-ruleset");
    let Ok(rules) = std::fs::read_dir(format!("{root}/rules")) else {
        println!("skipped: {root} is not there");
        return;
    };
    let rules = rules.map(|entry| entry.unwrap().path());
    let mut elements = 0;
    for path in rules.chain([format!("{root}/decoder.xml").into()]) {
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let parsed = parse(std::fs::read(&path).unwrap());
        println!("{} {:?}", path.display(), parsed.diagnostics);
        assert!(parsed.is_usable(), "{}: {:?}", path.display(), parsed.diagnostics);
        elements += parsed.elements.len();
    }
    assert!(elements > 100);
}
