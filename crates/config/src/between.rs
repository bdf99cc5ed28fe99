//! What sections say of one another. They may stand in any order.

use std::collections::{HashMap, HashSet};

use osxml::Element;

use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::sections::Command;

/// Names that a wrong one is compared with.
const NAMES_MAX: usize = 1000;

/// Reports sections that do not go together. `commands`: the `<command>` sections of the file, those
/// that cannot be used too.
pub(crate) fn check(commands: &[&Element], conf: &OssecConf, findings: &mut Findings) {
    check_responses(commands, conf, findings);
    check_mail(conf, findings);
}

fn check_responses(commands: &[&Element], conf: &OssecConf, findings: &mut Findings) {
    let named = commands.iter().flat_map(|section| &section.children);
    let names: HashSet<String> = named
        .filter(|child| child.name == "name")
        .map(|name| name.text().trim().to_owned())
        .collect();
    let by_name: HashMap<&str, &Command> =
        conf.commands.iter().map(|command| (command.name.as_str(), command)).collect();
    for response in &conf.active_responses.list {
        let name = &response.command;
        if !names.contains(name.as_str()) {
            let known = names.iter().map(String::as_str).take(NAMES_MAX);
            let meant = findings.meant(name, known);
            findings.add_to(messages::unknown_command(name, meant), name.at);
        }
        let command = by_name.get(name.as_str());
        let timeout = response.timeout.as_ref().filter(|timeout| timeout.value > 0);
        if let (Some(command), Some(timeout)) = (command, timeout)
            && !command.timeout_allowed
        {
            findings.add_to(messages::timeout_not_allowed(name), timeout.at);
        }
    }
}

fn check_mail(conf: &OssecConf, findings: &mut Findings) {
    let mail = &conf.global.mail;
    if !mail.email_notification {
        for alert in &conf.email_alerts {
            let cure = "write <email_notification>yes</email_notification> into <global>";
            findings.add_to(messages::no_effect("<email_alerts>", cure), alert.at);
        }
    }
    if let Some(report) = conf.reports.first() {
        let missing = [
            ("smtp_server", mail.smtp_server.is_none()),
            ("email_from", mail.email_from.is_none()),
        ];
        // Where alerts are mailed too, it is told there.
        for (name, _) in missing.iter().filter(|(_, lacks)| *lacks && !mail.email_notification) {
            findings.add_to(messages::report_without_mail(name), report.at);
        }
    }
}
