//! Which rules the second pass warns about, and which it leaves alone.

mod fixture;

use fixture::load_rules;

/// A rule with a description.
fn rule(id: u32, level: u32, options: &str) -> String {
    format!("<rule id=\"{id}\" level=\"{level}\">{options}<description>d</description></rule>")
}

fn check(rules: &[String], lints: &[&str]) {
    let text = rules.concat();
    let case = load_rules(&text);
    let errors = case.findings().into_iter().filter(|finding| finding.starts_with("error"));
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{text}");
    assert_eq!(case.lints(), lints, "{text}");
}

#[test]
fn rules_for_decoders_that_events_never_carry() {
    let lint = "never-matches: rule 100 can never match: events carry the name of \
                `alpha-child`'s parent decoder";
    check(&[rule(100, 1, "<decoded_as>alpha-child</decoded_as>")], &[lint]);
    // One finding for a branch.
    check(
        &[
            rule(100, 1, "<decoded_as>alpha-child</decoded_as>"),
            rule(101, 1, "<if_sid>100</if_sid><match>x</match>"),
        ],
        &[lint],
    );
    check(&[rule(100, 1, "<decoded_as>alpha</decoded_as>")], &[]);
}

#[test]
fn rules_for_decoders_of_another_category() {
    check(
        &[rule(100, 1, "<decoded_as>wall</decoded_as>")],
        &["never-matches: rule 100 can never match: it is tried for events of category syslog, \
           and decoder `wall` makes none"],
    );
    check(
        &[
            rule(100, 1, "<category>firewall</category><decoded_as>wall</decoded_as>"),
            rule(101, 1, "<category>windows</category><decoded_as>beta</decoded_as>"),
        ],
        &[],
    );
}

#[test]
fn rules_that_contradict_their_parents() {
    let parents = [
        rule(100, 1, "<decoded_as>alpha</decoded_as>"),
        rule(101, 1, "<decoded_as>beta</decoded_as><action>a</action>"),
    ];
    let [first, second] = &parents;
    check(
        &[
            first.clone(),
            second.clone(),
            rule(102, 1, "<if_sid>100</if_sid><decoded_as>beta</decoded_as>"),
            rule(103, 1, "<if_sid>100, 101</if_sid><decoded_as>beta</decoded_as>"),
            rule(104, 1, "<if_sid>101</if_sid><action>b</action>"),
        ],
        &[
            "never-matches: rule 102 can never match: the rules above it want another decoder",
            "never-matches: rule 104 can never match: the rules above it want another action",
        ],
    );
}

#[test]
fn rules_that_count_nothing() {
    check(
        &[rule(100, 0, "<match>x</match>"), rule(101, 5, "<if_matched_sid>100</if_matched_sid>")],
        &["never-matches: rule 101 can never match: rule 100 has level 0 and never alerts, so \
           nothing is counted"],
    );
}

#[test]
fn shadowed_rules() {
    let shadowed = |id: u32, by: u32| {
        format!(
            "shadowed: rule {id} can never match: rule {by} is tried before it and wants no more"
        )
    };
    // A rule of level 0 without conditions, equal conditions, and weaker ones.
    check(
        &[rule(100, 0, "<group>x,</group>"), rule(101, 9, "<match>a</match>")],
        &[&shadowed(101, 100)],
    );
    check(
        &[rule(100, 5, "<match>a</match>"), rule(101, 5, "<match>a</match>")],
        &[&shadowed(101, 100)],
    );
    check(
        &[rule(100, 5, "<match>a</match>"), rule(101, 4, "<match>a</match><user>u</user>")],
        &[&shadowed(101, 100)],
    );
    // What the parent wants holds for both.
    check(
        &[
            rule(100, 5, "<match>a</match>"),
            rule(101, 5, "<if_sid>100</if_sid><match>a</match>"),
            rule(102, 4, "<if_sid>100</if_sid><user>u</user>"),
        ],
        &[&shadowed(102, 101)],
    );
}

#[test]
fn rules_that_are_not_shadowed() {
    for rules in [
        // Wanting less, or something else.
        [rule(100, 5, "<match>a</match><user>u</user>"), rule(101, 4, "<match>a</match>")]
            .as_slice(),
        &[rule(100, 5, "<match>a</match>"), rule(101, 4, "<match>b</match>")],
        &[rule(100, 5, "<match>a</match>"), rule(101, 4, "<pcre2>a</pcre2>")],
        // Not always true.
        &[rule(100, 5, "<if_fts /><match>a</match>"), rule(101, 4, "<match>a</match>")],
        &[rule(100, 5, "<check_diff />"), rule(101, 4, "<match>a</match>")],
        &[
            rule(100, 9, "<if_matched_regex>x</if_matched_regex><match>a</match>"),
            rule(101, 4, "<match>a</match>"),
        ],
        // Also hanging elsewhere.
        &[
            rule(100, 5, "<match>a</match>"),
            rule(101, 5, "<match>b</match>"),
            rule(102, 5, "<if_sid>100</if_sid><match>c</match>"),
            rule(103, 4, "<if_sid>100, 101</if_sid><match>c</match>"),
        ],
    ] {
        let case = load_rules(&rules.concat());
        let lints = case.lints();
        assert!(!lints.iter().any(|lint| lint.starts_with("shadowed")), "{rules:?}: {lints:?}");
    }
    // A noalert rule passes on what its children do not want.
    let case = load_rules(
        "<rule id=\"100\" level=\"5\" noalert=\"1\"><match>a</match><description>d</description></rule>
         <rule id=\"101\" level=\"5\"><if_sid>100</if_sid><match>b</match><description>d</description></rule>
         <rule id=\"102\" level=\"4\"><match>a</match><description>d</description></rule>",
    );
    assert_eq!(case.lints(), [""; 0]);
}

#[test]
fn silent_rules() {
    let case = load_rules("<rule id=\"100\" level=\"5\" noalert=\"1\"><match>a</match></rule>");
    assert_eq!(
        case.lints(),
        [
            "never-matches: rule 100 never fires: it is `noalert` and has no rules below it",
            "no-description: rule 100 has no description",
        ]
    );
}
