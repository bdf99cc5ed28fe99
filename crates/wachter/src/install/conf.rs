//! Writes an `ossec.conf` for what was found on a host.
//!
//! Everything in it is either fixed text or an address: no name of a file that somebody else chose
//! ends up in the configuration.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use super::Kind;
use super::bundled;
use super::discovery::{Found, Ports};
use crate::home;

/// What the one who installs chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfOptions {
    /// Where the installation will be.
    pub(crate) home: PathBuf,
    /// Attackers are blocked. Without it the responses are written, but disabled.
    pub(crate) active_response: bool,
    /// The server of an agent: an address or a name.
    pub(crate) server: Option<String>,
    /// Only logs that this user can read are watched.
    pub(crate) only_readable: bool,
}

impl Default for ConfOptions {
    fn default() -> Self {
        Self {
            home: home::DEFAULT.into(),
            active_response: false,
            server: None,
            only_readable: false,
        }
    }
}

/// Seconds between checks of all files: not a whole day, so that the hour wanders.
const SCAN_FREQUENCY: &str = "79200";

/// From this level on attackers are blocked, for so many seconds.
const RESPONSE_LEVEL: &str = "6";
const RESPONSE_TIMEOUT: &str = "600";

/// Files for rootcheck, and the element that names each.
const ROOTCHECK_FILES: &[(&str, &str)] = &[
    ("rootkit_files", "rootkit_files.txt"),
    ("rootkit_trojans", "rootkit_trojans.txt"),
    ("system_audit", "system_audit_rcl.txt"),
    ("system_audit", "system_audit_ssh.txt"),
];

/// What lists ports that programs listen on, those of this host alone left out. Rules know the
/// output by its beginning `netstat -tan`, so the command goes by this name whatever it is.
const PORTS_ALIAS: &str = "netstat -tan, listening";
const PORTS_SS: &str = "ss -H -tln | awk '$4 !~ /^(127[.]|[[]::1[]])/ {print $4}' | sort -u";
const PORTS_NETSTAT: &str =
    "netstat -tln | awk '/LISTEN/ && $4 !~ /^(127[.]|::1:)/ {print $4}' | sort -u";

/// The text of an `ossec.conf`.
pub(crate) fn conf(found: &Found, kind: Kind, options: &ConfOptions) -> String {
    let mut text = Text::default();
    text.line(
        0,
        "<!-- Written for what is on this host. Change it as you like: it is never overwritten.",
    );
    text.line(0, "     See what is wrong in it with bin/wachter check. -->");
    text.line(0, "");
    text.line(0, "<ossec_config>");
    if kind == Kind::Agent {
        client(&mut text, options);
    } else {
        mail(&mut text);
        rules(&mut text);
    }
    syscheck(&mut text, found);
    rootcheck(&mut text, options);
    if kind != Kind::Agent {
        allowed(&mut text, found);
        if kind == Kind::Server {
            remote(&mut text);
        }
        alerts(&mut text);
        commands(&mut text);
        responses(&mut text, options);
    }
    logs(&mut text, found, options);
    if kind != Kind::Agent && !options.only_readable {
        text.section("localfile", |text| {
            text.element("log_format", "syslog");
            let log = options.home.join("logs/active-responses.log");
            text.element("location", &log.display().to_string());
        });
    }
    outputs_of_programs(&mut text, found);
    text.line(0, "</ossec_config>");
    text.0
}

/// The text of an `ossec.conf` that watches these files and nothing else.
///
/// # Errors
///
/// Where a name cannot stand in the configuration.
pub(crate) fn conf_of_files(files: &[PathBuf]) -> io::Result<String> {
    let mut text = Text::default();
    text.line(0, "<ossec_config>");
    rules(&mut text);
    for file in files {
        let path = std::path::absolute(file)?;
        let name = path.to_str().filter(|name| !name.contains(['<', '>', '\n', '\r', '\\']));
        let Some(name) = name else {
            let message = format!("{}: the name cannot stand in ossec.conf", file.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        text.section("localfile", |text| {
            text.element("log_format", format_by_name(name));
            text.element("location", name);
        });
    }
    text.line(0, "</ossec_config>");
    Ok(text.0)
}

/// The format that a file of this name usually has.
fn format_by_name(name: &str) -> &'static str {
    match name.rsplit('/').next() {
        Some("audit.log") => "audit",
        Some(file) if file.contains("access") => "apache",
        _ => "syslog",
    }
}

fn mail(text: &mut Text) {
    text.section("global", |text| {
        text.comment("To get mail: yes, and email_to, smtp_server and email_from.");
        text.element("email_notification", "no");
    });
}

fn client(text: &mut Text, options: &ConfOptions) {
    let Some(server) = &options.server else { return };
    text.section("client", |text| match server.parse::<IpAddr>() {
        Ok(address) => text.element("server-ip", &address.to_string()),
        Err(_) => text.element("server-hostname", server),
    });
}

fn rules(text: &mut Text) {
    text.section("rules", |text| {
        for name in bundled::include_order() {
            text.element("include", &name);
        }
    });
}

fn syscheck(text: &mut Text, found: &Found) {
    text.section("syscheck", |text| {
        text.comment("Seconds between checks of all files (22 hours).");
        text.element("frequency", SCAN_FREQUENCY);
        if !found.directories.is_empty() {
            text.line(0, "");
            text.comment("Where all files are checked, in every respect.");
        }
        let (etc_and_usr, others): (Vec<&str>, Vec<&str>) = found
            .directories
            .iter()
            .partition(|path| path.starts_with("/etc") || path.starts_with("/usr"));
        for directories in [etc_and_usr, others].iter().filter(|some| !some.is_empty()) {
            let list = directories.join(",");
            text.line(2, &format!("<directories check_all=\"yes\">{list}</directories>"));
        }
        if !found.volatile.is_empty() {
            text.line(0, "");
            text.comment("Files that change all the time, and whatever begins like them.");
        }
        for path in &found.volatile {
            text.element("ignore", path);
        }
    });
}

fn rootcheck(text: &mut Text, options: &ConfOptions) {
    text.section("rootcheck", |text| {
        text.element("frequency", SCAN_FREQUENCY);
        for (element, name) in ROOTCHECK_FILES.iter().filter(|(_, name)| bundled::has_shared(name))
        {
            let path = options.home.join("etc/shared").join(name);
            text.element(element, &path.display().to_string());
        }
    });
}

fn allowed(text: &mut Text, found: &Found) {
    text.section("global", |text| {
        text.comment("Addresses that no response ever blocks.");
        for address in ["127.0.0.1", "::1", "localhost.localdomain"] {
            text.element("white_list", address);
        }
        for trusted in &found.trusted {
            let element = format!("<white_list>{}</white_list>", trusted.address);
            text.line(2, &format!("{element} <!-- {} -->", trusted.what));
        }
    });
}

fn remote(text: &mut Text) {
    text.section("remote", |text| {
        text.comment("Agents, at UDP port 1514.");
        text.element("connection", "secure");
    });
}

fn alerts(text: &mut Text) {
    text.section("alerts", |text| {
        text.comment("The lowest level that is written, and that is mailed.");
        text.element("log_alert_level", "1");
        text.element("email_alert_level", "7");
    });
}

fn commands(text: &mut Text) {
    text.line(
        1,
        "<!-- What can be done about an attacker; done only where a response below says so. -->",
    );
    let all = [
        ("host-deny", "srcip", true),
        ("firewall-drop", "srcip", true),
        ("disable-account", "user", true),
        ("restart-ossec", "", false),
        ("route-null", "srcip", true),
    ];
    for (name, expect, has_timeout) in all {
        text.section("command", |text| {
            text.element("name", name);
            text.element("executable", &format!("{name}.sh"));
            text.element("expect", expect);
            if has_timeout {
                text.element("timeout_allowed", "yes");
            }
        });
    }
}

fn responses(text: &mut Text, options: &ConfOptions) {
    let about = match options.active_response {
        true => "Attackers are blocked for ten minutes.",
        false => {
            "To block attackers for ten minutes, say no here. Look first at what would be blocked."
        }
    };
    text.line(1, &format!("<!-- {about} -->"));
    for name in ["host-deny", "firewall-drop"] {
        text.section("active-response", |text| {
            text.element("disabled", if options.active_response { "no" } else { "yes" });
            text.element("command", name);
            text.element("location", "local");
            text.element("level", RESPONSE_LEVEL);
            text.element("timeout", RESPONSE_TIMEOUT);
        });
    }
}

fn logs(text: &mut Text, found: &Found, options: &ConfOptions) {
    text.line(1, "<!-- The logs that are watched. -->");
    text.line(0, "");
    for log in &found.logs.logs {
        if options.only_readable && !log.is_readable {
            text.line(1, &format!("<!-- {}: this user may not read it. -->", log.location));
            text.line(0, "");
            continue;
        }
        text.section("localfile", |text| {
            text.element("log_format", log.format);
            text.element("location", &log.location);
        });
    }
    for log in &found.logs.left_out {
        text.line(1, &format!("<!-- {}: {}. -->", log.location, log.why));
        text.line(0, "");
    }
    if found.logs.journal {
        text.section("localfile", |text| {
            text.element("log_format", "journald");
            text.element("location", "all");
        });
    }
}

fn outputs_of_programs(text: &mut Text, found: &Found) {
    let programs = &found.programs;
    if programs.df {
        text.section("localfile", |text| {
            text.element("log_format", "command");
            text.element("command", "df -P");
        });
    }
    if let Some(ports) = programs.ports {
        text.section("localfile", |text| {
            text.element("log_format", "full_command");
            text.element("command", if ports == Ports::Ss { PORTS_SS } else { PORTS_NETSTAT });
            text.element("alias", PORTS_ALIAS);
        });
    }
    if programs.last {
        text.section("localfile", |text| {
            text.element("log_format", "full_command");
            text.element("command", "last -n 5");
        });
    }
}

/// The text so far.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, line: &str) {
        let indent = if line.is_empty() { 0 } else { 2 * depth };
        self.0.push_str(&" ".repeat(indent));
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.line(1, &format!("<{name}>"));
        fill(self);
        self.line(1, &format!("</{name}>"));
        self.line(0, "");
    }

    fn element(&mut self, name: &str, content: &str) {
        self.line(2, &format!("<{name}>{content}</{name}>"));
    }

    fn comment(&mut self, text: &str) {
        self.line(2, &format!("<!-- {text} -->"));
    }
}

#[cfg(test)]
mod tests {
    use model::SourceId;

    use super::super::discovery::logs::FoundLog;
    use super::super::discovery::{Logs, Programs, Trusted};
    use super::*;

    fn found() -> Found {
        let log = |location: &str, is_readable| FoundLog {
            location: location.to_owned(),
            format: "syslog",
            is_readable,
        };
        Found {
            logs: Logs {
                logs: vec![log("/var/log/auth.log", false), log("/var/log/syslog", true)],
                left_out: Vec::new(),
                journal: true,
            },
            directories: vec!["/etc", "/usr/bin", "/boot"],
            volatile: vec!["/etc/adjtime"],
            programs: Programs { df: true, last: true, ports: Some(Ports::Ss) },
            trusted: vec![Trusted { address: [192, 0, 2, 53].into(), what: "name server" }],
        }
    }

    const OWN_LOG: &str = "/var/ossec/logs/active-responses.log";

    /// Where the logs of others are that are watched.
    fn locations(text: &str) -> Vec<&str> {
        let (_, logs) = text.split_once("<localfile>").unwrap();
        let contents = logs.split("<location>").skip(1);
        let locations = contents.filter_map(|rest| Some(rest.split_once("</location>")?.0));
        locations.filter(|location| *location != OWN_LOG).collect()
    }

    /// The text for `kind`; it must be flawless.
    #[track_caller]
    fn written(kind: Kind, options: &ConfOptions) -> String {
        let text = conf(&found(), kind, options);
        let (_, findings) = config::ossec_conf::read(SourceId(0), text.as_bytes());
        assert_eq!(findings, [], "{text}");
        text
    }

    #[test]
    fn what_each_kind_has() {
        let options =
            ConfOptions { server: Some("192.0.2.1".to_owned()), ..ConfOptions::default() };
        let sections = |kind| {
            let text = written(kind, &options);
            ["rules", "remote", "client", "alerts", "command", "syscheck", "rootcheck"]
                .map(|name| text.contains(&format!("\n  <{name}>\n")))
        };
        assert_eq!(sections(Kind::Local), [true, false, false, true, true, true, true]);
        assert_eq!(sections(Kind::Server), [true, true, false, true, true, true, true]);
        assert_eq!(sections(Kind::Agent), [false, false, true, false, false, true, true]);
        assert!(written(Kind::Agent, &options).contains("<server-ip>192.0.2.1</server-ip>"));
        let options = ConfOptions { server: Some("hub".to_owned()), ..options };
        assert!(written(Kind::Agent, &options).contains("<server-hostname>hub</server-hostname>"));
    }

    #[test]
    fn responses_are_asked_for() {
        let disabled = |active_response| {
            let text =
                written(Kind::Local, &ConfOptions { active_response, ..ConfOptions::default() });
            (text.matches("<disabled>yes<").count(), text.matches("<disabled>no<").count())
        };
        assert_eq!(disabled(false), (2, 0));
        assert_eq!(disabled(true), (0, 2));
    }

    #[test]
    fn logs_that_may_not_be_read() {
        let all = written(Kind::Local, &ConfOptions::default());
        assert_eq!(locations(&all), ["/var/log/auth.log", "/var/log/syslog", "all"]);
        let options = ConfOptions { only_readable: true, ..ConfOptions::default() };
        let plain = written(Kind::Local, &options);
        assert_eq!(locations(&plain), ["/var/log/syslog", "all"]);
        assert!(all.contains(OWN_LOG) && !plain.contains(OWN_LOG));
        assert!(plain.contains("<!-- /var/log/auth.log: this user may not read it. -->"));
    }

    #[test]
    fn what_a_host_lacks_is_not_written() {
        let options = ConfOptions { only_readable: true, ..ConfOptions::default() };
        let text = conf(&Found::default(), Kind::Local, &options);
        assert!(!text.contains("<localfile>") && !text.contains("<directories"), "{text}");
        let (_, findings) = config::ossec_conf::read(SourceId(0), text.as_bytes());
        assert_eq!(findings, []);
    }
}
