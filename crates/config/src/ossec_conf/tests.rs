//! What the file as a whole says. What single sections and values do stands in `tests/`.

use model::Severity;

use super::*;
use crate::sections::{FileEntry, SyscheckIgnore};

fn codes(text: &str) -> Vec<&'static str> {
    read(SourceId(0), text.as_bytes()).1.iter().map(|finding| finding.code).collect()
}

#[test]
fn several_roots_and_sections() {
    let text = "<ossec_config><rules><include>a.xml</include></rules>\
        <global><stats>0</stats><memory_size>100</memory_size></global>\
        <localfile/></ossec_config>\n\
        <ossec_config><alerts><log_alert_level>3</log_alert_level></alerts>\
        <global><stats>5</stats><logall>yes</logall><email_to>a@b</email_to></global>\
        <syscheck><auto_ignore>no</auto_ignore><ignore>/a</ignore>\
        <ignore type=\"sregex\">.log$</ignore><directories check_all=\"yes\">/</directories>\
        </syscheck><active-response/></ossec_config>";
    let (conf, findings) = read(SourceId(0), text.as_bytes());
    assert_eq!(findings, []);
    assert_eq!(conf.rules.rules[0].path(), "a.xml");
    assert_eq!((conf.global.stats, conf.global.memory_size), (5, Some(2048)));
    assert!(conf.global.logall);
    assert_eq!((conf.alerts.log_alert_level, conf.alerts.email_alert_level), (3, 7));
    assert!(!conf.syscheck.auto_ignore);
    let ignore = |text: &str, pattern| SyscheckIgnore { text: text.into(), is_pattern: pattern };
    assert_eq!(conf.syscheck.ignore, [ignore("/a", false), ignore(".log$", true)]);
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(read(SourceId(0), b"<!-- x -->"), (OssecConf::default(), vec![]));
    let empty: String = crate::elements().map(|(name, _)| format!("<{name}></{name}>")).collect();
    let text = format!("<ossec_config>{empty}</ossec_config>");
    assert_eq!(read(SourceId(0), text.as_bytes()), (OssecConf::default(), vec![]));
}

#[test]
fn mistakes_do_not_hide_one_another() {
    let text = "<agent_config></agent_config><ossec_config><globl><stats>1</stats></globl>\
        <global><stat>1</stat><stats>-1</stats><logall>Yes</logall></global>\
        <alerts><log_alert_level></log_alert_level></alerts>\
        <rules><include> a.xml</include><rule_dir patern=\"x\">r</rule_dir><list></list>\
        </rules></ossec_config>";
    assert_eq!(
        codes(text),
        [
            "unknown-root",
            "unknown-section",
            "unknown-element",
            "bad-number",
            "bad-yes-or-no",
            "empty-number",
            "blank-around-value",
            "unknown-attribute",
            "empty-value",
        ]
    );
}

#[test]
fn findings_are_in_the_order_of_the_file() {
    let text = "<ossec_config><client><port>0</port></client><global><stats>x</stats></global>\
        <remote><connection>telnet</connection></remote></ossec_config>";
    assert_eq!(codes(text), ["missing-element", "bad-number", "bad-number", "unknown-value"]);
}

#[test]
fn suggestions() {
    let (_, findings) = read(SourceId(0), b"<ossec_config><rule><x/></rule></ossec_config>");
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(findings[0].hint.as_deref(), Some("did you mean <rules>?"));
}

#[test]
fn the_number_of_findings_is_limited() {
    let many = "<x/>".repeat(model::limits::DIAGNOSTICS_MAX + 10);
    let (_, findings) =
        read(SourceId(0), format!("<ossec_config>{many}</ossec_config>").as_bytes());
    assert_eq!(findings.len(), model::limits::DIAGNOSTICS_MAX + 1);
    assert_eq!(findings.last().map(|finding| finding.code), Some("too-many-findings"));
}

#[test]
fn the_rules_section_alone() {
    let text = "<rules><include>b.xml</include><rule>a.xml</rule>\
        <rule_dir pattern=\"x$\">r</rule_dir><decoder>etc/d.xml</decoder><list>l</list></rules>";
    let (rules, findings) = read_rules(SourceId(0), text.as_bytes());
    assert_eq!(findings, []);
    let paths: Vec<&str> = rules.rules.iter().map(FileEntry::path).collect();
    assert_eq!(paths, ["b.xml", "a.xml", "r"]);
    assert!(
        matches!(&rules.rules[2], FileEntry::Dir { pattern: Some((text, _)), .. } if text == "x$")
    );
    assert_eq!((rules.decoders.len(), rules.lists.len()), (1, 1));
    let in_root = format!("<ossec_config>{text}<global><x/></global></ossec_config>");
    let (again, findings) = read_rules(SourceId(0), in_root.as_bytes());
    assert_eq!((again.rules.len(), findings.len()), (3, 0));
}

#[test]
fn a_later_rules_section_adds() {
    let text = "<ossec_config><rules><rule>a</rule></rules><rules><rule>b</rule></rules>\
        </ossec_config>";
    let (conf, findings) = read(SourceId(0), text.as_bytes());
    assert_eq!(conf.rules.rules.len(), 2);
    assert_eq!(findings[0].code, "section-repeated");
}
