//! `<syslog_output>`: which other machines are told of alerts.

use osxml::Element;

use crate::address::Host;
use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::sections::remote::Protocol;
use crate::spanned::{Place, Spanned};
use crate::value;

/// One receiver, and the alerts that it is told of: those that fit everything said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogOutput {
    pub server: Spanned<Host>,
    pub port: u16,
    pub transport: Transport,
    pub format: SyslogFormat,
    /// The lowest level.
    pub level: u16,
    /// Any of these rules; empty means all.
    pub rule_ids: Vec<u32>,
    /// OS_Match on the rule's groups.
    pub group: Option<Spanned<String>>,
    /// OS_Match on the alert's location.
    pub location: Option<Spanned<String>>,
    /// This machine is called by its whole name.
    pub use_fqdn: bool,
    pub at: Place,
}

/// How alerts travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls {
        /// The receiver's certificate is checked.
        verify: bool,
        /// A file of authorities; those of the system, if there is none.
        ca: Option<Spanned<String>>,
    },
}

/// How alerts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyslogFormat {
    #[default]
    Default,
    Cef,
    Json,
    Splunk,
}

const PORT_DEFAULT: u16 = 514;

#[derive(Default)]
pub(super) struct Draft {
    server: Option<Spanned<Host>>,
    port: Option<u16>,
    format: SyslogFormat,
    level: u16,
    rule_ids: Vec<u32>,
    group: Option<Spanned<String>>,
    location: Option<Spanned<String>>,
    use_fqdn: bool,
    protocol: Option<Protocol>,
    tls: bool,
    tls_verify: Option<bool>,
    tls_ca: Option<Spanned<String>>,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("server", |it, element, findings| {
        it.server = value::host(element, findings).or(it.server.take());
    }),
    one("port", |it, element, findings| value::port(element, &mut it.port, findings)),
    one("format", |it, element, findings| {
        let words = [
            ("default", SyslogFormat::Default),
            ("cef", SyslogFormat::Cef),
            ("json", SyslogFormat::Json),
            ("splunk", SyslogFormat::Splunk),
        ];
        value::word(element, &words, &mut it.format, findings);
    }),
    one("level", |it, element, findings| value::level(element, &mut it.level, findings)),
    many("rule_id", |it, element, findings| {
        value::rule_ids(element, &mut it.rule_ids, findings);
    }),
    one("group", |it, element, findings| value::put(element, &mut it.group, findings)),
    one("location", |it, element, findings| value::put(element, &mut it.location, findings)),
    one("use_fqdn", |it, element, findings| {
        value::yes_or_no(element, &mut it.use_fqdn, findings);
    }),
    one("protocol", |it, element, findings| {
        let words = [("udp", Some(Protocol::Udp)), ("tcp", Some(Protocol::Tcp))];
        value::word(element, &words, &mut it.protocol, findings);
    }),
    one("tls", |it, element, findings| value::yes_or_no(element, &mut it.tls, findings)),
    one("tls_verify", |it, element, findings| {
        let mut verify = it.tls_verify.unwrap_or(true);
        value::yes_or_no(element, &mut verify, findings);
        it.tls_verify = Some(verify);
    }),
    one("tls_ca", |it, element, findings| {
        it.tls_ca = value::absolute_path(element, findings).or(it.tls_ca.take());
    }),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        section::has_all(section, &[("server", "log.example.org")], findings);
        let transport = transport(section, &mut draft, findings);
        let Draft { format, level, rule_ids, group, location, use_fqdn, .. } = draft;
        let (Some(server), Some(transport)) = (draft.server, transport) else { continue };
        conf.syslog_outputs.push(SyslogOutput {
            server,
            port: draft.port.unwrap_or(PORT_DEFAULT),
            transport,
            format,
            level,
            rule_ids,
            group,
            location,
            use_fqdn,
            at: findings.name(section),
        });
    }
}

fn transport(section: &Element, draft: &mut Draft, findings: &mut Findings) -> Option<Transport> {
    if !draft.tls {
        for name in ["tls_verify", "tls_ca"].into_iter().filter(|name| section::has(section, name))
        {
            let cure = "write <tls>yes</tls>, or remove it";
            let message = messages::no_effect(&format!("<{name}>"), cure);
            findings.add(message, section::at(section, name));
        }
    }
    match (draft.tls, draft.protocol) {
        (true, Some(Protocol::Udp)) => {
            findings.add(messages::tls_over_udp(), section::at(section, "tls"));
            None
        }
        (true, Some(Protocol::Tcp) | None) => Some(Transport::Tls {
            verify: draft.tls_verify.unwrap_or(true),
            ca: draft.tls_ca.take(),
        }),
        (false, Some(Protocol::Tcp)) => Some(Transport::Tcp),
        (false, Some(Protocol::Udp) | None) => Some(Transport::Udp),
    }
}
