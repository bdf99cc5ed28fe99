//! nf_tables: a table of our own, sets with timeouts, and rules that drop what is in them.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::{ACKNOWLEDGE, APPEND, Attributes, CREATE, Conversation, DUMP, Request};
use crate::target::Net;

const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const RESOURCE: u16 = 10;

const NEW_TABLE: u16 = SUBSYSTEM;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const GET_CHAIN: u16 = SUBSYSTEM | 4;
const NEW_RULE: u16 = SUBSYSTEM | 6;
const DELETE_RULE: u16 = SUBSYSTEM | 8;
const NEW_SET: u16 = SUBSYSTEM | 9;
const GET_SET: u16 = SUBSYSTEM | 10;
const NEW_ELEMENT: u16 = SUBSYSTEM | 12;
const GET_ELEMENT: u16 = SUBSYSTEM | 13;
const DELETE_ELEMENT: u16 = SUBSYSTEM | 14;

pub(crate) const FAMILY_INET: u8 = 1;
const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;

const HOOK_PREROUTING: u32 = 0;
/// Before connection tracking and any translation of addresses: what comes for a container or a
/// published port is seen here, too.
const PRIORITY_RAW: i32 = -300;

pub(crate) const SET_INTERVAL: u32 = 0x4;
pub(crate) const SET_TIMEOUT: u32 = 0x10;
const ELEMENT_INTERVAL_END: u32 = 1;

/// Elements in one message; its attribute has at most 64 KiB.
const ELEMENTS_MAX: usize = 1000;
const LIST_ELEMENT: u16 = 1;
const DATA_VALUE: u16 = 1;

/// A set, by its name, of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Set<'a> {
    pub(crate) family: u8,
    pub(crate) table: &'a str,
    pub(crate) name: &'a str,
}

/// An address in a set, and how long it stays; with what it needs to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) address: IpAddr,
    pub(crate) left: Option<Duration>,
}

/// What is done in one transaction: all of it or nothing.
#[derive(Debug)]
pub(crate) struct Transaction {
    request: Request,
}

impl Transaction {
    pub(crate) fn new() -> Self {
        let mut request = Request::default();
        request.message(BATCH_BEGIN, 0, 0, RESOURCE);
        Self { request }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.request.is_full()
    }

    /// The table, the chain at its hook, and no rules in it.
    pub(crate) fn empty_chain(&mut self, table: &str, chain: &str) {
        let request = &mut self.request;
        request.message(NEW_TABLE, CREATE, FAMILY_INET, 0);
        request.text(1, table);
        request.u32(2, 0);
        request.message(NEW_CHAIN, CREATE, FAMILY_INET, 0);
        request.text(1, table);
        request.text(3, chain);
        request.nested(4, |hook| {
            hook.u32(1, HOOK_PREROUTING);
            hook.u32(2, PRIORITY_RAW as u32);
        });
        request.text(7, "filter");
        request.message(DELETE_RULE, 0, FAMILY_INET, 0);
        request.text(1, table);
        request.text(2, chain);
    }

    /// A set of addresses with timeouts, if it is not there.
    pub(crate) fn set(&mut self, set: Set<'_>, ipv4: bool, id: u32) {
        let (kind, bytes) = if ipv4 { (7, 4) } else { (8, 16) };
        let request = &mut self.request;
        request.message(NEW_SET, CREATE, set.family, 0);
        request.text(1, set.table);
        request.text(2, set.name);
        request.u32(3, SET_TIMEOUT);
        request.u32(4, kind);
        request.u32(5, bytes);
        request.u32(10, id);
    }

    /// Drops what comes from an address whose network of so many bits is in a set.
    pub(crate) fn drop_rule(&mut self, set: Set<'_>, chain: &str, net: Net) {
        let ipv4 = net.is_ipv4();
        let (family, offset, bytes) =
            if ipv4 { (FAMILY_IPV4, 12, 4) } else { (FAMILY_IPV6, 8, 16) };
        let request = &mut self.request;
        request.message(NEW_RULE, CREATE | APPEND, set.family, 0);
        request.text(1, set.table);
        request.text(2, chain);
        request.nested(4, |list| {
            expression(list, "meta", |meta| {
                meta.u32(2, 15); // the network protocol
                meta.u32(1, 1);
            });
            expression(list, "cmp", |compare| {
                compare.u32(1, 1);
                compare.u32(2, 0);
                compare.nested(3, |data| data.bytes(DATA_VALUE, &[family]));
            });
            expression(list, "payload", |payload| {
                payload.u32(1, 1);
                payload.u32(2, 1); // from the network header
                payload.u32(3, offset);
                payload.u32(4, bytes);
            });
            if !net.is_single() {
                expression(list, "bitwise", |bitwise| {
                    bitwise.u32(1, 1);
                    bitwise.u32(2, 1);
                    bitwise.u32(3, bytes);
                    bitwise.nested(4, |mask| mask.bytes(DATA_VALUE, &mask_of(net)));
                    let zeros = vec![0; bytes as usize];
                    bitwise.nested(5, |xor| xor.bytes(DATA_VALUE, &zeros));
                });
            }
            expression(list, "lookup", |lookup| {
                lookup.text(1, set.name);
                lookup.u32(2, 1);
            });
            expression(list, "counter", |counter| {
                counter.bytes(1, &[0; 8]);
                counter.bytes(2, &[0; 8]);
            });
            expression(list, "immediate", |immediate| {
                immediate.u32(1, 0);
                immediate.nested(2, |data| data.nested(2, |verdict| verdict.u32(1, 0)));
            });
        });
    }

    /// Puts elements, at most [`Self::chunk`], into a set: anew if they are there already, so that
    /// their time begins anew, too.
    pub(crate) fn put(&mut self, set: Set<'_>, flags: u32, elements: &[Element]) {
        self.elements(NEW_ELEMENT, CREATE, set, flags, elements);
        self.elements(DELETE_ELEMENT, 0, set, flags, elements);
        self.elements(NEW_ELEMENT, CREATE, set, flags, elements);
    }

    /// Takes elements out of a set, if they are there. (One that is not would be an error.)
    pub(crate) fn take(&mut self, set: Set<'_>, flags: u32, elements: &[Element]) {
        self.elements(NEW_ELEMENT, CREATE, set, flags, elements);
        self.elements(DELETE_ELEMENT, 0, set, flags, elements);
    }

    /// How many elements go into one step.
    pub(crate) fn chunk() -> usize {
        // Three messages of them, each with an interval's end, fit into one request.
        ELEMENTS_MAX / 4
    }

    fn elements(&mut self, kind: u16, flags: u16, set: Set<'_>, set_flags: u32, all: &[Element]) {
        self.request.message(kind, flags, set.family, 0);
        self.request.text(1, set.table);
        self.request.text(2, set.name);
        self.request.nested(3, |list| {
            for element in all {
                let left =
                    element.left.filter(|_| kind == NEW_ELEMENT && set_flags & SET_TIMEOUT != 0);
                list.nested(LIST_ELEMENT, |it| write_element(it, element.address, left, 0));
                if set_flags & SET_INTERVAL != 0
                    && let Some(next) = next(element.address)
                {
                    let end = ELEMENT_INTERVAL_END;
                    list.nested(LIST_ELEMENT, |it| write_element(it, next, None, end));
                }
            }
        });
    }

    /// Does it.
    pub(crate) fn commit(mut self, kernel: &mut Conversation) -> io::Result<()> {
        // Without anything in between there is nothing to acknowledge, and nothing to do.
        if self.request.is_message(BATCH_BEGIN) {
            return Ok(());
        }
        self.request.acknowledge_last();
        self.request.message(BATCH_END, 0, 0, RESOURCE);
        kernel.talk(self.request).map(drop)
    }
}

/// The rules of a chain; `None` if there is no such chain.
pub(crate) fn rules_in(
    kernel: &mut Conversation,
    table: &str,
    chain: &str,
) -> io::Result<Option<u32>> {
    const USE: u16 = 6;
    let mut request = Request::default();
    request.message(GET_CHAIN, ACKNOWLEDGE, FAMILY_INET, 0);
    request.text(1, table);
    request.text(3, chain);
    let answers = absent_is_none(kernel.talk(request))?;
    Ok(answers.and_then(|answers| answers.first()?.attributes().u32(USE)))
}

/// The flags of a set; `None` if there is no such set.
pub(crate) fn flags_of(kernel: &mut Conversation, set: Set<'_>) -> io::Result<Option<u32>> {
    const FLAGS: u16 = 3;
    let mut request = Request::default();
    request.message(GET_SET, ACKNOWLEDGE, set.family, 0);
    request.text(1, set.table);
    request.text(2, set.name);
    let answers = absent_is_none(kernel.talk(request))?;
    Ok(answers.and_then(|answers| Some(answers.first()?.attributes().u32(FLAGS).unwrap_or(0))))
}

/// The names of a table's sets; none if there is no such table.
pub(crate) fn sets_of(kernel: &mut Conversation, table: &str) -> io::Result<Vec<String>> {
    const NAME: u16 = 2;
    let mut request = Request::default();
    request.message(GET_SET, DUMP, FAMILY_INET, 0);
    request.text(1, table);
    let answers = absent_is_none(kernel.talk(request))?.unwrap_or_default();
    let name = |answer: &super::Answer| {
        let attributes = answer.attributes();
        let of_table = attributes.text(1) == Some(table.as_bytes());
        String::from_utf8(attributes.text(NAME).filter(|_| of_table)?.to_vec()).ok()
    };
    Ok(answers.iter().filter_map(name).collect())
}

/// What is in a set; nothing if there is no such set.
pub(crate) fn elements_of(kernel: &mut Conversation, set: Set<'_>) -> io::Result<Vec<Element>> {
    const ELEMENTS: u16 = 3;
    let mut request = Request::default();
    request.message(GET_ELEMENT, DUMP, set.family, 0);
    request.text(1, set.table);
    request.text(2, set.name);
    let answers = absent_is_none(kernel.talk(request))?.unwrap_or_default();
    let lists = answers.iter().filter_map(|answer| answer.attributes().nested(ELEMENTS));
    let all = lists.flatten().filter_map(|(_, value)| read_element(Attributes(value)));
    Ok(all.collect())
}

fn expression(list: &mut Request, name: &str, write: impl FnOnce(&mut Request)) {
    list.nested(LIST_ELEMENT, |element| {
        element.text(1, name);
        element.nested(2, write);
    });
}

fn write_element(out: &mut Request, address: IpAddr, left: Option<Duration>, flags: u32) {
    out.nested(1, |key| match address {
        IpAddr::V4(address) => key.bytes(DATA_VALUE, &address.octets()),
        IpAddr::V6(address) => key.bytes(DATA_VALUE, &address.octets()),
    });
    if flags != 0 {
        out.u32(3, flags);
    }
    if let Some(left) = left {
        let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        out.bytes(4, &milliseconds.to_be_bytes());
    }
}

fn read_element(attributes: Attributes<'_>) -> Option<Element> {
    const KEY: u16 = 1;
    const FLAGS: u16 = 3;
    const EXPIRATION: u16 = 5;
    let key = attributes.nested(KEY)?.get(DATA_VALUE)?;
    let address = match *key {
        [a, b, c, d] => [a, b, c, d].into(),
        _ => IpAddr::from(*key.first_chunk::<16>()?),
    };
    let is_end = attributes.u32(FLAGS).is_some_and(|flags| flags & ELEMENT_INTERVAL_END != 0);
    let left = attributes.u64(EXPIRATION).map(Duration::from_millis);
    (!is_end).then_some(Element { address, left })
}

/// The address behind this one.
fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_add(1).map(|it| IpAddr::V4(it.into())),
        IpAddr::V6(address) => address.to_bits().checked_add(1).map(|it| IpAddr::V6(it.into())),
    }
}

fn mask_of(net: Net) -> Vec<u8> {
    let bits = u32::from(net.bits());
    if net.is_ipv4() {
        u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0).to_be_bytes().to_vec()
    } else {
        u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0).to_be_bytes().to_vec()
    }
}

fn absent_is_none<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
