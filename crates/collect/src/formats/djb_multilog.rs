//! What daemontools' multilog writes.

use config::sections::LogFormat;
use jiff::tz::TimeZone;
use memchr::memchr;
use model::time::MONTHS;
use model::{Queue, Timestamp};

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out};

/// `@4000000037c219bf2ef02e94 text` in `…/NAME/current` becomes `Aug 24 04:04:05 host NAME: text`.
pub(super) struct DjbMultilog;

impl Format for DjbMultilog {
    fn name(&self) -> &'static str {
        "djb-multilog"
    }

    fn about(&self) -> &'static str {
        "daemontools' multilog, in a file …/NAME/current"
    }

    fn queue(&self) -> Queue {
        // compat: the letter of MySQL.
        Queue::Other(b'a')
    }

    fn framer(
        &self,
        _: LogFormat,
        start: u64,
        context: &FramerContext<'_>,
    ) -> Option<Box<dyn Framer>> {
        // The moment stands in the log; of the host only its zone is asked.
        let stamped = Stamped::new(context, TimeZone::system())?;
        Some(LineFramer::boxed(start, stamped))
    }
}

/// The TAI64 label of 1970-01-01 00:00:00 UTC as daemontools counts, without leap seconds.
const TAI64_EPOCH: u64 = 4_611_686_018_427_387_914;
/// The latest moment that is written: the end of the year 9999.
const SECONDS_MAX: u64 = 253_402_300_799;
/// Hexadecimal digits of the seconds, and of the whole label.
const SECONDS_DIGITS: usize = 16;
const LABEL_DIGITS: usize = 24;

pub(super) struct Stamped {
    zone: TimeZone,
    /// ` host program: `
    origin: Vec<u8>,
    joined: Joined,
    malformed: u64,
}

impl Stamped {
    /// `None` where the path names no program.
    pub(super) fn new(context: &FramerContext<'_>, zone: TimeZone) -> Option<Self> {
        let program = program(context.path)?;
        let host = context.hostname.split(|&byte| byte == b'.').next().unwrap_or_default();
        let host = if host.is_empty() { b"unknown" } else { host };
        let origin = [b" ", host, b" ", program, b": "].concat();
        Some(Self { zone, origin, joined: Joined::default(), malformed: 0 })
    }

    /// `Mmm DD HH:MM:SS`, the day with a zero.
    // Fixed: OSSEC writes the time at which it reads the line.
    fn date(&self, seconds: i64) -> String {
        let offset = jiff::Timestamp::from_second(seconds)
            .map_or(0, |moment| self.zone.to_offset(moment).seconds());
        let civil = Timestamp { seconds, utc_offset: offset }.civil();
        let month = MONTHS.get(usize::from(civil.month) - 1).copied().unwrap_or("Jan");
        format!(
            "{month} {:02} {:02}:{:02}:{:02}",
            civil.day, civil.hour, civil.minute, civil.second
        )
    }
}

impl LineFormat for Stamped {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        let Some((seconds, text)) = split_label(line.text) else {
            self.malformed += u64::from(!line.text.is_empty());
            return;
        };
        if has_syslog_header(text) {
            // Fixed: OSSEC cuts the date off, and with it the header is no header any more.
            self.joined.begin_with(text, line);
        } else {
            self.joined.begin_with(self.date(seconds).as_bytes(), line);
            self.joined.add(&self.origin);
            self.joined.add(text);
        }
        self.joined.give(out);
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

/// `NAME` of `…/NAME/current`.
fn program(path: &[u8]) -> Option<&[u8]> {
    let folder = path.strip_suffix(b"/current")?;
    let slash = folder.iter().rposition(|&byte| byte == b'/')?;
    folder.get(slash + 1..).filter(|name| !name.is_empty())
}

/// Seconds since 1970 and the text of `@LABEL text`.
fn split_label(line: &[u8]) -> Option<(i64, &[u8])> {
    let (label, text) = line.strip_prefix(b"@")?.split_at_checked(LABEL_DIGITS)?;
    if !label.iter().all(u8::is_ascii_hexdigit) || memchr(b' ', text) != Some(0) {
        return None;
    }
    let digits = std::str::from_utf8(label.get(..SECONDS_DIGITS)?).ok()?;
    let seconds = u64::from_str_radix(digits, 16).ok()?.checked_sub(TAI64_EPOCH)?;
    let seconds = i64::try_from(seconds.min(SECONDS_MAX)).ok()?;
    let start = text.iter().position(|&byte| byte != b' ')?;
    Some((seconds, text.get(start..)?))
}

/// Whether text begins `Mmm DD HH:MM:SS ` and goes on.
fn has_syslog_header(text: &[u8]) -> bool {
    const BYTES_MIN: usize = 45;
    let has = |byte: u8, positions: &[usize]| {
        positions.iter().all(|&position| text.get(position) == Some(&byte))
    };
    text.len() >= BYTES_MIN && has(b' ', &[3, 6, 15]) && has(b':', &[9, 12])
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    fn message(path: &str, hostname: &str, offset_hours: i8, line: &str) -> Option<String> {
        let context = FramerContext { path: path.as_bytes(), hostname: hostname.as_bytes() };
        let zone = TimeZone::fixed(Offset::constant(offset_hours));
        let mut framer = LineFramer::new(0, Stamped::new(&context, zone)?);
        let mut given = None;
        framer.push(line.as_bytes(), &mut |message| {
            given = Some(String::from_utf8_lossy(message.text).into_owned());
        });
        given
    }

    #[test]
    fn the_time_is_that_of_the_label() {
        let line = "@4000000037c219bf2ef02e94 status\n";
        for (offset_hours, expected) in [
            (0, "Aug 24 04:04:05 web1 qmail: status"),
            (-5, "Aug 23 23:04:05 web1 qmail: status"),
            (14, "Aug 24 18:04:05 web1 qmail: status"),
        ] {
            let message = message("/service/qmail/current", "web1.example.org", offset_hours, line);
            assert_eq!(message.as_deref(), Some(expected));
        }
    }

    #[test]
    fn first_and_last_moment() {
        for (line, expected) in [
            ("@400000000000000a00000000 a\n", Some("Jan 01 00:00:00 unknown q: a")),
            ("@400000000000000900000000 a\n", None),
            ("@ffffffffffffffff00000000 a\n", Some("Dec 31 23:59:59 unknown q: a")),
        ] {
            assert_eq!(message("/q/current", "", 0, line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn the_path_names_the_program() {
        for (path, expected) in [
            ("/service/qmail/log/main/current", Some("main")),
            ("a/b/current", Some("b")),
            ("/service/qmail/previous", None),
            ("/service//current", None),
            ("b/current", None),
            ("/current", None),
            ("current", None),
        ] {
            let expected = expected.map(str::as_bytes);
            assert_eq!(program(path.as_bytes()), expected, "{path}");
        }
    }
}
