//! The general and error logs of MySQL and MariaDB.

use config::sections::LogFormat;
use model::Queue;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out};

/// A dated line, `070823 21:01:30⇥      1 Connect⇥…`, becomes `MySQL log: 070823 21:01:30 1 …`;
/// a line without a date has that of the line before.
pub(super) struct MySqlLog;

impl Format for MySqlLog {
    fn name(&self) -> &'static str {
        "mysql_log"
    }

    fn about(&self) -> &'static str {
        "MySQL and MariaDB, general and error log, also with ISO 8601 dates"
    }

    fn queue(&self) -> Queue {
        Queue::Other(b'a')
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        let queries = Queries { stamp: STAMP_UNKNOWN, joined: Joined::default(), malformed: 0 };
        Some(LineFramer::boxed(start, queries))
    }
}

/// `YYMMDD HH:MM:SS`
type Stamp = [u8; 15];

/// The date of a line whose dated line was not read: MySQL's zero, which has the right shape.
const STAMP_UNKNOWN: Stamp = *b"000000 00:00:00";
/// Bytes of a dated line that says something, and of an undated one.
const DATED_BYTES_MIN: usize = 19;
const UNDATED_BYTES_MIN: usize = 11;

// Fixed: OSSEC has one stamp for all files of this format.
struct Queries {
    stamp: Stamp,
    joined: Joined,
    malformed: u64,
}

impl LineFormat for Queries {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        let text = if let Some((stamp, rest)) = dated(line.text) {
            self.stamp = stamp;
            rest
        } else if let Some(rest) = undated(line.text) {
            rest
        } else {
            self.malformed += u64::from(!line.text.is_empty());
            return;
        };
        self.joined.begin_with(b"MySQL log: ", line);
        self.joined.add(&self.stamp);
        self.joined.add(b" ");
        self.joined.add(text);
        self.joined.give(out);
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

fn dated(line: &[u8]) -> Option<(Stamp, &[u8])> {
    if line.len() < DATED_BYTES_MIN {
        return None;
    }
    let (stamp, rest) = two_digit_year(line).or_else(|| iso(line))?;
    Some((stamp, trim_start(rest)))
}

/// `070823 21:01:30 …`, the hour perhaps `9` with a blank before it.
fn two_digit_year(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (stamp, rest) = line.split_first_chunk::<15>()?;
    fits(stamp, b"000000 .0:..:..").then_some((*stamp, rest))
}

/// `2026-11-25T10:00:00.123456Z 8 …` (MySQL), `2026-11-25 10:00:00 8 …` (MariaDB).
// OSSEC's rules ask for `\d+ \S+ \d+`, so the stamp gets the old shape.
fn iso(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (date, rest) = line.split_first_chunk::<19>()?;
    let is_mysql = fits(date, b"0000-00-00T00:00:00");
    if !is_mysql && !fits(date, b"0000-00-00 .0:00:00") {
        return None;
    }
    // A fraction and a zone belong to the stamp.
    let after = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
    let [_, _, y1, y2, _, m1, m2, _, d1, d2, _, time @ ..] = *date;
    let mut stamp = STAMP_UNKNOWN;
    for (to, from) in stamp.iter_mut().zip([y1, y2, m1, m2, d1, d2, b' '].into_iter().chain(time)) {
        *to = from;
    }
    Some((stamp, rest.get(after..)?))
}

/// `⇥⇥      2 Query⇥…`: two tabs, blanks, the connection.
// Fixed: OSSEC wants six blanks, which connections from 10 on do not have.
fn undated(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"\t\t").filter(|_| line.len() >= UNDATED_BYTES_MIN)?;
    let text = trim_start(rest);
    let is_connection = text.first()?.is_ascii_digit() && text.len() < rest.len();
    // compat: with six blanks anything may follow.
    (is_connection || rest.starts_with(b"      ")).then_some(text)
}

/// Whether text has a shape: `0` is a digit, a blank or mark itself, `.` a digit or blank.
fn fits<const N: usize>(text: &[u8; N], shape: &[u8; N]) -> bool {
    text.iter().zip(shape).all(|(&byte, &wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        b'.' => byte.is_ascii_digit() || byte == b' ',
        mark => byte == mark,
    })
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    start.and_then(|start| text.get(start..)).unwrap_or_default()
}
