//! `<syscheck>`: which changes of files are told.

use osxml::Element;

use crate::messages;
use crate::ossec_conf::{Findings, OssecConf};
use crate::value;

/// What the analysis of file changes goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syscheck {
    /// A file that changed three times is not reported any more.
    pub auto_ignore: bool,
    /// Files that were not known are reported.
    pub alert_new_files: bool,
    /// Files that are not reported.
    pub ignore: Vec<SyscheckIgnore>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyscheckIgnore {
    pub text: String,
    /// Whether it is an OS_Match pattern (`type="sregex"`) and not the start of a path.
    pub is_pattern: bool,
}

/// Elements that the file scanner reads.
const OTHERS: &[&str] = &[
    "directories",
    "disabled",
    "frequency",
    "nodiff",
    "prefilter_cmd",
    "registry_ignore",
    "scan_day",
    "scan_on_start",
    "scan_time",
    "skip_nfs",
    "windows_registry",
];

const OURS: &[&str] = &["auto_ignore", "alert_new_files", "ignore"];

impl Default for Syscheck {
    fn default() -> Self {
        Self { auto_ignore: true, alert_new_files: false, ignore: Vec::new() }
    }
}

pub(super) fn read(section: &Element, conf: &mut OssecConf, findings: &mut Findings) {
    let syscheck = &mut conf.syscheck;
    for element in &section.children {
        match element.name.as_str() {
            "auto_ignore" => value::yes_or_no(element, &mut syscheck.auto_ignore, findings),
            "alert_new_files" => value::yes_or_no(element, &mut syscheck.alert_new_files, findings),
            "ignore" => {
                if let Some(entry) = ignore(element, findings)
                    && !syscheck.ignore.contains(&entry)
                {
                    syscheck.ignore.push(entry);
                }
            }
            name if OTHERS.contains(&name) => {}
            _ => value::unknown(element, section, &[OURS, OTHERS].concat(), findings),
        }
    }
}

fn ignore(element: &Element, findings: &mut Findings) -> Option<SyscheckIgnore> {
    value::no_attributes(element, &["type"], findings);
    let kind = element.attributes.iter().find(|attribute| attribute.name == "type");
    if let Some(kind) = kind.filter(|kind| kind.value != b"sregex") {
        findings.add_at(messages::unknown_ignore_type(&kind.text()), kind.value_span);
        return None;
    }
    Some(SyscheckIgnore { text: value::text(element, findings)?, is_pattern: kind.is_some() })
}
