//! A netlink socket, of this process' network namespace or of another one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, netlink, recv, send,
    socket_with, sockopt,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Bytes that one request may have; the kernel takes a little more without asking for rights.
pub const REQUEST_BYTES_MAX: usize = 192 * 1024;
/// Bytes of one answer; the kernel's are at most half of it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The kernel answers at once. Should it not, this is an error rather than a standstill.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(5);
/// Room for the answers to one request.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// A socket to netfilter. It belongs to the namespace that it was opened in, wherever it is used.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Netlink {
    /// A socket of this process' network namespace.
    pub fn netfilter() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let protocol = Some(netlink::NETFILTER);
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        bind(&socket, &netlink::SocketAddrNetlink::new(0, 0))?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(ANSWER_WAIT_MAX))?;
        // Without the right to it, less room does too.
        if sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER_BYTES).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES)?;
        }
        Ok(Self { socket, buffer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// A socket of the network namespace that is open as `namespace`. A thread goes there, opens
    /// it, and ends: this one stays where it is.
    pub fn netfilter_in(namespace: BorrowedFd<'_>) -> io::Result<Self> {
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| {
                move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
                Self::netfilter()
            });
            opened.join().unwrap_or_else(|_| Err(io::Error::other("the thread has panicked")))
        })
    }

    /// Sends one request, at most [`REQUEST_BYTES_MAX`].
    pub fn send(&self, request: &[u8]) -> io::Result<()> {
        send(&self.socket, request, SendFlags::empty())?;
        Ok(())
    }

    /// The next packet of answers.
    pub fn receive(&mut self) -> io::Result<&[u8]> {
        let (bytes, _) = recv(&self.socket, &mut self.buffer[..], RecvFlags::empty())?;
        Ok(self.buffer.get(..bytes).unwrap_or_default())
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers() {
        // A request of no known kind, to be acknowledged: length, kind, flags, sequence, port.
        let mut request = 20_u32.to_ne_bytes().to_vec();
        request.extend_from_slice(&0xffff_u16.to_ne_bytes());
        request.extend_from_slice(&0x5_u16.to_ne_bytes());
        request.extend_from_slice(&77_u32.to_ne_bytes());
        request.extend_from_slice(&[0; 8]);
        let mut netlink = match Netlink::netfilter() {
            Ok(netlink) => netlink,
            Err(error) => return println!("SKIPPED: no netfilter socket: {error}"),
        };
        netlink.send(&request).unwrap();
        let answer = netlink.receive().unwrap();
        assert_eq!(answer[4..6], 2_u16.to_ne_bytes(), "an error, as for any unknown kind");
        assert_eq!(answer[8..12], 77_u32.to_ne_bytes());
    }
}
