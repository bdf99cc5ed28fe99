//! The settings, each with its table and what it may be.

use std::ops::RangeInclusive;

use model::Diagnostic;
use toml::de::DeValue;

use super::values::{gateway, integer, loopback, name, names, path, url, word, yes};
use super::{Compat, NftablesFamily, WachterToml, WebhookFormat};
use crate::messages;

const JOURNAL_BYTES: RangeInclusive<u64> = 16 << 20..=1 << 50;
const JOURNAL_DAYS: RangeInclusive<u64> = 0..=36_500;
const LINE_WAIT_MS: RangeInclusive<u64> = 1..=3_600_000;
const COMMAND_TIMEOUT: RangeInclusive<u64> = 1..=86_400;
const BLOCKS_PER_MINUTE: RangeInclusive<u64> = 0..=1_000_000;
const IPV6_BITS: RangeInclusive<u64> = 16..=128;
const SCRIPT_TIMEOUT: RangeInclusive<u64> = 1..=3600;

/// A setting: the table it stands in (none is the top), its name, and where its value goes.
pub(super) struct Key {
    pub(super) table: &'static str,
    pub(super) name: &'static str,
    pub(super) read: fn(&mut WachterToml, &DeValue<'_>) -> Result<(), Diagnostic>,
}

pub(super) const KEYS: &[Key] = &[
    Key {
        table: "",
        name: "compat",
        read: |it, value| {
            let words = [("ours", Compat::Ours), ("strict", Compat::Strict)];
            set(&mut it.compat, word(value, &words, || messages::bad_compat(&["ours", "strict"])))
        },
    },
    Key {
        table: "journal",
        name: "bytes_max",
        read: |it, value| {
            set(&mut it.journal.bytes_max, integer("bytes_max", value, JOURNAL_BYTES, "bytes"))
        },
    },
    Key {
        table: "journal",
        name: "days_max",
        read: |it, value| {
            set(&mut it.journal.days_max, integer("days_max", value, JOURNAL_DAYS, "days"))
        },
    },
    Key {
        table: "metrics",
        name: "listen",
        read: |it, value| set(&mut it.metrics.listen, loopback(value).map(Some)),
    },
    Key {
        table: "collect",
        name: "line_wait_ms",
        read: |it, value| {
            let wait = integer("line_wait_ms", value, LINE_WAIT_MS, "milliseconds");
            set(&mut it.collect.line_wait_ms, wait)
        },
    },
    Key {
        table: "collect",
        name: "command_timeout",
        read: |it, value| {
            let seconds = integer("command_timeout", value, COMMAND_TIMEOUT, "seconds");
            set(&mut it.collect.command_timeout, seconds)
        },
    },
    Key {
        table: "response",
        name: "blocks_per_minute",
        read: |it, value| {
            let blocks = integer("blocks_per_minute", value, BLOCKS_PER_MINUTE, "blocks");
            set(&mut it.response.blocks_per_minute, blocks)
        },
    },
    Key {
        table: "response",
        name: "ipv6_bits",
        read: |it, value| {
            set(&mut it.response.ipv6_bits, integer("ipv6_bits", value, IPV6_BITS, "bits"))
        },
    },
    Key {
        table: "response",
        name: "dry_run",
        read: |it, value| set(&mut it.response.dry_run, names("dry_run", value)),
    },
    Key {
        table: "response",
        name: "script_timeout",
        read: |it, value| {
            let seconds = integer("script_timeout", value, SCRIPT_TIMEOUT, "seconds");
            set(&mut it.response.script_timeout, seconds)
        },
    },
    Key {
        table: "response",
        name: "iptables",
        read: |it, value| set(&mut it.response.iptables, yes("iptables", value)),
    },
    Key {
        table: "response",
        name: "hosts_deny",
        read: |it, value| set(&mut it.response.hosts_deny, path("hosts_deny", value)),
    },
    Key { table: "gateway", name: "at", read: |it, value| set(&mut it.gateway.at, gateway(value)) },
    Key {
        table: "gateway",
        name: "ipv4_set",
        read: |it, value| set(&mut it.gateway.ipv4_set, name("ipv4_set", value)),
    },
    Key {
        table: "gateway",
        name: "ipv6_set",
        read: |it, value| set(&mut it.gateway.ipv6_set, name("ipv6_set", value)),
    },
    Key {
        table: "gateway",
        name: "create",
        read: |it, value| set(&mut it.gateway.create, yes("create", value)),
    },
    Key {
        table: "gateway",
        name: "rule",
        read: |it, value| set(&mut it.gateway.rule, yes("rule", value)),
    },
    Key {
        table: "gateway",
        name: "script_first",
        read: |it, value| set(&mut it.gateway.script_first, yes("script_first", value)),
    },
    Key {
        table: "nftables",
        name: "family",
        read: |it, value| {
            let words = [
                ("inet", NftablesFamily::Inet),
                ("ip", NftablesFamily::Ip),
                ("ip6", NftablesFamily::Ip6),
            ];
            let bad = || messages::bad_word("family", &["inet", "ip", "ip6"]);
            set(&mut it.nftables.family, word(value, &words, bad))
        },
    },
    Key {
        table: "nftables",
        name: "table",
        read: |it, value| set(&mut it.nftables.table, name("table", value)),
    },
    Key {
        table: "nftables",
        name: "ipv4_set",
        read: |it, value| set(&mut it.nftables.ipv4_set, name("ipv4_set", value)),
    },
    Key {
        table: "nftables",
        name: "ipv6_set",
        read: |it, value| set(&mut it.nftables.ipv6_set, name("ipv6_set", value)),
    },
    Key {
        table: "webhook",
        name: "url",
        read: |it, value| set(&mut it.webhook.url, url("url", value).map(Some)),
    },
    Key {
        table: "webhook",
        name: "format",
        read: |it, value| {
            let words = [("json", WebhookFormat::Json), ("slack", WebhookFormat::Slack)];
            let bad = || messages::bad_word("format", &["json", "slack"]);
            set(&mut it.webhook.format, word(value, &words, bad))
        },
    },
];

fn set<T>(place: &mut T, value: Result<T, Diagnostic>) -> Result<(), Diagnostic> {
    *place = value?;
    Ok(())
}
