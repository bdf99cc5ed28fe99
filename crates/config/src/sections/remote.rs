//! `<remote>`: where agents and senders of syslog are listened to.

use std::net::IpAddr;

use osxml::Element;

use crate::address::AddressEntry;
use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, any_case, many, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub connection: Connection,
    pub port: u16,
    pub protocol: Protocol,
    /// The address of this machine that is listened on; all, if there is none.
    pub local_ip: Option<IpAddr>,
    /// Who may send syslog. compat: the lists of all sections are one; see
    /// [`OssecConf::allowed_ips`] and [`OssecConf::denied_ips`].
    pub allowed_ips: Vec<Spanned<AddressEntry>>,
    /// Who may not; this is looked at first.
    pub denied_ips: Vec<Spanned<AddressEntry>>,
    /// How agents may encrypt.
    pub crypto_accept: CryptoAccept,
    pub at: Place,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Agents. compat: by UDP alone.
    Secure,
    Syslog,
}

/// A protocol below syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Udp,
    Tcp,
}

/// The methods of encryption that are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CryptoAccept {
    #[default]
    Any,
    Aes,
    Blowfish,
}

/// compat: as many as OSSEC listens on.
pub const REMOTES_MAX: usize = 16;

const SECURE_PORT: u16 = 1514;
const SYSLOG_PORT: u16 = 514;

#[derive(Default)]
pub(super) struct Draft {
    connection: Option<Connection>,
    port: Option<u16>,
    protocol: Option<Protocol>,
    local_ip: Option<IpAddr>,
    allowed_ips: Vec<Spanned<AddressEntry>>,
    denied_ips: Vec<Spanned<AddressEntry>>,
    crypto_accept: CryptoAccept,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    any_case(one("connection", |it, element, findings| {
        let words = [("secure", Some(Connection::Secure)), ("syslog", Some(Connection::Syslog))];
        value::word(element, &words, &mut it.connection, findings);
    })),
    any_case(one("port", |it, element, findings| value::port(element, &mut it.port, findings))),
    any_case(one("protocol", |it, element, findings| {
        let words = [("udp", Some(Protocol::Udp)), ("tcp", Some(Protocol::Tcp))];
        value::word_in_any_case(element, &words, &mut it.protocol, findings);
    })),
    any_case(one("local_ip", |it, element, findings| {
        it.local_ip = value::single_address(element, findings).or(it.local_ip);
    })),
    // compat: nothing depends on it.
    any_case(one("ipv6", |_, element, findings| {
        value::word_in_any_case(element, &[("yes", ())], &mut (), findings);
    })),
    many("allowed-ips", |it, element, findings| {
        value::put_address(element, &mut it.allowed_ips, findings);
    }),
    many("denied-ips", |it, element, findings| {
        value::put_address(element, &mut it.denied_ips, findings);
    }),
    any_case(one("crypto_accept", |it, element, findings| {
        let words = [
            ("blowfish", CryptoAccept::Blowfish),
            ("aes", CryptoAccept::Aes),
            ("both", CryptoAccept::Any),
            ("any", CryptoAccept::Any),
        ];
        value::word_in_any_case(element, &words, &mut it.crypto_accept, findings);
    })),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    for section in sections.iter().filter(|section| !section.children.is_empty()) {
        let mut draft = Draft::default();
        section::read(section, ELEMENTS, &mut draft, findings);
        section::has_all(section, &[("connection", "secure")], findings);
        let Some(remote) = listener(section, draft, findings) else { continue };
        if conf.remotes.len() >= REMOTES_MAX {
            findings.add(messages::too_many_sections("remote", REMOTES_MAX), section);
            continue;
        }
        if is_alone(&remote, &conf.remotes, section, findings) {
            conf.remotes.push(remote);
        }
    }
    // A list whose only entries are wrong is not missing.
    let has_list = sections.iter().any(|section| section::has(section, "allowed-ips"));
    for remote in &conf.remotes {
        if remote.connection == Connection::Syslog && !has_list {
            findings.add_to(messages::no_allowed_ips(), remote.at);
        }
    }
}

fn listener(section: &Element, draft: Draft, findings: &mut Findings) -> Option<Remote> {
    let Draft { protocol, local_ip, allowed_ips, denied_ips, crypto_accept, .. } = draft;
    let connection = draft.connection?;
    let (port, protocol) = match connection {
        Connection::Secure => {
            if protocol == Some(Protocol::Tcp) {
                let cure = "remove it: agents send by UDP";
                let message = messages::no_effect("<protocol>tcp</protocol>", cure);
                findings.add(message, section::at(section, "protocol"));
            }
            (SECURE_PORT, Protocol::Udp)
        }
        Connection::Syslog => (SYSLOG_PORT, protocol.unwrap_or(Protocol::Udp)),
    };
    Some(Remote {
        connection,
        port: draft.port.unwrap_or(port),
        protocol,
        local_ip,
        allowed_ips,
        denied_ips,
        crypto_accept,
        at: findings.name(section),
    })
}

/// Whether a listener does not take the place of an earlier one.
fn is_alone(
    remote: &Remote,
    others: &[Remote],
    section: &Element,
    findings: &mut Findings,
) -> bool {
    let secure = Connection::Secure;
    if remote.connection == secure && others.iter().any(|other| other.connection == secure) {
        findings.add(messages::secure_repeated(), section);
        return false;
    }
    let overlaps = |other: &&Remote| {
        let everywhere = remote.local_ip.is_none() || other.local_ip.is_none();
        (remote.port, remote.protocol) == (other.port, other.protocol)
            && (everywhere || remote.local_ip == other.local_ip)
    };
    if others.iter().any(|other| overlaps(&other)) {
        let protocol = if remote.protocol == Protocol::Udp { "UDP" } else { "TCP" };
        findings.add(messages::listener_repeated(remote.port, protocol), section);
        return false;
    }
    true
}
