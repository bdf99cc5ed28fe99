//! `ossec.conf`: roots, and in them sections.

use model::diagnostic::nearest;
use model::{Diagnostic, SourceId};
use osxml::Element;

use crate::messages;
use crate::sections::{self, Alerts, Global, LocalFile, Rules, Syscheck};

/// The root element; a file may have several.
pub const ROOT: &str = "ossec_config";

/// What the file says, as far as it is read here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OssecConf {
    pub rules: Rules,
    pub alerts: Alerts,
    pub global: Global,
    pub syscheck: Syscheck,
    /// In the order of the file.
    pub localfiles: Vec<LocalFile>,
}

/// Reads the file.
pub fn read(source: SourceId, text: &[u8]) -> (OssecConf, Vec<Diagnostic>) {
    let mut conf = OssecConf::default();
    let parsed = osxml::parse(source, text);
    let mut findings = Findings { source, list: parsed.diagnostics };
    for root in &parsed.elements {
        if root.name != ROOT {
            findings.add(messages::unknown_root(&root.name), root);
            continue;
        }
        for section in &root.children {
            read_section(section, &mut conf, &mut findings);
        }
    }
    (conf, findings.list)
}

/// Reads a file that says only which decoder and rule files there are: `<rules>` may stand in it
/// without anything around.
pub fn read_rules(source: SourceId, text: &[u8]) -> (Rules, Vec<Diagnostic>) {
    let mut conf = OssecConf::default();
    let parsed = osxml::parse(source, text);
    let mut findings = Findings { source, list: parsed.diagnostics };
    for root in &parsed.elements {
        match root.name.as_str() {
            sections::RULES => read_section(root, &mut conf, &mut findings),
            ROOT => {
                for section in root.children.iter().filter(|child| child.name == sections::RULES) {
                    read_section(section, &mut conf, &mut findings);
                }
            }
            _ => findings.add(messages::unknown_root(&root.name), root),
        }
    }
    (conf.rules, findings.list)
}

fn read_section(element: &Element, conf: &mut OssecConf, findings: &mut Findings) {
    let Some(section) = sections::ALL.iter().find(|section| section.name == element.name) else {
        let known = sections::ALL.iter().map(|section| section.name);
        findings
            .add(messages::unknown_section(&element.name, nearest(&element.name, known)), element);
        return;
    };
    if let Some(read) = section.read {
        read(element, conf, findings);
    }
}

/// Findings about one file.
pub struct Findings {
    source: SourceId,
    list: Vec<Diagnostic>,
}

impl Findings {
    /// Adds a finding about an element's name.
    pub(crate) fn add(&mut self, finding: Diagnostic, element: &Element) {
        self.list.push(finding.at(self.source, element.name_span));
    }

    /// Adds a finding about an element's content, or about its name if there is none.
    pub(crate) fn add_to_content(&mut self, finding: Diagnostic, element: &Element) {
        let span = match element.content.is_empty() {
            true => element.name_span,
            false => element.content_span,
        };
        self.list.push(finding.at(self.source, span));
    }

    pub(crate) fn add_at(&mut self, finding: Diagnostic, span: model::Span) {
        self.list.push(finding.at(self.source, span));
    }

    pub(crate) fn source(&self) -> SourceId {
        self.source
    }
}

#[cfg(test)]
mod tests {
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
            <localfile><anything>x</anything></localfile></ossec_config>\n\
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
        let ignore =
            |text: &str, pattern| SyscheckIgnore { text: text.into(), is_pattern: pattern };
        assert_eq!(conf.syscheck.ignore, [ignore("/a", false), ignore(".log$", true)]);
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert_eq!(read(SourceId(0), b"<!-- x -->"), (OssecConf::default(), vec![]));
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
    fn suggestions() {
        let (_, findings) = read(SourceId(0), b"<ossec_config><rule><x/></rule></ossec_config>");
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].hint.as_deref(), Some("did you mean <rules>?"));
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
}
