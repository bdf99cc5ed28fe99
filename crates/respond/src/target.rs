//! What a response is aimed at: an address or network, a user, a file.
//!
//! The texts come from log lines, so whoever is attacked may not have written them. A [`Target`]
//! holds only what was looked at: no option, path, control character or second word hides in it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Bytes of a user name.
pub const USER_BYTES_MAX: usize = 64;
/// Bytes of a file name.
pub const FILENAME_BYTES_MAX: usize = 4096;
/// The widest networks that may be blocked, in bits.
pub const BITS_MIN: (u8, u8) = (8, 16);

/// One or more addresses that share their first bits; the others are zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Net {
    address: IpAddr,
    bits: u8,
}

/// A user name that means nothing to a shell, and is not an option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User(String);

/// A file name without control characters, and not an option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(Vec<u8>);

/// What a command is told: as much of it as the command expects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub net: Option<Net>,
    pub user: Option<User>,
    pub filename: Option<FileName>,
}

/// Why a text is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum NoTarget {
    #[error("not an address")]
    Address,
    #[error("an address that no other host can have")]
    Special,
    #[error("a network that is too wide")]
    TooWide,
    #[error("not a user name")]
    User,
    #[error("not a file name")]
    FileName,
}

impl Net {
    /// One address. An IPv4 address in IPv6 form is the IPv4 address.
    pub fn single(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, bits: width(address) }
    }

    /// The network of an address with its first `bits` bits.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        if bits > width(address) {
            return None;
        }
        if let (IpAddr::V6(_), mapped @ IpAddr::V4(_)) = (address, address.to_canonical()) {
            return Self::new(mapped, bits.checked_sub(96)?);
        }
        Some(Self { address: masked(address, bits), bits })
    }

    pub fn address(self) -> IpAddr {
        self.address
    }

    pub fn bits(self) -> u8 {
        self.bits
    }

    pub fn is_single(self) -> bool {
        self.bits == width(self.address)
    }

    pub fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.is_ipv4() && masked(address, self.bits) == self.address
    }

    /// Whether there is an address in both.
    pub fn overlaps(self, other: Self) -> bool {
        if self.bits <= other.bits {
            self.contains(other.address)
        } else {
            other.contains(self.address)
        }
    }

    /// The network of this address with so many bits, for IPv6 addresses that are more exact.
    pub fn aggregated(self, ipv6_bits: u8) -> Self {
        if self.is_ipv4() || self.bits <= ipv6_bits {
            return self;
        }
        Self { address: masked(self.address, ipv6_bits), bits: ipv6_bits }
    }

    /// An attacker's text. Only plain forms count: no zones, no octal numbers, no names.
    ///
    /// # Errors
    ///
    /// Where it is none, or one that nobody can attack from: forged, then, or a mistake.
    pub fn of_attacker(text: &[u8]) -> Result<Self, NoTarget> {
        let text = std::str::from_utf8(text).map_err(|_| NoTarget::Address)?;
        Self::single(text.parse().map_err(|_| NoTarget::Address)?).checked()
    }

    /// This, if it may be blocked at all.
    ///
    /// # Errors
    ///
    /// Where it holds special addresses or is wider than [`BITS_MIN`].
    pub fn checked(self) -> Result<Self, NoTarget> {
        let (ipv4_min, ipv6_min) = BITS_MIN;
        if self.bits < if self.is_ipv4() { ipv4_min } else { ipv6_min } {
            return Err(NoTarget::TooWide);
        }
        if special().any(|net| net.overlaps(self)) {
            return Err(NoTarget::Special);
        }
        Ok(self)
    }
}

/// Nobody's address, this host's own, many hosts' at once, and those that are not given out.
fn special() -> impl Iterator<Item = Net> {
    const IPV4: [(Ipv4Addr, u8); 4] = [
        (Ipv4Addr::UNSPECIFIED, 8),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    const IPV6: [(Ipv6Addr, u8); 3] = [
        (Ipv6Addr::UNSPECIFIED, 128),
        (Ipv6Addr::LOCALHOST, 128),
        (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
    ];
    let ipv4 = IPV4.into_iter().map(|(address, bits)| Net { address: address.into(), bits });
    ipv4.chain(IPV6.into_iter().map(|(address, bits)| Net { address: address.into(), bits }))
}

/// An address alone, a network with its bits.
impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether it may be blocked is another question: [`Net::checked`].
impl FromStr for Net {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoTarget::Address)?;
        let Some(bits) = bits else { return Ok(Self::single(address)) };
        let digits = (1..=3).contains(&bits.len()) && bits.bytes().all(|b| b.is_ascii_digit());
        let bits = bits.parse().ok().filter(|_| digits).ok_or(NoTarget::Address)?;
        Self::new(address, bits).ok_or(NoTarget::Address)
    }
}

impl User {
    /// compat: letters, digits and `._@?-`. Not at the start: `-`, which would be an option.
    ///
    /// # Errors
    ///
    /// Where it is something else.
    pub fn parse(text: &[u8]) -> Result<Self, NoTarget> {
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"._@?-".contains(byte);
        let fits = (1..=USER_BYTES_MAX).contains(&text.len())
            && text.iter().all(known)
            && !text.starts_with(b"-");
        let text = String::from_utf8(text.to_vec()).ok().filter(|_| fits);
        text.map(Self).ok_or(NoTarget::User)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FileName {
    /// # Errors
    ///
    /// Where it is empty, too long, an option, or has control characters.
    pub fn parse(text: &[u8]) -> Result<Self, NoTarget> {
        let fits = (1..=FILENAME_BYTES_MAX).contains(&text.len())
            && !text.iter().any(u8::is_ascii_control)
            && !text.starts_with(b"-");
        if fits { Ok(Self(text.to_vec())) } else { Err(NoTarget::FileName) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Target {
    pub fn address(net: Net) -> Self {
        Self { net: Some(net), ..Self::default() }
    }
}

/// As people are told: `192.0.2.7`, `user root`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.net.map(|net| net.to_string()));
        parts.extend(self.user.as_ref().map(|user| format!("user {}", user.as_str())));
        let filename = |name: &FileName| format!("file {}", name.as_bytes().escape_ascii());
        parts.extend(self.filename.as_ref().map(filename));
        f.write_str(if parts.is_empty() { "nobody" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attackers() {
        let table: [(&str, Result<&str, NoTarget>); 20] = [
            ("203.0.113.7", Ok("203.0.113.7")),
            ("::ffff:203.0.113.7", Ok("203.0.113.7")),
            ("2001:DB8::0:1", Ok("2001:db8::1")),
            ("fe80::1", Ok("fe80::1")),
            ("0.0.0.0", Err(NoTarget::Special)),
            ("0.1.2.3", Err(NoTarget::Special)),
            ("127.3.2.1", Err(NoTarget::Special)),
            ("224.0.0.1", Err(NoTarget::Special)),
            ("255.255.255.255", Err(NoTarget::Special)),
            ("::", Err(NoTarget::Special)),
            ("::1", Err(NoTarget::Special)),
            ("::ffff:127.0.0.1", Err(NoTarget::Special)),
            ("ff02::1", Err(NoTarget::Special)),
            ("", Err(NoTarget::Address)),
            ("10.1", Err(NoTarget::Address)),
            ("010.1.1.1", Err(NoTarget::Address)),
            ("fe80::1%eth0", Err(NoTarget::Address)),
            ("203.0.113.0/24", Err(NoTarget::Address)),
            ("host.example", Err(NoTarget::Address)),
            ("203.0.113.7; reboot", Err(NoTarget::Address)),
        ];
        for (text, expected) in table {
            let found = Net::of_attacker(text.as_bytes()).map(|net| net.to_string());
            assert_eq!(found, expected.map(str::to_owned), "{text}");
        }
        assert_eq!(Net::of_attacker(b"\xff"), Err(NoTarget::Address));
    }

    #[test]
    fn networks() {
        let table = [
            ("198.51.100.9/24", Some("198.51.100.0/24")),
            ("198.51.100.9/32", Some("198.51.100.9")),
            ("2001:db8::5/64", Some("2001:db8::/64")),
            ("::ffff:198.51.100.9/120", Some("198.51.100.0/24")),
            ("198.51.100.9/33", None),
            ("198.51.100.9/+8", None),
            ("198.51.100.9/", None),
        ];
        for (text, expected) in table {
            let net = text.parse::<Net>().ok().map(|net| net.to_string());
            assert_eq!(net.as_deref(), expected, "{text}");
        }
        let checked = |text: &str| text.parse::<Net>().unwrap().checked();
        assert_eq!(checked("0.0.0.0/0"), Err(NoTarget::TooWide));
        assert_eq!(checked("198.0.0.0/7"), Err(NoTarget::TooWide));
        assert!(checked("198.0.0.0/8").is_ok());
        assert_eq!(checked("2000::/15"), Err(NoTarget::TooWide));
        assert_eq!(checked("::/16"), Err(NoTarget::Special));
        assert!(checked("2001::/16").is_ok());
    }

    #[test]
    fn users_and_files() {
        for good in ["root", "a.b-c_9", "user@example", "?"] {
            assert_eq!(User::parse(good.as_bytes()).unwrap().as_str(), good);
        }
        let long = "x".repeat(USER_BYTES_MAX + 1);
        assert!(User::parse(&long.as_bytes()[1..]).is_ok());
        for bad in ["", "-l", "a b", "a;b", "$(id)", "DOM\\user", "HOST$", "a\n", "\u{e4}", &long] {
            assert_eq!(User::parse(bad.as_bytes()), Err(NoTarget::User), "{bad}");
        }
        for good in ["/etc/a b", "C:\\x", "/tmp/$(id)", "/\u{e4}"] {
            assert!(FileName::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["", "-rf", "/a\nb", "/a\u{1b}[2J", "/a\0"] {
            assert_eq!(FileName::parse(bad.as_bytes()), Err(NoTarget::FileName), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn aggregation_keeps_the_address(bits: u128, to in 0_u8..=128) {
            let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
            let net = Net::single(address);
            let wide = net.aggregated(to);
            prop_assert!(wide.contains(address) && wide.overlaps(net) && net.overlaps(wide));
            prop_assert_eq!(wide.to_string().parse(), Ok(wide));
        }

        #[test]
        fn any_text_is_survived(text: Vec<u8>) {
            let _ = (Net::of_attacker(&text), User::parse(&text), FileName::parse(&text));
        }
    }
}
