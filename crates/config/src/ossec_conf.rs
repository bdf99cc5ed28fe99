//! `ossec.conf`: roots, and in them sections.

use model::{Diagnostic, SourceId};
use osxml::Element;

use crate::address::AddressEntry;
use crate::between;
use crate::findings::{File, Findings};
use crate::messages;
use crate::section;
use crate::sections::{
    self, ActiveResponses, Agentless, Alerts, Client, Command, DatabaseOutput, EmailAlert, Global,
    LocalFile, Remote, Report, Rootcheck, Rules, Section, Syscheck, SyslogOutput,
};

/// The root element; a file may have several.
pub const ROOT: &str = "ossec_config";

/// What the file says. Lists are in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OssecConf {
    pub global: Global,
    pub rules: Rules,
    pub alerts: Alerts,
    pub email_alerts: Vec<EmailAlert>,
    pub remotes: Vec<Remote>,
    pub commands: Vec<Command>,
    pub active_responses: ActiveResponses,
    pub syslog_outputs: Vec<SyslogOutput>,
    pub database_output: Option<DatabaseOutput>,
    pub reports: Vec<Report>,
    pub agentless: Vec<Agentless>,
    pub localfiles: Vec<LocalFile>,
    pub syscheck: Syscheck,
    pub rootcheck: Rootcheck,
    pub client: Option<Client>,
}

impl OssecConf {
    /// Who may send syslog.
    pub fn allowed_ips(&self) -> impl Iterator<Item = &AddressEntry> {
        self.remotes.iter().flat_map(|remote| &remote.allowed_ips).map(|entry| &entry.value)
    }

    /// Who may not, whatever [`Self::allowed_ips`] says.
    pub fn denied_ips(&self) -> impl Iterator<Item = &AddressEntry> {
        self.remotes.iter().flat_map(|remote| &remote.denied_ips).map(|entry| &entry.value)
    }
}

/// Reads the file.
pub fn read(source: SourceId, text: &[u8]) -> (OssecConf, Vec<Diagnostic>) {
    let mut conf = OssecConf::default();
    let parsed = osxml::parse(source, text);
    let mut findings = Findings::new(source, File::OssecConf, parsed.diagnostics);
    let mut found: Vec<(&Section, &Element)> = Vec::new();
    for root in &parsed.elements {
        if root.name != ROOT {
            findings.add(messages::unknown_root(&root.name, ROOT), root);
            continue;
        }
        section::container(root, &[], &mut findings);
        found.extend(known_sections(root, &mut findings));
    }
    for kind in sections::ALL {
        (kind.read)(&of_kind(kind.name, &found), &mut conf, &mut findings);
    }
    between::check(&of_kind(sections::COMMAND, &found), &conf, &mut findings);
    (conf, findings.into_list())
}

/// Reads a file that says only which decoder and rule files there are: `<rules>` may stand in it
/// without anything around.
pub fn read_rules(source: SourceId, text: &[u8]) -> (Rules, Vec<Diagnostic>) {
    let mut conf = OssecConf::default();
    let parsed = osxml::parse(source, text);
    let mut findings = Findings::new(source, File::OssecConf, parsed.diagnostics);
    let mut found: Vec<&Element> = Vec::new();
    for root in &parsed.elements {
        match root.name.as_str() {
            sections::RULES => found.push(root),
            ROOT => {
                found.extend(root.children.iter().filter(|child| child.name == sections::RULES));
            }
            _ => findings.add(messages::unknown_root(&root.name, ROOT), root),
        }
    }
    for kind in sections::ALL.iter().filter(|kind| kind.name == sections::RULES) {
        (kind.read)(&found, &mut conf, &mut findings);
    }
    (conf.rules, findings.into_list())
}

/// The sections of a root; reports those that nobody knows.
pub(crate) fn known_sections<'e>(
    root: &'e Element,
    findings: &mut Findings,
) -> Vec<(&'static Section, &'e Element)> {
    let mut known = Vec::new();
    for element in &root.children {
        match sections::ALL.iter().find(|kind| kind.name == element.name) {
            Some(kind) => known.push((kind, element)),
            None => {
                let names: Vec<&str> = sections::ALL.iter().map(|kind| kind.name).collect();
                let meant = findings.meant(&element.name, names.iter().copied());
                findings.add(messages::unknown_section(&element.name, meant, &names), element);
            }
        }
    }
    known
}

/// The sections of one kind, in the order of the file.
pub(crate) fn of_kind<'e>(name: &str, found: &[(&Section, &'e Element)]) -> Vec<&'e Element> {
    found.iter().filter(|(kind, _)| kind.name == name).map(|(_, element)| *element).collect()
}

#[cfg(test)]
mod tests;
