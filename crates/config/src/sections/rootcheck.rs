//! `<rootcheck>`: what is looked for on this machine, besides changes.

use osxml::Element;

use crate::findings::Findings;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::spanned::Spanned;
use crate::value;

/// Of repeated elements the last one counts, but for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rootcheck {
    pub disabled: bool,
    /// Names of files that rootkits leave.
    pub rootkit_files: Option<Spanned<String>>,
    /// Signatures of programs that were replaced.
    pub rootkit_trojans: Option<Spanned<String>>,
    /// Policies to hold the machine against.
    pub system_audit: Vec<Spanned<String>>,
    /// Seconds between scans.
    pub frequency: u32,
    /// File systems of other machines are left out.
    pub skip_nfs: bool,
    /// The whole tree is gone through, not a list of places.
    pub scanall: bool,
    /// The sizes of all files are compared with what can be read.
    pub readall: bool,
    /// What is taken for `/`.
    pub base_directory: String,
    /// Directories that are left out.
    pub ignore: Vec<Spanned<String>>,
    pub checks: RootChecks,
}

/// Which checks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootChecks {
    pub dev: bool,
    pub files: bool,
    pub interfaces: bool,
    pub pids: bool,
    pub ports: bool,
    pub sys: bool,
    pub trojans: bool,
    pub unixaudit: bool,
}

/// Seconds between scans, if nothing is said.
const FREQUENCY_DEFAULT: u32 = 72_000;

impl Default for Rootcheck {
    fn default() -> Self {
        Self {
            disabled: false,
            rootkit_files: None,
            rootkit_trojans: None,
            system_audit: Vec::new(),
            frequency: FREQUENCY_DEFAULT,
            skip_nfs: false,
            scanall: false,
            readall: false,
            base_directory: "/".to_owned(),
            ignore: Vec::new(),
            checks: RootChecks::default(),
        }
    }
}

impl Default for RootChecks {
    fn default() -> Self {
        Self {
            dev: true,
            files: true,
            interfaces: true,
            pids: true,
            ports: true,
            sys: true,
            trojans: true,
            unixaudit: true,
        }
    }
}

pub(super) const ELEMENTS: &[Entry<Rootcheck>] = &[
    one("disabled", |it, element, findings| value::yes_or_no(element, &mut it.disabled, findings)),
    one("rootkit_files", |it, element, findings| {
        path(element, &mut it.rootkit_files, findings);
    }),
    one("rootkit_trojans", |it, element, findings| {
        path(element, &mut it.rootkit_trojans, findings);
    }),
    many("system_audit", |it, element, findings| {
        it.system_audit.extend(value::absolute_path(element, findings));
    }),
    one("frequency", |it, element, findings| {
        value::put_number(element, 0..=u32::MAX, &mut it.frequency, findings);
    }),
    one("skip_nfs", |it, element, findings| value::yes_or_no(element, &mut it.skip_nfs, findings)),
    one("scanall", |it, element, findings| value::yes_or_no(element, &mut it.scanall, findings)),
    one("readall", |it, element, findings| value::yes_or_no(element, &mut it.readall, findings)),
    one("base_directory", |it, element, findings| {
        if let Some(path) = value::absolute_path(element, findings) {
            it.base_directory = path.value;
        }
    }),
    many("ignore", |it, element, findings| {
        it.ignore.extend(value::absolute_path(element, findings));
    }),
    one("check_dev", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.dev, findings);
    }),
    one("check_files", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.files, findings);
    }),
    one("check_if", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.interfaces, findings);
    }),
    one("check_pids", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.pids, findings);
    }),
    one("check_ports", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.ports, findings);
    }),
    one("check_sys", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.sys, findings);
    }),
    one("check_trojans", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.trojans, findings);
    }),
    one("check_unixaudit", |it, element, findings| {
        value::yes_or_no(element, &mut it.checks.unixaudit, findings);
    }),
    // compat: these concern Windows.
    many("windows_audit", |_, _, _| {}),
    many("windows_apps", |_, _, _| {}),
    many("windows_malware", |_, _, _| {}),
    one("check_winapps", |_, _, _| {}),
    one("check_winaudit", |_, _, _| {}),
    one("check_winmalware", |_, _, _| {}),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections {
        section::read(section, ELEMENTS, &mut conf.rootcheck, findings);
    }
}

fn path(element: &Element, path: &mut Option<Spanned<String>>, findings: &mut Findings) {
    *path = value::absolute_path(element, findings).or(path.take());
}
