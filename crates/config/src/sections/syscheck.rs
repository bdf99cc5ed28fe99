//! `<syscheck>`: which files are watched, and which changes of them are told.

use std::collections::HashSet;
use std::sync::Arc;

use osxml::{Attribute, Element};

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::schedule::{Days, TimeOfDay};
use crate::section::{self, Entry, many, one, with};
use crate::spanned::Spanned;
use crate::value;

/// Of repeated elements the last one counts, but for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syscheck {
    pub disabled: bool,
    pub directories: Vec<Directory>,
    /// Files that are not reported.
    pub ignore: Vec<SyscheckIgnore>,
    /// Files whose contents are not shown.
    pub nodiff: Vec<SyscheckIgnore>,
    /// Seconds between scans.
    pub frequency: u32,
    pub scan_time: Option<TimeOfDay>,
    pub scan_day: Option<Days>,
    pub scan_on_start: bool,
    /// File systems of other machines are left out.
    pub skip_nfs: bool,
    /// A program that files go through before they are hashed.
    pub prefilter_cmd: Option<Spanned<String>>,
    /// A file that changed three times is not reported any more.
    pub auto_ignore: bool,
    /// Files that were not known are reported.
    pub alert_new_files: bool,
}

/// A directory tree or a file that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// May hold `*`, `?` and `[…]`.
    pub path: Spanned<String>,
    pub checks: Checks,
    /// Changes are told at once.
    pub realtime: bool,
    /// What changed in texts is told.
    pub report_changes: bool,
    /// Directories in it are left out.
    pub no_recurse: bool,
    /// OS_Match on the whole path: other files are left out. The paths of an element share it.
    pub restrict: Option<Arc<Spanned<String>>>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    pub md5: bool,
    pub sha1: bool,
    pub sha256: bool,
    pub size: bool,
    pub owner: bool,
    pub group: bool,
    pub permissions: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyscheckIgnore {
    pub text: String,
    /// Whether it is an OS_Match pattern (`type="sregex"`) and not the start of a path.
    pub is_pattern: bool,
}

/// compat: seconds between scans, if nothing is said.
const FREQUENCY_DEFAULT: u32 = 600;

const PATTERN: &str = "sregex";

const ATTRIBUTES: &[&str] = &[
    "check_all",
    "check_sum",
    "check_md5sum",
    "check_sha1sum",
    "check_sha256sum",
    "check_size",
    "check_owner",
    "check_group",
    "check_perm",
    "realtime",
    "report_changes",
    "no_recurse",
    "restrict",
];

impl Default for Syscheck {
    fn default() -> Self {
        Self {
            disabled: false,
            directories: Vec::new(),
            ignore: Vec::new(),
            nodiff: Vec::new(),
            frequency: FREQUENCY_DEFAULT,
            scan_time: None,
            scan_day: None,
            scan_on_start: true,
            skip_nfs: false,
            prefilter_cmd: None,
            auto_ignore: true,
            alert_new_files: false,
        }
    }
}

pub(super) const ELEMENTS: &[Entry<Syscheck>] = &[
    with(ATTRIBUTES, many("directories", directories)),
    with(
        &["type"],
        many("ignore", |it, element, findings| entry(element, &mut it.ignore, findings)),
    ),
    with(
        &["type"],
        many("nodiff", |it, element, findings| entry(element, &mut it.nodiff, findings)),
    ),
    one("frequency", |it, element, findings| {
        value::put_number(element, 0..=u32::MAX, &mut it.frequency, findings);
    }),
    one("scan_time", |it, element, findings| {
        let Some(text) = value::text(element, findings) else { return };
        match TimeOfDay::parse(&text) {
            Some(time) => it.scan_time = Some(time),
            None => findings.add_to_content(messages::bad_time(&element.name, &text), element),
        }
    }),
    one("scan_day", |it, element, findings| {
        let Some(text) = value::text(element, findings) else { return };
        match Days::parse(&text) {
            Ok(days) => it.scan_day = Some(days),
            Err(word) => findings.add_to_content(messages::bad_days(&element.name, &word), element),
        }
    }),
    one("scan_on_start", |it, element, findings| {
        value::yes_or_no(element, &mut it.scan_on_start, findings);
    }),
    one("disabled", |it, element, findings| value::yes_or_no(element, &mut it.disabled, findings)),
    one("skip_nfs", |it, element, findings| value::yes_or_no(element, &mut it.skip_nfs, findings)),
    one("auto_ignore", |it, element, findings| {
        value::yes_or_no(element, &mut it.auto_ignore, findings);
    }),
    one("alert_new_files", |it, element, findings| {
        value::yes_or_no(element, &mut it.alert_new_files, findings);
    }),
    one("prefilter_cmd", |it, element, findings| {
        value::put(element, &mut it.prefilter_cmd, findings);
    }),
    // compat: these concern Windows.
    many("windows_registry", |_, _, _| {}),
    many("registry_ignore", |_, _, _| {}),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    let syscheck = &mut conf.syscheck;
    for section in sections {
        section::read(section, ELEMENTS, syscheck, findings);
    }
    let mut paths = HashSet::new();
    syscheck.directories.retain(|directory| {
        let is_new = paths.insert(directory.path.value.clone());
        if !is_new {
            findings.add_to(messages::path_repeated(&directory.path), directory.path.at);
        }
        is_new
    });
    // compat: what is there already is not added again.
    for list in [&mut syscheck.ignore, &mut syscheck.nodiff] {
        let mut entries = HashSet::new();
        list.retain(|entry| entries.insert(entry.clone()));
    }
}

/// What the attributes of `directories` say.
struct Options {
    checks: Checks,
    realtime: bool,
    report_changes: bool,
    no_recurse: bool,
    restrict: Option<Arc<Spanned<String>>>,
}

/// Fixed: a path that cannot be used does not take those after it along.
fn directories(syscheck: &mut Syscheck, element: &Element, findings: &mut Findings) {
    let options = options(element, findings);
    let Some(text) = value::utf8(element, findings) else { return };
    let mut start = 0;
    let mut empty = true;
    for item in text.split(',') {
        let path = item.trim();
        let from = start + (item.len() - item.trim_start().len());
        let at = findings.content_part(element, from, path.len());
        start += item.len() + 1;
        if path.is_empty() {
            continue;
        }
        empty = false;
        if !path.starts_with('/') && !value::is_of_windows(path) {
            findings.add_to(messages::not_absolute(&element.name, path), at);
            continue;
        }
        let Some(Options { checks, realtime, report_changes, no_recurse, restrict }) = &options
        else {
            continue;
        };
        syscheck.directories.push(Directory {
            path: Spanned { value: path.to_owned(), at },
            checks: *checks,
            realtime: *realtime,
            report_changes: *report_changes,
            no_recurse: *no_recurse,
            restrict: restrict.clone(),
        });
    }
    if empty {
        findings.add(messages::empty_value(&element.name), element);
    }
}

/// `None` where nothing would be checked.
fn options(element: &Element, findings: &mut Findings) -> Option<Options> {
    // compat: sha256 is checked unless it is said not to be.
    let mut options = Options {
        checks: Checks { sha256: true, ..Checks::all(false) },
        realtime: false,
        report_changes: false,
        no_recurse: false,
        restrict: None,
    };
    if element.attributes.is_empty() {
        findings.add(messages::directories_without_checks(), element);
        return None;
    }
    for attribute in &element.attributes {
        if attribute.name == "restrict" {
            let value = attribute.text().into_owned();
            let at = findings.place(attribute.value_span);
            options.restrict = (!value.is_empty()).then(|| Arc::new(Spanned { value, at }));
        } else if ATTRIBUTES.contains(&attribute.name.as_str())
            && let Some(on) = yes_or_no(attribute, findings)
        {
            options.set(&attribute.name, on);
        }
    }
    if options.checks == Checks::all(false) {
        findings.add(messages::nothing_checked(), element);
        return None;
    }
    Some(options)
}

impl Options {
    /// compat: attributes count in their order.
    fn set(&mut self, name: &str, on: bool) {
        let checks = &mut self.checks;
        match name {
            "check_all" => *checks = Checks::all(on),
            "check_sum" => (checks.md5, checks.sha1, checks.sha256) = (on, on, on),
            "check_md5sum" => checks.md5 = on,
            "check_sha1sum" => checks.sha1 = on,
            "check_sha256sum" => checks.sha256 = on,
            "check_size" => checks.size = on,
            "check_owner" => checks.owner = on,
            "check_group" => checks.group = on,
            "check_perm" => checks.permissions = on,
            "realtime" => self.realtime = on,
            "report_changes" => self.report_changes = on,
            "no_recurse" => self.no_recurse = on,
            _ => {}
        }
    }
}

impl Checks {
    fn all(on: bool) -> Self {
        Self { md5: on, sha1: on, sha256: on, size: on, owner: on, group: on, permissions: on }
    }
}

fn yes_or_no(attribute: &Attribute, findings: &mut Findings) -> Option<bool> {
    match attribute.value.as_slice() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => {
            let message = messages::bad_yes_or_no_attribute(&attribute.name, &attribute.text());
            findings.add_at(message, attribute.value_span);
            None
        }
    }
}

fn entry(element: &Element, list: &mut Vec<SyscheckIgnore>, findings: &mut Findings) {
    let kind = element.attributes.iter().find(|attribute| attribute.name == "type");
    if let Some(kind) = kind.filter(|kind| kind.value != PATTERN.as_bytes()) {
        let message =
            messages::unknown_type(&element.name, &kind.text(), PATTERN, "the start of a path");
        return findings.add_at(message, kind.value_span);
    }
    let Some(text) = value::text(element, findings) else { return };
    list.push(SyscheckIgnore { text, is_pattern: kind.is_some() });
}
