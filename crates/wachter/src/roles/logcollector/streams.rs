//! Pipes: named ones, and the output of commands.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use collect::command;
use collect::formats::{self, Framer, FramerContext};
use config::sections::LogFormat;
use model::Queue;
use model::limits::LINE_BYTES_MAX;
use rustix::fs::{OFlags, fcntl_setfl};

use super::ready::{Ready, ReadyQueue, source_of};
use super::sender::Kind;

/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;

/// What becomes of the bytes.
enum Content {
    /// Messages as they come.
    Framed(Box<dyn Framer>),
    /// One message at the end.
    Whole { alias: Vec<u8>, output: Vec<u8> },
}

/// One pipe.
pub(super) struct Stream {
    file: std::fs::File,
    content: Content,
    pub(super) name: String,
    /// The path of a named pipe: it is opened again when its writers are gone.
    path: Option<PathBuf>,
    origin: Origin,
}

/// Where the messages of a pipe come from.
struct Origin {
    queue: Queue,
    location: Vec<u8>,
    source: u64,
    messages: u64,
}

impl Origin {
    fn give(&mut self, text: &[u8], ready: &mut ReadyQueue) {
        self.messages += 1;
        ready.push(Ready {
            source: self.source,
            end: self.messages,
            queue: self.queue,
            location: self.location.clone(),
            text: text.to_vec(),
            kind: Kind::Kept,
        });
    }
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadOn {
    /// There may be more.
    More,
    Nothing,
    Ended,
}

impl Stream {
    /// The output of a command.
    pub(super) fn command(
        output: OwnedFd,
        alias: &str,
        whole: bool,
        number: u64,
        incarnation: u64,
    ) -> io::Result<Self> {
        fcntl_setfl(&output, OFlags::NONBLOCK)?;
        let content = match whole {
            true => Content::Whole { alias: alias.as_bytes().to_vec(), output: Vec::new() },
            false => Content::Framed(Box::new(command::CommandLines::new(alias.as_bytes()))),
        };
        Ok(Self {
            file: output.into(),
            content,
            name: format!("command {alias}"),
            path: None,
            origin: Origin {
                queue: Queue::LocalFile,
                location: command::location(alias.as_bytes()),
                source: source_of(incarnation, format!("command {number}").as_bytes()),
                messages: 0,
            },
        })
    }

    /// A named pipe; `None` where it is none, or the format is not for pipes.
    pub(super) fn named(
        path: &Path,
        format: LogFormat,
        hostname: &[u8],
        incarnation: u64,
    ) -> io::Result<Option<Self>> {
        let location = path.as_os_str().as_bytes();
        let context = FramerContext { path: location, hostname };
        let Some(framer) = formats::framer(format, 0, &context) else { return Ok(None) };
        Ok(open_pipe(path)?.map(|file| Self {
            file,
            content: Content::Framed(framer),
            name: path.display().to_string(),
            path: Some(path.to_owned()),
            origin: Origin {
                queue: formats::queue(format),
                location: location.to_vec(),
                source: source_of(incarnation, location),
                messages: 0,
            },
        }))
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn messages(&self) -> u64 {
        self.origin.messages
    }

    /// Reads what is there, a limited amount.
    pub(super) fn read(&mut self, ready: &mut ReadyQueue) -> io::Result<ReadOn> {
        let mut buffer = vec![0; READ_BYTES];
        let count = match self.file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadOn::Nothing),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(ReadOn::More),
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if count > 0 {
            self.take(bytes, ready);
            return Ok(ReadOn::More);
        }
        self.end(ready);
        let Some(path) = &self.path else { return Ok(ReadOn::Ended) };
        // All writers are gone. A fresh descriptor waits for the next one; this would not.
        match open_pipe(path)? {
            Some(file) => {
                self.file = file;
                Ok(ReadOn::Nothing)
            }
            None => Ok(ReadOn::Ended),
        }
    }

    fn take(&mut self, bytes: &[u8], ready: &mut ReadyQueue) {
        let Self { content, origin, .. } = self;
        match content {
            Content::Framed(framer) => {
                framer.push(bytes, &mut |message| origin.give(message.text, ready));
            }
            Content::Whole { output, .. } => {
                let room = LINE_BYTES_MAX.saturating_sub(output.len());
                output.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
        }
    }

    /// Gives out what is held.
    fn end(&mut self, ready: &mut ReadyQueue) {
        let Self { content, origin, .. } = self;
        match content {
            Content::Framed(framer) => {
                framer.flush(&mut |message| origin.give(message.text, ready));
            }
            Content::Whole { alias, output } => {
                if let Some(message) = command::full_output(alias, output) {
                    origin.give(&message, ready);
                }
            }
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Opens a pipe for reading without waiting for writers.
fn open_pipe(path: &Path) -> io::Result<Option<std::fs::File>> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(file.metadata()?.file_type().is_fifo().then_some(file))
}
