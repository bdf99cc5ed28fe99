//! What `wachter blocks` asks for: one line of JSON each way, on a socket that root alone can reach.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use respond::target::{Target, User};
use serde::{Deserialize, Serialize};
use sys::{files, log};

/// Below the home, beside the ledger.
const SOCKET: &str = "queue/execd/control";
/// Who asks at a time.
const CLIENTS_MAX: usize = 16;
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// How long a client may take to ask.
const CLIENT_WAIT: Duration = Duration::from_secs(2);

/// What a person wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Request {
    Add {
        /// A command of `ossec.conf`, or an action that is built in.
        command: Option<String>,
        /// An address, a network, or the name of a user.
        target: String,
        /// 0: until it is lifted.
        seconds: Option<u32>,
        who: String,
        why: String,
    },
    Lift {
        target: String,
    },
    /// Lifts all that was blocked in the last seconds.
    Undo {
        seconds: u64,
    },
    Flush,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) done: bool,
    /// How many blocks it was about.
    pub(crate) count: usize,
    pub(crate) told: Vec<String>,
}

impl Answer {
    pub(super) fn refusal(why: &str) -> Self {
        Self { done: false, count: 0, told: vec![why.to_owned()] }
    }
}

/// Asks the running installation.
///
/// # Errors
///
/// Where it does not run, or does not answer.
pub(crate) fn ask(home: &Path, request: &Request, patience: Duration) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(home.join(SOCKET))?;
    stream.set_read_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Whom a person means: an address, a network, or a user.
pub(crate) fn target(text: &str) -> Option<Target> {
    if let Ok(net) = text.parse() {
        return Some(Target::address(net));
    }
    let user = User::parse(text.as_bytes()).ok()?;
    // What looks like an address and is none is no user's name.
    let is_name =
        !text.contains([':', '/']) && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_name.then(|| Target { user: Some(user), ..Target::default() })
}

/// Whether somebody who is blocked is among those that are meant.
pub(crate) fn is_meant(blocked: &Target, meant: &Target) -> bool {
    match (blocked.net, meant.net) {
        (Some(blocked), Some(meant)) => blocked.overlaps(meant),
        _ => meant.user.is_some() && blocked.user == meant.user,
    }
}

/// The socket and who is connected to it.
pub(super) struct Control {
    path: PathBuf,
    listener: Option<UnixListener>,
    clients: Vec<Client>,
}

pub(super) struct Client {
    stream: UnixStream,
    asked: Vec<u8>,
    until: Duration,
}

impl Control {
    pub(super) fn new(home: &Path) -> Self {
        Self { path: home.join(SOCKET), listener: None, clients: Vec::new() }
    }

    /// Makes the socket; its folder must be there.
    pub(super) fn listen(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let bound = files::with_mode(0o600, || UnixListener::bind(&self.path));
        match bound.and_then(|listener| listener.set_nonblocking(true).map(|()| listener)) {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => log::error(format_args!("{}: {error}", self.path.display())),
        }
    }

    pub(super) fn remove(&mut self) {
        if self.listener.take().is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let listener = self.listener.iter().filter(|_| self.clients.len() < CLIENTS_MAX);
        let clients = self.clients.iter().map(|client| client.stream.as_fd());
        listener.map(AsFd::as_fd).chain(clients)
    }

    /// When a client has had its time.
    pub(super) fn wake(&self) -> Option<Duration> {
        self.clients.iter().map(|client| client.until).min()
    }

    /// What has been asked since the last call.
    pub(super) fn requests(&mut self, now: Duration) -> Vec<(Client, Request)> {
        while self.clients.len() < CLIENTS_MAX
            && let Some(Ok((stream, _))) = self.listener.as_ref().map(UnixListener::accept)
        {
            if stream.set_nonblocking(true).is_ok() {
                self.clients.push(Client { stream, asked: Vec::new(), until: now + CLIENT_WAIT });
            }
        }
        let mut requests = Vec::new();
        for mut client in std::mem::take(&mut self.clients) {
            match client.read() {
                Ok(Some(request)) => requests.push((client, request)),
                Ok(None) if client.until > now => self.clients.push(client),
                Ok(None) => {}
                Err(error) => self.answer(client, &Answer::refusal(&error.to_string())),
            }
        }
        requests
    }

    /// The last word to a client. Who does not listen hears less.
    pub(super) fn answer(&self, mut client: Client, answer: &Answer) {
        if let Ok(bytes) = serde_json::to_vec(answer) {
            let _ = client.stream.write_all(&bytes);
        }
    }
}

impl Client {
    /// What it asks for, once that is there.
    fn read(&mut self) -> io::Result<Option<Request>> {
        let mut buffer = [0; 4096];
        loop {
            let bytes = match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            self.asked.extend_from_slice(buffer.get(..bytes).unwrap_or_default());
            if self.asked.ends_with(b"\n") {
                return Ok(Some(serde_json::from_slice(&self.asked)?));
            }
            if self.asked.len() > REQUEST_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a request is too long"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_meant() {
        let named = |text: &str| target(text).unwrap();
        assert!(is_meant(&named("203.0.113.7"), &named("203.0.113.0/24")));
        assert!(is_meant(&named("2001:db8::/64"), &named("2001:db8::7")));
        assert!(!is_meant(&named("203.0.113.7"), &named("203.0.113.8")));
        assert!(is_meant(&named("eve"), &named("eve")) && !is_meant(&named("eve"), &named("bob")));
        assert!(!is_meant(&named("203.0.113.7"), &named("eve")));
        for bad in
            ["", "1.2.3", "1.2.3.4.5", "203.0.113.7/33", "::g", "a b", "-x", "a/b", "999.1.1.1"]
        {
            assert!(target(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn whoever_asks_is_answered_and_nobody_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("queue/execd")).unwrap();
        let mut control = Control::new(home.path());
        control.listen();
        let silent = UnixStream::connect(home.path().join(SOCKET)).unwrap();
        let mut rude = UnixStream::connect(home.path().join(SOCKET)).unwrap();
        rude.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let path = home.path().to_owned();
        let asking = std::thread::spawn(move || {
            let request = Request::Lift { target: "203.0.113.7".to_owned() };
            ask(&path, &request, Duration::from_secs(60)).unwrap()
        });
        let now = Duration::from_secs(1000);
        let mut answered = 0;
        while !asking.is_finished() {
            for (client, request) in control.requests(now) {
                assert!(matches!(&request, Request::Lift { target } if target == "203.0.113.7"));
                control.answer(client, &Answer { done: true, count: 3, told: Vec::new() });
                answered += 1;
            }
        }
        let answer = asking.join().unwrap();
        assert_eq!((answer.done, answer.count, answered), (true, 3, 1));
        let mut text = String::new();
        rude.read_to_string(&mut text).unwrap();
        assert!(text.contains("expected value"), "{text}");
        assert_eq!(control.wake(), Some(now + CLIENT_WAIT));
        assert!(control.requests(now + CLIENT_WAIT).is_empty());
        assert_eq!((control.wake(), control.descriptors().count()), (None, 1));
        drop(silent);
    }
}
