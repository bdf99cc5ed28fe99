//! The log of auditd, where one event is several lines.

use std::collections::VecDeque;

use config::sections::LogFormat;
use memchr::memmem;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// `type=… msg=audit(TIME:SERIAL): …`: the lines of one serial number become one message.
pub(super) struct Audit;

impl Format for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn about(&self) -> &'static str {
        "auditd: the records of one event become one message"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Events::default()))
    }
}

/// How many later events may begin before one is taken for complete. Processors write records of
/// a few events in turn.
const EVENTS_OPEN_MAX: usize = 8;
/// Bytes of `TIME:SERIAL` and a node's name.
const ID_BYTES_MAX: usize = 320;

/// Records that end an event.
const LAST: [&[u8]; 2] = [b"EOE", b"PROCTITLE"];
/// Starts of the types of records that are an event of their own, sent by programs. Waiting would
/// only make an alert about a failed login late.
const SINGLE: [&[u8]; 5] = [b"USER_", b"CRED_", b"SERVICE_", b"SYSTEM_", b"DAEMON_"];

// Fixed: OSSEC splits events where their records are interleaved or come late, takes 16 records,
// and sends events again while a line is not complete.
#[derive(Default)]
struct Events {
    /// Oldest first. A place that is empty belongs to an event that is given out already.
    open: VecDeque<Option<Event>>,
    /// Where the last record ends.
    end: u64,
    cut: u64,
    malformed: u64,
}

struct Event {
    id: Vec<u8>,
    /// Where its first record begins.
    start: u64,
    joined: Joined,
}

impl LineFormat for Events {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        let Some(record) = Record::read(line.text) else {
            self.malformed += u64::from(!line.text.is_empty());
            return;
        };
        let place = self
            .open
            .iter()
            .position(|event| event.as_ref().is_some_and(|event| event.id == record.id));
        let place = match place {
            Some(place) => {
                if let Some(Some(event)) = self.open.get_mut(place) {
                    event.joined.append(b" ", line);
                }
                place
            }
            // The event has ended already; its end mark says nothing by itself.
            None if record.kind == b"EOE" => return,
            None => self.open(&record, line, out),
        };
        self.end = line.end;
        if record.is_last() {
            self.close(place, out);
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        for place in 0..self.open.len() {
            self.give(place, self.end, out);
        }
        self.open.clear();
    }

    fn waiting(&self) -> Waiting {
        if self.open.is_empty() { Waiting::Nothing } else { Waiting::Continuation }
    }

    fn counts(&self) -> FramerCounts {
        let open = self.open.iter().flatten().map(|event| event.joined.cut()).sum::<u64>();
        FramerCounts { cut: self.cut + open, malformed: self.malformed }
    }
}

impl Events {
    /// Gives the event of a first record a place; the oldest event may have to leave.
    fn open(&mut self, record: &Record<'_>, line: Line<'_>, out: Out<'_>) -> usize {
        if self.open.len() >= EVENTS_OPEN_MAX {
            self.give(0, line.start, out);
            self.drop_given();
        }
        let mut joined = Joined::default();
        joined.begin(line);
        self.open.push_back(Some(Event { id: record.id.to_vec(), start: line.start, joined }));
        self.open.len() - 1
    }

    fn close(&mut self, place: usize, out: Out<'_>) {
        self.give(place, self.end, out);
        self.drop_given();
    }

    /// Gives out an event. The stream is used up to `end`, or to the start of the oldest event that
    /// is still open.
    fn give(&mut self, place: usize, end: u64, out: Out<'_>) {
        let Some(mut event) = self.open.get_mut(place).and_then(Option::take) else { return };
        let oldest = self.open.iter().flatten().map(|event| event.start).next();
        event.joined.give_until(oldest.unwrap_or(end), out);
        self.cut += event.joined.cut();
    }

    /// So that the first place is always an open event, and an idle source waits for none.
    fn drop_given(&mut self) {
        while let Some(None) = self.open.front() {
            self.open.pop_front();
        }
    }
}

/// One line.
struct Record<'a> {
    kind: &'a [u8],
    /// What the records of one event share: its node, if named, with the time and serial number.
    id: Vec<u8>,
}

impl<'a> Record<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let (node, rest) = split_node(line);
        let rest = rest.strip_prefix(b"type=")?;
        let kind = rest.split(|&byte| byte == b' ').next()?;
        let mark = b"msg=audit(";
        let id = rest.get(memmem::find(rest, mark)? + mark.len()..)?;
        let id = id.get(..memmem::find(id, b"): ")?)?;
        (node.len() + id.len() <= ID_BYTES_MAX).then(|| Self { kind, id: [node, id].concat() })
    }

    fn is_last(&self) -> bool {
        LAST.contains(&self.kind) || SINGLE.iter().any(|start| self.kind.starts_with(start))
    }
}

/// `node=NAME ` before the record, where auditd is told to name the host.
fn split_node(line: &[u8]) -> (&[u8], &[u8]) {
    if !line.starts_with(b"node=") {
        return (b"", line);
    }
    let after = line.iter().position(|&byte| byte == b' ').map_or(line.len(), |blank| blank + 1);
    line.split_at_checked(after).unwrap_or((b"", line))
}
