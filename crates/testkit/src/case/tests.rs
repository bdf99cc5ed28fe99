use model::Queue;
use model::Timestamp;

use super::*;

const CASE: &str = "\
# Brute force.
ruleset: ../ruleset
rules: fixture/sshd.xml
decoders <<END
<decoder name=\"a\"/>
# not a comment
END
list blocked <<END
192.0.2.7:x
END
compat: strict
set: drop_repeated

@ 2026-03-01 10:00:00  web1  (ag 1) any->/var/log/auth.log
Mar  1 10:00:00 web1 sshd[9]: Failed password
= decoder sshd  srcip 192.0.2.7
# between
= rule 5716 level 5  alert
repeat 4 every 5s
= rule 5716 level 5  alert
then +5s
= rule 5720 level 10  alert  context 5

@ +10s
queue 8
| = \\xff\\t\\\\
@ 2026-03-02 00:00:00  stdin
repeat 2 sheep
";

fn parse(text: &str) -> Case {
    Case::parse(text, Path::new("dir")).unwrap()
}

#[test]
fn whole_file() {
    let case = parse(CASE);
    assert_eq!(case.rules, [Source::File("dir/fixture/sshd.xml".into())]);
    assert_eq!(
        case.decoders,
        [Source::Inline {
            line_number: 5,
            text: "<decoder name=\"a\"/>\n# not a comment\n".into()
        }]
    );
    assert_eq!(case.lists, [List { name: "blocked".into(), text: "192.0.2.7:x\n".into() }]);
    assert_eq!(case.ruleset, Some("dir/../ruleset".into()));
    assert_eq!(case.settings, [Setting::DropRepeated]);
    assert!(case.is_strict);
    let start = Timestamp::from_civil((2026, 3, 1), (10, 0, 0), 0).unwrap().seconds;
    let inputs: Vec<StepInput> = case.steps.iter().flat_map(Step::inputs).collect();
    let seconds: Vec<i64> =
        inputs.iter().map(|input| input.event.received.seconds - start).collect();
    assert_eq!(seconds, [0, 5, 10, 15, 20, 25, 35, 14 * 3600]);
    for input in &inputs[..6] {
        assert_eq!(input.host, "web1");
        assert_eq!(input.event.location, b"(ag 1) any->/var/log/auth.log");
        assert_eq!(input.event.line, b"Mar  1 10:00:00 web1 sshd[9]: Failed password");
        assert_eq!(input.event.queue, Queue::LocalFile);
    }
    assert_eq!(inputs[6].event.line, b"= \xff\t\\");
    assert_eq!(inputs[6].event.queue, Queue::Syscheck);
    assert_eq!(inputs[7].event.line, b"repeat 2 sheep");
    assert_eq!(inputs[7].event.location, b"stdin");
    assert_eq!(inputs[7].host, "web1");
}

#[test]
fn all_mistakes_name_their_line() {
    let text = "\
rule: x
rules:
compat: loose
rules <<
event too early
@ 2026-13-01 10:00:00
= no rule
repeat 2 every 5s
event
= no rules
= no rule
= no rule
repeat 0 every 5s
then +5
| \\q
@ soon
";
    let problems = Case::parse(text, Path::new("")).unwrap_err().to_string();
    let lines: Vec<&str> =
        problems.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
    let expected: Vec<String> =
        [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16].map(|at| format!("line {at}")).into();
    assert_eq!(lines, expected, "{problems}");
    let open = Case::parse("rules <<EOF\n<group>\n", Path::new("")).unwrap_err();
    assert_eq!(open.to_string(), "line 2: missing the closing EOF");
}

/// Counts events; the fifth is an alert.
fn counting() -> impl FnMut(&StepInput) -> Answer {
    let mut count = 0;
    move |input| {
        count += 1;
        Answer {
            log: input.event.line.clone(),
            decoder: Some("d".into()),
            fields: vec![("srcip".into(), b"1  2".to_vec())],
            rule: (count > 1).then_some((10, 5, count == 5)),
            context: if count == 5 { 4 } else { 0 },
            ..Answer::default()
        }
    }
}

#[test]
fn repetitions_at_their_limit() {
    let text = |times: u32| format!("@ 2026-01-01 00:00:00\na\nrepeat {times} every 4294967295s\n");
    assert!(Case::parse(&text(1_000_000), Path::new("")).is_ok());
    assert!(Case::parse(&text(1_000_001), Path::new("")).is_err());
}

#[test]
fn failures_show_both_sides() {
    let case = parse("@ 2026-01-01 00:00:00\na\n= log b\nrepeat 2 every 1s\n= no rule\n");
    let failures = case.failures(&case.run(counting()));
    assert_eq!(
        failures,
        [
            "line 3\n  expected = log b\n  but got  = log a",
            "line 5, time 1\n  expected = no rule\n  but got  = rule 10 level 5  silent",
            "line 5, time 2\n  expected = no rule\n  but got  = rule 10 level 5  silent",
        ]
    );
}

#[test]
fn updated_case_passes() {
    let text = "\
# head
@ 2026-01-01 00:00:00

a
# kept
repeat 5 every 1s
= rule 1 level 1  alert
then +1s
= log x
# kept too
= no program
";
    let case = parse(text);
    let updated = case.updated(&case.run(counting()));
    assert_eq!(
        updated,
        "\
# head
@ 2026-01-01 00:00:00

a
= decoder d  srcip 1 \\x202
= no rule
# kept
repeat 3 every 1s
= rule 10 level 5  silent
repeat 1 every 1s
= rule 10 level 5  alert  context 4
repeat 1 every 1s
= rule 10 level 5  silent
then +1s
= log a
= no program
# kept too
"
    );
    let again = parse(&updated);
    let answers = again.run(counting());
    assert_eq!(again.failures(&answers), Vec::<String>::new());
    assert_eq!(again.updated(&answers), updated);
}

#[test]
fn check_compares_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.case");
    fs::write(&path, "@ 2026-01-01 00:00:00\na\n= log a\n").unwrap();
    check(&path, |_| Ok(counting())).unwrap();
    fs::write(&path, "@ 2026-01-01 00:00:00\na\n= log b\n").unwrap();
    if env::var_os(UPDATE_VARIABLE).is_none() {
        let error = check(&path, |_| Ok(counting())).unwrap_err().to_string();
        assert!(error.contains("a.case: line 3"), "{error}");
    }
}
