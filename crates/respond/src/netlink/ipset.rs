//! ipset: sets of addresses that rules of the user's own look into.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::{ACKNOWLEDGE, Attributes, CREATE, Conversation, DUMP, EXCLUSIVE, NET_ORDER, Request};
use crate::target::Net;

const SUBSYSTEM: u16 = 6 << 8;
const COMMAND_CREATE: u16 = SUBSYSTEM | 2;
const COMMAND_LIST: u16 = SUBSYSTEM | 7;
const COMMAND_ADD: u16 = SUBSYSTEM | 9;
const COMMAND_DELETE: u16 = SUBSYSTEM | 10;
const COMMAND_TYPE: u16 = SUBSYSTEM | 13;

/// Understood by every kernel that has ipset at all.
const PROTOCOL: u8 = 6;

const ATTRIBUTE_PROTOCOL: u16 = 1;
const ATTRIBUTE_NAME: u16 = 2;
const ATTRIBUTE_TYPE: u16 = 3;
const ATTRIBUTE_REVISION: u16 = 4;
const ATTRIBUTE_FAMILY: u16 = 5;
const ATTRIBUTE_FLAGS: u16 = 6;
const ATTRIBUTE_DATA: u16 = 7;
const ATTRIBUTE_MEMBERS: u16 = 8;

const DATA_IP: u16 = 1;
const DATA_BITS: u16 = 3;
const DATA_TIMEOUT: u16 = 6;
const DATA_ELEMENTS_MAX: u16 = 19;
const LIST_HEADER: u32 = 1 << 2;

/// The kernel's own numbers of errors begin here.
const ERROR_BASE: i32 = 4096;
/// The longest timeout that the kernel takes: 25 days.
const SECONDS_MAX: u64 = 2_147_483;
/// Elements that a set of ours can have.
const ELEMENTS_MAX: u32 = 1 << 20;

/// Names of sets have at most 31 bytes.
pub(crate) const NAME_BYTES_MAX: usize = 31;

const TYPE_NETS: &str = "hash:net";
const TYPE_ADDRESSES: &[u8] = b"hash:ip";

/// What a set is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ipv4: bool,
    /// It holds single addresses only.
    pub(crate) singles: bool,
    /// Its elements can have timeouts.
    pub(crate) timeouts: bool,
}

/// An element, and how long it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) net: Net,
    pub(crate) left: Option<Duration>,
}

/// What is done to elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// One that is there gets its new timeout.
    Put,
    /// One that is not there is no error.
    Take,
}

/// What a set is like; `None` if there is none of the name.
pub(crate) fn header(kernel: &mut Conversation, name: &str) -> io::Result<Option<Header>> {
    let mut request = Request::default();
    request.message(COMMAND_LIST, DUMP, 0, 0);
    request.bytes(ATTRIBUTE_PROTOCOL, &[PROTOCOL]);
    request.text(ATTRIBUTE_NAME, name);
    request.u32(ATTRIBUTE_FLAGS | NET_ORDER, LIST_HEADER);
    let answers = match kernel.talk(request) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        answers => answers.map_err(told)?,
    };
    let Some(answer) = answers.first() else { return Ok(None) };
    let attributes = answer.attributes();
    let kind = attributes.text(ATTRIBUTE_TYPE).unwrap_or_default();
    if kind != TYPE_NETS.as_bytes() && kind != TYPE_ADDRESSES {
        return Err(io::Error::other(format!("set `{name}` is neither hash:ip nor hash:net")));
    }
    let family = attributes.get(ATTRIBUTE_FAMILY).and_then(|value| value.first().copied());
    let data = attributes.nested(ATTRIBUTE_DATA);
    Ok(Some(Header {
        ipv4: family == Some(family_of(true)),
        singles: kind == TYPE_ADDRESSES,
        timeouts: data.is_some_and(|data| data.get(DATA_TIMEOUT).is_some()),
    }))
}

/// Makes a set of networks with timeouts.
pub(crate) fn create(kernel: &mut Conversation, name: &str, ipv4: bool) -> io::Result<()> {
    let family = family_of(ipv4);
    let mut request = Request::default();
    request.message(COMMAND_TYPE, ACKNOWLEDGE, family, 0);
    request.bytes(ATTRIBUTE_PROTOCOL, &[PROTOCOL]);
    request.text(ATTRIBUTE_TYPE, TYPE_NETS);
    request.bytes(ATTRIBUTE_FAMILY, &[family]);
    let answers = kernel.talk(request).map_err(told)?;
    let revision =
        answers.first().and_then(|it| it.attributes().get(ATTRIBUTE_REVISION)?.first().copied());
    let mut request = Request::default();
    request.message(COMMAND_CREATE, ACKNOWLEDGE | CREATE | EXCLUSIVE, family, 0);
    request.bytes(ATTRIBUTE_PROTOCOL, &[PROTOCOL]);
    request.text(ATTRIBUTE_NAME, name);
    request.text(ATTRIBUTE_TYPE, TYPE_NETS);
    request.bytes(ATTRIBUTE_REVISION, &[revision.unwrap_or(0)]);
    request.bytes(ATTRIBUTE_FAMILY, &[family]);
    request.nested(ATTRIBUTE_DATA, |data| {
        // Timeouts, but not for those who say nothing.
        data.u32(DATA_TIMEOUT | NET_ORDER, 0);
        data.u32(DATA_ELEMENTS_MAX | NET_ORDER, ELEMENTS_MAX);
    });
    kernel.talk(request).map(drop).map_err(told)
}

/// Does something to elements of one set, all of its family.
pub(crate) fn change(
    kernel: &mut Conversation,
    name: &str,
    header: Header,
    step: Step,
    elements: &[Element],
) -> io::Result<()> {
    let mut left = elements.iter();
    loop {
        let mut request = Request::default();
        let mut is_empty = true;
        while !request.is_full()
            && let Some(element) = left.next()
        {
            write_element(&mut request, name, header, step, element);
            is_empty = false;
        }
        if is_empty {
            return Ok(());
        }
        request.acknowledge_last();
        kernel.talk(request).map_err(told)?;
    }
}

/// What is in a set; nothing if there is none of the name.
pub(crate) fn elements(kernel: &mut Conversation, name: &str) -> io::Result<Vec<Element>> {
    let mut request = Request::default();
    request.message(COMMAND_LIST, DUMP, 0, 0);
    request.bytes(ATTRIBUTE_PROTOCOL, &[PROTOCOL]);
    request.text(ATTRIBUTE_NAME, name);
    let answers = match kernel.talk(request) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        answers => answers.map_err(told)?,
    };
    let members = answers.iter().filter_map(|it| it.attributes().nested(ATTRIBUTE_MEMBERS));
    Ok(members.flatten().filter_map(|(_, value)| read_element(Attributes(value))).collect())
}

fn write_element(request: &mut Request, name: &str, header: Header, step: Step, element: &Element) {
    let command = match step {
        Step::Put => COMMAND_ADD,
        Step::Take => COMMAND_DELETE,
    };
    request.message(command, 0, family_of(header.ipv4), 0);
    request.bytes(ATTRIBUTE_PROTOCOL, &[PROTOCOL]);
    request.text(ATTRIBUTE_NAME, name);
    request.nested(ATTRIBUTE_DATA, |data| {
        data.nested(DATA_IP, |ip| match element.net.address() {
            IpAddr::V4(address) => ip.bytes(1 | NET_ORDER, &address.octets()),
            IpAddr::V6(address) => ip.bytes(2 | NET_ORDER, &address.octets()),
        });
        if !header.singles {
            data.bytes(DATA_BITS, &[element.net.bits()]);
        }
        if step == Step::Put && header.timeouts {
            let seconds = element.left.map_or(0, |left| left.as_secs().clamp(1, SECONDS_MAX));
            data.u32(DATA_TIMEOUT | NET_ORDER, u32::try_from(seconds).unwrap_or(u32::MAX));
        }
    });
}

fn read_element(attributes: Attributes<'_>) -> Option<Element> {
    let ip = attributes.nested(DATA_IP)?;
    let address = match (ip.get(1), ip.get(2)) {
        (Some(bytes), _) => IpAddr::from(*bytes.first_chunk::<4>()?),
        (None, bytes) => IpAddr::from(*bytes?.first_chunk::<16>()?),
    };
    let bits = attributes.get(DATA_BITS).and_then(|value| value.first().copied());
    let net = match bits {
        Some(bits) => Net::new(address, bits)?,
        None => Net::single(address),
    };
    let seconds = attributes.u32(DATA_TIMEOUT).filter(|&seconds| seconds > 0);
    Some(Element { net, left: seconds.map(|seconds| Duration::from_secs(seconds.into())) })
}

fn family_of(ipv4: bool) -> u8 {
    if ipv4 { 2 } else { 10 }
}

/// The kernel's own errors in words.
fn told(error: io::Error) -> io::Error {
    let own =
        error.raw_os_error().and_then(|code| code.checked_sub(ERROR_BASE)).filter(|it| *it >= 0);
    let text = match own {
        None => return error,
        Some(1) => "the kernel speaks another protocol of ipset",
        Some(2) => "the kernel lacks this type of set",
        Some(3) => "the kernel has as many sets as it can",
        Some(256) => "the set is full",
        Some(code) => return io::Error::other(format!("ipset refuses with error {code}")),
    };
    io::Error::other(text)
}
