//! Where rules hang, in which order, and which rules count which.

#![expect(clippy::expect_used, reason = "a test")]

mod fixture;

use fixture::{Case, load, load_files, load_rules};
use model::limits::RULE_DEPTH_MAX;
use rules::LoadOptions;

/// Rules written short: `ID LEVEL [more attributes] | options`, one a line.
fn short(rules: &str) -> String {
    let mut text = String::new();
    for line in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, options) = line.split_once('|').expect("a bar");
        let mut head = head.split_whitespace();
        let id = head.next().expect("an id");
        let level = head.next().expect("a level");
        let rest = head.collect::<Vec<_>>().join(" ");
        text += &format!(
            "<rule id=\"{id}\" level=\"{level}\" {rest}><description>d</description>{options}</rule>\n"
        );
    }
    text
}

/// Loads short rules and compares the tree below the syslog template.
fn check(rules: &str, tree: &str) -> Case {
    let case = load_rules(&short(rules));
    let errors = case.findings().into_iter().filter(|finding| finding.starts_with("error"));
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{rules}");
    assert_eq!(case.branch(case.rule(1)), tree, "{rules}");
    case
}

#[test]
fn siblings_are_in_order_of_level_then_of_loading() {
    check("100 3|\n101 5|\n102 3|\n103 16|", "1(103 101 100 102)");
    check("100 3|\n101 0|\n102 16|\n103 0|", "1(101 103 102 100)");
}

#[test]
fn inaccurate_rules_are_last() {
    check("100 16 accuracy=\"0\"|\n101 1|\n102 0|", "1(102 101 100)");
}

#[test]
fn rules_hang_below_if_sid() {
    check("100 3|\n101 5|<if_sid>100</if_sid>\n102 9|<if_sid>101</if_sid>", "1(100(101(102)))");
    check("100 3|\n101 4|\n102 1|<if_sid>100, 101</if_sid>", "1(101(102) 100(102))");
    check("100 3|\n101 4|\n102 1|<if_sid>100 101</if_sid>", "1(101(102) 100(102))");
    // A rule that hangs in several places has its children in all of them.
    check(
        "100 3|\n101 4|\n102 1|<if_sid>100,101</if_sid>\n103 1|<if_sid>102</if_sid>",
        "1(101(102(103)) 100(102(103)))",
    );
}

#[test]
fn repeated_and_trailing_ids() {
    let case = check("100 3|\n101 5|<if_sid>100,100</if_sid>", "1(100(101))");
    assert_eq!(case.findings(), ["warning repeated-id: 100"]);
    // OSSEC hangs such a rule below the template as well.
    for list in ["100,", "100 ", "100, "] {
        let rules = format!("100 3|\n101 5|<if_sid>{list}</if_sid>");
        let case = check(&rules, "1(100(101))");
        assert_eq!(case.findings().len(), 1);
        assert!(case.findings()[0].starts_with("warning trailing-separator"));
    }
    // compat: pieces are joined without a separator.
    let case = check("100 3|\n101 5|<if_sid>1</if_sid><if_sid>00</if_sid>", "1(100(101))");
    assert_eq!(case.findings(), ["warning repeated-option: if_sid"]);
}

#[test]
fn category_comes_from_the_last_parent() {
    let case = load_rules(&short(
        "100 3|<category>windows</category>
         101 3|<category>firewall</category>
         102 3|<if_sid>100, 101</if_sid>
         103 3|<if_sid>102</if_sid><category>windows</category>
         104 3|<if_sid>101</if_sid><category>firewall</category>",
    ));
    for (id, word) in [(100, "windows"), (102, "firewall"), (103, "firewall"), (104, "firewall")] {
        assert_eq!(case.rule(id).category.word(), word, "{id}");
    }
    assert_eq!(case.outline(), "1 2(101(102(103) 104)) 6(100(102(103)))");
    assert_eq!(case.findings(), ["warning option-ignored: windows"]);
}

// compat: if_level also catches rules of level 0, templates included
#[test]
fn rules_hang_below_levels() {
    let case = load_rules(&short("100 3|\n101 6|\n102 0|\n103 8|<if_level>6</if_level>\n104 9|"));
    assert_eq!(case.outline(), "1(102(103) 104 103 101(103) 100) 2(103) 6(103)");
}

// compat: if_level 0 drops the rule
#[test]
fn level_zero_drops_the_rule() {
    let case = load_rules(&short("100 3|<if_level>0</if_level>\n101 3|"));
    assert_eq!(case.outline(), "1(101) 2 6");
    assert_eq!(case.findings(), ["warning if-level-zero: 0"]);
}

#[test]
fn rules_hang_below_groups() {
    check(
        "100 3|<group>login,</group>
         101 4|<group>logout,</group>
         102 5|<if_group>LOGIN</if_group>
         103 5|<if_group>^g,logo</if_group>",
        "1(101(103) 100(102))",
    );
}

#[test]
fn if_sid_beats_if_level_beats_if_group_beats_category() {
    check("100 3|\n101 4|<if_sid>100</if_sid><if_level>1</if_level>", "1(100(101))");
    let case = load_rules(&short(
        "100 9|<group>x,</group>\n101 3|<group>y,</group>
         102 4|<if_level>9</if_level><if_group>y</if_group>",
    ));
    assert_eq!(case.outline(), "1(100(102) 102 101) 2(102) 6(102)");
    check(
        "100 3|<group>x,</group>\n101 4|<if_group>x</if_group><category>windows</category>",
        "1(100(101))",
    );
}

#[test]
fn counted_rules_are_parents() {
    check("100 3|\n101 4|<if_matched_sid>100</if_matched_sid>", "1(100(101))");
    check(
        "100 3|\n101 4|\n102 4|<if_matched_sid>100</if_matched_sid><if_sid>101</if_sid>",
        "1(101(102) 100)",
    );
    check(
        "100 3|<group>x,</group>\n101 4|\n102 4|<if_matched_sid>101</if_matched_sid><if_group>x</if_group>",
        "1(101 100(102))",
    );
    check(
        "100 3|<group>x,</group>\n101 4|\n102 5|<if_matched_group>x</if_matched_group>",
        "1(101 100(102))",
    );
    check("100 3|\n101 4|<if_matched_regex>x</if_matched_regex>", "1(101 100)");
}

#[test]
fn ids_below_ten_are_templates() {
    let case =
        load("<group name=\"g\"><rule id=\"9\" level=\"0\"><if_sid>1</if_sid></rule></group>");
    assert_eq!(case.outline(), "1 2 6 9");
}

/// Rules, findings, and the ids that remain.
const LEFT_OUT: &[(&str, &[&str], &[u32])] = &[
    ("100 3|<if_sid>555</if_sid>", &["error unknown-rule: 555"], &[]),
    (
        "100 3|<if_sid>555</if_sid>\n101 3|<if_sid>100</if_sid>\n102 3|<if_sid>101</if_sid>",
        &["error unknown-rule: 555", "warning left-out: 100", "warning left-out: 101"],
        &[],
    ),
    ("100 3|<bad></bad>\n101 3|", &["error unknown-option: bad"], &[101]),
    (
        "100 3|<bad></bad>\n101 3|\n102 3|<if_sid>100, 101</if_sid>",
        &["error unknown-option: bad", "warning left-out: 100"],
        &[101, 102],
    ),
    ("100 3|<if_sid>101</if_sid>\n101 3|", &["error rule-order: 101"], &[101]),
    ("100 3|<if_sid>100</if_sid>", &["error unknown-rule: 100"], &[]),
    ("100 3|<if_matched_sid>101</if_matched_sid>\n101 3|", &["error rule-order: 101"], &[101]),
    ("100 3|<if_sid>1</if_sid><if_matched_sid>5</if_matched_sid>", &["error unknown-rule: 5"], &[]),
    ("100 3|<if_group>x</if_group>", &["error unknown-group: x"], &[]),
    ("100 3|<if_group></if_group>", &["error unknown-group: "], &[]),
    (
        "100 3|<bad></bad><group>x,</group>\n101 3|<if_group>x</if_group>",
        &["error unknown-option: bad", "warning left-out: x"],
        &[],
    ),
    ("100 3|\n100 4|<match>a</match>", &["error duplicate-rule: 100"], &[100]),
    ("100 3 overwrite=\"yes\"|", &["error unknown-rule: 100"], &[]),
    (
        "100 3|<bad></bad>\n100 3 overwrite=\"yes\"|",
        &["error unknown-option: bad", "warning left-out: 100"],
        &[],
    ),
    (
        "100 3|<category>ids</category>\n101 3|<category>ids</category>\n102 3|<if_sid>101</if_sid>",
        &["error no-template: ids", "warning left-out: 101"],
        &[],
    ),
];

#[test]
fn a_bad_rule_takes_along_only_what_needs_it() {
    for &(rules, findings, ids) in LEFT_OUT {
        let case = load_rules(&short(rules));
        assert_eq!(case.findings(), findings, "{rules}");
        let loaded = case.ruleset().rules.iter().map(|rule| rule.id).filter(|&id| id >= 10);
        assert_eq!(loaded.collect::<Vec<_>>(), ids, "{rules}");
    }
}

#[test]
fn unknown_ids_after_a_broken_file_are_follow_ups() {
    let second = format!("<group name=\"h\">{}</group>", short("200 3|<if_sid>101</if_sid>"));
    let broken = format!("<group name=\"g\">{}<rule id=\"101\"", short("100 3|"));
    let files = [fixture::TEMPLATES.as_bytes(), broken.as_bytes(), second.as_bytes()];
    let case = load_files(&files, LoadOptions::default(), true);
    let findings = case.findings();
    assert_eq!(findings.iter().filter(|finding| finding.starts_with("error")).count(), 1);
    assert!(findings.contains(&"warning left-out: 101".to_owned()), "{findings:?}");
}

#[test]
fn messages_name_the_other_place() {
    let case =
        load_rules(&short("100 3|\n100 4|<match>a</match>\n101 3|<if_sid>102</if_sid>\n102 3|"));
    let messages: Vec<&str> =
        case.loaded.diagnostics.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "rule 100 is defined twice (first in f1.xml:1)",
            "`if_sid` names rule 102, which is loaded later (f1.xml:4)",
        ]
    );
}

// compat: overwrite keeps place and parents, and replaces everything else
#[test]
fn overwrite() {
    let case = load_rules(&short(
        "100 3|<match>old</match><pcre2>old</pcre2><field name=\"f\">old</field><group>x,</group><info>i</info>
         101 5|
         102 3|<if_sid>100</if_sid>
         103 4|<if_matched_group>x</if_matched_group>
         104 4|<if_matched_sid>102</if_matched_sid>
         100 9 overwrite=\"yes\"|<match_pcre2>new</match_pcre2>
         104 4 overwrite=\"yes\"|<if_matched_sid>101</if_matched_sid>
         105 6|",
    ));
    assert_eq!(case.conditions(100), ["Log pcre2 new"]);
    let rule = case.rule(100);
    assert_eq!((rule.level, rule.mail, rule.groups.as_str()), (9, true, "g,"));
    assert!(rule.info.is_empty());
    assert_eq!(case.branch(case.rule(1)), "1(105 101 100(103 102(104)))");
    assert_eq!(case.over(104), "sid 101");
    assert_eq!(case.counted_by(101), [104]);
    assert_eq!(case.counted_by(102), [0; 0]);
    // What counts groups was linked when it was loaded.
    assert_eq!(case.counted_by(100), [103]);
    assert_eq!(case.findings(), [""; 0]);
}

#[test]
fn an_overwrite_without_counting_counts_nothing() {
    let case = load_rules(&short(
        "100 3|\n101 9 frequency=\"3\"|<if_matched_sid>100</if_matched_sid>
         101 2 overwrite=\"yes\"|<match>a</match>",
    ));
    assert!(case.rule(101).correlation.is_none());
    assert_eq!(case.counted_by(100), [0; 0]);
    assert_eq!(case.outline(), "1(100(101)) 2 6");
}

#[test]
fn an_overwrite_for_another_place_is_told() {
    let rules = |place: &str| {
        load_rules(&short(&format!(
            "100 3|\n101 3|\n102 3|<if_sid>100</if_sid>\n102 5 overwrite=\"yes\"|{place}"
        )))
    };
    assert_eq!(rules("<if_sid>100</if_sid>").findings(), [""; 0]);
    let case = rules("<if_sid>101</if_sid>");
    assert_eq!(case.findings(), ["warning overwrite-keeps-place: 101"]);
    assert_eq!(case.outline(), "1(100(102) 101) 2 6");
    let case = rules("<category>windows</category>");
    assert_eq!(case.findings(), ["warning overwrite-keeps-place: windows"]);
    assert_eq!(case.rule(102).category.word(), "syslog");
}

// compat: siblings that come later are put before the first one of a lower level as it is now
#[test]
fn an_overwritten_level_counts_for_later_siblings() {
    check("100 10|\n101 8|\n102 5|\n101 1 overwrite=\"yes\"|\n103 6|", "1(100 103 101 102)");
    check("100 10|\n101 8|\n102 5|\n101 0 overwrite=\"yes\"|\n103 9|", "1(100 101 103 102)");
}

#[test]
fn groups_count_rules_loaded_so_far_and_themselves() {
    let case = load_rules(&short(
        "100 3|<group>x,</group>
         101 3|
         102 9 frequency=\"5\"|<if_matched_group>^g,x</if_matched_group><group>x,</group>
         103 3|<group>x,</group>",
    ));
    assert_eq!(case.counted_by(100), [102]);
    assert_eq!(case.counted_by(101), [0; 0]);
    assert_eq!(case.counted_by(102), [102]);
    assert_eq!(case.counted_by(103), [0; 0]);
    assert_eq!(case.correlation(102).frequency, 5);
}

// compat: a rule that some rule counts by id is not counted by its groups
#[test]
fn rules_counted_by_id_are_not_counted_by_group() {
    let case = load_rules(&short(
        "100 3|<group>x,</group>
         101 3|<group>x,</group>
         102 9|<if_matched_group>x</if_matched_group>
         103 9|<if_matched_sid>100</if_matched_sid>
         104 9|<if_matched_sid>100</if_matched_sid>",
    ));
    assert_eq!(case.counted_by(100), [103, 104]);
    assert_eq!(case.counted_by(101), [102]);
}

#[test]
fn a_rule_in_several_places_is_counted_once() {
    let case = load_rules(&short(
        "100 3|\n101 3|\n102 3|<if_sid>100,101</if_sid><group>x,</group>
         103 9|<if_matched_group>x</if_matched_group>
         104 9|<if_matched_regex>x</if_matched_regex>",
    ));
    assert_eq!(case.counted_by(102), [103]);
    let by_text = &case.ruleset().counted_by_text;
    assert_eq!(by_text.len(), 1);
    assert_eq!(case.ruleset().rule(by_text[0]).id, 104);
}

#[test]
fn depth_is_limited() {
    let chain: String = (0..RULE_DEPTH_MAX)
        .map(|depth| match depth {
            0 => "100 3|\n".into(),
            depth => format!("{} 3|<if_sid>{}</if_sid>\n", 100 + depth, 99 + depth),
        })
        .collect();
    let case = load_rules(&short(&chain));
    assert_eq!(case.findings(), [format!("error too-deep: {}", 99 + RULE_DEPTH_MAX)]);
    assert_eq!(case.ruleset().rules.len(), 3 + RULE_DEPTH_MAX - 1);
}

#[test]
fn places_are_limited() {
    // Each rule hangs below all before it and so doubles the places.
    let rules: String = (0..30)
        .map(|number| match number {
            0 => "100 1|<group>x,</group>\n".into(),
            _ => format!("{} 1|<if_group>x</if_group><group>x,</group>\n", 100 + number),
        })
        .collect();
    let case = load_rules(&short(&rules));
    let findings = case.findings();
    assert!(findings[0].starts_with("error too-many-places"), "{findings:?}");
    assert!(case.ruleset().rules.len() < 30);
}

#[test]
fn files() {
    for (text, findings) in [
        ("", &["error no-rules: "][..]),
        ("<!-- nothing -->", &["error no-rules: "]),
        ("<rule id=\"100\" level=\"1\"></rule>", &["error unknown-element: rule"]),
        ("<gruop name=\"x\"></gruop>", &["error unknown-element: gruop"]),
        ("<group name=\"x\"></group>", &["error empty-group: group"]),
        ("<group name=\"x\"><rul></rul></group>", &["error unknown-element: rul"]),
        (
            "<group><rule id=\"100\" level=\"1\"><match>a</match></rule></group>",
            &["error missing-attribute: group"],
        ),
        (
            "<group name=\"x\" nam=\"y\"><rule id=\"100\" level=\"1\"><match>a</match></rule></group>",
            &["error unknown-attribute: nam"],
        ),
        (
            "<group name=\"x\"><rule id=\"100\" level=\"1\"></rule></group>",
            &["error empty-rule: rule"],
        ),
    ] {
        assert_eq!(load(text).findings(), findings, "{text}");
    }
}

#[test]
fn any_bytes_are_survived() {
    let text = format!(
        "<group name=\"g,\">{}</group>",
        short(
            "100 3 frequency=\"1\"|<if_matched_sid>1</if_matched_sid><regex>a\\d+</regex>\n101 3|<if_sid>100, 1</if_sid><list field=\"id\" lookup=\"match_key_value\" check_value=\"x\">known</list>"
        )
    );
    let bytes = text.as_bytes();
    for cut in 0..bytes.len() {
        load_files(&[&bytes[..cut]], LoadOptions::default(), true);
        let mut changed = bytes.to_vec();
        for byte in [0, b'<', b'>', b'"', b'\\', 0xff] {
            changed[cut] = byte;
            load_files(&[fixture::TEMPLATES.as_bytes(), &changed], LoadOptions::default(), true);
        }
    }
}
