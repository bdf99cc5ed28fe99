//! The sections of `ossec.conf`, one file each. A section that nobody reads yet is known by name.

mod alerts;
mod global;
mod localfile;
mod rules;
mod syscheck;

use osxml::Element;

use crate::ossec_conf::{Findings, OssecConf};

pub use alerts::Alerts;
pub use global::{GeoIpDatabase, Global};
pub use localfile::{LocalFile, Location, LogFormat};
pub use rules::{FileEntry, ListEntry, Rules};
pub use syscheck::{Syscheck, SyscheckIgnore};

/// A section: its name, and what reads one occurrence of it.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) read: Option<Reader>,
}

type Reader = fn(&Element, &mut OssecConf, &mut Findings);

pub(crate) const RULES: &str = "rules";

pub(crate) const ALL: &[Section] = &[
    Section { name: "global", read: Some(global::read) },
    Section { name: RULES, read: Some(rules::read) },
    Section { name: "alerts", read: Some(alerts::read) },
    Section { name: "syscheck", read: Some(syscheck::read) },
    Section { name: "active-response", read: None },
    Section { name: "agentless", read: None },
    Section { name: "client", read: None },
    Section { name: "command", read: None },
    Section { name: "database_output", read: None },
    Section { name: "email_alerts", read: None },
    Section { name: "localfile", read: None },
    Section { name: "remote", read: None },
    Section { name: "reports", read: None },
    Section { name: "rootcheck", read: None },
    Section { name: "syslog_output", read: None },
];
