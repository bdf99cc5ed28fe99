//! `<alerts>`: from which level on people are told.

use osxml::Element;

use crate::findings::Findings;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, one};
use crate::value;

/// Of repeated elements the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// The lowest level that is written.
    pub log_alert_level: u16,
    /// The lowest level that asks for mail.
    pub email_alert_level: u16,
    pub use_geoip: bool,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { log_alert_level: 1, email_alert_level: 7, use_geoip: false }
    }
}

pub(super) const ELEMENTS: &[Entry<Alerts>] = &[
    one("log_alert_level", |it, element, findings| {
        value::level(element, &mut it.log_alert_level, findings);
    }),
    one("email_alert_level", |it, element, findings| {
        value::level(element, &mut it.email_alert_level, findings);
    }),
    one("use_geoip", |it, element, findings| {
        value::yes_or_no(element, &mut it.use_geoip, findings);
    }),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections {
        section::read(section, ELEMENTS, &mut conf.alerts, findings);
    }
}
