//! ossec-monitord: shows the numbers of the installation to those who watch it.
//!
//! It answers on a Unix socket below the home and, where the configuration names one, on a loopback
//! port. The request is read with limits and hardly looked at: there is one answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{OFlags, fcntl_setfl};
use supervisor::Plan;
use sys::signals::Signal;
use sys::{clock, files, log};

use super::{Context, wait};
use crate::home::Origin;
use crate::{metrics, sources};

/// Below the home.
pub(super) const SOCKET: &str = "var/run/metrics";

/// How long a client may take for all of its request, and for taking all of the answer.
const CLIENT_WAIT: Duration = Duration::from_millis(500);
const REQUEST_BYTES_MAX: usize = 4096;

pub(super) fn run(context: Context) -> Result<()> {
    let settings = Origin::home(&context.home).settings();
    let local = listen(&context.home.join(SOCKET))?;
    let mut address = settings.ours.metrics.listen;
    let mut port = address.and_then(offer_at);
    let layers = context.enter_sandbox()?;
    context.ready(&layers)?;
    loop {
        let mut waited =
            vec![PollFd::new(&context.signals, PollFlags::IN), PollFd::new(&local, PollFlags::IN)];
        waited.extend(port.as_ref().map(|port| PollFd::new(port, PollFlags::IN)));
        wait(&mut waited, None)?;
        while let Some(signal) = context.signals.next()? {
            match signal {
                Signal::Terminate => {
                    let _ = std::fs::remove_file(context.home.join(SOCKET));
                    return Ok(());
                }
                Signal::Hangup => {
                    let wanted = Origin::home(&context.home).settings().ours.metrics.listen;
                    if wanted != address {
                        address = wanted;
                        port = address.and_then(offer_at);
                    }
                }
                Signal::Child => {}
            }
        }
        // One of each in a turn, so that nobody at the port keeps the socket waiting. Errors are
        // those of clients: who does not listen gets no answer.
        if let Ok((client, _)) = local.accept() {
            let _ = answer(client, &context);
        }
        if let Some(Ok((client, _))) = port.as_ref().map(TcpListener::accept) {
            let _ = answer(client, &context);
        }
    }
}

/// A port for the numbers; without it they are on the socket all the same.
fn offer_at(address: SocketAddr) -> Option<TcpListener> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| log::error(format_args!("metrics at {address}: {error}"))).ok()
}

fn listen(path: &Path) -> Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    let listener = files::with_mode(0o660, || UnixListener::bind(path))
        .with_context(|| format!("binding the metrics socket {}", path.display()))?;
    listener.set_nonblocking(true)?;
    if let Some(group) = Plan::group_of_host() {
        files::give(path, None, Some(group))?;
    }
    Ok(listener)
}

fn answer(client: impl Read + Write + AsFd, context: &Context) -> io::Result<()> {
    fcntl_setfl(&client, OFlags::NONBLOCK)?;
    let mut client = Client { stream: client, until: clock::monotonic() + CLIENT_WAIT };
    let mut request = [0; REQUEST_BYTES_MAX];
    let mut length = 0;
    while length < request.len() && !ends(request.get(..length).unwrap_or_default()) {
        match client.read(request.get_mut(length..).unwrap_or_default())? {
            0 => break,
            more => length += more,
        }
    }
    let request = request.get(..length).unwrap_or_default();
    let is_known = [&b"GET /metrics "[..], b"GET / "].iter().any(|it| request.starts_with(it));
    let (status, body) = if is_known {
        let roles = supervisor::read_state(&context.home).unwrap_or_default();
        let sources = sources::read(&context.home).unwrap_or_default();
        ("200 OK", metrics::render(&context.counters, &roles, &sources))
    } else {
        ("404 Not Found", "there is /metrics\n".to_owned())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    client.until = clock::monotonic() + CLIENT_WAIT;
    client.write_all(head.as_bytes())?;
    client.write_all(body.as_bytes())
}

/// A stream whose other end has until then, however little it says or takes at a time.
struct Client<S> {
    stream: S,
    until: Duration,
}

impl<S: AsFd> Client<S> {
    /// Does it as soon as it can be done.
    fn when(
        &mut self,
        flags: PollFlags,
        mut what: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match what(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            let left = self.until.saturating_sub(clock::monotonic());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            wait(&mut [PollFd::new(&self.stream, flags)], Some(left)).map_err(io::Error::other)?;
        }
    }
}

impl<S: Read + AsFd> Read for Client<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.when(PollFlags::IN, |stream| stream.read(buffer))
    }
}

impl<S: Write + AsFd> Write for Client<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.when(PollFlags::OUT, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn ends(request: &[u8]) -> bool {
    request.ends_with(b"\r\n\r\n") || request.ends_with(b"\n\n")
}
