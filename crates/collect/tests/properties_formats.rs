//! Whatever the bytes are, and wherever they are cut.

mod framing;

use collect::formats::{self, FramerContext};
use config::sections::LogFormat;
use model::limits::LINE_BYTES_MAX;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use framing::{Input, Run, read_again};

fn format() -> impl Strategy<Value = LogFormat> {
    let named = formats::ALL.iter().filter_map(|format| LogFormat::parse(format.name()));
    let numbered = [1, 3].map(LogFormat::MultiLine);
    select(named.chain(numbered).collect::<Vec<_>>())
}

const CONTEXT: FramerContext<'_> =
    FramerContext { path: b"/service/qmail/current", hostname: b"web1" };

/// Pieces of which logs of all formats are made, and some that are in the way.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    "\0",
    " ",
    "\t",
    "a",
    " text\n",
    "[**] [1:1:1] title [**]\n",
    "[Classification: A] [Priority: 1] \n",
    "[Priority: 3] \n",
    "08/22-10:00:00.1 192.0.2.1 -> 192.0.2.2\n",
    "Host: 192.0.2.1 (a)\tPorts: 22/open/tcp, 53/open/udp\tOther\n",
    "Host: 192.0.2.1 (a)\tStatus: Up\n",
    "070823 21:01:30\t      1 Connect\ta\n",
    "\t\t      1 Query\tb\n",
    "2026-11-25T10:00:00.123456Z 8 [Note] a\n",
    "2026-11-25 10:00:00.123 UTC [123] LOG:  a\n",
    "[2007-08-31 19:17:32.186 ADT] LOG:  a\n",
    "\tmore\n",
    "@4000000037c219bf2ef02e94 status\n",
    "@4000000037c219bf2ef02e94 Aug 24 04:03:43 web2 sshd[1]: Accepted password for a\n",
    "** Alert 1795560311.2: mail  - a,\n",
    "2026 Nov 24 22:45:11 web1->/var/log/a\n",
    "Rule: 5716 (level 5) -> 'A.'\n",
    "Src IP: 192.0.2.1\n",
    "User: root\n",
    "--ab-A--\n",
    "--ab-Z--\n",
    "--cd-A--\n",
    "--cd-Z--\n",
    "---ef---A--\r\n",
    "---ef---Z--\r\n",
    "type=EOE msg=audit(1.1:1): \n",
    "type=USER_AUTH msg=audit(1.1:2): a\n",
];

fn audit_record() -> impl Strategy<Value = Vec<u8>> {
    let kind = select(vec!["SYSCALL", "PATH", "PATH", "CWD", "PROCTITLE", "EOE"]);
    (kind, 0..12u32, 0..1000u32).prop_map(|(kind, serial, value)| {
        format!("type={kind} msg=audit(1.1:{serial}): a={value}\n").into_bytes()
    })
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        3 => audit_record(),
        1 => vec(any::<u8>(), 0..8),
    ]
}

/// Offsets in input of some length.
fn places(places: &[prop::sample::Index], len: usize) -> Vec<usize> {
    places.iter().map(|place| place.index(len + 1)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn cuts_and_restarts_change_nothing(
        format in format(),
        pieces in vec(piece(), 0..40),
        pauses in vec(any::<prop::sample::Index>(), 0..3),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let bytes = pieces.concat();
        let (pauses, cuts) = (places(&pauses, bytes.len()), places(&cuts, bytes.len()));
        let input = Input { bytes, pauses };
        let run = |cuts: &[usize]| Run::new(format, &CONTEXT, &input, 0, cuts);
        let whole = run(&[]);
        prop_assert_eq!(&run(&cuts), &whole);
        let each_byte: Vec<usize> = (0..input.bytes.len()).collect();
        prop_assert_eq!(&run(&each_byte), &whole);
        if let Err(failure) = read_again(format, &CONTEXT, &input, &whole) {
            prop_assert!(false, "{failure}");
        }
    }

    #[test]
    fn what_is_held_is_bounded(
        format in format(),
        start in select(PIECES),
        middle in vec(select(PIECES), 1..4),
    ) {
        let mut bytes = start.as_bytes().to_vec();
        let middle = middle.concat();
        while bytes.len() < 4 * LINE_BYTES_MAX {
            bytes.extend_from_slice(middle.as_bytes());
        }
        let input = Input { bytes, pauses: Vec::new() };
        let run = Run::new(format, &CONTEXT, &input, 0, &[]);
        let longest = run.messages().iter().map(|(text, _)| text.len()).max().unwrap_or(0);
        prop_assert!(longest <= LINE_BYTES_MAX);
    }
}
