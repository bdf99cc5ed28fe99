//! The packets between processes: batches of events one way, small notes the other.
//!
//! A batch is one packet: a header, then events one after another. All numbers are little-endian.
//!
//! | bytes | header | | bytes | event |
//! |---|---|---|---|---|
//! | 4 | magic | | 8 | source |
//! | 4 | flags | | 8 | end |
//! | 8 | incarnation of the sender | | 1 | queue letter |
//! | 8 | number of the batch | | 1 | 1: location as in the event before |
//! | 8 | seconds received | | 2 | bytes of the location |
//! | 4 | seconds east of UTC | | 4 | bytes of the text |
//! | 4 | events | | | location, text |
//!
//! The layout is private to one build of one binary, but the event log keeps batches over a restart
//! and so over an upgrade: another layout needs another magic.

use model::limits::{LINE_BYTES_MAX, LOCATION_BYTES_MAX};
use model::{Event, Queue, Timestamp};

use crate::bytes::{Cursor, Ended};

/// Bytes of one packet. The longest event fits several times over.
pub const PACKET_BYTES_MAX: usize = 128 * 1024;

const MAGIC: u32 = u32::from_le_bytes(*b"WB01");
const HEADER_BYTES: usize = 40;
const EVENT_BYTES: usize = 24;
/// The sender has gone back to what was acknowledged; what came before this batch is void.
const RESUMED: u32 = 1;

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    #[error("the packet is of another kind or version")]
    Unknown,
    #[error("the packet ends too early or goes on behind its end")]
    Length,
    #[error("the packet holds a location or text that is too long")]
    TooLong,
}

impl From<Ended> for BadFrame {
    fn from(_: Ended) -> Self {
        Self::Length
    }
}

/// An event and the place it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sourced<'a> {
    /// Names a stream of messages; the same for the same file however often it is read.
    pub source: u64,
    /// How far the stream is used up with this message. Grows within a source.
    pub end: u64,
    pub queue: Queue,
    pub location: &'a [u8],
    pub text: &'a [u8],
}

impl Sourced<'_> {
    /// Makes `event` this one.
    pub fn fill(&self, received: Timestamp, event: &mut Event) {
        event.received = received;
        event.queue = self.queue;
        event.location.clear();
        event.location.extend_from_slice(self.location);
        event.line.clear();
        event.line.extend_from_slice(self.text);
    }
}

/// Whose batch it is, and which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchId {
    /// Differs with each start of the sender, and after each time that it went back.
    pub incarnation: u64,
    /// Counts the sender's batches from 1.
    pub number: u64,
}

/// Builds one batch after another in the same buffer.
#[derive(Debug, Default)]
pub struct BatchWriter {
    packet: Vec<u8>,
    count: u32,
    /// Where the last location stands in `packet`.
    location: std::ops::Range<usize>,
}

impl BatchWriter {
    /// Starts a batch; what was in it is gone.
    pub fn begin(&mut self, received: Timestamp) {
        self.count = 0;
        self.location = 0..0;
        self.packet.clear();
        self.packet.extend_from_slice(&MAGIC.to_le_bytes());
        self.packet.resize(24, 0);
        self.packet.extend_from_slice(&received.seconds.to_le_bytes());
        self.packet.extend_from_slice(&received.utc_offset.to_le_bytes());
        self.packet.resize(HEADER_BYTES, 0);
    }

    /// Adds an event; `false` if it does not fit any more. An event alone always fits.
    pub fn push(&mut self, event: &Sourced<'_>) -> bool {
        let location = cut(event.location, LOCATION_BYTES_MAX);
        let text = cut(event.text, LINE_BYTES_MAX);
        if self.packet.len() + EVENT_BYTES + location.len() + text.len() > PACKET_BYTES_MAX {
            return false;
        }
        let is_same = self.count > 0 && self.packet.get(self.location.clone()) == Some(location);
        let written = if is_same { &[][..] } else { location };
        self.packet.extend_from_slice(&event.source.to_le_bytes());
        self.packet.extend_from_slice(&event.end.to_le_bytes());
        self.packet.extend_from_slice(&[event.queue.letter(), u8::from(is_same)]);
        self.packet.extend_from_slice(&(written.len() as u16).to_le_bytes());
        self.packet.extend_from_slice(&(text.len() as u32).to_le_bytes());
        if !is_same {
            self.location = self.packet.len()..self.packet.len() + location.len();
        }
        self.packet.extend_from_slice(written);
        self.packet.extend_from_slice(text);
        self.count += 1;
        true
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The packet, ready to be sent. `resumed` marks the first one after the sender went back.
    pub fn finish(&mut self, id: BatchId, resumed: bool) -> &[u8] {
        let flags = if resumed { RESUMED } else { 0 };
        self.patch(4, &flags.to_le_bytes());
        self.patch(8, &id.incarnation.to_le_bytes());
        self.patch(16, &id.number.to_le_bytes());
        self.patch(36, &self.count.to_le_bytes());
        &self.packet
    }

    fn patch(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.packet.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Gives a finished packet another name, to send it again.
pub fn renumber(packet: &mut [u8], id: BatchId) {
    if let Some(place) = packet.get_mut(8..24) {
        let (incarnation, number) = place.split_at_mut(8);
        incarnation.copy_from_slice(&id.incarnation.to_le_bytes());
        number.copy_from_slice(&id.number.to_le_bytes());
    }
}

fn cut(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

/// A batch that was received. Iterate over it for its events.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    pub id: BatchId,
    pub received: Timestamp,
    /// What came before it is void: the sender went back to what was acknowledged.
    pub resumed: bool,
    count: u32,
    events: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    ///
    /// Where the header is not one; events are checked as they are read, by [`Batch::events`].
    pub fn parse(packet: &'a [u8]) -> Result<Self, BadFrame> {
        let mut cursor = Cursor::new(packet);
        if cursor.u32()? != MAGIC {
            return Err(BadFrame::Unknown);
        }
        let flags = cursor.u32()?;
        let id = BatchId { incarnation: cursor.u64()?, number: cursor.u64()? };
        let received =
            Timestamp { seconds: cursor.u64()? as i64, utc_offset: cursor.u32()? as i32 };
        let count = cursor.u32()?;
        Ok(Self { id, received, resumed: flags & RESUMED != 0, count, events: cursor.rest() })
    }

    /// How many events the header promises.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The events, up to the first that is not one.
    pub fn events(&self) -> Events<'a> {
        Events { cursor: Cursor::new(self.events), left: self.count, location: &[] }
    }
}

/// The events of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Events<'a> {
    cursor: Cursor<'a>,
    left: u32,
    location: &'a [u8],
}

impl<'a> Events<'a> {
    fn event(&mut self) -> Result<Sourced<'a>, BadFrame> {
        let source = self.cursor.u64()?;
        let end = self.cursor.u64()?;
        let queue = Queue::from_letter(self.cursor.u8()?);
        let is_same = self.cursor.u8()? == 1;
        let location_bytes = usize::from(self.cursor.u16()?);
        let text_bytes = self.cursor.u32()? as usize;
        if location_bytes > LOCATION_BYTES_MAX || text_bytes > LINE_BYTES_MAX {
            return Err(BadFrame::TooLong);
        }
        let location = self.cursor.bytes(location_bytes)?;
        if !is_same {
            self.location = location;
        }
        let text = self.cursor.bytes(text_bytes)?;
        Ok(Sourced { source, end, queue, location: self.location, text })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Sourced<'a>, BadFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let event = self.event();
        if event.is_err() {
            self.left = 0;
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sourced(text: &[u8], end: u64) -> Sourced<'_> {
        Sourced { source: 7, end, queue: Queue::LocalFile, location: b"/var/log/a", text }
    }

    #[test]
    fn a_batch_comes_back() {
        let mut writer = BatchWriter::default();
        let received = Timestamp { seconds: -5, utc_offset: -3600 };
        writer.begin(received);
        let other = Sourced { location: b"b", queue: Queue::Other(b'a'), ..sourced(b"", 9) };
        let events = [sourced(b"one", 3), sourced(b"two", 7), other, sourced(b"\xff\0", 12)];
        for event in &events {
            assert!(writer.push(event));
        }
        let id = BatchId { incarnation: u64::MAX, number: 2 };
        let packet = writer.finish(id, true).to_vec();
        let batch = Batch::parse(&packet).unwrap();
        assert_eq!((batch.id, batch.received, batch.resumed), (id, received, true));
        let back: Result<Vec<_>, _> = batch.events().collect();
        assert_eq!(back.unwrap(), events);
        // The second location is not written again.
        assert_eq!(packet.windows(10).filter(|part| *part == b"/var/log/a").count(), 2);
    }

    #[test]
    fn a_full_batch_says_so() {
        let mut writer = BatchWriter::default();
        writer.begin(Timestamp::utc(0));
        let longest = vec![b'x'; LINE_BYTES_MAX];
        assert!(writer.push(&sourced(&longest, 1)));
        assert!(!writer.push(&sourced(&longest, 2)));
        assert!(writer.push(&sourced(b"short", 2)));
        assert!(writer.finish(BatchId::default(), false).len() <= PACKET_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Batch::parse(&packet).map(|batch| batch.events().count());
            if packet.len() >= 4 {
                packet[..4].copy_from_slice(&MAGIC.to_le_bytes());
                let _ = Batch::parse(&packet).map(|batch| batch.events().count());
            }
        }
    }
}
