//! `<client>`: the servers that an agent reports to.

use std::net::IpAddr;

use osxml::Element;

use crate::address::Host;
use crate::findings::Findings;
use crate::messages;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, many, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// How an agent finds its servers. Fixed: of repeated elements the last one counts, in whichever
/// section; OSSEC falls back to some defaults with every new section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// In the order in which they are tried.
    pub servers: Vec<Spanned<Host>>,
    pub port: u16,
    /// The address of this machine that is sent from.
    pub local_ip: Option<IpAddr>,
    /// Seconds between signs of life.
    pub notify_time: u32,
    /// Seconds without an answer until the next server is tried; more than `notify_time`.
    pub time_reconnect: u32,
    pub disable_active_response: bool,
    /// What `profile` in agent.conf is held against.
    pub config_profile: Option<Spanned<String>>,
    pub crypto_method: CryptoMethod,
    pub at: Place,
}

/// How an agent encrypts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CryptoMethod {
    #[default]
    Aes,
    Blowfish,
}

const PORT_DEFAULT: u16 = 1514;
const NOTIFY_TIME_DEFAULT: u32 = 600;
const TIME_RECONNECT_DEFAULT: u32 = 1800;

#[derive(Default)]
pub(super) struct Draft {
    servers: Vec<Spanned<Host>>,
    port: Option<u16>,
    local_ip: Option<IpAddr>,
    notify_time: u32,
    time_reconnect: Option<u32>,
    disable_active_response: bool,
    config_profile: Option<Spanned<String>>,
    crypto_method: CryptoMethod,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    many("server-ip", |it, element, findings| {
        if let Some(address) = value::single_address(element, findings) {
            it.servers.push(findings.spanned(Host::Address(address), element));
        }
    }),
    many("server-hostname", |it, element, findings| {
        it.servers.extend(value::host(element, findings));
    }),
    one("port", |it, element, findings| value::port(element, &mut it.port, findings)),
    one("local_ip", |it, element, findings| {
        it.local_ip = value::single_address(element, findings).or(it.local_ip);
    }),
    one("notify_time", |it, element, findings| {
        value::put_number(element, 0..=u32::MAX, &mut it.notify_time, findings);
    }),
    one("time-reconnect", |it, element, findings| {
        let seconds = value::number(element, 0..=u32::MAX, findings);
        it.time_reconnect = seconds.or(it.time_reconnect);
    }),
    one("disable-active-response", |it, element, findings| {
        value::yes_or_no(element, &mut it.disable_active_response, findings);
    }),
    // Installers write it without a value.
    one("config-profile", |it, element, findings| {
        value::put_or_none(element, &mut it.config_profile, findings);
    }),
    one("crypto_method", |it, element, findings| {
        let words = [("aes", CryptoMethod::Aes), ("blowfish", CryptoMethod::Blowfish)];
        value::word(element, &words, &mut it.crypto_method, findings);
    }),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    let mut draft = Draft::default();
    for section in sections {
        section::read(section, ELEMENTS, &mut draft, findings);
    }
    let Some(last) = sections.iter().rfind(|section| !section.children.is_empty()) else { return };
    let has = |name: &str| sections.iter().any(|section| section::has(section, name));
    if !has("server-ip") && !has("server-hostname") {
        findings.add(messages::missing_element("client", "server-ip", "192.0.2.1"), last);
    }
    let notify_time = if draft.notify_time == 0 { NOTIFY_TIME_DEFAULT } else { draft.notify_time };
    let reconnect = draft.time_reconnect.unwrap_or(TIME_RECONNECT_DEFAULT);
    conf.client = Some(Client {
        servers: draft.servers,
        port: draft.port.unwrap_or(PORT_DEFAULT),
        local_ip: draft.local_ip,
        notify_time,
        // compat: a time that is too short is raised.
        time_reconnect: match reconnect > notify_time {
            true => reconnect,
            false => notify_time.saturating_mul(3),
        },
        disable_active_response: draft.disable_active_response,
        config_profile: draft.config_profile,
        crypto_method: draft.crypto_method,
        at: findings.name(last),
    });
}
