//! Entries in, lines out.

use proptest::collection::vec;
use proptest::prelude::*;

use super::entry::FIELD_BYTES_MAX;
use super::*;
use crate::formats::FramerCounts;
use model::limits::LINE_BYTES_MAX;

const SSHD: &str = "\
__CURSOR=s=0639a3ee5e6b4b0d;i=4b6c;b=6a1f;m=1f2;t=62f;x=9c
__REALTIME_TIMESTAMP=1795600800123456
_HOSTNAME=web1
SYSLOG_IDENTIFIER=sshd
_COMM=sshd-session
_PID=812
SYSLOG_PID=1
MESSAGE=Failed password for root from 203.0.113.8 port 4223 ssh2

";

/// The lines of all entries, two hours and a half east of Greenwich.
fn lines(stream: &[u8]) -> (Vec<String>, FramerCounts) {
    let mut reader = ExportReader::new();
    let mut lines = Vec::new();
    reader.push(stream, &mut |entry| lines.push(line(entry)));
    (lines, reader.counts())
}

fn line(entry: &Entry) -> String {
    let mut line = Vec::new();
    let written = entry.line(&|_| 9000, &mut line);
    assert_eq!(written == Written::Nothing, line.is_empty());
    String::from_utf8_lossy(&line).into_owned()
}

/// An entry of which only the message and one more field count.
fn entry(fields: &str) -> Vec<u8> {
    let head = "__REALTIME_TIMESTAMP=1795600800000000\n_HOSTNAME=h\n_COMM=c\n";
    format!("{head}{fields}\n").into_bytes()
}

fn binary(name: &str, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u64).to_le_bytes();
    [name.as_bytes(), b"\n", &length, value, b"\n"].concat()
}

#[test]
fn fields_of_an_entry() {
    let mut seen = 0;
    ExportReader::new().push(SSHD.as_bytes(), &mut |entry| {
        seen += 1;
        let cursor = b"s=0639a3ee5e6b4b0d;i=4b6c;b=6a1f;m=1f2;t=62f;x=9c".as_slice();
        assert_eq!(entry.cursor(), Some(cursor));
        assert_eq!(entry.seqnum(), Some(0x4b6c));
        assert_eq!(entry.seqnum_id(), Some(b"0639a3ee5e6b4b0d".as_slice()));
        assert_eq!(entry.hostname(), Some(b"web1".as_slice()));
        assert_eq!(entry.identifier(), Some(b"sshd".as_slice()));
        assert_eq!(entry.pid(), Some(b"812".as_slice()));
        assert_eq!(entry.realtime(), Some(1_795_600_800_123_456));
        for (location, expected) in [
            ("sshd", true),
            ("ssh", false),
            ("sshd-session", false),
            ("all", true),
            ("allegro", true),
            ("/var/log/journal", true),
            ("", false),
            ("al", false),
        ] {
            assert_eq!(entry.matches(location.as_bytes()), expected, "{location}");
        }
    });
    assert_eq!(seen, 1);
}

#[test]
fn lines_of_entries() {
    let text = "2026-11-25T12:30:00+02:30 web1 sshd[812]: \
                Failed password for root from 203.0.113.8 port 4223 ssh2";
    assert_eq!(lines(SSHD.as_bytes()).0, [text]);
    let start = "2026-11-25T12:30:00+02:30 h c";
    for (fields, expected) in [
        ("MESSAGE=a\n", format!("{start}: a")),
        ("SYSLOG_IDENTIFIER=\nSYSLOG_PID=7\nMESSAGE=a\n", format!("{start}[7]: a")),
        ("_PID=7x\nMESSAGE=a\n", format!("{start}: a")),
        ("MESSAGE=a=b\nMESSAGE=c\nOTHER=d\n", format!("{start}: a=b")),
        ("MESSAGE=\n", String::new()),
        ("OTHER=a\n", String::new()),
    ] {
        assert_eq!(lines(&entry(fields)).0, [expected], "{fields:?}");
    }
    let without_name = b"__REALTIME_TIMESTAMP=1\n_HOSTNAME=h\nMESSAGE=a\n\n";
    assert_eq!(lines(without_name).0, [""]);
    assert_eq!(lines(b"\n\n\n").0, Vec::<String>::new());
}

#[test]
fn zones_with_minutes_and_west_of_greenwich() {
    for (offset, expected) in [
        (0, "2026-11-25T10:00:00+00:00"),
        (19_800, "2026-11-25T15:30:00+05:30"),
        (-12_600, "2026-11-25T06:30:00-03:30"),
    ] {
        let mut line = Vec::new();
        ExportReader::new().push(&entry("MESSAGE=a\n"), &mut |entry| {
            assert_eq!(entry.line(&|_| offset, &mut line), Written::Whole);
        });
        assert_eq!(String::from_utf8(line).unwrap(), format!("{expected} h c: a"));
    }
}

#[test]
fn binary_values() {
    let message = binary("MESSAGE", b"two\nlines\n\nand\0nul");
    let other = binary("COREDUMP", b"\n\nMESSAGE=forged\n\n");
    let stream = entry(&String::from_utf8([other, message].concat()).unwrap());
    let expected = "2026-11-25T12:30:00+02:30 h c: two\nlines\n\nand nul";
    assert_eq!(lines(&stream), (vec![expected.to_owned()], FramerCounts::default()));
    let empty = String::from_utf8(binary("OTHER", b"")).unwrap() + "MESSAGE=a\n";
    assert_eq!(lines(&entry(&empty)).0, ["2026-11-25T12:30:00+02:30 h c: a"]);
}

#[test]
fn values_at_their_limit() {
    let start = "2026-11-25T12:30:00+02:30 h c: ";
    for (length, cut) in [(LINE_BYTES_MAX, 0), (LINE_BYTES_MAX + 1, 1), (3 * LINE_BYTES_MAX, 1)] {
        let message = "a".repeat(length);
        for fields in [
            format!("MESSAGE={message}\n"),
            String::from_utf8(binary("MESSAGE", message.as_bytes())).unwrap(),
        ] {
            let (lines, counts) = lines(&entry(&fields));
            assert_eq!(lines, [format!("{start}{message}").split_at(LINE_BYTES_MAX).0]);
            assert_eq!(counts.cut, cut);
        }
    }
    for (length, cut) in [(FIELD_BYTES_MAX, 0), (FIELD_BYTES_MAX + 1, 1)] {
        let fields = format!("SYSLOG_IDENTIFIER={}\nMESSAGE=a\n", "i".repeat(length));
        let (lines, counts) = lines(&entry(&fields));
        assert_eq!(lines[0].ends_with(" h c: a"), cut == 1);
        assert_eq!(counts.cut, cut);
    }
}

#[test]
fn a_line_that_is_cut_says_so() {
    let fields = format!("MESSAGE={}\n", "a".repeat(LINE_BYTES_MAX - 31 + 1));
    let mut line = b"before".to_vec();
    ExportReader::new().push(&entry(&fields), &mut |entry| {
        assert_eq!(entry.line(&|_| 0, &mut line), Written::Cut);
    });
    assert_eq!(line.len(), "before".len() + LINE_BYTES_MAX);
}

#[test]
fn what_is_no_entry_hides_nothing_behind_it() {
    let whole = lines(SSHD.as_bytes()).0;
    for (broken, malformed) in [
        ("=a\n\n".to_owned(), 1),
        (format!("{}=a\n\n", "N".repeat(64)), 0),
        (format!("{}=a\n\n", "N".repeat(65)), 1),
        ("A\n\u{1}\0\0\0\0\0\0\0ab\n\n".to_owned(), 1),
        // A length of 2^56 bytes and more.
        ("A\n\0\0\0\0\0\0\0\u{1}a\n\n".to_owned(), 1),
        ("MESSAGE=lost\n=\nb\nc\n\n".to_owned(), 1),
    ] {
        let (lines, counts) = lines(format!("{broken}{SSHD}").as_bytes());
        assert_eq!(lines, whole, "{broken:?}");
        assert_eq!(counts.malformed, malformed, "{broken:?}");
    }
}

#[test]
fn identifiers_are_compared_up_to_a_limit() {
    let fields = format!("SYSLOG_IDENTIFIER={}\n", "i".repeat(200));
    ExportReader::new().push(&entry(&fields), &mut |entry| {
        assert!(entry.matches("i".repeat(127).as_bytes()));
        assert!(!entry.matches("i".repeat(128).as_bytes()));
    });
}

#[test]
fn numbers_of_cursors() {
    for (cursor, expected) in [
        ("s=a;i=ff", Some(255)),
        ("i=ffffffffffffffff", Some(u64::MAX)),
        ("i=10000000000000000", None),
        ("i=+1", None),
        ("i=", None),
        ("s=a;x=i=1", None),
        ("", None),
    ] {
        assert_eq!(cursor::number(cursor.as_bytes(), b'i'), expected, "{cursor}");
    }
}

proptest! {
    #[test]
    fn wherever_the_stream_is_cut(
        pieces in vec(
            prop_oneof![
                Just(SSHD.as_bytes().to_vec()),
                Just(b"MESSAGE=a\n".to_vec()),
                Just(b"_COMM=a\n_HOSTNAME=b\n__REALTIME_TIMESTAMP=1\n".to_vec()),
                Just(b"\n".to_vec()),
                vec(any::<u8>(), 0..40).prop_map(|value| binary("MESSAGE", &value)),
                vec(any::<u8>(), 0..12),
            ],
            0..12,
        ),
        cut in any::<prop::sample::Index>(),
    ) {
        let stream = pieces.concat();
        let whole = lines(&stream);
        let (first, second) = stream.split_at(cut.index(stream.len() + 1));
        for parts in [vec![first, second], stream.chunks(1).collect()] {
            let mut reader = ExportReader::new();
            let mut seen = Vec::new();
            for part in parts {
                reader.push(part, &mut |entry| seen.push(line(entry)));
            }
            prop_assert_eq!(&(seen, reader.counts()), &whole);
        }
    }
}
