//! From what `ossec.conf` and `wachter.toml` say to how responses are given.

use std::time::Duration;

use config::wachter_toml::{GatewayAt, NftablesFamily, WebhookFormat};
use respond::actions::{Family, Options, Sets};
use respond::gate::{At, Gateway, SshHost};
use respond::place::{Name, Where};
use respond::responder;
use respond::webhook::{Form, Webhook};

use crate::home::Settings;
use crate::host;

pub(super) fn responder_settings(settings: &Settings) -> responder::Settings {
    let response = &settings.ours.response;
    responder::Settings {
        per_minute: response.blocks_per_minute,
        ipv6_bits: response.ipv6_bits,
        dry_run: response.dry_run.iter().cloned().collect(),
        time_limit: Duration::from_secs(u64::from(response.script_timeout)),
        offenders: settings.conf.active_responses.repeated_offenders.clone(),
        actions: options(settings),
    }
}

pub(crate) fn options(settings: &Settings) -> Options {
    let (response, sets) = (&settings.ours.response, &settings.ours.nftables);
    Options {
        iptables: response.iptables,
        gateway: gateway(settings),
        sets: Sets {
            family: match sets.family {
                NftablesFamily::Inet => Family::Inet,
                NftablesFamily::Ip => Family::Ip,
                NftablesFamily::Ip6 => Family::Ip6,
            },
            table: sets.table.clone(),
            ipv4: sets.ipv4_set.clone(),
            ipv6: sets.ipv6_set.clone(),
        },
        hosts_deny: response.hosts_deny.clone(),
        webhook: webhook(settings),
        ..Options::default()
    }
}

fn webhook(settings: &Settings) -> Option<Webhook> {
    let webhook = &settings.ours.webhook;
    let form = match webhook.format {
        WebhookFormat::Json => Form::Json,
        WebhookFormat::Slack => Form::Slack,
    };
    // Without knowing its own program nobody can be told.
    let program = std::env::current_exe().ok()?;
    Some(Webhook { url: webhook.url.clone()?, form, program, host: host::short_name() })
}

/// The gateway of the settings. Names were looked at when they were read; what would be none here
/// stands for this host.
pub(crate) fn gateway(settings: &Settings) -> Gateway {
    let gateway = &settings.ours.gateway;
    let at = match &gateway.at {
        GatewayAt::Here => None,
        GatewayAt::Namespace(name) => Name::parse(name).map(|it| At::Host(Where::Namespace(it))),
        GatewayAt::Container(name) => Name::parse(name).map(|it| At::Host(Where::Container(it))),
        GatewayAt::Ssh(host) => SshHost::parse(host).map(At::Ssh),
    };
    Gateway {
        at: at.unwrap_or(At::Host(Where::Here)),
        ipv4: gateway.ipv4_set.clone(),
        ipv6: gateway.ipv6_set.clone(),
        create: gateway.create,
        rule: gateway.rule,
        script_first: gateway.script_first,
    }
}

/// Where the gateway is on this host, if it is not the host itself.
pub(super) fn gateway_place(settings: &responder::Settings) -> Option<&Where> {
    match &settings.actions.gateway.at {
        At::Host(Where::Here) | At::Ssh(_) => None,
        At::Host(place @ (Where::Namespace(_) | Where::Container(_))) => Some(place),
    }
}
