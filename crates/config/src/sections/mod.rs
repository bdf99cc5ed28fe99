//! The sections of `ossec.conf`, one file each: a type for what they say, and a table of the
//! elements they may have.

mod active_response;
mod agentless;
mod alerts;
mod client;
mod command;
mod database_output;
mod email_alerts;
mod global;
mod localfile;
mod mail;
mod remote;
mod reports;
mod rootcheck;
mod rules;
mod syscheck;
mod syslog_output;

use osxml::Element;

use crate::findings::Findings;
use crate::ossec_conf::OssecConf;
use crate::section::names;

pub use active_response::{ActiveResponse, ActiveResponses, OFFENDERS_MAX, ResponseLocation};
pub use agentless::{Agentless, AgentlessHost, AgentlessState, Elevation};
pub use alerts::Alerts;
pub use client::{Client, CryptoMethod};
pub use command::{Command, Expect};
pub use database_output::{DatabaseKind, DatabaseOutput};
pub use email_alerts::{EmailAlert, MailFormat};
pub use global::{ALERT_TOKENS, Allowed, GeoIpDatabase, Global};
pub use localfile::{LocalFile, Location, LogFormat};
pub use mail::{Mail, MailServer};
pub use remote::{Connection, CryptoAccept, Protocol, REMOTES_MAX, Remote};
pub use reports::{Report, ReportField, ReportFilter};
pub use rootcheck::{RootChecks, Rootcheck};
pub use rules::{FileEntry, ListEntry, Rules};
pub use syscheck::{Checks, Directory, Syscheck, SyscheckIgnore};
pub use syslog_output::{SyslogFormat, SyslogOutput, Transport};

/// A kind of section.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// Reads all sections of the kind, in the order of the file: they may add to one another.
    pub(crate) read: fn(&[&Element], &mut OssecConf, &mut Findings),
    /// The elements that it may have.
    pub(crate) elements: fn() -> Vec<&'static str>,
    /// Whether agents take it from agent.conf.
    pub(crate) for_agents: bool,
}

pub(crate) const RULES: &str = "rules";
pub(crate) const COMMAND: &str = "command";

#[rustfmt::skip]
pub(crate) const ALL: &[Section] = &[
    kind("global", global::read, || names(global::ELEMENTS)),
    kind(RULES, rules::read, || names(rules::ELEMENTS)),
    kind("alerts", alerts::read, || names(alerts::ELEMENTS)),
    kind("email_alerts", email_alerts::read, || names(email_alerts::ELEMENTS)),
    kind("remote", remote::read, || names(remote::ELEMENTS)),
    kind(COMMAND, command::read, || names(command::ELEMENTS)),
    kind("active-response", active_response::read, || names(active_response::ELEMENTS)),
    kind("syslog_output", syslog_output::read, || names(syslog_output::ELEMENTS)),
    kind("database_output", database_output::read, || names(database_output::ELEMENTS)),
    kind("reports", reports::read, || names(reports::ELEMENTS)),
    kind("agentless", agentless::read, || names(agentless::ELEMENTS)),
    kind("localfile", localfile::read, || names(localfile::ELEMENTS)).for_agents(),
    kind("syscheck", syscheck::read, || names(syscheck::ELEMENTS)).for_agents(),
    kind("rootcheck", rootcheck::read, || names(rootcheck::ELEMENTS)).for_agents(),
    kind("client", client::read, || names(client::ELEMENTS)),
];

const fn kind(
    name: &'static str,
    read: fn(&[&Element], &mut OssecConf, &mut Findings),
    elements: fn() -> Vec<&'static str>,
) -> Section {
    Section { name, read, elements, for_agents: false }
}

impl Section {
    const fn for_agents(self) -> Self {
        Self { for_agents: true, ..self }
    }
}
