//! Addresses: the values of `srcip` and `dstip`, and whether an event's address is among them.

use crate::value::{ValueError, shown};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The addresses of a rule, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    pub entries: Vec<Entry>,
}

/// One address, network or `any`, wanted or (`!`) unwanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub negated: bool,
    pub network: Network,
}

/// A set of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Any address of either family: `any` and `/0`.
    Any,
    /// The address without its host part, and the bits that count.
    V4 {
        address: u32,
        mask: u32,
    },
    V6 {
        address: u128,
        mask: u128,
    },
}

/// One address. An IPv4 address in IPv6 form is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    V4(u32),
    V6(u128),
}

impl AddressList {
    /// Whether an event's address fits. The first entry that contains it decides; if none does, a
    /// list that ends with an unwanted address fits. What is no address never fits.
    pub fn contains(&self, address_text: &[u8]) -> bool {
        let Some(address) = Address::parse(address_text) else {
            return false;
        };
        match self.entries.iter().find(|entry| entry.network.contains(address)) {
            Some(entry) => !entry.negated,
            None => self.entries.last().is_some_and(|last| last.negated),
        }
    }
}

impl Entry {
    /// Reads `[!]ADDRESS[/BITS]` or `any`.
    pub fn parse(entry: &[u8]) -> Result<Self, ValueError> {
        let text = entry.trim_ascii();
        let (negated, text) = match text.strip_prefix(b"!") {
            Some(rest) => (true, rest.trim_ascii_start()),
            None => (false, text),
        };
        Ok(Self { negated, network: Network::parse(text)? })
    }
}

impl Network {
    fn parse(text: &[u8]) -> Result<Self, ValueError> {
        if text == b"any" {
            return Ok(Self::Any);
        }
        let (address_text, bits) = match text.iter().position(|&byte| byte == b'/') {
            Some(slash) => {
                let (address, bits) = text.split_at(slash);
                (address, Some(bits.get(1..).unwrap_or_default()))
            }
            None => (text, None),
        };
        let Some(address) = Address::parse(address_text) else {
            return Err(not_an_address(text));
        };
        let bits = match bits {
            Some(bits) => parse_bits(bits, is_v4_text(address_text))?,
            None => return Ok(Self::of(address, u32::MAX)),
        };
        // An IPv4 address in IPv6 form has its own bits after 96 others.
        match address {
            Address::V4(v4) if !is_v4_text(address_text) && bits < 96 => {
                Ok(Self::of(Address::V6(Ipv4Addr::from_bits(v4).to_ipv6_mapped().to_bits()), bits))
            }
            Address::V4(_) if !is_v4_text(address_text) => Ok(Self::of(address, bits - 96)),
            Address::V4(_) | Address::V6(_) => Ok(Self::of(address, bits)),
        }
    }

    /// The network of an address; more bits than it has are all of them.
    fn of(address: Address, bits: u32) -> Self {
        if bits == 0 {
            return Self::Any;
        }
        match address {
            Address::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
                Self::V4 { address: address & mask, mask }
            }
            Address::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
                Self::V6 { address: address & mask, mask }
            }
        }
    }

    fn contains(self, other: Address) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::V4 { address, mask }, Address::V4(other)) => other & mask == address,
            (Self::V6 { address, mask }, Address::V6(other)) => other & mask == address,
            (Self::V4 { .. }, Address::V6(_)) | (Self::V6 { .. }, Address::V4(_)) => false,
        }
    }
}

impl Address {
    fn parse(text: &[u8]) -> Option<Self> {
        if is_v4_text(text) {
            return model::inet_aton(text).map(|address| Self::V4(address.to_bits()));
        }
        // The interface behind `%` says where to send, not which address it is.
        let (text, zone) = match text.iter().position(|&byte| byte == b'%') {
            Some(at) => text.split_at(at),
            None => (text, b"%-".as_slice()),
        };
        let zone_known = zone.len() > 1 && zone.iter().all(u8::is_ascii_graphic);
        let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
        let address = match address.to_ipv4_mapped() {
            Some(v4) => Self::V4(v4.to_bits()),
            None => Self::V6(address.to_bits()),
        };
        zone_known.then_some(address)
    }
}

fn is_v4_text(text: &[u8]) -> bool {
    !text.contains(&b':')
}

fn parse_bits(text: &[u8], v4: bool) -> Result<u32, ValueError> {
    let (max, family) = if v4 { (32, "IPv4") } else { (128, "IPv6") };
    let hint = format!("write the number of bits, 0 to {max}, for example `/24`");
    if text.contains(&b'.') {
        return Err(ValueError::new(format!("`{}` is a netmask", shown(text)), hint));
    }
    let digits = text.len() <= 3 && text.iter().all(u8::is_ascii_digit);
    let bits = parse_decimal(text).filter(|_| digits);
    match bits {
        Some(bits) if bits <= max => Ok(bits),
        Some(_) | None => {
            let message = format!("`/{}` is no network of {family} addresses", shown(text));
            Err(ValueError::new(message, hint))
        }
    }
}

fn parse_decimal(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn not_an_address(text: &[u8]) -> ValueError {
    let separated = text.iter().any(|&byte| matches!(byte, b',' | b'|' | b';' | b' ' | b'\n'));
    let hint = if separated {
        "one address for each element: repeat the element for more"
    } else if text.eq_ignore_ascii_case(b"any") {
        "write `any` in lower case"
    } else if text.contains(&b'*') || text.ends_with(b".") {
        "write a network with its number of bits, for example `192.168.0.0/16`"
    } else if text.contains(&b'-') {
        "a range is not supported: write networks, for example `192.168.0.0/16`"
    } else {
        "write `ADDRESS`, `ADDRESS/BITS` or `any`, with `!` before it for the opposite"
    };
    ValueError::new(format!("`{}` is no address", shown(text)), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> AddressList {
        let parse = |entry: &&str| Entry::parse(entry.as_bytes()).unwrap();
        AddressList { entries: entries.iter().map(parse).collect() }
    }

    #[test]
    fn order_decides() {
        let table: [(&[&str], [bool; 4]); 7] = [
            (&["!1.1.1.1"], [false, true, true, false]),
            (&["!1.1.1.1", "1.1.1.0/24"], [false, true, false, false]),
            (&["1.1.1.0/24", "!1.1.1.1"], [true, true, true, false]),
            (&["any"], [true, true, true, false]),
            (&["!any"], [false, false, false, false]),
            (&["!2.1.1.1", "1.1.1.1"], [true, false, false, false]),
            (&[], [false; 4]),
        ];
        for (entries, expected) in table {
            let list = list(entries);
            let events = ["1.1.1.1", "1.1.1.2", "2.1.1.1", "nothost"];
            assert_eq!(
                events.map(|event| list.contains(event.as_bytes())),
                expected,
                "{entries:?}"
            );
        }
    }

    #[test]
    fn forms_of_addresses() {
        let table = [
            ("1.2.3.4", "1.2.3.4", true),
            ("0x1.0x2.03.4", "1.2.3.4", true),
            ("1.2.772", "1.2.3.4", true),
            ("1.131844", "1.2.3.4", true),
            ("16909060", "1.2.3.4", true),
            ("1.2.3.4", "16909060", true),
            ("1.2.3.4", "::ffff:1.2.3.4", true),
            ("::ffff:1.2.3.4", "1.2.3.4", true),
            ("::ffff:1.2.3.0/120", "1.2.3.9", true),
            ("::ffff:1.2.3.0/96", "9.9.9.9", true),
            ("::ffff:1.2.3.0/95", "9.9.9.9", false),
            ("::/64", "1.2.3.4", false),
            ("1.2.3.4/32", "1.2.3.5", false),
            ("1.2.3.77/24", "1.2.3.4", true),
            ("128.0.0.0/1", "127.0.0.1", false),
            ("0.0.0.0/0", "9.9.9.9", true),
            ("0.0.0.0/0", "2001:db8::1", true),
            ("::/0", "9.9.9.9", true),
            ("any", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::9", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("2001:DB8::1/128", "2001:db8:0:0::1", true),
            ("fe80::1", "fe80::1%eth0", true),
            (" 1.2.3.4\n", "1.2.3.4", true),
            ("! 1.2.3.4", "1.2.3.5", true),
        ];
        for (entry, event, expected) in table {
            assert_eq!(list(&[entry]).contains(event.as_bytes()), expected, "{entry} {event}");
        }
    }

    #[test]
    fn what_is_no_address_never_matches() {
        let events = [
            "",
            "host",
            " 1.2.3.4",
            "1.2.3.4 ",
            "1.2.3.4.5",
            "1..2",
            ".1",
            "1.",
            "256.1.1.1",
            "1.2.3.256",
            "08.1.1.1",
            "0x",
            "0xg",
            "4294967296",
            "99999999999999999999999",
            "1.2.3.-4",
            "+1.2.3.4",
            ":",
            ":::",
            "::1%",
            "1::2::3",
            "::ffff:1.2.3.256",
            "1.2.3.4/32",
            "\u{ff11}",
        ];
        for event in events {
            for entry in ["any", "!9.9.9.9", "0.0.0.0/0"] {
                assert!(!list(&[entry]).contains(event.as_bytes()), "{entry} {event:?}");
            }
        }
        assert!(!list(&["any"]).contains(b"\xff:\xfe"));
    }

    #[test]
    fn errors_help() {
        let table = [
            ("1.1.1.0/255.255.255.0", "is a netmask", "0 to 32"),
            ("1.1.1.0/33", "no network of IPv4", "0 to 32"),
            ("1.1.1.0/", "no network", "0 to 32"),
            ("1.1.1.0/+8", "no network", "0 to 32"),
            ("1.1.1.0/0008", "no network", "0 to 32"),
            ("::/129", "no network of IPv6", "0 to 128"),
            ("1.1.1.1,2.2.2.2", "no address", "repeat the element"),
            ("1.1.1.1 2.2.2.2", "no address", "repeat the element"),
            ("ANY", "no address", "lower case"),
            ("192.168.*", "no address", "/16"),
            ("192.168.", "no address", "/16"),
            ("1.1.1.1-1.1.1.9", "no address", "range"),
            ("!!1.1.1.1", "no address", "`any`"),
            ("", "no address", "`any`"),
            ("web.example", "no address", "`any`"),
        ];
        for (entry, message, hint) in table {
            let error = Entry::parse(entry.as_bytes()).unwrap_err();
            assert!(error.message.contains(message), "{entry}: {error}");
            assert!(error.hint.contains(hint), "{entry}: {error}");
        }
    }

    #[test]
    fn every_number_of_bits() {
        for bits in 0..=32_u32 {
            let list = list(&[&format!("255.255.255.255/{bits}")]);
            for other in 0..32_u32 {
                let event = Ipv4Addr::from_bits(!(1 << other)).to_string();
                assert_eq!(list.contains(event.as_bytes()), other < 32 - bits, "{event}/{bits}");
            }
        }
        for bits in 0..=128_u32 {
            let list = list(&[&format!("4000::/{bits}")]);
            for other in 0..128_u32 {
                let event = Ipv6Addr::from_bits((1 << 126) ^ (1 << other)).to_string();
                assert_eq!(list.contains(event.as_bytes()), other < 128 - bits, "{event}/{bits}");
            }
        }
    }
}
