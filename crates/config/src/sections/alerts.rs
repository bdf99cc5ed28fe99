//! `<alerts>`: from which level on people are told.

use osxml::Element;

use crate::ossec_conf::{Findings, OssecConf};
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

pub(super) fn read(section: &Element, conf: &mut OssecConf, findings: &mut Findings) {
    let alerts = &mut conf.alerts;
    for element in &section.children {
        match element.name.as_str() {
            "log_alert_level" => value::level(element, &mut alerts.log_alert_level, findings),
            "email_alert_level" => value::level(element, &mut alerts.email_alert_level, findings),
            "use_geoip" => value::yes_or_no(element, &mut alerts.use_geoip, findings),
            _ => value::unknown(
                element,
                section,
                &["log_alert_level", "email_alert_level", "use_geoip"],
                findings,
            ),
        }
    }
}
