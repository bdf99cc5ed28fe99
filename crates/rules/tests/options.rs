//! What each option of a rule means.

mod fixture;

use fixture::{keys, load_files, load_options, load_rules};
use rules::LoadOptions;
use rules::ruleset::{Info, InfoKind, KeyFields};

/// Options, the conditions they give, and the findings.
const CONDITIONS: &[(&str, &[&str], &[&str])] = &[
    ("<match>a</match>", &["Log match a"], &[]),
    ("<MATCH>a</MATCH>", &["Log match a"], &[]),
    ("<match> a|</match><match>^b</match>", &["Log match  a|^b"], &[]),
    ("<match></match>", &["Log match "], &[]),
    ("<match_pcre2>a+</match_pcre2>", &["Log pcre2 a+"], &[]),
    (
        "<match>a</match><match_pcre2>b</match_pcre2>",
        &["Log match a"],
        &["warning option-ignored: b"],
    ),
    ("<regex>\\d\\d</regex>", &["Log regex \\d\\d"], &[]),
    ("<pcre2>a</pcre2><pcre2>b</pcre2>", &["Log pcre2 ab"], &[]),
    ("<regex>a</regex><pcre2>b</pcre2>", &["Log regex a"], &["warning option-ignored: b"]),
    ("<match>a</match><regex>b</regex>", &["Log match a", "Log regex b"], &[]),
    ("<url>a</url><url_pcre2>b</url_pcre2>", &["Url match a", "Url pcre2 b"], &[]),
    ("<program_name>^p$</program_name>", &["ProgramName match ^p$"], &[]),
    ("<user_pcre2>^root$</user_pcre2>", &["User pcre2 ^root$"], &[]),
    (
        "<srcgeoip>DE</srcgeoip><dstgeoip>FR</dstgeoip>",
        &["SrcGeoIp match DE", "DstGeoIp match FR"],
        &[],
    ),
    ("<decoded_as>beta</decoded_as>", &["decoder 1"], &[]),
    (
        "<decoded_as>beta</decoded_as><decoded_as>alpha</decoded_as>",
        &["decoder 0"],
        &["warning repeated-option: decoded_as"],
    ),
    ("<action>DR</action><action>OP</action>", &["action DROP"], &[]),
    ("<srcip>10.0.0.0/8</srcip><srcip>!10.1.0.0/16</srcip>", &["srcip 2"], &[]),
    ("<dstip>any</dstip>", &["dstip 1"], &[]),
    ("<field name=\"User.Name\">bob</field>", &["field user.name regex bob"], &[]),
    (
        "<field name=\"a\">1</field><field name=\"b\">2</field>",
        &["field a regex 1", "field b regex 2"],
        &[],
    ),
    (
        "<field name=\"srcip\">1</field>",
        &["field srcip regex 1"],
        &["warning never-matches: srcip"],
    ),
    ("<time>6 pm - 8 am</time><weekday>weekends</weekday>", &["time", "weekday"], &[]),
    ("<compiled_rule>check_id_size</compiled_rule>", &["compiled LongId"], &[]),
    ("<if_fts /><check_diff />", &["changed", "first seen"], &[]),
    ("<list field=\"SRCIP\">rules/known</list>", &["list 0 SrcIp MatchKey "], &[]),
    (
        "<list field=\"user\" lookup=\"not_match_key\">rules/known.cdb</list>\
         <list field=\"url\">known</list><list field=\"id\">rules/plain</list>",
        &["list 0 User NotMatchKey ", "list 0 Url MatchKey ", "list 1 Id MatchKey "],
        &[],
    ),
    (
        "<list field=\"user\" lookup=\"match_key_value\" check_value=\"^v\">known</list>",
        &["list 0 User MatchKeyValue match ^v"],
        &[],
    ),
    (
        "<list field=\"user\" check_value=\"v\">known</list>",
        &["list 0 User MatchKey "],
        &["warning attribute-ignored: check_value"],
    ),
    ("<match negate=\"yes\">a</match>", &["Log match a"], &["warning attribute-ignored: negate"]),
    (
        "<match>a<b></b>c</match>",
        &["Log match c"],
        &["warning element-ignored: b", "warning text-before-child: a"],
    ),
    ("<regex>\\.*login</regex>", &["Log regex \\.*login"], &["warning leading-catch-all: \\"]),
    ("<pcre2>.+ login</pcre2>", &["Log pcre2 .+ login"], &["warning leading-catch-all: ."]),
    ("<pcre2>.*</pcre2>", &["Log pcre2 .*"], &[]),
    ("<pcre2>^.*login</pcre2>", &["Log pcre2 ^.*login"], &[]),
    ("<pcre2>.*?login</pcre2>", &["Log pcre2 .*?login"], &[]),
    ("<match>.*login</match>", &["Log match .*login"], &[]),
];

#[test]
fn conditions() {
    for &(options, conditions, findings) in CONDITIONS {
        let case = load_options(options);
        assert_eq!(case.conditions(100), conditions, "{options}");
        assert_eq!(case.findings(), findings, "{options}");
    }
}

#[test]
fn conditions_are_in_the_order_of_evaluation() {
    let case = load_rules(
        "<rule id=\"100\" level=\"3\" maxsize=\"9\">
           <list field=\"id\">known</list><if_fts /><check_diff /><status>s</status>
           <hostname>h</hostname><extra_data>e</extra_data><weekday>mon</weekday>
           <time>1-2</time><srcgeoip>DE</srcgeoip><user>u</user>
           <compiled_rule>is_valid_crawler</compiled_rule><dstport>2</dstport>
           <srcport>1</srcport><dstip>1.1.1.1</dstip><srcip>1.1.1.1</srcip>
           <field name=\"f\">f</field><url_pcre2>y</url_pcre2><url>x</url><action>a</action>
           <pcre2>r</pcre2><match>m</match><id>i</id><program_name>p</program_name>
           <decoded_as>alpha</decoded_as><description>d</description>
         </rule>",
    );
    let order = [
        "decoder 0",
        "ProgramName match p",
        "Id match i",
        "Log match m",
        "Log pcre2 r",
        "action a",
        "Url match x",
        "Url pcre2 y",
        "field f regex f",
        "srcip 1",
        "dstip 1",
        "SrcPort match 1",
        "DstPort match 2",
        "compiled KnownCrawler",
        "User match u",
        "SrcGeoIp match DE",
        "size 9",
        "time",
        "weekday",
        "ExtraData match e",
        "Hostname match h",
        "Status match s",
        "changed",
        "first seen",
        "list 0 Id MatchKey ",
    ];
    assert_eq!(case.conditions(100), order, "{:?}", case.findings());
}

/// Options and the error that leaves the rule out.
const ERRORS: &[(&str, &str)] = &[
    ("<mach>a</mach>", "error unknown-option: mach"),
    ("<same_ID /><if_matched_sid>1</if_matched_sid>", "error unknown-option: same_ID"),
    ("<regex></regex>", "error bad-pattern: "),
    ("<regex>ab\\ncd</regex>", "error bad-pattern: \\"),
    ("<regex>ab</regex><regex>cd\\n</regex>", "error bad-pattern: \\"),
    ("<pcre2>a(b</pcre2>", "error bad-pattern: "),
    ("<match>a</match><match_pcre2>(</match_pcre2>", "error bad-pattern: "),
    ("<decoded_as>alpa</decoded_as>", "error unknown-decoder: alpa"),
    ("<category>sylog</category>", "error unknown-word: sylog"),
    ("<category>host-information</category>", "error unknown-word: host-information"),
    ("<srcip>10.0.0</srcip><srcip>x</srcip>", "error bad-value: x"),
    ("<time>25-26</time>", "error bad-value: 25-26"),
    ("<weekday>mon-fri</weekday>", "error bad-value: mon-fri"),
    ("<compiled_rule>x</compiled_rule>", "error unknown-word: x"),
    ("<field>x</field>", "error missing-attribute: field"),
    ("<field name=\"\">x</field>", "error missing-attribute: field"),
    ("<list field=\"id\">knwn</list>", "error unknown-list: knwn"),
    ("<list>known</list>", "error missing-attribute: list"),
    ("<list field=\"ip\">known</list>", "error unknown-word: ip"),
    ("<list field=\"id\" lookup=\"x\">known</list>", "error unknown-word: x"),
    ("<list field=\"id\" lookup=\"match_key_value\">known</list>", "error missing-attribute: list"),
    ("<options>no-log</options>", "error unknown-word: no-log"),
    ("<options> no_log</options>", "error unknown-word:  no_log"),
    ("<ignore>nothing</ignore>", "error unknown-word: nothing"),
    ("<check_if_ignored>x</check_if_ignored>", "error unknown-word: x"),
    ("<if_sid>1\n,2</if_sid>", "error bad-value: \n"),
    ("<if_sid></if_sid>", "error bad-value: "),
    ("<if_sid> ,</if_sid>", "error bad-value:  ,"),
    ("<if_sid>99999999999</if_sid>", "error bad-value: 99999999999"),
    ("<if_level>x</if_level>", "error bad-value: x"),
    ("<if_matched_sid>1,2</if_matched_sid>", "error bad-value: 1,2"),
    ("<if_matched_sid></if_matched_sid>", "error bad-value: "),
    ("<if_matched_regex></if_matched_regex>", "error bad-pattern: "),
    ("<same_user />", "error needs-correlation: same_user"),
    ("<different_url />", "error needs-correlation: different_url"),
];

#[test]
fn errors() {
    for &(options, finding) in ERRORS {
        let case = load_options(options);
        assert_eq!(case.findings(), [finding], "{options}");
        assert!(case.ruleset().find(100).is_none(), "{options}");
    }
}

#[test]
fn hints_name_what_was_meant() {
    for (options, hint) in [
        ("<mach>a</mach>", "did you mean `match`?"),
        ("<decoded_as>alpa</decoded_as>", "did you mean `alpha`?"),
        ("<decoded_as> alpha</decoded_as>", "did you mean `alpha`?"),
        ("<category>sylog</category>", "did you mean `syslog`?"),
        ("<options> no_log</options>", "leave out the blanks around it"),
        (
            "<options>log</options>",
            "it knows alert_by_email, no_email_alert, log_alert, no_log, no_ar",
        ),
        ("<list field=\"ids\">known</list>", "did you mean `id`?"),
        ("<if_sid>101</if_sid>", "`if_sid` of rule"),
    ] {
        let case = load_options(options);
        let hints = case.hints();
        assert!(hints.contains(&hint) || options.contains("101"), "{options}: {hints:?}");
    }
    let case = load_rules(
        "<rule id=\"5700\" level=\"1\"><match>a</match></rule>
         <rule id=\"100\" level=\"1\"><if_sid>5701</if_sid></rule>",
    );
    assert_eq!(case.hints(), ["did you mean 5700?"]);
}

#[test]
fn pattern_length_has_a_limit() {
    let max = model::limits::PATTERN_BYTES_MAX;
    for (length, finding) in
        [(2048, None), (10_000, None), (max, None), (max + 1, Some("pattern-too-long"))]
    {
        // Several elements, because one cannot be that long.
        let text = "x".repeat(length);
        let pieces = text
            .as_bytes()
            .chunks(4000)
            .map(|piece| format!("<match>{}</match>", String::from_utf8_lossy(piece)));
        let case = load_options(&pieces.collect::<String>());
        let code = case.loaded.diagnostics.first().map(|finding| finding.code);
        assert_eq!(code, finding, "{length}");
    }
}

#[test]
fn attributes() {
    let case = load_rules(
        "<rule ID=\"0100\" Level=\"12\" maxsize=\"70\" timeframe=\"60\" frequency=\"4\"
               noalert=\"1\" ignore=\"30\" accuracy=\"1\" overwrite=\"no\">
           <if_matched_regex>x</if_matched_regex><description>d</description></rule>",
    );
    let rule = case.rule(100);
    assert_eq!((rule.level, rule.frequency, rule.ignore_seconds), (12, 4, 30));
    assert!(rule.noalert);
    assert_eq!(case.correlation(100).timeframe, 60);
    assert_eq!(case.findings(), [""; 0]);
    let options = LoadOptions { default_timeframe: 90, ..LoadOptions::default() };
    let text = format!(
        "{}<group name=\"g\"><rule id=\"100\" level=\"1\"><if_matched_regex>x</if_matched_regex></rule></group>",
        fixture::TEMPLATES
    );
    let case = load_files(&[text.as_bytes()], options, true);
    assert_eq!(case.correlation(100).timeframe, 90);
}

#[test]
fn attribute_findings() {
    for (attributes, loads, findings) in [
        ("level=\"1\"", false, &["error missing-attribute: rule"][..]),
        ("id=\"100\"", false, &["error missing-attribute: rule"]),
        ("id=\"x\" level=\"1\"", false, &["error bad-value: x"]),
        ("id=\"\" level=\"1\"", false, &["error bad-value: "]),
        ("id=\"100\" level=\"-1\"", false, &["error bad-value: -1"]),
        ("id=\"100\" level=\"1\" freqency=\"1\"", false, &["error unknown-attribute: freqency"]),
        ("id=\"100\" level=\"1\" frequency=\"2\"", false, &["error needs-correlation: 2"]),
        ("id=\"100\" level=\"1\" frequency=\"0\"", true, &[]),
        ("id=\"100\" level=\"1\" overwrite=\"Yes\"", false, &["error bad-value: Yes"]),
        ("id=\"100\" level=\"1\" noalert=\"0\"", true, &["warning noalert-value: 0"]),
        ("id=\"100\" level=\"17\"", true, &["warning unusual-level: 17"]),
        (
            "id=\"0001007\" level=\"00011\"",
            true,
            &["warning number-cut: 0001007", "warning number-cut: 00011"],
        ),
    ] {
        let case = load_rules(&format!("<rule {attributes}><match>a</match></rule>"));
        assert_eq!(case.findings(), findings, "{attributes}");
        assert_eq!(case.ruleset().find(100).is_some(), loads, "{attributes}");
    }
}

// compat: level 99 becomes 0
#[test]
fn level_99() {
    let case = load_rules("<rule id=\"100\" level=\"99\"><match>a</match></rule>");
    assert_eq!(case.rule(100).level, 0);
    assert_eq!(case.findings(), ["warning level-99: 99"]);
}

#[test]
fn log_and_mail_follow_level_and_options() {
    for (level, options, log, mail, response) in [
        (0, "", false, false, true),
        (1, "", true, false, true),
        (7, "", true, true, true),
        (7, "<options>no_email_alert</options>", true, false, true),
        (3, "<options>alert_by_email</options>", true, true, true),
        (3, "<options>no_log</options>", false, false, true),
        (3, "<options>no_log</options><options>log_alert</options>", true, false, true),
        (3, "<options>log_alert</options><options>no_log</options>", false, false, true),
        (3, "<options>no_ar</options>", true, false, false),
    ] {
        let case = load_rules(&format!(
            "<rule id=\"100\" level=\"{level}\"><match>a</match>{options}</rule>"
        ));
        let rule = case.rule(100);
        assert_eq!((rule.log, rule.mail, rule.active_response), (log, mail, response), "{options}");
    }
    let strict = LoadOptions { log_alert_level: 6, email_alert_level: 5, ..LoadOptions::default() };
    let text = format!(
        "{}<group name=\"g\"><rule id=\"100\" level=\"5\"><match>a</match></rule></group>",
        fixture::TEMPLATES
    );
    let case = load_files(&[text.as_bytes()], strict, true);
    assert_eq!((case.rule(100).log, case.rule(100).mail), (false, true));
}

#[test]
fn settings_without_effect() {
    for (level, options, findings) in [
        (0, "<options>alert_by_email</options>", &["warning without-effect: alert_by_email"][..]),
        (0, "<options>no_log</options>", &[]),
        (
            3,
            "<options>alert_by_email</options><options>no_log</options>",
            &["warning without-effect: alert_by_email"],
        ),
    ] {
        let rule = format!("<rule id=\"100\" level=\"{level}\"><match>a</match>{options}</rule>");
        assert_eq!(load_rules(&rule).findings(), findings, "{options}");
    }
}

#[test]
fn texts() {
    let case = load_rules(
        "<rule id=\"100\" level=\"1\"><match>a</match>
           <group>x,</group><group>y</group>
           <description>one\ntwo\nthree</description><description>, four\n</description>
           <info>t</info><info type=\"link\">l</info><info type=\"osvdb\">o</info>
           <cve>2020-1</cve><info type=\"nonsense\">n</info></rule>",
    );
    let rule = case.rule(100);
    assert_eq!(rule.groups, "g,x,y");
    assert_eq!(rule.description, "one two\nthree, four ");
    let expected = [
        (InfoKind::Text, "t"),
        (InfoKind::Link, "l"),
        (InfoKind::Osvdb, "o"),
        (InfoKind::Cve, "2020-1"),
        (InfoKind::Text, "n"),
    ];
    assert_eq!(rule.info, expected.map(|(kind, text)| Info { kind, text: text.into() }));
    assert_eq!(case.findings(), ["warning unknown-info-type: nonsense"]);
    for (count, findings) in [(9, 0), (10, 1)] {
        let case = load_options(&"<info>x</info>".repeat(count));
        assert_eq!(case.findings().len(), findings);
        assert_eq!(case.rule(100).info.len(), 9);
    }
}

#[test]
fn joined_groups_are_told() {
    let file = |name: &str, own: &str| {
        fixture::load(&format!(
            "<group name=\"{name}\"><rule id=\"100\" level=\"1\"><match>a</match>\
             <group>{own}</group></rule></group>"
        ))
    };
    assert_eq!(file("a,b", "c,").findings(), ["warning groups-joined: c,"]);
    assert_eq!(file("a,b", "c,").rule(100).groups, "a,bc,");
    assert_eq!(file("a,b,", "c,").findings(), [""; 0]);
}

#[test]
fn ignored_fields() {
    let case = load_options(
        "<ignore>user, srcip</ignore><ignore>location</ignore>
         <check_if_ignored>username</check_if_ignored>",
    );
    let rule = case.rule(100);
    let ignore = KeyFields::USER.with(KeyFields::SRCIP).with(KeyFields::LOCATION);
    assert_eq!(rule.ignore, ignore);
    assert_eq!(rule.check_if_ignored, KeyFields::USER.with(KeyFields::NAME));
}

/// Options, keys that must be the same, keys that must differ, and both in strict mode.
type KeyCase = (&'static str, &'static [&'static str], &'static [&'static str]);
const KEYS: &[(KeyCase, &[&str], &[&str])] = &[
    (("<same_source_ip /><Same_User />", &["SrcIp", "User"], &[]), &["SrcIp", "User"], &[]),
    (
        ("<same_src_port /><same_dst_port />", &["SrcPort", "DstPort"], &[]),
        &["SrcPort", "DstPort"],
        &[],
    ),
    (("<same_location /><same_id />", &["Location", "Id"], &[]), &["Location", "Id"], &[]),
    (("<different_url />", &[], &["Url"]), &[], &["Url"]),
    (("<different_srcip />", &[], &["SrcIp"]), &[], &[]),
    (("<different_srcgeoip />", &[], &["SrcGeoIp"]), &[], &["SrcGeoIp"]),
    (("<same_user /><not_same_user />", &[], &["User"]), &[], &[]),
    (("<not_same_user /><same_user />", &["User"], &[]), &["User"], &[]),
    (("<same_location /><not_same_agent />", &[], &["Location"]), &[], &[]),
    (("<not_same_source_ip /><not_same_id />", &[], &["SrcIp", "Id"]), &[], &[]),
];

// compat: in strict mode different_srcip and not_same_… test nothing
#[test]
fn correlation_keys() {
    for &((options, same, different), same_strict, different_strict) in KEYS {
        for (strict, same, different) in
            [(false, same, different), (true, same_strict, different_strict)]
        {
            let text = format!(
                "{}<group name=\"g\"><rule id=\"100\" level=\"1\">\
                 <if_matched_regex>x</if_matched_regex>{options}</rule></group>",
                fixture::TEMPLATES
            );
            let settings = LoadOptions { strict, ..LoadOptions::default() };
            let case = load_files(&[text.as_bytes()], settings, true);
            assert_eq!(keys(case.correlation(100).same), same, "{options} {strict}");
            assert_eq!(keys(case.correlation(100).different), different, "{options} {strict}");
            assert_eq!(case.findings(), [""; 0], "{options}");
        }
    }
}

#[test]
fn keys_without_counting() {
    let case = load_options("<match>a</match><not_same_user />");
    assert_eq!(case.findings(), ["warning without-effect: not_same_user"]);
    assert!(case.rule(100).correlation.is_none());
    // check_diff is accepted in its place.
    assert_eq!(load_options("<check_diff /><same_user />").findings(), [""; 0]);
}

#[test]
fn one_kind_of_counting() {
    let case = load_rules(
        "<rule id=\"99\" level=\"1\"><match>a</match></rule>
         <rule id=\"100\" level=\"1\"><if_matched_regex>r</if_matched_regex>
           <if_matched_sid>99</if_matched_sid></rule>",
    );
    assert_eq!(case.over(100), "sid 99");
    assert_eq!(case.findings(), ["warning option-ignored: r"]);
}

#[test]
fn unknown_decoder_after_decoder_errors_is_no_error() {
    let text = format!(
        "{}<group name=\"g\"><rule id=\"100\" level=\"1\"><decoded_as>x</decoded_as></rule>
         <rule id=\"101\" level=\"1\"><if_sid>100</if_sid></rule></group>",
        fixture::TEMPLATES
    );
    let case = load_files(&[text.as_bytes()], LoadOptions::default(), false);
    assert_eq!(case.findings(), ["warning decoder-left-out: x", "warning left-out: 100"]);
    assert!(case.ruleset().find(100).is_none());
}
