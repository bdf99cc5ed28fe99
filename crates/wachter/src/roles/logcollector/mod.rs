//! ossec-logcollector: what happens in the logs of this host, as batches to analysis.
//!
//! One loop. Files are read as inotify tells, and remembered up to what analysis has stored; pipes,
//! commands, the journal and the queue socket are read while there is room. Where analysis cannot
//! keep up the channel is full, and nothing is read until it has room again.

mod commands;
mod habit;
mod journal;
mod ready;
mod report;
mod sender;
mod streams;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use collect::files::{FileEntry, Files, FilesSettings, Flow, Found, Moment};
use collect::positions::Positions;
use config::sections::{LocalFile, LogFormat};
use model::limits::{LINE_BYTES_MAX, LOCATION_BYTES_MAX};
use rustix::event::{PollFd, PollFlags};
use supervisor::counters::Counter;
use sys::channel::{Channel, Received};
use sys::signals::Signal;
use sys::{clock, log};
use wire::frame::Sourced;
use wire::note::{NOTE_BYTES_MAX, Note};

use super::{Context, Counted, wait};
use crate::home::{Origin, Settings};
use crate::host;
use commands::Commands;
use habit::Habits;
use journal::Journal;
use ready::{Ready, ReadyQueue, source_of};
use sender::{Kind, Sender};
use streams::{ReadOn, Stream};

/// Below the home: how far files are read and stored.
const POSITIONS_FILE: &str = "queue/logcollector/positions";
const POSITIONS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How often positions are saved while they change. Analysis says what is stored more rarely.
const SAVE_PERIOD: Duration = Duration::from_millis(100);
/// How long the last messages are offered to analysis when the role stops.
const FINISH_WAIT: Duration = Duration::from_secs(3);
/// Datagrams taken in a row.
const DATAGRAMS_IN_A_ROW: usize = 256;
/// How long to wait for the rest of a group of lines.
const GROUP_WAIT: Duration = Duration::from_secs(1);

pub(super) fn run(mut context: Context) -> Result<()> {
    let events = context.inherit_channel()?;
    let commands = context.inherit_channel()?;
    let queue = UnixDatagram::from(context.inherit()?);
    queue.set_nonblocking(true).context("the queue socket")?;
    let settings = Origin::home(&context.home).settings();
    let saved = load_positions(&context.home);
    let layers = context.enter_sandbox()?;
    let mut role = Collector::new(context, events, commands, queue, &settings, saved)?;
    role.context.ready(&layers)?;
    role.serve()
}

/// The positions of the last run; `None` where there was none.
fn load_positions(home: &Path) -> Option<Positions> {
    let path = home.join(POSITIONS_FILE);
    let text = match std::fs::File::open(&path) {
        Ok(file) => {
            let mut text = Vec::new();
            let limited = &mut io::Read::take(file, POSITIONS_BYTES_MAX);
            io::Read::read_to_end(limited, &mut text).map(|_| text)
        }
        Err(error) => Err(error),
    };
    match text {
        Ok(text) => Some(Positions::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            log::error(format_args!("{}: {error}; files are read from their end", path.display()));
            None
        }
    }
}

struct Collector {
    context: Context,
    sender: Sender,
    files: Files,
    commands: Commands,
    command_channel: Channel,
    journal: Journal,
    queue: UnixDatagram,
    queue_source: u64,
    datagrams: u64,
    /// The outputs of commands by their token, and named pipes by their path.
    outputs: BTreeMap<u32, Stream>,
    pipes: Vec<Stream>,
    localfiles: Vec<LocalFile>,
    hostname: Vec<u8>,
    ready: ReadyQueue,
    incarnation: u64,
    habits: Habits,
    /// When positions are to be saved; `None` if they are as saved.
    save_due: Option<Duration>,
    report_due: Option<Duration>,
    reported: String,
    lines: u64,
    line_bytes: u64,
    counted: Counted,
}

impl Collector {
    fn new(
        context: Context,
        events: Channel,
        command_channel: Channel,
        queue: UnixDatagram,
        settings: &Settings,
        saved: Option<Positions>,
    ) -> Result<Self> {
        let now = moment();
        let hostname = host::short_name().into_bytes();
        let incarnation = incarnation(now);
        let localfiles = settings.conf.localfiles.clone();
        let files_settings = FilesSettings {
            from_start: context.options.from_start,
            line_wait: Duration::from_millis(u64::from(settings.ours.collect.line_wait_ms)),
            group_wait: GROUP_WAIT,
            hostname: hostname.clone(),
            first_start: saved.is_none(),
        };
        let entries = file_entries(&localfiles);
        let files = Files::new(&entries, &saved.unwrap_or_default(), files_settings, now)
            .context("watching log files")?;
        if localfiles.is_empty() {
            log::write(log::Level::Info, 1905, "No file configured to monitor.");
        }
        let mut collector = Self {
            sender: Sender::new(events, incarnation),
            files,
            commands: Commands::new(&localfiles, incarnation, now.monotonic),
            command_channel,
            journal: Journal::new(&localfiles, &context.home, now.wall),
            queue,
            queue_source: source_of(incarnation, b"queue"),
            datagrams: 0,
            outputs: BTreeMap::new(),
            pipes: Vec::new(),
            localfiles,
            hostname,
            ready: ReadyQueue::default(),
            incarnation,
            habits: Habits::default(),
            save_due: Some(now.monotonic),
            report_due: Some(now.monotonic),
            reported: String::new(),
            lines: 0,
            line_bytes: 0,
            counted: Counted::default(),
            context,
        };
        collector.open_pipes();
        collector.log_notices();
        Ok(collector)
    }

    fn serve(&mut self) -> Result<()> {
        let mut more = true;
        loop {
            self.wait_for_work(more)?;
            while let Some(signal) = self.context.signals.next()? {
                match signal {
                    Signal::Terminate => return self.finish(),
                    Signal::Hangup => self.reload(),
                    Signal::Child => {}
                }
            }
            self.read_answers()?;
            self.read_command_notes()?;
            let now = moment();
            self.files.notice(now);
            more = self.read_files(now)?;
            self.read_kept(now)?;
            self.sender.flush()?;
            more |= !self.ready.is_empty() && self.sender.may_keep();
            self.commands.ask(now.monotonic, &self.command_channel)?;
            self.journal.ask(now.monotonic, &self.command_channel)?;
            self.log_notices();
            self.housekeeping(now);
        }
    }

    fn wait_for_work(&mut self, more: bool) -> Result<()> {
        let is_full = self.sender.is_full();
        let now = clock::monotonic();
        let dues = [
            // While there is no room files are not read, whatever is due.
            self.files.next_due().filter(|_| !is_full),
            self.commands.next_due(),
            self.journal.next_due(),
            self.save_due,
            self.report_due,
        ];
        let next = dues.into_iter().flatten().min().map(|due| due.saturating_sub(now));
        let timeout = if more && !is_full { Some(Duration::ZERO) } else { next };
        let mut events = PollFlags::IN;
        events.set(PollFlags::OUT, is_full);
        let mut waited = vec![
            PollFd::new(&self.context.signals, PollFlags::IN),
            PollFd::new(self.sender.channel(), events),
            PollFd::new(&self.command_channel, PollFlags::IN),
        ];
        if !is_full {
            waited.push(PollFd::from_borrowed_fd(self.files.fd(), PollFlags::IN));
        }
        if self.sender.may_keep() && self.ready.is_empty() {
            waited.push(PollFd::new(&self.queue, PollFlags::IN));
            let streams = self.outputs.values().chain(&self.pipes);
            waited.extend(streams.map(|stream| PollFd::new(stream, PollFlags::IN)));
            let journal = self.journal.output();
            waited.extend(journal.map(|it| PollFd::from_borrowed_fd(it, PollFlags::IN)));
        }
        if is_full {
            self.context.counters.add(Counter::Waits, 1);
        }
        wait(&mut waited, timeout)
    }

    /// What analysis says: what it has stored, or that it starts anew.
    fn read_answers(&mut self) -> Result<()> {
        let mut buffer = [0; NOTE_BYTES_MAX];
        loop {
            let received = self.sender.channel().receive(&mut buffer);
            let bytes = match received.context("reading what is stored")? {
                Received::Packet { bytes, .. } => bytes,
                Received::Nothing => return Ok(()),
                Received::Closed => bail!("the supervisor has gone"),
            };
            match Note::parse(buffer.get(..bytes).unwrap_or_default()) {
                Ok(Note::Stored(id)) => {
                    let stored = self.sender.stored(id);
                    if !stored.ends.is_empty() {
                        self.save_due.get_or_insert(clock::monotonic() + SAVE_PERIOD);
                    }
                    for (source, end) in stored.ends {
                        self.files.acknowledge(source, end);
                    }
                    if let Some(cursor) = stored.cursor {
                        self.journal.save(&cursor);
                    }
                }
                Ok(Note::Resume) => {
                    self.context.counters.add(Counter::Rewinds, 1);
                    self.sender.resume();
                    self.files.rewind(moment());
                    self.sender.flush()?;
                }
                Ok(_) | Err(_) => log::error("a note from analysis was none and is left out"),
            }
        }
    }

    fn read_command_notes(&mut self) -> Result<()> {
        let mut buffer = [0; NOTE_BYTES_MAX];
        loop {
            let received = self.command_channel.receive(&mut buffer);
            let (bytes, descriptor) = match received.context("reading about commands")? {
                Received::Packet { bytes, descriptor } => (bytes, descriptor),
                Received::Nothing | Received::Closed => return Ok(()),
            };
            match (Note::parse(buffer.get(..bytes).unwrap_or_default()), descriptor) {
                (Ok(Note::Output { token: journal::TOKEN }), Some(output)) => {
                    self.journal.started(output)?;
                }
                (Ok(Note::Output { token }), Some(output)) => {
                    let started = self.commands.started(token, output, self.incarnation);
                    self.outputs.extend(started);
                }
                (Ok(Note::Failed { token: journal::TOKEN, why }), _) => {
                    self.journal.failed(&why, clock::monotonic());
                }
                (Ok(Note::Failed { token, why }), _) => self.commands.failed(token, &why),
                _ => log::error("a note about commands was none and is left out"),
            }
        }
    }

    /// Reads files until they have nothing more, or analysis has enough. Says whether there is more.
    fn read_files(&mut self, now: Moment) -> Result<bool> {
        let Self { files, sender, lines, line_bytes, .. } = self;
        if sender.is_full() && !sender.flush()? {
            return Ok(true);
        }
        let mut failed = None;
        let mut take = |found: Found<'_>| {
            let Found { source, end, queue, location, text } = found;
            let event = Sourced { source, end, queue, location, text };
            match sender.push(now.wall, &event, Kind::File) {
                Ok(true) => {
                    *lines += 1;
                    *line_bytes += text.len() as u64;
                    Flow::Go
                }
                Ok(false) => Flow::Full,
                Err(error) => {
                    failed = Some(error);
                    Flow::Full
                }
            }
        };
        let progress = files.read(now, &mut take);
        if let Some(error) = failed {
            return Err(error);
        }
        if progress.save {
            // What is new must have a name before its first message goes out.
            self.save_positions();
        }
        Ok(progress.more)
    }

    /// Reads what cannot be read again, as long as there is room to keep it.
    fn read_kept(&mut self, now: Moment) -> Result<()> {
        self.drain(now)?;
        if self.ready.is_empty() && self.sender.may_keep() {
            self.read_datagrams(now);
            self.read_streams();
            self.journal.read(now.monotonic, &mut self.ready);
            self.drain(now)?;
        }
        Ok(())
    }

    fn drain(&mut self, now: Moment) -> Result<()> {
        let (messages, bytes) = self.ready.drain(now.wall, &mut self.sender)?;
        self.lines += messages;
        self.line_bytes += bytes;
        Ok(())
    }

    fn read_datagrams(&mut self, now: Moment) {
        let mut buffer = vec![0; LINE_BYTES_MAX + LOCATION_BYTES_MAX + 8];
        for _ in 0..DATAGRAMS_IN_A_ROW {
            let bytes = match self.queue.recv(&mut buffer) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    log::error(format_args!("the queue socket: {error}"));
                    return;
                }
            };
            self.context.counters.add(Counter::Datagrams, 1);
            match wire::queue::parse(buffer.get(..bytes).unwrap_or_default(), now.wall) {
                Ok(event) => {
                    self.datagrams += 1;
                    self.ready.push(Ready {
                        source: self.queue_source,
                        end: self.datagrams,
                        queue: event.queue,
                        location: event.location,
                        text: event.line,
                        kind: Kind::Kept,
                    });
                }
                Err(error) => {
                    if self.context.counters.get(Counter::DatagramsBad) == 0 {
                        log::write(
                            log::Level::Error,
                            1106,
                            format_args!("{error}; it is left out"),
                        );
                    }
                    self.context.counters.add(Counter::DatagramsBad, 1);
                }
            }
        }
    }

    fn read_streams(&mut self) {
        let Self { outputs, pipes, ready, commands, .. } = self;
        let mut ended = Vec::new();
        for (token, stream) in outputs.iter_mut() {
            if has_ended(stream, ready) {
                ended.push(*token);
            }
        }
        for token in ended {
            outputs.remove(&token);
            commands.ended(token);
        }
        pipes.retain_mut(|stream| !has_ended(stream, ready));
    }

    fn open_pipes(&mut self) {
        for path in self.files.pipes() {
            if self.pipes.iter().any(|stream| stream.path() == Some(path.as_path())) {
                continue;
            }
            let format = format_of(&self.localfiles, &path);
            match Stream::named(&path, format, &self.hostname, self.incarnation) {
                Ok(stream) => {
                    log::info(format_args!("Analyzing pipe: '{}'.", path.display()));
                    self.pipes.extend(stream);
                }
                Err(error) => log::warning(format_args!("pipe {}: {error}", path.display())),
            }
        }
    }

    fn reload(&mut self) {
        let now = moment();
        let settings = Origin::home(&self.context.home).settings();
        self.localfiles = settings.conf.localfiles;
        self.files.replace(&file_entries(&self.localfiles), now);
        self.commands.replace(&self.localfiles, now.monotonic);
        self.journal.replace(&self.localfiles, now.wall);
        let wanted = self.files.pipes();
        self.pipes.retain(|stream| wanted.iter().any(|path| stream.path() == Some(path)));
        self.open_pipes();
        log::info("Configuration read anew.");
    }

    fn log_notices(&mut self) {
        let notices = self.files.take_notices();
        if !notices.is_empty() {
            // One of them may be about a pipe that has appeared.
            self.open_pipes();
        }
        for notice in notices {
            log::write(notice.level(), notice.code(), &notice);
        }
    }

    fn housekeeping(&mut self, now: Moment) {
        self.count();
        if self.save_due.is_some_and(|due| due <= now.monotonic) {
            self.save_due = None;
            self.save_positions();
        }
        if self.report_due.is_some_and(|due| due <= now.monotonic) {
            self.report(now);
        }
    }

    fn save_positions(&self) {
        let path = self.context.home.join(POSITIONS_FILE);
        let text = self.files.positions().render();
        if let Err(error) = store::atomic_write(&path, &text) {
            log::error(format_args!("positions cannot be saved: {error}"));
        }
    }

    /// Reads and sends what cannot be read again, and keeps what is known; the rest comes with the
    /// next start.
    fn finish(&mut self) -> Result<()> {
        let until = clock::monotonic() + FINISH_WAIT;
        loop {
            let now = moment();
            let before = self.datagrams;
            self.read_kept(now)?;
            let is_sent = self.sender.flush()? && self.ready.is_empty();
            let left = until.saturating_sub(now.monotonic);
            if (is_sent && self.datagrams == before) || left.is_zero() {
                break;
            }
            if !is_sent {
                let mut events = PollFlags::IN;
                events.set(PollFlags::OUT, self.sender.is_full());
                let mut waited = [PollFd::new(self.sender.channel(), events)];
                wait(&mut waited, Some(left))?;
                self.read_answers()?;
            }
        }
        self.save_positions();
        Ok(())
    }
}

fn has_ended(stream: &mut Stream, ready: &mut ReadyQueue) -> bool {
    match stream.read(ready) {
        Ok(ReadOn::Ended) => true,
        Ok(ReadOn::More | ReadOn::Nothing) => false,
        Err(error) => {
            log::error(format_args!("{}: {error}", stream.name));
            true
        }
    }
}

fn moment() -> Moment {
    Moment { wall: clock::wall(), monotonic: clock::monotonic() }
}

/// Differs with each start, however the clock stands.
fn incarnation(now: Moment) -> u64 {
    let nanoseconds = now.monotonic.as_nanos() as u64;
    nanoseconds ^ (now.wall.seconds as u64).rotate_left(32) ^ u64::from(std::process::id())
}

fn file_entries(localfiles: &[LocalFile]) -> Vec<FileEntry> {
    let mut entries = Vec::new();
    for localfile in localfiles {
        if matches!(
            localfile.format,
            LogFormat::Command | LogFormat::FullCommand | LogFormat::Journald | LogFormat::Windows
        ) {
            continue;
        }
        entries.extend(localfile.locations.iter().map(|location| FileEntry {
            location: location.text.clone(),
            format: localfile.format,
        }));
    }
    entries
}

/// The format of the section that names a pipe.
fn format_of(localfiles: &[LocalFile], path: &PathBuf) -> LogFormat {
    let names = |it: &&LocalFile| it.locations.iter().any(|at| Path::new(&at.text) == path);
    localfiles.iter().find(names).map_or(LogFormat::Line, |localfile| localfile.format)
}
