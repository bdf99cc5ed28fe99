//! The alerts.log of another OSSEC.

use config::sections::LogFormat;
use memchr::{memchr, memmem, memrchr};

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out, Waiting};

/// A record of several lines becomes
/// `ossec: Alert Level: 5; Rule: 5716 - Failed.; Location: web1->/var/log/auth.log;  text`.
pub(super) struct OssecAlert;

impl Format for OssecAlert {
    fn name(&self) -> &'static str {
        "ossecalert"
    }

    fn about(&self) -> &'static str {
        "the alerts.log of another OSSEC or Wachter"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Alerts::default()))
    }
}

/// The lines between the rule and the text, in their order. Only two of them are passed on.
const LABELS: [&[u8]; 7] = [
    b"Src IP: ",
    b"Src Location: ",
    b"Src Port: ",
    b"Dst IP: ",
    b"Dst Location: ",
    b"Dst Port: ",
    b"User: ",
];
const SOURCE: usize = 0;
const USER: usize = 6;

/// Which line of the record comes next.
#[derive(Clone, Copy, Default)]
enum Next {
    #[default]
    Header,
    Place,
    Rule,
    /// A label from this one on, or the text.
    Label(usize),
    /// The text goes on.
    Text,
}

// Fixed: OSSEC reads one record each time it looks, and loses one that is not complete.
#[derive(Default)]
struct Alerts {
    next: Next,
    location: Vec<u8>,
    /// The message, once the rule is known.
    joined: Joined,
    /// Whether its text has several lines.
    is_several: bool,
    malformed: u64,
}

impl LineFormat for Alerts {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        if is_header(line.text) {
            self.break_off(out);
            self.next = Next::Place;
            return;
        }
        match self.next {
            Next::Header => self.malformed += u64::from(!line.text.is_empty()),
            Next::Place => match location(line.text) {
                Some(location) => {
                    self.location.clear();
                    self.location.extend_from_slice(location);
                    self.next = Next::Rule;
                }
                None => self.break_off(out),
            },
            Next::Rule => match Rule::read(line.text) {
                Some(rule) => self.begin(&rule, line),
                None => self.break_off(out),
            },
            Next::Label(first) => self.label_or_text(first, line, out),
            Next::Text if line.text.is_empty() => self.finish(line, out),
            Next::Text => {
                self.joined.append(b"\n", line);
                self.is_several = true;
            }
        }
    }

    fn flush(&mut self, out: Out<'_>) {
        self.break_off(out);
    }

    fn waiting(&self) -> Waiting {
        match self.next {
            Next::Header => Waiting::Nothing,
            Next::Place | Next::Rule | Next::Label(_) | Next::Text => Waiting::LineEnd,
        }
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

impl Alerts {
    fn begin(&mut self, rule: &Rule<'_>, line: Line<'_>) {
        self.joined.begin_with(b"ossec: Alert Level: ", line);
        for part in [rule.level, b"; Rule: ", rule.id, b" - ", rule.comment] {
            self.joined.add(part);
        }
        self.joined.add(b"; Location: ");
        self.joined.add(&self.location);
        self.joined.add(b";");
        self.next = Next::Label(0);
    }

    /// A line that starts like a label whose turn is over is text.
    // Fixed: in OSSEC what somebody logged can replace the address that was decoded.
    fn label_or_text(&mut self, first: usize, line: Line<'_>, out: Out<'_>) {
        let labels = LABELS.iter().enumerate().skip(first);
        let found = labels
            .filter_map(|(index, label)| Some((index, line.text.strip_prefix(*label)?)))
            .next();
        if let Some((index, value)) = found {
            let name: Option<&[u8]> = match index {
                SOURCE => Some(b" srcip: "),
                USER => Some(b" user: "),
                _ => None,
            };
            if let Some(name) = name.filter(|_| !value.starts_with(b"(no")) {
                self.joined.append(name, Line { text: value, ..line });
                self.joined.add(b";");
            }
            self.next = Next::Label(index + 1);
            return;
        }
        self.is_several = false;
        self.joined.append(b"  ", line);
        self.next = Next::Text;
        if line.text.is_empty() {
            self.finish(line, out);
        }
    }

    fn finish(&mut self, line: Line<'_>, out: Out<'_>) {
        self.joined.end_with(line);
        self.give(out);
        self.next = Next::Header;
    }

    fn give(&mut self, out: Out<'_>) {
        // compat: of several lines each has an end.
        if self.is_several {
            self.joined.add(b"\n");
        }
        self.joined.give(out);
    }

    /// The record ends without an empty line: it is given out if its text has begun.
    fn break_off(&mut self, out: Out<'_>) {
        match self.next {
            Next::Header => {}
            Next::Text => self.give(out),
            Next::Place | Next::Rule | Next::Label(_) => {
                self.joined.clear();
                self.malformed += 1;
            }
        }
        self.next = Next::Header;
    }
}

/// `** Alert 1795560311.2: mail  - syslog,sshd,`
fn is_header(line: &[u8]) -> bool {
    line.strip_prefix(b"** Alert ").is_some_and(|rest| {
        rest.first().is_some_and(u8::is_ascii_digit) && memchr(b':', rest).is_some()
    })
}

/// The location in `2026 Nov 24 22:45:11 web1->/var/log/auth.log`.
fn location(line: &[u8]) -> Option<&[u8]> {
    let (_, time) = line.split_at_checked(memchr(b':', line)?)?;
    time.get(memchr(b' ', time)? + 1..)
}

/// `Rule: 5716 (level 5) -> 'SSHD authentication failed.'`
struct Rule<'a> {
    id: &'a [u8],
    level: &'a [u8],
    comment: &'a [u8],
}

impl<'a> Rule<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"Rule: ")?;
        let (id, rest) = split(rest, b" (level ")?;
        let (level, rest) = split(rest, b") -> '")?;
        let comment = rest.get(..memrchr(b'\'', rest)?)?;
        let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        (is_number(id) && is_number(level)).then_some(Self { id, level, comment })
    }
}

fn split<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}
