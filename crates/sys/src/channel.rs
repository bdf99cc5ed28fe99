//! A channel between two processes: packets that arrive whole, in order, or not at all.
//!
//! Both ends are made before either process starts and kept by the supervisor, so a process that
//! dies leaves what it had not read to its successor.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    sockopt,
};

/// Bytes that a channel holds before its sender has to wait.
const BUFFER_BYTES: usize = 2 * 1024 * 1024;

/// One end.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
}

/// What came of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// The channel is full: wait until it is writable.
    Full,
}

/// What came of receiving.
#[derive(Debug)]
pub enum Received {
    /// A packet of so many bytes, perhaps with a descriptor.
    Packet { bytes: usize, descriptor: Option<OwnedFd> },
    /// Nothing there: wait until it is readable.
    Nothing,
    /// All other ends are closed.
    Closed,
}

impl Channel {
    /// Two ends of one channel.
    pub fn pair() -> io::Result<(Self, Self)> {
        let flags = SocketFlags::CLOEXEC;
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        for socket in [&one, &other] {
            // As root the limit of the host does not count; else what it allows has to do.
            if sockopt::set_socket_send_buffer_size_force(socket, BUFFER_BYTES).is_err() {
                sockopt::set_socket_send_buffer_size(socket, BUFFER_BYTES)?;
            }
        }
        Ok((Self { socket: one }, Self { socket: other }))
    }

    /// An end that somebody else made.
    pub fn from_fd(socket: OwnedFd) -> Self {
        Self { socket }
    }

    pub fn into_fd(self) -> OwnedFd {
        self.socket
    }

    /// Sends a packet, or says that there is no room.
    pub fn send(&self, packet: &[u8]) -> io::Result<Sent> {
        self.send_message(packet, &mut SendAncillaryBuffer::default())
    }

    /// Sends a packet and lends a descriptor with it.
    pub fn send_with(&self, packet: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<Sent> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        self.send_message(packet, &mut ancillary)
    }

    fn send_message(
        &self,
        packet: &[u8],
        ancillary: &mut SendAncillaryBuffer<'_, '_, '_>,
    ) -> io::Result<Sent> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            return match sendmsg(&self.socket, &[IoSlice::new(packet)], ancillary, flags) {
                Ok(_) => Ok(Sent::Yes),
                Err(Errno::AGAIN | Errno::NOBUFS) => Ok(Sent::Full),
                Err(Errno::INTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Receives a packet into `buffer`. A packet that is longer is an error: its end is lost.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        loop {
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            let message = match recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(buffer)],
                &mut ancillary,
                flags,
            ) {
                Ok(message) => message,
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::INTR) => continue,
                Err(Errno::CONNRESET) => return Ok(Received::Closed),
                Err(error) => return Err(error.into()),
            };
            if message.flags.contains(rustix::net::ReturnFlags::TRUNC) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a packet is longer than packets are",
                ));
            }
            let descriptor = ancillary.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                _ => None,
            });
            // No role sends empty packets, so this is the end.
            if message.bytes == 0 && descriptor.is_none() {
                return Ok(Received::Closed);
            }
            return Ok(Received::Packet { bytes: message.bytes, descriptor });
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    fn packet(channel: &Channel) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        match channel.receive(&mut buffer).unwrap() {
            Received::Packet { bytes, .. } => Some(buffer[..bytes].to_vec()),
            Received::Nothing | Received::Closed => None,
        }
    }

    #[test]
    fn a_successor_reads_on() {
        let (sender, kept) = Channel::pair().unwrap();
        for text in ["one", "two", "three"] {
            assert_eq!(sender.send(text.as_bytes()).unwrap(), Sent::Yes);
        }
        let reader = Channel::from_fd(kept.as_fd().try_clone_to_owned().unwrap());
        assert_eq!(packet(&reader).unwrap(), b"one");
        drop(reader);
        let successor = Channel::from_fd(kept.as_fd().try_clone_to_owned().unwrap());
        assert_eq!(packet(&successor).unwrap(), b"two");
        assert_eq!(packet(&successor).unwrap(), b"three");
        assert!(matches!(successor.receive(&mut [0; 9]).unwrap(), Received::Nothing));
        drop(sender);
        assert!(matches!(successor.receive(&mut [0; 9]).unwrap(), Received::Closed));
    }

    #[test]
    fn a_full_channel_says_so_and_goes_on() {
        let (sender, reader) = Channel::pair().unwrap();
        let text = [7; 60];
        let mut sent = 0;
        while sender.send(&text).unwrap() == Sent::Yes {
            sent += 1;
        }
        assert!(sent > 100, "{sent}");
        assert_eq!(packet(&reader).unwrap(), text);
        let mut received = 1;
        while packet(&reader).is_some() {
            received += 1;
        }
        assert_eq!(received, sent);
        assert_eq!(sender.send(&text).unwrap(), Sent::Yes);
    }

    #[test]
    fn a_descriptor_goes_along() {
        let (sender, reader) = Channel::pair().unwrap();
        let (output, mut input) = std::io::pipe().unwrap();
        sender.send_with(b"here", output.as_fd()).unwrap();
        drop(output);
        std::io::Write::write_all(&mut input, b"through").unwrap();
        drop(input);
        let Received::Packet { bytes: 4, descriptor: Some(descriptor) } =
            reader.receive(&mut [0; 8]).unwrap()
        else {
            panic!("no descriptor")
        };
        let mut text = String::new();
        File::from(descriptor).read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }

    #[test]
    fn a_long_packet_is_an_error() {
        let (sender, reader) = Channel::pair().unwrap();
        sender.send(&[0; 10]).unwrap();
        assert!(reader.receive(&mut [0; 9]).is_err());
    }
}
