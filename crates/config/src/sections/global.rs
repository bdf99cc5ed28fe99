//! `<global>`: what concerns more than one program.

use model::{SourceId, Span};
use osxml::Element;

use crate::ossec_conf::{Findings, OssecConf};
use crate::value;

/// Of repeated elements the last one counts.
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
    /// The database with the countries of addresses.
    pub geoip: Option<GeoIpDatabase>,
}

/// A database and where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoIpDatabase {
    pub path: String,
    pub at: (SourceId, Span),
}

/// compat: a lower `memory_size` is raised to this.
const MEMORY_SIZE_MIN: u32 = 2048;

/// Elements that other programs read.
const OTHERS: &[&str] = &[
    "allow_list",
    "auth_smtp",
    "compress_alerts",
    "custom_alert_output",
    "email_from",
    "email_idsname",
    "email_maxperhour",
    "email_notification",
    "email_reply_to",
    "email_to",
    "geoip6_db_path",
    "helo_server",
    "host_information",
    "integrity_checking",
    "md5_allowlist",
    "md5_whitelist",
    "prelude_log_level",
    "prelude_output",
    "prelude_profile",
    "rootkit_detection",
    "secure_smtp",
    "smtp_password",
    "smtp_port",
    "smtp_server",
    "smtp_tls_verify",
    "smtp_user",
    "white_list",
    "zeromq_client_cert",
    "zeromq_output",
    "zeromq_server_cert",
    "zeromq_uri",
];

/// Elements that are read here.
const OURS: &[&str] = &[
    "stats",
    "memory_size",
    "logall",
    "logall_json",
    "jsonout_output",
    "geoipdb",
    "geoip_db_path",
];

impl Default for Global {
    fn default() -> Self {
        Self {
            stats: 4,
            memory_size: None,
            logall: false,
            logall_json: false,
            jsonout_output: false,
            geoip: None,
        }
    }
}

pub(super) fn read(section: &Element, conf: &mut OssecConf, findings: &mut Findings) {
    let global = &mut conf.global;
    for element in &section.children {
        match element.name.as_str() {
            "stats" => value::level(element, &mut global.stats, findings),
            "memory_size" => {
                if let Some(size) = value::number(element, 0..=u32::MAX, findings) {
                    global.memory_size = Some(size.max(MEMORY_SIZE_MIN));
                }
            }
            "logall" => value::yes_or_no(element, &mut global.logall, findings),
            "logall_json" => value::yes_or_no(element, &mut global.logall_json, findings),
            "jsonout_output" => value::yes_or_no(element, &mut global.jsonout_output, findings),
            "geoipdb" | "geoip_db_path" => {
                if let Some(path) = value::text(element, findings) {
                    let at = (findings.source(), element.content_span);
                    global.geoip = Some(GeoIpDatabase { path, at });
                }
            }
            name if OTHERS.contains(&name) => {}
            _ => value::unknown(element, section, &[OURS, OTHERS].concat(), findings),
        }
    }
}
