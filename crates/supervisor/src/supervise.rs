//! The loop of the supervisor.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sys::accounts::{Account, group_id};
use sys::board::Board;
use sys::channel::{Channel, Received};
use sys::clock;
use sys::files;
use sys::lock::{Holder, Lock};
use sys::log;
use sys::process::{Launch, hang_up, has_ended, kill_session, terminate};
use sys::signals::{Signal, Signals};
use wire::note::{NOTE_BYTES_MAX, Note};

use crate::restarts::Restarts;
use crate::roles::{GROUP, Inherited, LOCK, Link, QUEUE_SOCKET, Role, Side};
use crate::state::{self, RoleState};

/// What is to run.
#[derive(Debug)]
pub struct Plan {
    pub home: PathBuf,
    /// The binary that all roles are.
    pub program: PathBuf,
    pub roles: Vec<&'static Role>,
    /// Whether roles may write to the terminal.
    pub on_terminal: bool,
    /// Arguments that every role gets besides its name and home.
    pub options: Vec<OsString>,
    /// Whether whoever started it waits: then it gives up where a role ends again and again before
    /// all are at work.
    pub gives_up: bool,
    /// The group that may read what is written for people; see [`Plan::group_of_host`].
    pub group: Option<u32>,
}

impl Plan {
    /// OSSEC's group, where there is one and this process may give files to it.
    pub fn group_of_host() -> Option<u32> {
        let is_root = rustix::process::geteuid().is_root();
        group_id(GROUP).ok().filter(|_| is_root)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    #[error("{} is already supervised by process {process}", home.display())]
    AlreadyRunning { home: PathBuf, process: u32 },
    #[error("{what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("making channels for the roles: {0}")]
    Channels(io::Error),
    #[error("waiting for roles: {0}")]
    Wait(io::Error),
    #[error("{daemon} does not start ({end}); see logs/ossec.log below {}", home.display())]
    NotReady { daemon: &'static str, end: String, home: PathBuf },
}

/// Tries that a role has, until it is at work for the first time, where somebody waits for it.
const TRIES: u64 = 3;

/// How long roles have to stop by themselves.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// Runs the roles until this process is told to stop. `ready` is called once all roles are at work,
/// with what each of them said.
///
/// # Errors
///
/// Where the installation is supervised already, or what all roles share cannot be made. That a
/// role cannot be started is no error: it is tried again.
pub fn supervise(plan: Plan, ready: &mut dyn FnMut(&[RoleState])) -> Result<(), SupervisorError> {
    let signals = Signals::listen().map_err(SupervisorError::Channels)?;
    let _lock = take_lock(&plan.home)?;
    remove_pid_files(&plan.home);
    let shared = Shared::make(&plan)?;
    let processes = plan.roles.iter().map(|role| Process::new(role)).collect();
    let mut supervisor = Supervisor {
        plan,
        shared,
        processes,
        stopping: None,
        told_ready: false,
        failure: None,
        check: None,
    };
    log::info(format_args!("supervisor started (pid: {})", std::process::id()));
    let result = supervisor.run(&signals, ready);
    state::remove(&supervisor.plan.home);
    let _ = fs::remove_file(supervisor.plan.home.join(QUEUE_SOCKET));
    match &result {
        Ok(()) => log::info("supervisor stopped"),
        Err(error) => log::error(error),
    }
    result
}

fn take_lock(home: &Path) -> Result<Lock, SupervisorError> {
    let path = home.join(LOCK);
    match Lock::take(&path) {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(holder)) => {
            let process = match holder {
                Holder::Process(process) => process,
                Holder::Nobody => 0,
            };
            Err(SupervisorError::AlreadyRunning { home: home.to_owned(), process })
        }
        Err(source) => Err(SupervisorError::File { what: "locking", path, source }),
    }
}

/// What is there from a supervisor that was killed; its roles died with it.
fn remove_pid_files(home: &Path) {
    let Ok(entries) = fs::read_dir(home.join("var/run")) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = crate::roles::ALL
            .iter()
            .any(|role| name.strip_prefix(role.daemon).is_some_and(|rest| rest.starts_with('-')));
        if is_ours && name.ends_with(".pid") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What outlives every role.
#[derive(Debug)]
struct Shared {
    board: Board,
    events: (Channel, Channel),
    commands: (Channel, Channel),
    orders: (Channel, Channel),
    queue: OwnedFd,
}

impl Shared {
    fn make(plan: &Plan) -> Result<Self, SupervisorError> {
        let path = plan.home.join(QUEUE_SOCKET);
        let queue = queue_socket(&path).map_err(|source| SupervisorError::File {
            what: "binding",
            path,
            source,
        })?;
        let pair = || Channel::pair().map_err(SupervisorError::Channels);
        let board = Board::create().map_err(SupervisorError::Channels)?;
        Ok(Self { board, events: pair()?, commands: pair()?, orders: pair()?, queue })
    }

    fn descriptor(&self, inherited: Inherited) -> BorrowedFd<'_> {
        let pair = match inherited {
            Inherited::Queue => return self.queue.as_fd(),
            Inherited::End(Link::Events, _) => &self.events,
            Inherited::End(Link::Commands, _) => &self.commands,
            Inherited::End(Link::Orders, _) => &self.orders,
        };
        match inherited {
            Inherited::End(_, Side::Receiver) => pair.1.as_fd(),
            Inherited::End(_, Side::Sender) | Inherited::Queue => pair.0.as_fd(),
        }
    }
}

/// The socket that other people's tools write to. It stays when roles die.
fn queue_socket(path: &Path) -> io::Result<OwnedFd> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = files::with_mode(0o660, || UnixDatagram::bind(path))?;
    if let Ok(account) = Account::of("ossec", Some(GROUP))
        && rustix::process::geteuid().is_root()
    {
        files::give(path, Some(account.uid), Some(account.gid))?;
    }
    Ok(socket.into())
}

/// A role and its process.
#[derive(Debug)]
struct Process {
    role: &'static Role,
    child: Option<Child>,
    /// Our end of its control channel.
    control: Option<Channel>,
    started: Duration,
    restarts: Restarts,
    /// When it is started next, while it has no process.
    due: Option<Duration>,
    state: RoleState,
}

impl Process {
    fn new(role: &'static Role) -> Self {
        let daemon = role.daemon.to_owned();
        Self {
            role,
            child: None,
            control: None,
            started: Duration::ZERO,
            restarts: Restarts::default(),
            due: Some(Duration::ZERO),
            state: RoleState { daemon, ..RoleState::default() },
        }
    }

    fn pid_file(&self, home: &Path) -> PathBuf {
        home.join(format!("var/run/{}-{}.pid", self.role.daemon, self.state.process))
    }
}

struct Supervisor {
    plan: Plan,
    shared: Shared,
    processes: Vec<Process>,
    /// Until when roles have time to stop. They stop one after the other, the last one first, so
    /// that each can still hand on what it has.
    stopping: Option<Duration>,
    told_ready: bool,
    /// Why it stops, if nobody asked for it.
    failure: Option<SupervisorError>,
    /// The check of a configuration that is to be read anew.
    check: Option<Child>,
}

impl Supervisor {
    fn run(
        &mut self,
        signals: &Signals,
        ready: &mut dyn FnMut(&[RoleState]),
    ) -> Result<(), SupervisorError> {
        loop {
            self.start_due();
            if self.stopping.is_some() && self.processes.iter().all(|role| role.child.is_none()) {
                return self.failure.take().map_or(Ok(()), Err);
            }
            self.wait(signals)?;
            while let Some(signal) = signals.next().map_err(SupervisorError::Wait)? {
                match signal {
                    Signal::Child => {
                        self.reap();
                        self.end_check();
                    }
                    Signal::Terminate => self.stop(),
                    Signal::Hangup => self.reload(),
                }
            }
            self.read_notes();
            if !self.told_ready && self.processes.iter().all(|process| process.state.is_ready) {
                self.told_ready = true;
                let states: Vec<RoleState> =
                    self.processes.iter().map(|process| process.state.clone()).collect();
                ready(&states);
            }
            if self.stopping.is_some_and(|until| clock::monotonic() >= until) {
                log::warning("roles did not stop in time and are killed");
                for child in self.processes.iter_mut().filter_map(|role| role.child.as_mut()) {
                    let _ = child.kill();
                }
                self.stopping = Some(Duration::MAX);
            }
        }
    }

    /// Until a signal or a note comes, or a role is due.
    fn wait(&self, signals: &Signals) -> Result<(), SupervisorError> {
        let now = clock::monotonic();
        let dues = self.processes.iter().filter_map(|process| process.due);
        let next = dues.chain(self.stopping).min().filter(|next| *next != Duration::MAX);
        let timeout = next.map(|next| {
            let wait = next.saturating_sub(now);
            Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) }
        });
        let mut waited = vec![PollFd::new(signals, PollFlags::IN)];
        for control in self.processes.iter().filter_map(|process| process.control.as_ref()) {
            waited.push(PollFd::new(control, PollFlags::IN));
        }
        match poll(&mut waited, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(SupervisorError::Wait(error.into())),
        }
    }

    fn start_due(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let now = clock::monotonic();
        let mut changed = false;
        for process in &mut self.processes {
            if process.due.is_none_or(|due| due > now) {
                continue;
            }
            process.due = None;
            changed = true;
            process.started = now;
            if let Err(error) = start(process, &self.shared, &self.plan) {
                log::error(format_args!("{} cannot be started: {error}", process.role.daemon));
                process.due = Some(now + process.restarts.after(Duration::ZERO));
            }
        }
        if changed {
            self.write_state();
        }
    }

    /// Takes leave of roles that ended.
    fn reap(&mut self) {
        let now = clock::monotonic();
        let mut has_stopped = false;
        for process in &mut self.processes {
            let Some(child) = process.child.as_mut() else { continue };
            // Commands must not outlive the role that started them and watches their time.
            if !process.role.sandboxed
                && let Err(error) = end_session(child)
            {
                let daemon = process.role.daemon;
                log::error(format_args!("looking for what {daemon} left behind: {error}"));
            }
            let status = match child.try_wait() {
                Ok(Some(status)) => status,
                Ok(None) => continue,
                Err(error) => {
                    log::error(format_args!("waiting for {}: {error}", process.role.daemon));
                    continue;
                }
            };
            let _ = fs::remove_file(process.pid_file(&self.plan.home));
            process.child = None;
            process.control = None;
            process.state.process = 0;
            process.state.is_ready = false;
            if self.stopping.is_some() {
                has_stopped = true;
                continue;
            }
            let end = describe(status);
            let delay = process.restarts.after(now.saturating_sub(process.started));
            log::error(format_args!(
                "{} ended ({end}); started again in {} ms",
                process.role.daemon,
                delay.as_millis()
            ));
            if self.plan.gives_up && !self.told_ready && process.restarts.count >= TRIES {
                let (daemon, home) = (process.role.daemon, self.plan.home.clone());
                let end = end.clone();
                self.failure.get_or_insert(SupervisorError::NotReady { daemon, end, home });
            }
            process.state.last_end = end;
            process.state.restarts = process.restarts.count;
            process.due = Some(now + delay);
        }
        self.write_state();
        if has_stopped {
            self.stop_next();
        }
        if self.failure.is_some() {
            self.stop();
        }
    }

    fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(clock::monotonic() + STOP_WAIT);
        for process in &mut self.processes {
            process.due = None;
        }
        self.stop_next();
    }

    /// Asks the last role that is at work to stop.
    fn stop_next(&self) {
        if let Some(child) = self.processes.iter().rev().find_map(|role| role.child.as_ref()) {
            terminate(child);
        }
    }

    /// Has the configuration checked by a process of its own; [`Self::end_check`] goes on.
    fn reload(&mut self) {
        let arguments = [OsStr::new("check"), OsStr::new("--errors"), self.plan.home.as_os_str()];
        let check = Launch {
            program: &self.plan.program,
            title: "wachter",
            arguments: &arguments,
            descriptors: &[],
            detached: false,
            on_terminal: false,
        };
        match check.start() {
            // One that is at work reads what was changed last, or its successor does.
            Ok(child) => {
                if let Some(mut before) = self.check.replace(child) {
                    let _ = before.kill();
                    let _ = before.wait();
                }
            }
            Err(error) => log::error(format_args!("configuration cannot be checked: {error}")),
        }
    }

    /// Passes the word on if the configuration was found good.
    fn end_check(&mut self) {
        let Some(check) = self.check.as_mut() else { return };
        let status = match check.try_wait() {
            Ok(Some(status)) => status,
            Ok(None) => return,
            Err(error) => {
                log::error(format_args!("waiting for the check of the configuration: {error}"));
                self.check = None;
                return;
            }
        };
        self.check = None;
        if status.success() {
            log::info("configuration is good; roles read it anew");
            for child in self.processes.iter().filter_map(|process| process.child.as_ref()) {
                hang_up(child);
            }
        } else {
            log::error(format_args!(
                "configuration has errors and is not read; see wachter check {}",
                self.plan.home.display()
            ));
        }
    }

    fn read_notes(&mut self) {
        let mut buffer = [0; NOTE_BYTES_MAX];
        let (mut changed, mut to_reload) = (false, false);
        for process in &mut self.processes {
            let Some(control) = &process.control else { continue };
            match control.receive(&mut buffer) {
                Ok(Received::Packet { bytes, .. }) => {
                    let packet = buffer.get(..bytes).unwrap_or_default();
                    match Note::parse(packet) {
                        Ok(Note::Ready { layers, missing }) if !process.state.is_ready => {
                            process.state.is_ready = true;
                            process.state.layers = String::from_utf8_lossy(&layers).into_owned();
                            process.state.missing = String::from_utf8_lossy(&missing).into_owned();
                            changed = true;
                        }
                        // Only who acts as root anyway may ask for it.
                        Ok(Note::Reload) => to_reload |= !process.role.sandboxed,
                        Ok(_) | Err(_) => {}
                    }
                }
                Ok(Received::Nothing) => {}
                // It is about to end; its exit is told by a signal.
                Ok(Received::Closed) | Err(_) => process.control = None,
            }
        }
        if changed {
            self.write_state();
        }
        if to_reload && self.check.is_none() {
            self.reload();
        }
    }

    fn write_state(&self) {
        let states: Vec<RoleState> =
            self.processes.iter().map(|process| process.state.clone()).collect();
        if let Err(error) = state::write(&self.plan.home, &states, self.plan.group) {
            log::warning(format_args!("the state of the roles cannot be written: {error}"));
        }
    }
}

fn start(process: &mut Process, shared: &Shared, plan: &Plan) -> io::Result<()> {
    let (ours, theirs) = Channel::pair()?;
    let mut descriptors = vec![theirs.as_fd(), shared.board.as_fd()];
    descriptors.extend(process.role.inherits.iter().map(|what| shared.descriptor(*what)));
    let mut arguments =
        vec![OsStr::new("role"), OsStr::new(process.role.name), plan.home.as_os_str()];
    arguments.extend(plan.options.iter().map(OsString::as_os_str));
    let launch = Launch {
        program: &plan.program,
        title: process.role.daemon,
        arguments: &arguments,
        descriptors: &descriptors,
        detached: false,
        on_terminal: plan.on_terminal,
    };
    let child = launch.start()?;
    process.state.process = child.id();
    process.state.since = clock::wall().seconds;
    process.child = Some(child);
    process.control = Some(ours);
    let path = process.pid_file(&plan.home);
    let number = format!("{}\n", process.state.process);
    // Without it the role works all the same; it is there for people and their scripts.
    if let Err(error) = files::write_fresh(&path, number.as_bytes(), plan.group) {
        log::warning(format_args!("{}: {error}", path.display()));
    }
    Ok(())
}

/// Kills what a process has left behind, if it has ended.
fn end_session(child: &Child) -> io::Result<()> {
    if has_ended(child)? { kill_session(child) } else { Ok(()) }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "unknown end".to_owned(),
    }
}
