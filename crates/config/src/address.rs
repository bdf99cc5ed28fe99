//! Addresses, networks and host names.

use std::net::{IpAddr, Ipv6Addr};

/// One address, network or `any`, wanted or (`!`) unwanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressEntry {
    pub negated: bool,
    pub network: Network,
}

/// A set of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Any address of either family.
    Any,
    /// Those whose first `bits` are the same as the address's.
    Bits { address: IpAddr, bits: u8 },
}

/// A machine: its address, or a name to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    Name(String),
}

/// Bytes of a host name, and of a part of it between dots.
const HOST_NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

impl AddressEntry {
    /// Reads `[!]ADDRESS[/BITS]` or `any`; an error says how to write it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        Ok(Self { negated, network: Network::parse(text)? })
    }

    /// The entry of one address alone.
    pub fn single(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { negated: false, network: Network::Bits { address, bits: width(address) } }
    }
}

/// Whether an address is in a list: the first entry that contains it decides.
///
/// compat: if none does, the answer is the opposite of what the last entry wants.
pub fn is_listed<'a>(entries: impl IntoIterator<Item = &'a AddressEntry>, address: IpAddr) -> bool {
    let mut last_is_negated = false;
    for entry in entries {
        if entry.network.contains(address) {
            return !entry.negated;
        }
        last_is_negated = entry.negated;
    }
    last_is_negated
}

impl Network {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let Some(address) = parse_address(address) else { return Err(cure(text)) };
        let Some(bits) = bits else {
            return Ok(Self::Bits { address, bits: width(address) });
        };
        let digits = bits.len() <= 3 && bits.bytes().all(|byte| byte.is_ascii_digit());
        match bits.parse() {
            Ok(bits) if digits && bits <= width(address) => Ok(Self::Bits { address, bits }),
            _ if bits.contains('.') => Err("write the number of bits, as in `10.0.0.0/8`"),
            _ if address.is_ipv4() => Err("write the number of bits, from `/0` to `/32`"),
            _ => Err("write the number of bits, from `/0` to `/128`"),
        }
    }

    pub fn contains(self, other: IpAddr) -> bool {
        let Self::Bits { address, bits } = self else { return true };
        match (address, other.to_canonical()) {
            (IpAddr::V4(address), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
                (address.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(address), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
                (address.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Host {
    /// An address, or what may be the name of a machine.
    pub fn parse(text: &str) -> Option<Self> {
        match parse_address(text) {
            Some(address) => Some(Self::Address(address)),
            None => is_host_name(text).then(|| Self::Name(text.to_owned())),
        }
    }
}

/// The one address that a text is.
///
/// compat: IPv4 in every form of C's `inet_aton`, such as `10.1` for `10.0.0.1`. An IPv4 address in
/// IPv6 form is the IPv4 address.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let address: Ipv6Addr = text.parse().ok()?;
        return Some(IpAddr::V6(address).to_canonical());
    }
    model::inet_aton(text.as_bytes()).map(IpAddr::V4)
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Letters, digits, `-` and `_` in parts between dots; the last part is not a number.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(known)
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let top = name.rsplit('.').next().unwrap_or_default();
    name.len() <= HOST_NAME_BYTES_MAX
        && name.split('.').all(is_label)
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

fn cure(text: &str) -> &'static str {
    if text.contains([',', '|', ';', ' ', '\n']) {
        "one address for each element: repeat the element for more"
    } else if text.eq_ignore_ascii_case("any") {
        "write `any` in small letters"
    } else if text.contains('*') || text.ends_with('.') {
        "write a network with its number of bits, as in `192.168.0.0/16`"
    } else if text.contains('-') {
        "a range is not supported: write networks, as in `192.168.0.0/16`"
    } else {
        "write `ADDRESS`, `ADDRESS/BITS` or `any`, with `!` before it for the opposite"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let table = [
            ("10.1", Some("10.0.0.1/32")),
            ("0x0a.1/8", Some("10.0.0.1/8")),
            ("!::1", Some("!::1/128")),
            ("::ffff:10.0.0.1", Some("10.0.0.1/32")),
            ("fe80::/10", Some("fe80::/10")),
            ("any", Some("any")),
            ("! any", Some("!any")),
            ("10.0.0.0/33", None),
            ("10.0.0.0/+8", None),
            ("10.0.0.0/0008", None),
            ("10.0.0.0/255.0.0.0", None),
            ("::/129", None),
            ("10.0.0.256", None),
            ("10.0.0.0.1", None),
            ("10.", None),
            ("", None),
            ("Any", None),
            ("10.0.0.*", None),
        ];
        for (text, expected) in table {
            let shown = AddressEntry::parse(text).ok().map(|entry| {
                let sign = if entry.negated { "!" } else { "" };
                match entry.network {
                    Network::Any => format!("{sign}any"),
                    Network::Bits { address, bits } => format!("{sign}{address}/{bits}"),
                }
            });
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_first_entry_that_contains_an_address_decides() {
        let table: [(&[&str], [bool; 3]); 6] = [
            (&["1.1.1.0/24"], [true, true, false]),
            (&["!1.1.1.1", "1.1.1.0/24"], [false, true, false]),
            (&["1.1.1.0/24", "!1.1.1.1"], [true, true, true]),
            (&["any"], [true, true, true]),
            (&["!any"], [false, false, false]),
            (&[], [false, false, false]),
        ];
        for (entries, expected) in table {
            let list: Vec<AddressEntry> =
                entries.iter().map(|entry| AddressEntry::parse(entry).unwrap()).collect();
            let listed = ["1.1.1.1", "::ffff:1.1.1.2", "2::1"]
                .map(|address| is_listed(&list, address.parse().unwrap()));
            assert_eq!(listed, expected, "{entries:?}");
        }
    }

    #[test]
    fn hosts() {
        for name in ["log.example.org", "a", "a_b.c-d.", "1and1"] {
            assert_eq!(Host::parse(name), Some(Host::Name(name.to_owned())), "{name}");
        }
        assert_eq!(Host::parse("127.1"), Some(Host::Address("127.0.0.1".parse().unwrap())));
        let long = "a".repeat(64);
        for text in ["", "a..b", "a b", "10.0.0.0/8", "300.1.1.1", "ä", "a/b", long.as_str()] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
