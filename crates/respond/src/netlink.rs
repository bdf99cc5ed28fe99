//! Netfilter's messages: how they are written, sent, and their answers read.
//!
//! ```text
//! length u32 │ kind u16 │ flags u16 │ sequence u32 │ port u32 │ family u8 │ version u8 │ resource u16 │ attributes
//! ```
//!
//! An attribute is its length, its kind and its value, filled up to four bytes. Headers are in the
//! host's byte order, values of netfilter in the network's.

pub(crate) mod ipset;
pub(crate) mod nftables;

use std::io;
use std::os::fd::BorrowedFd;

use sys::netlink::{Netlink, REQUEST_BYTES_MAX};

pub(crate) const REQUEST: u16 = 0x1;
pub(crate) const ACKNOWLEDGE: u16 = 0x4;
pub(crate) const DUMP: u16 = 0x300;
pub(crate) const CREATE: u16 = 0x400;
pub(crate) const APPEND: u16 = 0x800;
pub(crate) const EXCLUSIVE: u16 = 0x200;

pub(crate) const NESTED: u16 = 0x8000;
pub(crate) const NET_ORDER: u16 = 0x4000;
const KIND_MASK: u16 = 0x3fff;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER_BYTES: usize = 16;
const FAMILY_BYTES: usize = 4;
/// Bytes that a request must have left for one more message; attributes have at most 64 KiB.
const MESSAGE_BYTES_MAX: usize = 80 * 1024;
/// Messages of one answer.
const ANSWERS_MAX: usize = 1_000_000;

/// Messages to send, one after the other in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    start: usize,
    /// Of the last message.
    sequence: u32,
    /// Of the message whose end of answers is the end of all.
    awaited: u32,
}

/// An answer: its kind, without the subsystem, and its attributes.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    attributes: Vec<u8>,
}

/// A conversation with the kernel, or what it has come to.
#[derive(Debug)]
pub(crate) struct Conversation {
    netlink: Netlink,
    sequence: u32,
}

impl Request {
    /// Begins a message. What follows are its attributes.
    pub(crate) fn message(&mut self, kind: u16, flags: u16, family: u8, resource: u16) {
        self.finish();
        self.start = self.bytes.len();
        self.sequence += 1;
        if flags & (ACKNOWLEDGE | DUMP) != 0 {
            self.awaited = self.sequence;
        }
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
        self.bytes.extend_from_slice(&self.sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&[family, 0]);
        self.bytes.extend_from_slice(&resource.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let length = value.len() as u16 + 4;
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// A name, with the NUL behind it.
    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        self.bytes(kind, &[text.as_bytes(), b"\0"].concat());
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// An attribute that holds attributes, at most 64 KiB of them.
    pub(crate) fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        write(self);
        let length = (self.bytes.len() - start) as u16;
        self.patch(start, &length.to_ne_bytes());
    }

    /// Whether the last message is of a kind.
    pub(crate) fn is_message(&self, kind: u16) -> bool {
        let at = self.start + 4;
        self.bytes.get(at..at + 2).is_some_and(|found| found == kind.to_ne_bytes())
    }

    /// Makes the last message one that is acknowledged.
    pub(crate) fn acknowledge_last(&mut self) {
        let at = self.start + 6;
        let flags = self.bytes.get(at..).and_then(|flags| flags.first_chunk());
        let flags = flags.map_or(REQUEST, |flags| u16::from_ne_bytes(*flags));
        self.patch(at, &(flags | ACKNOWLEDGE).to_ne_bytes());
        self.awaited = self.sequence;
    }

    /// Whether there is no room for one more message of any size.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() + MESSAGE_BYTES_MAX > REQUEST_BYTES_MAX
    }

    fn finish(&mut self) {
        if self.bytes.len() > self.start {
            let length = (self.bytes.len() - self.start) as u32;
            self.patch(self.start, &length.to_ne_bytes());
        }
    }

    fn patch(&mut self, at: usize, value: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    }
}

impl Answer {
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes(&self.attributes)
    }
}

impl Conversation {
    /// With the kernel's netfilter, of this network namespace or of the one that is open.
    pub(crate) fn open(namespace: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let netlink = match namespace {
            Some(namespace) => Netlink::netfilter_in(namespace)?,
            None => Netlink::netfilter()?,
        };
        Ok(Self { netlink, sequence: 0 })
    }

    /// Sends messages and waits until the kernel has done the one that is acknowledged, or has
    /// given all that was asked for. The first error is the answer.
    pub(crate) fn talk(&mut self, mut request: Request) -> io::Result<Vec<Answer>> {
        request.finish();
        let first = self.sequence.wrapping_add(1);
        let last = self.sequence.wrapping_add(request.awaited);
        renumber(&mut request.bytes, self.sequence);
        self.sequence = self.sequence.wrapping_add(request.sequence);
        self.netlink.send(&request.bytes)?;
        let mut answers = Vec::new();
        let mut failed = None;
        loop {
            let mut packet = self.netlink.receive()?;
            while let Some(message) = Message::first(&mut packet) {
                let number = message.sequence.wrapping_sub(first);
                if number > last.wrapping_sub(first) {
                    // The rest of an earlier answer that was given up.
                    continue;
                }
                match message.kind {
                    ERROR | DONE => {
                        let code =
                            message.body.first_chunk().map_or(0, |it| i32::from_ne_bytes(*it));
                        if code != 0 {
                            let error = io::Error::from_raw_os_error(code.wrapping_neg());
                            failed.get_or_insert(error);
                        }
                        if message.sequence == last || (code != 0 && number == 0) {
                            return failed.map_or(Ok(answers), Err);
                        }
                    }
                    _ if answers.len() < ANSWERS_MAX => {
                        let attributes = message.body.get(FAMILY_BYTES..).unwrap_or_default();
                        answers.push(Answer { attributes: attributes.to_vec() });
                    }
                    _ => return Err(io::Error::other("an answer without end")),
                }
            }
        }
    }
}

/// Makes the sequence numbers of all messages go on behind `offset`.
fn renumber(bytes: &mut [u8], offset: u32) {
    let mut left = bytes;
    while let Some((header, _)) = left.split_first_chunk_mut::<HEADER_BYTES>() {
        let [a, b, c, d, _, _, _, _, number @ .., _, _, _, _] = header;
        let length = u32::from_ne_bytes([*a, *b, *c, *d]) as usize;
        *number = u32::from_ne_bytes(*number).wrapping_add(offset).to_ne_bytes();
        let Some((_, rest)) =
            left.split_at_mut_checked(length.next_multiple_of(4).max(HEADER_BYTES))
        else {
            return;
        };
        left = rest;
    }
}

struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes the first message off a packet.
    fn first(packet: &mut &'a [u8]) -> Option<Self> {
        let (header, _) = packet.split_first_chunk::<HEADER_BYTES>()?;
        let [a, b, c, d, e, f, _, _, i, j, k, l, ..] = *header;
        let length = u32::from_ne_bytes([a, b, c, d]) as usize;
        let body = packet.get(HEADER_BYTES..length)?;
        *packet = packet.get(length.next_multiple_of(4)..).unwrap_or_default();
        let sequence = u32::from_ne_bytes([i, j, k, l]);
        Some(Self { kind: u16::from_ne_bytes([e, f]), sequence, body })
    }
}

/// Attributes, one after the other: kind, without its flags, and value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Attributes<'a> {
    /// The value of the first of a kind.
    pub(crate) fn get(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    pub(crate) fn nested(self, kind: u16) -> Option<Attributes<'a>> {
        self.get(kind).map(Attributes)
    }

    pub(crate) fn text(self, kind: u16) -> Option<&'a [u8]> {
        self.get(kind).map(|value| value.strip_suffix(b"\0").unwrap_or(value))
    }

    pub(crate) fn u32(self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|value| u32::from_be_bytes(*value))
    }

    pub(crate) fn u64(self, kind: u16) -> Option<u64> {
        self.get(kind)?.first_chunk().map(|value| u64::from_be_bytes(*value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let (header, _) = self.0.split_first_chunk::<4>()?;
        let [a, b, c, d] = *header;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & KIND_MASK, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_come_back() {
        let mut request = Request::default();
        request.message(0x0a00, ACKNOWLEDGE, 1, 10);
        request.text(1, "wachter");
        request.nested(2, |inner| inner.u32(3, 7));
        request.message(0x0a01, 0, 2, 0);
        request.finish();
        renumber(&mut request.bytes, 100);
        let mut packet = request.bytes.as_slice();
        let first = Message::first(&mut packet).unwrap();
        assert_eq!((first.kind, first.sequence), (0x0a00, 101));
        let attributes = Attributes(&first.body[FAMILY_BYTES..]);
        assert_eq!(attributes.text(1), Some(&b"wachter"[..]));
        assert_eq!(attributes.nested(2).unwrap().u32(3), Some(7));
        assert_eq!(attributes.get(9), None);
        let second = Message::first(&mut packet).unwrap();
        assert_eq!((second.kind, second.sequence), (0x0a01, 102));
        assert!(Message::first(&mut packet).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes: Vec<u8>) {
            let mut packet = bytes.as_slice();
            let mut left = packet.len() + 1;
            while let Some(message) = Message::first(&mut packet) {
                prop_assert!(packet.len() < left);
                left = packet.len();
                prop_assert!(Attributes(message.body).count() <= message.body.len());
            }
            renumber(&mut bytes, 9);
        }
    }
}
