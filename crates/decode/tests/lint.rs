//! Doubtful decoders: text, and the codes of its findings in order.

use decode::{DecodeOptions, LoadInput, lint, load};
use model::{Diagnostic, SourceId};

fn findings(text: &str) -> Vec<Diagnostic> {
    let files = [(SourceId(0), text.as_bytes())];
    let options = DecodeOptions::default();
    let loaded = load(&LoadInput { files: &files, options, order_fields_max: 8 });
    assert!(loaded.is_usable(), "{:#?}", loaded.diagnostics);
    lint::lint(&loaded.decoders)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let findings = findings(text);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, expected, "{text}\n{findings:#?}");
}

/// A decoder of a program `doord` with this child.
fn child(inside: &str) -> String {
    format!(
        "<decoder name=\"d\"><program_name>^doord</program_name></decoder>
         <decoder name=\"c\"><parent>d</parent>{inside}</decoder>"
    )
}

fn regex(pattern: &str, order: &str) -> String {
    child(&format!("<regex>{pattern}</regex><order>{order}</order>"))
}

fn pcre2(pattern: &str, order: &str) -> String {
    child(&format!("<pcre2>{pattern}</pcre2><order>{order}</order>"))
}

#[test]
fn addresses_behind_what_a_user_writes() {
    // A user called `root from 6.6.6.6`.
    check(&regex(r"^knock by (\S+) from (\S+)", "user, srcip"), &["forgeable-address"]);
    check(&regex(r"^knock by (\S+) from (\S+)$", "user, srcip"), &[]);
    check(&regex(r"^knock by \.+ from (\S+)", "srcip"), &["forgeable-address"]);
    check(&pcre2(r"^knock by .* from (\S+)$", "srcip"), &[]);
    check(&pcre2(r"^knock by .*? from (\S+)", "srcip"), &["forgeable-address"]);
    // Of greedy text the last place wins.
    check(&pcre2(r"^knock by .* from (\S+)", "srcip"), &["last-place-address"]);
    check(&pcre2(r"^knock by .* from (\S+) as (.*)", "srcip, user"), &["forgeable-address"]);
    check(&pcre2(r"^from (\d+\.\d+\.\d+\.\d+) by (.*)$", "srcip, user"), &[]);
    check(&regex(r"^id (\d+) from (\S+)", "id, srcip"), &[]);
}

#[test]
fn other_fields() {
    check(&regex(r"^knock by (\S+) for (\S+) at", "srcuser, user"), &["forgeable-field"]);
    check(&regex(r"^knock by (\S+) port (\d+)", "user, srcport"), &["forgeable-field"]);
    check(&regex(r"^id (\d+) port (\d+)", "id, srcport"), &[]);
}

#[test]
fn addresses_anywhere() {
    check(&regex(r"rhost=(\S+)", "srcip"), &["first-place-address"]);
    check(&regex(r"^rhost=(\S+)", "srcip"), &[]);
    let after = "<prematch>^knock </prematch>\
                 <regex offset=\"after_prematch\">^from (\\S+)</regex><order>srcip</order>";
    check(&child(after), &[]);
    check(&child(&after.replace("^from", "from")), &["first-place-address"]);
    // Only one place can be the first where the line has to begin with the pattern's text.
    let same_start = "<prematch>^knock from </prematch>\
                      <regex>knock from (\\S+)</regex><order>srcip</order>";
    check(&child(same_start), &[]);
}

#[test]
fn what_a_finding_says() {
    let text = regex(r"^knock by (\S+) from (\S+)", "user, srcip");
    let findings = findings(&text);
    let finding = findings.first().unwrap();
    assert_eq!(
        finding.message,
        "decoder `c` takes its srcip from the text of dstuser, if that is written so"
    );
    let hint = finding.hint.as_deref().unwrap();
    let witness = "`knock by alice from 6.6.6.6 from 192.0.2.10`";
    assert!(hint.contains(witness), "{hint}");
}

#[test]
fn catch_alls_in_front() {
    check(&pcre2(r".*id (\d+)", "id"), &["leading-catch-all"]);
    check(&pcre2(r"(.+) id (\d+)", "status, id"), &["leading-catch-all"]);
    check(&pcre2(r"^.*id (\d+)", "id"), &[]);
    check(&pcre2(r".*?id (\d+)", "id"), &[]);
}

#[test]
fn order_and_captures() {
    check(&regex(r"^(\d+)", "id, status"), &["order-without-capture"]);
    check(&regex(r"^(\d+) (\d+)", "id"), &["capture-without-order"]);
    check(&regex(r"^a(\d+)|^b(\d+)", "id"), &[]);
    check(&pcre2("^door$", "id"), &["order-without-capture"]);
}

fn siblings(children: &[(&str, &str)]) -> String {
    let mut text = "<decoder name=\"d\"><program_name>^doord</program_name></decoder>".to_owned();
    for (name, prematch) in children {
        text.push_str(&format!("<decoder name=\"{name}\"><parent>d</parent>"));
        if !prematch.is_empty() {
            text.push_str(&format!("<prematch>{prematch}</prematch>"));
        }
        text.push_str("<regex>^(\\d+)</regex><order>id</order></decoder>");
    }
    text
}

#[test]
fn children_that_are_never_reached() {
    const CODE: &str = "unreachable-decoder";
    check(&siblings(&[("a", "open"), ("b", "shut"), ("c", "")]), &[]);
    check(&siblings(&[("a", "open"), ("b", ""), ("c", "shut"), ("e", "")]), &[CODE, CODE]);
    check(&siblings(&[("a", "open"), ("b", "open")]), &[CODE]);
    check(&siblings(&[("a", "open"), ("b", "^opened by")]), &[CODE]);
    check(&siblings(&[("a", "^open"), ("b", "^opened by")]), &[CODE]);
    check(&siblings(&[("a", "^open"), ("b", "opened by")]), &[]);
    check(&siblings(&[("a", "^opened by"), ("b", "open")]), &[]);
    check(&siblings(&[("a", "open|gate"), ("b", "gateway|opened")]), &[CODE]);
    // Those of one name belong together.
    check(&siblings(&[("a", ""), ("a", ""), ("b", "shut")]), &[CODE]);
    check(&siblings(&[("a", "open"), ("a", ""), ("b", "shut")]), &[]);
}

#[test]
fn top_level_decoders_that_are_never_reached() {
    let top = |name: &str, inside: &str| format!("<decoder name=\"{name}\">{inside}</decoder>");
    let (door, opened) = ("<prematch>^door</prematch>", "<prematch>^door opened</prematch>");
    check(&(top("a", door) + &top("b", opened)), &["unreachable-decoder"]);
    check(&(top("a", opened) + &top("b", door)), &[]);
    let program = "<program_name>^doord</program_name>";
    check(&(top("a", program) + &top("b", &format!("{program}{door}"))), &["unreachable-decoder"]);
    check(&(top("a", &format!("{program}{door}")) + &top("b", program)), &[]);
    // They are in different lists.
    check(&(top("a", program) + &top("b", door)), &[]);
}

#[test]
fn regex_of_a_parent() {
    let text = "<decoder name=\"d\"><prematch>^door</prematch>
                  <regex>^(\\w+)</regex><order>id</order></decoder>
                <decoder name=\"c\"><parent>d</parent><prematch>open</prematch></decoder>";
    check(text, &["unused-regex"]);
}
