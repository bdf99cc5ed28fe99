//! `<global>`: what concerns more than one program. Its part about mail is in `mail.rs`.

use osxml::Element;

use crate::address::{AddressEntry, Host};
use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::sections::mail::{self, Mail};
use crate::spanned::{Place, Spanned};
use crate::value;

/// Of repeated elements the last one counts, but for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Level of alerts about unusual numbers of events; 0 is off.
    pub stats: u16,
    /// Events kept for correlation, if it is said.
    pub memory_size: Option<u32>,
    /// All events go to `archives.log`.
    pub logall: bool,
    /// All events go to `archives.json`.
    pub logall_json: bool,
    /// Alerts go to `alerts.json`.
    pub jsonout_output: bool,
    /// The form of alerts in `alerts.log`, with tokens such as `$RULEID`.
    pub custom_alert_output: Option<Spanned<String>>,
    /// Who is never acted against.
    pub allow_list: Vec<Spanned<Allowed>>,
    pub mail: Mail,
    /// The database with the countries of addresses.
    pub geoip: Option<GeoIpDatabase>,
}

/// Who is never acted against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    Address(AddressEntry),
    /// compat: a name is compared as text, with the start of what an event calls its source.
    Name(String),
}

/// A database and where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoIpDatabase {
    pub path: String,
    pub at: Place,
}

/// Tokens of `custom_alert_output`.
pub const ALERT_TOKENS: [&str; 12] = [
    "$TIMESTAMP",
    "$FTELL",
    "$RULEALERT",
    "$HOSTNAME",
    "$LOCATION",
    "$RULEID",
    "$RULELEVEL",
    "$RULECOMMENT",
    "$SRCIP",
    "$DSTUSER",
    "$FULLLOG",
    "$RULEGROUP",
];

/// compat: a lower `memory_size` is raised to this.
const MEMORY_SIZE_MIN: u32 = 2048;

impl Default for Global {
    fn default() -> Self {
        Self {
            stats: 4,
            memory_size: None,
            logall: false,
            logall_json: false,
            jsonout_output: false,
            custom_alert_output: None,
            allow_list: Vec::new(),
            mail: Mail::default(),
            geoip: None,
        }
    }
}

pub(super) const ELEMENTS: &[Entry<Global>] = &[
    one("stats", |it, element, findings| value::level(element, &mut it.stats, findings)),
    one("memory_size", |it, element, findings| {
        if let Some(size) = value::number(element, 0..=u32::MAX, findings) {
            it.memory_size = Some(size.max(MEMORY_SIZE_MIN));
        }
    }),
    one("logall", |it, element, findings| value::yes_or_no(element, &mut it.logall, findings)),
    one("logall_json", |it, element, findings| {
        value::yes_or_no(element, &mut it.logall_json, findings);
    }),
    one("jsonout_output", |it, element, findings| {
        value::yes_or_no(element, &mut it.jsonout_output, findings);
    }),
    one("custom_alert_output", custom_alert_output),
    many("allow_list", allow_list),
    many("white_list", allow_list),
    one("geoipdb", geoip),
    one("geoip_db_path", geoip),
    one("geoip6_db_path", |_, element, findings| {
        let cure = "remove it: the database of <geoipdb> holds addresses of both families";
        no_effect(element, cure, findings);
    }),
    one("email_notification", |it, element, findings| {
        mail::notification(&mut it.mail, element, findings);
    }),
    many("email_to", |it, element, findings| {
        it.mail.email_to.extend(value::mail_address(element, findings));
    }),
    one("email_from", |it, element, findings| {
        mail::header(element, &mut it.mail.email_from, findings);
    }),
    one("email_reply_to", |it, element, findings| {
        mail::header(element, &mut it.mail.email_reply_to, findings);
    }),
    one("email_idsname", |it, element, findings| {
        mail::header(element, &mut it.mail.email_idsname, findings);
    }),
    one("smtp_server", |it, element, findings| {
        mail::server(element, &mut it.mail.smtp_server, findings);
    }),
    one("helo_server", |it, element, findings| {
        mail::header(element, &mut it.mail.helo_server, findings);
    }),
    one("email_maxperhour", |it, element, findings| {
        value::put_number(element, 1..=9999, &mut it.mail.email_maxperhour, findings);
    }),
    one("smtp_port", |it, element, findings| {
        value::port(element, &mut it.mail.smtp_port, findings);
    }),
    one("auth_smtp", |it, element, findings| {
        value::yes_or_no(element, &mut it.mail.auth_smtp, findings);
    }),
    one("secure_smtp", |it, element, findings| {
        value::yes_or_no(element, &mut it.mail.secure_smtp, findings);
    }),
    one("smtp_tls_verify", |it, element, findings| {
        value::yes_or_no(element, &mut it.mail.smtp_tls_verify, findings);
    }),
    one("smtp_user", |it, element, findings| {
        mail::secret(element, &mut it.mail.smtp_user, findings);
    }),
    one("smtp_password", |it, element, findings| {
        mail::secret(element, &mut it.mail.smtp_password, findings);
    }),
    // compat: these are checked, and nothing is done with them.
    one("integrity_checking", unused_number),
    one("rootkit_detection", unused_number),
    one("host_information", unused_number),
    one("compress_alerts", |_, _, _| {}),
    one("prelude_output", prelude),
    one("prelude_profile", prelude),
    one("prelude_log_level", prelude),
    one("zeromq_output", zeromq),
    one("zeromq_uri", zeromq),
    one("zeromq_server_cert", zeromq),
    one("zeromq_client_cert", zeromq),
    one("picviz_output", picviz),
    one("picviz_socket", picviz),
    one("md5_allowlist", hashes),
    one("md5_whitelist", hashes),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections {
        section::read(section, ELEMENTS, &mut conf.global, findings);
    }
    mail::check(sections, &conf.global.mail, findings);
}

fn allow_list(global: &mut Global, element: &Element, findings: &mut Findings) {
    let Some(text) = value::text(element, findings) else { return };
    let allowed = match (AddressEntry::parse(&text), Host::parse(&text)) {
        (Ok(entry), _) => Allowed::Address(entry),
        (Err(_), Some(_)) => Allowed::Name(text),
        (Err(cure), None) => {
            let message = messages::bad_address(&element.name, &text, cure);
            return findings.add_to_content(message, element);
        }
    };
    global.allow_list.push(findings.spanned(allowed, element));
}

fn custom_alert_output(global: &mut Global, element: &Element, findings: &mut Findings) {
    let Some(form) = value::verbatim(element, findings) else { return };
    let text = form.value.clone();
    global.custom_alert_output = Some(form);
    for piece in text.split('$').skip(1) {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
        let word = format!("${}", piece.get(..end).unwrap_or_default());
        // compat: a token may be followed by anything, letters too.
        if !ALERT_TOKENS.iter().any(|token| word.starts_with(token)) {
            let meant = findings.meant(&word, ALERT_TOKENS);
            findings.add_to_content(messages::unknown_token(&word, meant), element);
        }
    }
}

fn geoip(global: &mut Global, element: &Element, findings: &mut Findings) {
    if let Some(Spanned { value: path, at }) = value::spanned(element, findings) {
        global.geoip = Some(GeoIpDatabase { path, at });
    }
}

fn unused_number(_: &mut Global, element: &Element, findings: &mut Findings) {
    value::number(element, 0..=u32::MAX, findings);
}

fn prelude(_: &mut Global, element: &Element, findings: &mut Findings) {
    no_effect(element, "remove it; <syslog_output> tells other programs of alerts", findings);
}

fn zeromq(_: &mut Global, element: &Element, findings: &mut Findings) {
    no_effect(element, "remove it; <syslog_output> with `json` tells other programs", findings);
}

fn picviz(_: &mut Global, element: &Element, findings: &mut Findings) {
    no_effect(element, "remove it; OSSEC has given it up too", findings);
}

fn hashes(_: &mut Global, element: &Element, findings: &mut Findings) {
    no_effect(element, "remove it; a rule with a <list> can leave out known hashes", findings);
}

fn no_effect(element: &Element, cure: &str, findings: &mut Findings) {
    findings.add(messages::no_effect(&format!("<{}>", element.name), cure), element);
}
