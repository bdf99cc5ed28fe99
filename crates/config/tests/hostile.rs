//! Any bytes give an answer, and every finding about them has a place and a cure.

use config::{InternalOptions, agent_conf, ossec_conf, wachter_toml};
use model::{Diagnostic, SourceId};
use proptest::prelude::*;

fn check(text: &[u8], findings: &[Diagnostic]) -> Result<(), TestCaseError> {
    for finding in findings {
        let Some((_, span)) = finding.at else {
            return Err(TestCaseError::fail(format!("no place: {finding:?}")));
        };
        prop_assert!(span.end as usize <= text.len() + 1, "{finding:?}");
        prop_assert!(finding.hint.is_some(), "{finding:?}");
        prop_assert!(!finding.message.contains(char::is_control), "{finding:?}");
    }
    Ok(())
}

fn read_all(text: &[u8]) -> Result<(), TestCaseError> {
    check(text, &ossec_conf::read(SourceId(0), text).1)?;
    check(text, &ossec_conf::read_rules(SourceId(0), text).1)?;
    check(text, &agent_conf::read(SourceId(0), text).1)?;
    check(text, &InternalOptions::default().read(SourceId(0), text))?;
    check(text, &wachter_toml::read(SourceId(0), text).1)
}

/// Elements that sections have, with values that some of them may have.
fn section() -> impl Strategy<Value = String> {
    let sections: Vec<(&str, Vec<&str>)> = config::elements().collect();
    let values = prop::sample::select(vec![
        "",
        "yes",
        "no",
        "0",
        "7",
        "99999999999",
        "a@b",
        "/etc, /b",
        "10.1",
        "!::/0",
        "any",
        "secure",
        "syslog",
        "command",
        "multi-line: 2",
        "local",
        "12am",
        "sun",
        "\\",
        "ä\u{1}",
        "%",
        "C:\\x",
        "$RULEID$",
        "mysql",
        "periodic",
    ]);
    let attribute =
        prop::sample::select(vec!["", " type=\"sregex\"", " check_all=\"yes\"", " x=\"\""]);
    prop::sample::select(sections).prop_flat_map(move |(name, elements)| {
        let element = (prop::sample::select(elements), attribute.clone(), values.clone());
        prop::collection::vec(element, 0..8).prop_map(move |elements| {
            let element = |(name, attribute, value): &(&str, &str, &str)| {
                format!("<{name}{attribute}>{value}</{name}>")
            };
            let inner: String = elements.iter().map(element).collect();
            format!("<{name}>{inner}</{name}>")
        })
    })
}

proptest! {
    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..512)) {
        read_all(&text)?;
    }

    #[test]
    fn sections_of_known_words(sections in prop::collection::vec(section(), 0..6)) {
        let inner = sections.concat();
        for root in ["ossec_config", "agent_config"] {
            read_all(format!("<{root}>{inner}</{root}>").as_bytes())?;
        }
    }

    /// The order of sections of different kinds means nothing.
    #[test]
    fn any_order(sections in prop::collection::vec(section(), 0..6)) {
        let read = |sections: &[String]| {
            let text = format!("<ossec_config>{}</ossec_config>", sections.concat());
            let mut codes: Vec<&str> =
                ossec_conf::read(SourceId(0), text.as_bytes()).1.iter().map(|it| it.code).collect();
            codes.sort_unstable();
            codes
        };
        let kind = |section: &String| section.split('>').next().unwrap_or_default().to_owned();
        let mut sorted = sections.clone();
        sorted.sort_by_key(kind);
        prop_assert_eq!(read(&sections), read(&sorted));
    }

    #[test]
    fn options_and_settings(lines in prop::collection::vec("[a-z_.\\[\\]]{0,12} ?= ?[0-9\"a-z:.]{0,9}", 0..6)) {
        read_all(lines.join("\n").as_bytes())?;
    }
}

/// What a file may cost is bounded: lists of thousands are read in one go.
#[test]
fn long_lists() {
    let paths: String = (0..1000).map(|number| format!("/{number},")).collect();
    let directories = format!("<directories check_all=\"yes\" restrict=\"{}\">", "x".repeat(8000));
    let element = format!("{directories}{paths}</directories>");
    let text = format!("<ossec_config><syscheck>{}</syscheck></ossec_config>", element.repeat(500));
    let (conf, findings) = ossec_conf::read(SourceId(0), text.as_bytes());
    assert_eq!(conf.syscheck.directories.len(), 1000);
    assert!(findings.iter().any(|finding| finding.code == "too-many-findings"));
    let word = "y".repeat(8000);
    let text = format!("<ossec_config>{}</ossec_config>", format!("<{word}/>").repeat(1000));
    assert_eq!(ossec_conf::read(SourceId(0), text.as_bytes()).1.len(), 1000);
}
