//! What is to be done, to whom, and why: from whoever decides to whoever acts.
//!
//! An order names a response of the configuration; which program that is, and for how long, whoever
//! acts reads in its own configuration. So nothing but what is configured can be asked for.

use std::fmt;
use std::net::IpAddr;

use model::limits::LOCATION_BYTES_MAX;
use wire::bytes::{Cursor, Ended, push_string};

use crate::target::{FileName, Net, Target, User};

/// Bytes of an order.
pub const ORDER_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a line that are kept as the reason.
pub const WHY_BYTES_MAX: usize = 256;
/// Bytes of a response's name, and of an agent's.
pub const NAME_BYTES_MAX: usize = 256;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name in `ar.conf`: that of the command, then the timeout.
    pub response: String,
    pub place: Place,
    pub target: Target,
    pub cause: Cause,
}

/// Where it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Here,
    /// On the agent that the event came from.
    Origin,
    /// On one agent, by its id.
    Agent(String),
    /// On all agents.
    All,
}

/// The alert that leads to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    pub alert: AlertId,
    pub rule: u32,
    pub level: u16,
    pub location: Vec<u8>,
    /// The start of the line; see [`why`].
    pub line: Vec<u8>,
}

/// The number of an alert, as in `alerts.log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertId {
    pub seconds: i64,
    pub number: u64,
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seconds, self.number)
    }
}

/// Why bytes are no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOrder {
    #[error("the order ends too early")]
    Ended,
    #[error("the order goes on behind its end")]
    TooLong,
    #[error("the order holds what is none of its values")]
    Value,
}

impl From<Ended> for NoOrder {
    fn from(Ended: Ended) -> Self {
        Self::Ended
    }
}

/// As much of a line as is kept.
pub fn why(line: &[u8]) -> Vec<u8> {
    line.get(..WHY_BYTES_MAX).unwrap_or(line).to_vec()
}

impl Order {
    /// Appends the bytes, at most [`ORDER_BYTES_MAX`].
    pub fn write(&self, out: &mut Vec<u8>) {
        push_string(out, cut(self.response.as_bytes(), NAME_BYTES_MAX));
        match &self.place {
            Place::Here => out.push(b'h'),
            Place::Origin => out.push(b'o'),
            Place::All => out.push(b'a'),
            Place::Agent(id) => {
                out.push(b'i');
                push_string(out, cut(id.as_bytes(), NAME_BYTES_MAX));
            }
        }
        write_target(&self.target, out);
        out.extend_from_slice(&self.cause.alert.seconds.to_le_bytes());
        out.extend_from_slice(&self.cause.alert.number.to_le_bytes());
        out.extend_from_slice(&self.cause.rule.to_le_bytes());
        out.extend_from_slice(&self.cause.level.to_le_bytes());
        push_string(out, cut(&self.cause.location, LOCATION_BYTES_MAX));
        push_string(out, cut(&self.cause.line, WHY_BYTES_MAX));
    }

    /// # Errors
    ///
    /// Where the bytes are not exactly one order with a target that may be acted against.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoOrder> {
        let mut cursor = Cursor::new(bytes);
        let response = name(&mut cursor)?;
        let place = match cursor.u8()? {
            b'h' => Place::Here,
            b'o' => Place::Origin,
            b'a' => Place::All,
            b'i' => Place::Agent(name(&mut cursor)?),
            _ => return Err(NoOrder::Value),
        };
        let target = read_target(&mut cursor)?;
        let alert = AlertId { seconds: cursor.u64()? as i64, number: cursor.u64()? };
        let (rule, level) = (cursor.u32()?, cursor.u16()?);
        let location = string(&mut cursor, LOCATION_BYTES_MAX)?.to_vec();
        let line = string(&mut cursor, WHY_BYTES_MAX)?.to_vec();
        if !cursor.is_empty() {
            return Err(NoOrder::TooLong);
        }
        Ok(Self { response, place, target, cause: Cause { alert, rule, level, location, line } })
    }
}

fn write_target(target: &Target, out: &mut Vec<u8>) {
    match target.net.map(|net| (net.address(), net.bits())) {
        None => out.push(0),
        Some((IpAddr::V4(address), bits)) => {
            out.extend_from_slice(&[4, bits]);
            out.extend_from_slice(&address.octets());
        }
        Some((IpAddr::V6(address), bits)) => {
            out.extend_from_slice(&[6, bits]);
            out.extend_from_slice(&address.octets());
        }
    }
    push_string(out, target.user.as_ref().map_or(b"", |user| user.as_str().as_bytes()));
    push_string(out, target.filename.as_ref().map_or(b"", FileName::as_bytes));
}

fn read_target(cursor: &mut Cursor<'_>) -> Result<Target, NoOrder> {
    let net = match cursor.u8()? {
        0 => None,
        4 => Some(net::<4>(cursor)?),
        6 => Some(net::<16>(cursor)?),
        _ => return Err(NoOrder::Value),
    };
    let user = cursor.string()?;
    let filename = cursor.string()?;
    Ok(Target {
        net,
        user: optional(user, |text| User::parse(text).ok())?,
        filename: optional(filename, |text| FileName::parse(text).ok())?,
    })
}

fn net<const BYTES: usize>(cursor: &mut Cursor<'_>) -> Result<Net, NoOrder>
where
    IpAddr: From<[u8; BYTES]>,
{
    let bits = cursor.u8()?;
    let octets: [u8; BYTES] = cursor.bytes(BYTES)?.try_into().map_err(|_| NoOrder::Ended)?;
    let address = IpAddr::from(octets);
    let net = Net::new(address, bits).and_then(|net| net.checked().ok());
    net.filter(|net| net.address() == address).ok_or(NoOrder::Value)
}

/// Nothing is no value; anything else must be one.
fn optional<T>(text: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, NoOrder> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or(NoOrder::Value) }
}

fn name(cursor: &mut Cursor<'_>) -> Result<String, NoOrder> {
    let bytes = string(cursor, NAME_BYTES_MAX)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| NoOrder::Value)
}

fn string<'a>(cursor: &mut Cursor<'a>, bytes_max: usize) -> Result<&'a [u8], NoOrder> {
    let bytes = cursor.string()?;
    if bytes.len() > bytes_max { Err(NoOrder::Value) } else { Ok(bytes) }
}

fn cut(bytes: &[u8], bytes_max: usize) -> &[u8] {
    bytes.get(..bytes_max).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Order {
        Order {
            response: "firewall-drop600".to_owned(),
            place: Place::Agent("007".to_owned()),
            target: Target {
                net: Some(Net::of_attacker(b"2001:db8::7").unwrap()),
                user: Some(User::parse(b"root").unwrap()),
                filename: Some(FileName::parse(b"/etc/a b").unwrap()),
            },
            cause: Cause {
                alert: AlertId { seconds: 1_795_560_311, number: 42 },
                rule: 5716,
                level: 5,
                location: b"/var/log/auth.log".to_vec(),
                line: b"Failed password".to_vec(),
            },
        }
    }

    fn bytes(order: &Order) -> Vec<u8> {
        let mut out = Vec::new();
        order.write(&mut out);
        out
    }

    #[test]
    fn orders_come_back_and_are_not_cut_or_longer() {
        let full = example();
        let plain = Order {
            place: Place::Here,
            target: Target::address(Net::of_attacker(b"203.0.113.7").unwrap()),
            ..full.clone()
        };
        let bare = Order { place: Place::All, target: Target::default(), ..full.clone() };
        for order in [full, plain, bare] {
            let bytes = bytes(&order);
            assert_eq!(Order::parse(&bytes), Ok(order));
            for end in 0..bytes.len() {
                assert!(Order::parse(&bytes[..end]).is_err());
            }
            assert_eq!(Order::parse(&[&bytes[..], b"x"].concat()), Err(NoOrder::TooLong));
        }
    }

    #[test]
    fn the_longest_order_fits() {
        let mut order = example();
        order.response = "r".repeat(NAME_BYTES_MAX);
        order.target.filename = FileName::parse(&[b'/'; 4096]).ok();
        order.cause.location = vec![b'l'; LOCATION_BYTES_MAX + 1];
        order.cause.line = vec![b'w'; WHY_BYTES_MAX + 1];
        let bytes = bytes(&order);
        assert!(bytes.len() <= ORDER_BYTES_MAX);
        order.cause.location.pop();
        order.cause.line.pop();
        assert_eq!(Order::parse(&bytes), Ok(order));
    }

    #[test]
    fn what_may_not_be_blocked_is_no_order() {
        for address in [[127, 0, 0, 1], [0, 0, 0, 0], [224, 0, 0, 1]] {
            let mut bytes = bytes(&Order {
                target: Target::address(Net::single([203, 0, 113, 7].into())),
                ..example()
            });
            let at = bytes.windows(4).position(|window| window == [203, 0, 113, 7]).unwrap();
            bytes[at..at + 4].copy_from_slice(&address);
            assert_eq!(Order::parse(&bytes), Err(NoOrder::Value), "{address:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(order) = Order::parse(&bytes) {
                let mut again = Vec::new();
                order.write(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
