//! Findings of rootcheck: each distinct text of a location is new once.

use memchr::memchr;
use memchr::memmem;
use model::{Memory, Table};

use super::{Finding, Internal, Message, Outcome, push_clean};

/// Bytes of a text that tell it from others.
const TEXT_BYTES_MAX: usize = 4094;

/// Decodes a finding. Its record is `!LAST!FIRST`, both seconds since the epoch.
pub fn decode(message: &Message<'_>, memory: &mut dyn Memory, out: &mut Finding) -> Outcome {
    out.clear();
    push_clean(&mut out.log, message.text);
    if out.log.is_empty() {
        return Outcome::Malformed;
    }
    let Finding { log, filename, after, .. } = out;
    filename.extend_from_slice(quoted_file(log).unwrap_or_default());
    after.md5 = hash(log, b" MD5=", 32);
    after.sha1 = hash(log, b" SHA1=", 40);
    after.sha256 = hash(log, b" SHA256=", 64);

    let text = std::mem::take(&mut out.log);
    out.set_key(message.location, text.get(..TEXT_BYTES_MAX).unwrap_or(&text));
    out.log = text;
    let now = message.received.seconds;
    out.is_new = !memory.get(Table::Rootcheck, &out.key, &mut out.stored);
    let first = if out.is_new { now } else { first_seen(&out.stored).unwrap_or(now) };
    memory.put(Table::Rootcheck, &out.key, format!("!{now:010}!{first:010}").as_bytes());
    Outcome::Event(Internal::Rootcheck)
}

/// The second number of a record.
fn first_seen(record: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(record).ok()?;
    text.strip_prefix('!')?.split_once('!')?.1.parse().ok()
}

/// What stands between the quotes of the first ` file '…'`.
fn quoted_file(text: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(text, b" file '")? + b" file '".len();
    let rest = text.get(start..)?;
    rest.get(..memchr(b'\'', rest)?)
}

/// The word after `label`, if it is as long as the hash.
fn hash(text: &[u8], label: &[u8], len: usize) -> Option<Vec<u8>> {
    let rest = text.get(memmem::find(text, label)? + label.len()..)?;
    let word = rest.get(..memchr(b' ', rest).unwrap_or(rest.len()))?;
    (word.len() == len).then(|| word.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    use model::{RamMemory, Timestamp};

    fn run(memory: &mut RamMemory, location: &str, text: &[u8], at: i64) -> (Outcome, Finding) {
        let mut out = Finding::default();
        let received = Timestamp::utc(at);
        let message = Message { location: location.as_bytes(), text, received };
        (decode(&message, memory, &mut out), out)
    }

    #[test]
    fn a_text_is_new_once_at_each_location() {
        let mut memory = RamMemory::default();
        for (location, text, is_new) in [
            ("rootcheck", "Port 1 hidden.", true),
            ("rootcheck", "Port 1 hidden.", false),
            ("rootcheck", "Port 1 hidden.\u{7}", false),
            ("rootcheck", "Port 12 hidden.", true),
            ("(a) 1.2.3.4->rootcheck", "Port 1 hidden.", true),
        ] {
            let (outcome, finding) = run(&mut memory, location, text.as_bytes(), 100);
            assert_eq!(outcome, Outcome::Event(Internal::Rootcheck));
            assert_eq!(finding.is_new, is_new, "{location} {text}");
        }
        assert_eq!(run(&mut memory, "rootcheck", b"\n", 1).0, Outcome::Malformed);
    }

    #[test]
    fn times_of_first_and_last_sight() {
        let mut memory = RamMemory::default();
        let _new = run(&mut memory, "rootcheck", b"x", 100);
        let (_, finding) = run(&mut memory, "rootcheck", b"x", 250);
        let mut record = Vec::new();
        assert!(memory.get(Table::Rootcheck, &finding.key, &mut record));
        assert_eq!(record, b"!0000000250!0000000100");
        memory.put(Table::Rootcheck, &finding.key, b"damaged");
        let _damaged = run(&mut memory, "rootcheck", b"x", 300);
        assert!(memory.get(Table::Rootcheck, &finding.key, &mut record));
        assert_eq!(record, b"!0000000300!0000000300");
    }

    #[test]
    fn file_and_hashes() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let text =
            format!("Trojaned version of file '/bin/ls' detected. MD5={md5} SHA1=n/a SHA256=n/a");
        let (_, finding) = run(&mut RamMemory::default(), "rootcheck", text.as_bytes(), 1);
        assert_eq!(finding.filename, b"/bin/ls");
        assert_eq!(finding.after.md5.as_deref(), Some(md5.as_bytes()));
        assert_eq!((finding.after.sha1, finding.after.sha256), (None, None));
        assert_eq!(finding.log, text.as_bytes());
    }

    #[test]
    fn long_texts_are_told_apart_by_their_start() {
        let mut memory = RamMemory::default();
        let text = vec![b'x'; TEXT_BYTES_MAX];
        assert!(run(&mut memory, "r", &text, 1).1.is_new);
        assert!(!run(&mut memory, "r", &[text.as_slice(), b"y"].concat(), 1).1.is_new);
        assert!(run(&mut memory, "r", &text[1..], 1).1.is_new);
    }
}
