//! Host names of the allow list, looked up where nobody waits for it.

use std::io::Read;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use respond::allow::{AllowList, look_up};
use sys::log;

/// How often names are looked up.
const LOOK_UP_EVERY: Duration = Duration::from_secs(600);
/// The same while one of them is not known at all: perhaps the host has only just been started.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(15);

type Answers = Vec<(String, Vec<IpAddr>)>;

/// Looks up names in a thread, one look at a time.
#[derive(Default)]
pub(super) struct Names {
    due: Duration,
    /// The answers, and what becomes readable when they are there.
    under_way: Option<(Receiver<Answers>, UnixStream)>,
    has_names: bool,
}

impl Names {
    /// There are others now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.under_way.as_ref().map(|(_, done)| done.as_fd())
    }

    /// When to call [`Self::look_up`] at the latest.
    pub(super) fn due(&self) -> Duration {
        let is_idle = self.under_way.is_none() && self.has_names;
        if is_idle { self.due } else { Duration::MAX }
    }

    /// Starts a look where one is due, and takes in its answers; whether the list has changed.
    pub(super) fn look_up(&mut self, allow: &mut AllowList, now: Duration) -> bool {
        if let Some((answers, done)) = &mut self.under_way {
            if matches!(done.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
            {
                return false;
            }
            let answers = answers.try_recv().unwrap_or_default();
            self.under_way = None;
            let before = allow.clone();
            allow.resolved(&answers);
            if allow.has_unknown_names() {
                self.due = now + LOOK_UP_AGAIN;
            }
            return before != *allow;
        }
        let names = allow.names();
        self.has_names = !names.is_empty();
        if self.due > now || names.is_empty() {
            return false;
        }
        self.due = now + LOOK_UP_EVERY;
        match start(names) {
            Ok(under_way) => self.under_way = Some(under_way),
            Err(error) => log::error(format_args!("names of the allow list: {error}")),
        }
        false
    }
}

fn start(names: Vec<String>) -> std::io::Result<(Receiver<Answers>, UnixStream)> {
    let (done, is_done) = UnixStream::pair()?;
    done.set_nonblocking(true)?;
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new().name("names".to_owned()).spawn(move || {
        // Closing it tells that the answers are there, also after a panic.
        let _is_done = is_done;
        let _ = sender.send(look_up(&names));
    })?;
    Ok((receiver, done))
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn allow(entry: &str) -> AllowList {
        let text = format!(
            "<ossec_config><global><allow_list>{entry}</allow_list></global></ossec_config>"
        );
        let (conf, _) = config::ossec_conf::read(model::SourceId(0), text.as_bytes());
        AllowList::of(&conf)
    }

    #[test]
    fn names_are_looked_up_while_others_go_on() {
        let (mut names, mut allow) = (Names::default(), allow("localhost"));
        let now = Duration::from_secs(1000);
        assert!(!names.look_up(&mut allow, now));
        let descriptor = names.descriptor().unwrap();
        poll(&mut [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)], None).unwrap();
        assert!(names.look_up(&mut allow, now));
        assert!(allow.holds("127.0.0.1".parse().unwrap()) || allow.holds("::1".parse().unwrap()));
        assert!(!names.look_up(&mut allow, now) && names.descriptor().is_none());
        assert_eq!(names.due(), now + LOOK_UP_EVERY);
    }

    #[test]
    fn without_names_nothing_is_due() {
        let (mut names, mut allow) = (Names::default(), allow("192.0.2.1"));
        assert!(!names.look_up(&mut allow, Duration::from_secs(9)));
        assert_eq!((names.due(), names.descriptor().is_none()), (Duration::MAX, true));
    }
}
