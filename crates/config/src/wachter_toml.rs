//! `wachter.toml`: what OSSEC has no word for.
//!
//! ```toml
//! compat = "strict"
//!
//! [journal]
//! bytes_max = 1_073_741_824
//! days_max = 0
//!
//! [metrics]
//! listen = "127.0.0.1:9184"
//!
//! [collect]
//! line_wait_ms = 5000
//! command_timeout = 60
//!
//! [response]
//! dry_run = ["host-deny"]
//!
//! [gateway]
//! at = "container:gateway"
//! ```

mod keys;
mod values;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use model::{Diagnostic, SourceId, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::findings::meant;
use crate::messages;
use keys::{KEYS, Key};

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WachterToml {
    pub compat: Compat,
    pub journal: Journal,
    pub metrics: Metrics,
    pub collect: Collect,
    pub response: Response,
    pub gateway: Gateway,
    pub nftables: Nftables,
    pub webhook: Webhook,
}

/// How closely OSSEC is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// `"ours"`: the same answers, but for faults that hide attacks.
    #[default]
    Ours,
    /// `"strict"`: the same answers, faults included.
    Strict,
}

/// How much is kept of the events that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    pub bytes_max: u64,
    /// 0: as long as there is room.
    pub days_max: u32,
}

/// Where counters can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// A loopback address, so that no other machine can ask; nowhere, if there is none.
    pub listen: Option<SocketAddr>,
}

/// How logs are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// How long a line without its end is held.
    pub line_wait_ms: u32,
    /// Seconds that a command may take.
    pub command_timeout: u32,
}

/// How active responses are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// New blocks a minute.
    pub blocks_per_minute: u32,
    /// IPv6 addresses are blocked together with all that share so many bits.
    pub ipv6_bits: u8,
    /// Commands of `ossec.conf` that are only told of.
    pub dry_run: Vec<String>,
    /// Seconds that a program may take.
    pub script_timeout: u32,
    /// Whether `firewall-drop` is done by iptables, nftables or not.
    pub iptables: bool,
    pub hosts_deny: PathBuf,
}

/// Who keeps attackers out, for the command `ipset-drop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub at: GatewayAt,
    /// Names of sets.
    pub ipv4_set: String,
    pub ipv6_set: String,
    /// Whether sets that are missing are made, and the rule that uses them.
    pub create: bool,
    pub rule: bool,
    /// Whether a script `ipset.sh` of the user's comes first.
    pub script_first: bool,
}

/// Where the gateway is. The names are plain: letters, digits and `._-`, and `@:` of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GatewayAt {
    #[default]
    Here,
    Namespace(String),
    Container(String),
    /// `[USER@]HOST`.
    Ssh(String),
}

/// Sets of the administrator's, for the command `nftables-drop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nftables {
    pub family: NftablesFamily,
    pub table: String,
    pub ipv4_set: String,
    pub ipv6_set: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NftablesFamily {
    #[default]
    Inet,
    Ip,
    Ip6,
}

/// Where blocks are told of, for the command `webhook`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// `https://…` or `http://…`; nowhere, if there is none.
    pub url: Option<String>,
    pub format: WebhookFormat,
}

/// What is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    /// An object with all that is known.
    #[default]
    Json,
    /// What Slack, Mattermost and their like understand.
    Slack,
}

impl Default for Journal {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, days_max: 0 }
    }
}

impl Default for Response {
    fn default() -> Self {
        Self {
            blocks_per_minute: 1000,
            ipv6_bits: 128,
            dry_run: Vec::new(),
            script_timeout: 60,
            iptables: false,
            hosts_deny: PathBuf::from("/etc/hosts.deny"),
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            at: GatewayAt::Here,
            ipv4_set: "global-blk4".to_owned(),
            ipv6_set: "global-blk6".to_owned(),
            create: true,
            rule: false,
            script_first: true,
        }
    }
}

impl Default for Nftables {
    fn default() -> Self {
        Self {
            family: NftablesFamily::Inet,
            table: "filter".to_owned(),
            ipv4_set: "ossec_ar4".to_owned(),
            ipv6_set: "ossec_ar6".to_owned(),
        }
    }
}

impl Default for Collect {
    fn default() -> Self {
        Self { line_wait_ms: 5000, command_timeout: 60 }
    }
}

/// Reads the file.
pub fn read(source: SourceId, text: &[u8]) -> (WachterToml, Vec<Diagnostic>) {
    let mut reader = Reader { source, settings: WachterToml::default(), findings: Vec::new() };
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            reader.add(messages::toml_not_utf8(), error.valid_up_to()..error.valid_up_to() + 1);
            return (reader.settings, reader.findings);
        }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.add(messages::not_toml(error.message()), error.span().unwrap_or_default());
    }
    reader.table("", table.get_ref());
    reader.findings.sort_by_key(|finding| finding.at);
    (reader.settings, reader.findings)
}

struct Reader {
    source: SourceId,
    settings: WachterToml,
    findings: Vec<Diagnostic>,
}

impl Reader {
    fn table(&mut self, table: &str, settings: &DeTable<'_>) {
        for (name, value) in settings {
            let known = KEYS.iter().filter(|key| key.table == table);
            let at_top = |key: &&Key| table.is_empty() && key.table == name.get_ref().as_ref();
            if let Some(key) = known.clone().find(|key| key.name == name.get_ref().as_ref()) {
                if let Err(finding) = (key.read)(&mut self.settings, value.get_ref()) {
                    self.add(finding, value.span());
                }
            } else if let Some(key) = KEYS.iter().find(at_top) {
                self.inner_table(key.table, value);
            } else {
                let tables = KEYS.iter().map(|key| key.table);
                let tables = tables.filter(|other| table.is_empty() && !other.is_empty());
                let meant = meant(name.get_ref(), known.map(|key| key.name).chain(tables));
                self.add(messages::unknown_key(name.get_ref(), table, meant), name.span());
            }
        }
    }

    fn inner_table(&mut self, name: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref().as_table() {
            Some(settings) => self.table(name, settings),
            None => self.add(messages::not_a_table(name), value.span()),
        }
    }

    fn add(&mut self, finding: Diagnostic, span: Range<usize>) {
        self.findings.push(finding.at(self.source, Span::new(span.start, span.end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(findings: &[Diagnostic]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn settings_and_mistakes() {
        let cases: [(&[u8], Compat, &[&str]); 7] = [
            (b"", Compat::Ours, &[]),
            (b"compat = \"strict\" # yes", Compat::Strict, &[]),
            (b"compat = \"ours\"", Compat::Ours, &[]),
            (b"compat = \"strikt\"", Compat::Ours, &["bad-value"]),
            (b"compat = 1\ncompt = 2", Compat::Ours, &["bad-value", "unknown-key"]),
            (b"[compat]\nstrict = true", Compat::Ours, &["bad-value"]),
            (b"\xff", Compat::Ours, &["not-text"]),
        ];
        for (text, compat, expected) in cases {
            let (settings, findings) = read(SourceId(0), text);
            assert_eq!(settings.compat, compat, "{text:?}");
            assert_eq!(codes(&findings), expected, "{text:?}");
        }
    }

    #[test]
    fn tables() {
        let text = "[journal]\nbytes_max = 16_777_216\ndays_max = 30\n\
            [metrics]\nlisten = \"[::1]:80\"\n[collect]\nline_wait_ms = 0x10\ncommand_timeout = 1\n";
        let (settings, findings) = read(SourceId(0), text.as_bytes());
        assert_eq!(findings, []);
        let expected = WachterToml {
            compat: Compat::Ours,
            journal: Journal { bytes_max: 16 << 20, days_max: 30 },
            metrics: Metrics { listen: "[::1]:80".parse().ok() },
            collect: Collect { line_wait_ms: 16, command_timeout: 1 },
            ..WachterToml::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn responses_and_their_gateway() {
        let text = "[response]\nblocks_per_minute = 60\nipv6_bits = 64\ndry_run = [\"host-deny\"]\n\
            script_timeout = 5\niptables = true\nhosts_deny = \"/etc/x\"\n\
            [gateway]\nat = \"ssh:wachter@192.0.2.1\"\nipv4_set = \"a\"\nipv6_set = \"b\"\n\
            create = false\nrule = true\nscript_first = false\n\
            [nftables]\nfamily = \"ip\"\ntable = \"t\"\nipv4_set = \"c\"\nipv6_set = \"d\"\n\
            [webhook]\nurl = \"https://hooks.example.org/x?y=1\"\nformat = \"slack\"\n";
        let (settings, findings) = read(SourceId(0), text.as_bytes());
        assert_eq!(findings, []);
        let expected = WachterToml {
            response: Response {
                blocks_per_minute: 60,
                ipv6_bits: 64,
                dry_run: vec!["host-deny".to_owned()],
                script_timeout: 5,
                iptables: true,
                hosts_deny: PathBuf::from("/etc/x"),
            },
            gateway: Gateway {
                at: GatewayAt::Ssh("wachter@192.0.2.1".to_owned()),
                ipv4_set: "a".to_owned(),
                ipv6_set: "b".to_owned(),
                create: false,
                rule: true,
                script_first: false,
            },
            nftables: Nftables {
                family: NftablesFamily::Ip,
                table: "t".to_owned(),
                ipv4_set: "c".to_owned(),
                ipv6_set: "d".to_owned(),
            },
            webhook: Webhook {
                url: Some("https://hooks.example.org/x?y=1".to_owned()),
                format: WebhookFormat::Slack,
            },
            ..WachterToml::default()
        };
        assert_eq!(settings, expected);
        for (text, at) in [
            ("here", GatewayAt::Here),
            ("namespace:gw-1", GatewayAt::Namespace("gw-1".to_owned())),
            ("container:gateway", GatewayAt::Container("gateway".to_owned())),
        ] {
            let (settings, findings) =
                read(SourceId(0), format!("[gateway]\nat = \"{text}\"").as_bytes());
            assert_eq!((settings.gateway.at, &findings[..]), (at, &[][..]));
        }
    }

    #[test]
    fn mistakes_in_tables() {
        let cases = [
            ("[journal]\nbytes_max = 16_777_215", "bad-value"),
            ("[journal]\nbytes_max = \"1 GiB\"", "bad-value"),
            ("[journal]\ndays_max = -1", "bad-value"),
            ("[journal]\nday_max = 1", "unknown-key"),
            ("[jornal]\ndays_max = 1", "unknown-key"),
            ("journal = 1", "bad-value"),
            ("[metrics]\nlisten = \"9184\"", "bad-value"),
            ("[metrics]\nlisten = \"0.0.0.0:9184\"", "not-loopback"),
            ("[metrics]\nlisten = \"[::ffff:192.0.2.1]:9184\"", "not-loopback"),
            ("[collect]\nline_wait_ms = 0", "bad-value"),
            ("[collect]\ncommand_timeout = 86_401", "bad-value"),
            ("[response]\nblocks_per_minute = true", "bad-value"),
            ("[response]\nipv6_bits = 8", "bad-value"),
            ("[response]\ndry_run = \"host-deny\"", "bad-value"),
            ("[response]\ndry_run = [1]", "bad-value"),
            ("[response]\nscript_timeout = 0", "bad-value"),
            ("[response]\niptables = \"yes\"", "bad-value"),
            ("[response]\nhosts_deny = \"hosts.deny\"", "bad-value"),
            ("[gateway]\nat = \"there\"", "bad-value"),
            ("[gateway]\nat = \"namespace:\"", "bad-value"),
            ("[gateway]\nat = \"namespace:../x\"", "bad-value"),
            ("[gateway]\nat = \"ssh:-oProxyCommand=x\"", "bad-value"),
            ("[gateway]\nat = \"ssh:a b\"", "bad-value"),
            ("[gateway]\nipv4_set = \"-x\"", "bad-value"),
            ("[gateway]\nipv6_set = \"a name that is longer than 31 b\"", "bad-value"),
            ("[gateway]\nset = \"x\"", "unknown-key"),
            ("[nftables]\nfamily = \"bridge\"", "bad-value"),
            ("[webhook]\nurl = \"example.org\"", "bad-value"),
            ("[webhook]\nurl = \"ftp://example.org\"", "bad-value"),
            ("[webhook]\nurl = \"https://\"", "bad-value"),
            ("[webhook]\nformat = \"mail\"", "bad-value"),
        ];
        for (text, code) in cases {
            let (settings, findings) = read(SourceId(0), text.as_bytes());
            assert_eq!(settings, WachterToml::default(), "{text}");
            assert_eq!(codes(&findings), [code], "{text}");
            assert!(findings.iter().all(|finding| finding.hint.is_some()), "{text}");
        }
        let (_, findings) = read(SourceId(0), b"[jornal]\n[collect]\nline_wait = 1");
        let hints: Vec<Option<&str>> = findings.iter().map(|it| it.hint.as_deref()).collect();
        assert_eq!(hints, [Some("did you mean `journal`?"), Some("did you mean `line_wait_ms`?")]);
    }

    #[test]
    fn errors_have_a_place() {
        let (_, findings) = read(SourceId(3), b"compat = \"strict\"\nx = =\n");
        assert!(findings.iter().any(|finding| finding.code == "not-toml"));
        assert!(findings.iter().all(|finding| finding.at.is_some()));
    }
}
