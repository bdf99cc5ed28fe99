//! What becomes of messages about files, one after the other.

use super::*;

use model::{RamMemory, Timestamp};

const OPTIONS: Options<'static> =
    Options { auto_ignore: true, alert_new_files: false, ignore: &[], maintenance: false };

const CHANGED: Outcome = Outcome::Event(Internal::IntegrityChanged);
const SECOND: Outcome = Outcome::Event(Internal::IntegrityChangedSecond);
const THIRD: Outcome = Outcome::Event(Internal::IntegrityChangedThird);
const NEW: Outcome = Outcome::Event(Internal::NewEntry);
const GONE: Outcome = Outcome::Event(Internal::Deleted);

#[derive(Default)]
struct Server {
    memory: RamMemory,
    out: Finding,
}

impl Server {
    fn tell(&mut self, options: &Options<'_>, text: &str) -> Outcome {
        let received = Timestamp::utc(1_795_560_314);
        let message = Message { location: b"syscheck", text: text.as_bytes(), received };
        decode(&message, options, &mut self.memory, &mut self.out)
    }

    fn record(&mut self, file: &str) -> String {
        let mut value = Vec::new();
        let key = [b"syscheck\0", file.as_bytes()].concat();
        assert!(self.memory.get(Table::Syscheck, &key, &mut value));
        String::from_utf8(value).unwrap()
    }

    fn log(&self) -> &str {
        std::str::from_utf8(&self.out.log).unwrap()
    }
}

#[track_caller]
fn check(options: &Options<'_>, messages: &[(&str, Outcome)]) -> Server {
    let mut server = Server::default();
    for (index, (text, outcome)) in messages.iter().enumerate() {
        assert_eq!(server.tell(options, text), *outcome, "message {index}: {text}");
    }
    server
}

#[test]
fn changes_are_counted_and_then_ignored() {
    let mut server = check(
        &OPTIONS,
        &[
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("2:0:0:0:a:b /f", CHANGED),
            ("3:0:0:0:a:b /f", SECOND),
            ("4:0:0:0:a:b /f", THIRD),
            ("5:0:0:0:a:b /f", Outcome::Silent),
            ("-1 /f", Outcome::Silent),
        ],
    );
    assert_eq!(server.record("/f"), "!!!4:0:0:0:a:b !1795560314");
}

#[test]
fn without_auto_ignore() {
    let options = Options { auto_ignore: false, ..OPTIONS };
    let mut server = check(
        &options,
        &[
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("2:0:0:0:a:b /f", CHANGED),
            ("3:0:0:0:a:b /f", CHANGED),
            ("4:0:0:0:a:b /f", CHANGED),
            ("5:0:0:0:a:b /f", CHANGED),
            ("-1 /f", GONE),
        ],
    );
    assert_eq!(server.record("/f"), "!!?-1 !1795560314");
}

#[test]
fn deleted_and_back() {
    let mut server = check(
        &OPTIONS,
        &[
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("-1 /f", GONE),
            ("-1 /f", Outcome::Silent),
            ("2:0:0:0:a:b /f", NEW),
        ],
    );
    assert_eq!(server.log(), "File '/f' was re-added.");
    assert_eq!(server.tell(&OPTIONS, "-1 /f"), GONE);
    assert_eq!(server.log(), "File '/f' was deleted. Unable to retrieve checksum.");
    assert_eq!(server.out.filename, b"/f");
    assert_eq!(server.tell(&OPTIONS, "2:0:0:0:a:b /f"), Outcome::Silent);
    assert_eq!(server.record("/f"), "!!!-1 !1795560314");
}

#[test]
fn placeholders_are_no_change() {
    let mut server = check(
        &OPTIONS,
        &[
            ("1:0:0:0:xxx:xxx /f", Outcome::Silent),
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("2:0:0:0:xxx:b /f", CHANGED),
            ("2:0:0:0:a:b:c /f", Outcome::Silent),
            ("2:0:0:0:xxx:xxx:xxx /f", Outcome::Silent),
        ],
    );
    assert_eq!(server.record("/f"), "+++2:0:0:0:a:b:c !1795560314");
    assert_eq!(server.tell(&OPTIONS, "2:0:0:0:a:b:d /f"), CHANGED);
}

#[test]
fn new_files() {
    let options = Options { alert_new_files: true, ..OPTIONS };
    let server = check(&options, &[("1:33188:0:0:a:xxx:c /a b", NEW)]);
    assert_eq!(
        server.log(),
        "New file '/a b' added to the file system.\nNew sha1sum is : 'xxx'\n\
         New md5sum is : 'a'\nNew sha256sum is : 'c'\n"
    );
    assert_eq!(server.out.after.sha256.as_deref(), Some(b"c".as_slice()));
    let server = check(&options, &[("CreateFile=5 C:/a", NEW)]);
    assert_eq!(
        server.log(),
        "New file 'C:/a' added to the file system.\nNew sha1sum is : 'Unknown'\n\
         New md5sum is : 'Unknown'\n"
    );
    check(&options, &[("-1 /never/seen", GONE), ("1:0:0:0:a:b /never/seen", NEW)]);
    check(&OPTIONS, &[("-1 /never/seen", Outcome::Silent)]);
}

#[test]
fn text_of_a_change() {
    let server = check(
        &OPTIONS,
        &[
            ("100:33188:0:0:m1:s1:h1 /etc/te st", Outcome::Silent),
            ("120:33206:5:6:m2:s2:h2 /etc/te st\n1c1\n< a\t\u{1b}[31m\n---\n> b\n", CHANGED),
        ],
    );
    assert_eq!(
        server.log(),
        "Integrity checksum changed for: '/etc/te st'\n\
         Size changed from '100' to '120'\n\
         Permissions changed from 'rw-r--r--' to 'rw-rw-rw-'\n\
         Ownership was '0', now it is '5'\n\
         Group ownership was '0', now it is '6'\n\
         Old md5sum was: 'm1'\nNew md5sum is : 'm2'\n\
         Old sha1sum was: 's1'\nNew sha1sum is : 's2'\n\
         Old sha256sum was: 'h1'\nNew sha256sum is : 'h2'\n\
         What changed:\n1c1\n< a\t[31m\n---\n> b\n"
    );
    assert_eq!(server.out.before.mode.as_deref(), Some(b"33188".as_slice()));
    assert_eq!(server.out.after.owner.as_deref(), Some(b"5".as_slice()));
}

#[test]
fn only_what_changed() {
    let server = check(
        &OPTIONS,
        &[("1:33188:0:0:a:b /etc/foo", Outcome::Silent), ("2:33188:0:0:xxx:b /etc/foo\n", CHANGED)],
    );
    let expected = "Integrity checksum changed for: '/etc/foo'\nSize changed from '1' to '2'\n";
    assert_eq!(server.log(), expected);
    assert_eq!(server.out.after.md5, None);
}

#[test]
fn ignored_names_and_maintenance() {
    let ignore = vec![b"/Var/Log/".to_vec()];
    let options = Options { ignore: &ignore, alert_new_files: true, ..OPTIONS };
    let server = check(
        &options,
        &[("1:0:0:0:a:b /var/log/x", Outcome::Silent), ("1:0:0:0:a:b /var/lo", NEW)],
    );
    let mut records = 0;
    let mut memory = server.memory;
    memory.scan(Table::Syscheck, b"", &mut |_, _| records += 1);
    assert_eq!(records, 1);

    let quiet = Options { maintenance: true, alert_new_files: true, ..OPTIONS };
    let mut server = check(
        &quiet,
        &[
            ("1:0:0:0:a:b /f", Outcome::Silent),
            ("2:0:0:0:a:b /f", Outcome::Silent),
            ("-1 /f", Outcome::Silent),
        ],
    );
    assert_eq!(server.record("/f"), "+++-1 !1795560314");
    assert_eq!(server.tell(&OPTIONS, "2:0:0:0:a:b /f"), NEW);
}

#[test]
fn other_messages() {
    let long_name = format!("1:0:0:0:a:b /{}", "n".repeat(NAME_BYTES_MAX - 1));
    let long_sum = format!("{} /f", "1".repeat(SUM_BYTES_MAX));
    check(
        &OPTIONS,
        &[
            ("syscheck-db-completed", Outcome::ScanCompleted),
            ("syscheck-db-completed\n", Outcome::ScanCompleted),
            ("syscheck-db", Outcome::Malformed),
            ("", Outcome::Malformed),
            (" /f", Outcome::Malformed),
            ("1:0:0:0:a:b ", Outcome::Malformed),
            ("1:0:0:0:a:b \u{1}", Outcome::Malformed),
            ("1:\t0:0:0:a:b /f", Outcome::Malformed),
            (&long_name, Outcome::Silent),
            (&format!("{long_name}n"), Outcome::Malformed),
            (&long_sum, Outcome::Silent),
            (&format!("1{long_sum}"), Outcome::Malformed),
        ],
    );
}

#[test]
fn long_names_are_cut_in_the_text_only() {
    let options = Options { alert_new_files: true, ..OPTIONS };
    let name = "n".repeat(800);
    let server = check(&options, &[(&format!("1:0:0:0:a:b {name}"), NEW)]);
    let shown = format!("New file '{}' added", "n".repeat(756));
    assert!(server.log().starts_with(&shown));
    assert_eq!(server.out.filename, name.as_bytes());
}

#[test]
fn damaged_records_count_as_none() {
    let mut server = Server::default();
    for record in [&b""[..], b"+", b"+++1:0:0:0:a:b", b"\xFF\xFF\xFF !", b"!!! !x"] {
        server.memory.put(Table::Syscheck, b"syscheck\0/f", record);
        let _any = server.tell(&OPTIONS, "1:0:0:0:a:b /f");
    }
}

/// Any bytes: no panic, and no control characters but line ends and tabs in what is told.
#[test]
fn any_bytes() {
    let mut seed = 0x1234_5678_9ABC_DEF1_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let pieces: [&[u8]; 14] = [
        b"1:33188:0:0:a:b:c",
        b"2:420:1:1:xxx:d",
        b"-1",
        b" ",
        b" ",
        b"/f",
        b"/f",
        b"\n",
        b":",
        b"\0",
        b"\xFF",
        b"!",
        b"What",
        b"\x1b",
    ];
    let options = Options { alert_new_files: true, auto_ignore: false, ..OPTIONS };
    let mut memory = RamMemory::default();
    let mut out = Finding::default();
    for _ in 0..30_000 {
        let mut text = Vec::new();
        for _ in 0..random(8) {
            text.extend_from_slice(pieces[random(pieces.len())]);
        }
        let received = Timestamp::utc(-5);
        let message = Message { location: b"l", text: &text, received };
        let _outcome = decode(&message, &options, &mut memory, &mut out);
        let bad = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t');
        assert!(!out.log.iter().chain(&out.filename).any(bad), "{text:?}");
    }
}
