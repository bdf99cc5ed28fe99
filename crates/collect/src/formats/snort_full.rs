//! Snort's "full" alerts, whose lines belong together.

use config::sections::LogFormat;

use super::joined::Joined;
use super::lines::Line;
use super::{Format, Framer, FramerContext, FramerCounts, LineFormat, LineFramer, Out};

/// The title, the classification and the addresses of each alert become what Snort's "fast" alerts
/// are; the details of the packet are left out.
// Fixed: OSSEC has this on Windows only and gives out single lines elsewhere.
pub(super) struct SnortFull;

impl Format for SnortFull {
    fn name(&self) -> &'static str {
        "snort-full"
    }

    fn about(&self) -> &'static str {
        "Snort's full alerts: title, classification and addresses become one message"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Alerts::default()))
    }
}

/// Stands for the classification where Snort writes none.
const UNCLASSIFIED: &[u8] = b"[Classification: Preprocessor] [Priority: 3] ";

#[derive(Default)]
struct Alerts {
    /// The alert that is not complete.
    joined: Joined,
    is_classified: bool,
    malformed: u64,
}

impl LineFormat for Alerts {
    fn line(&mut self, line: Line<'_>, out: Out<'_>) {
        if line.text.starts_with(b"[**] [") {
            self.break_off(out);
            self.joined.begin(line);
            self.is_classified = false;
            return;
        }
        if !self.joined.is_open() {
            return;
        }
        if !self.is_classified && line.text.starts_with(b"[Classification: ") {
            self.classify(line.text, line);
        } else if !self.is_classified && line.text.starts_with(b"[Priority: ") {
            self.classify(UNCLASSIFIED, line);
        } else if let Some(addresses) = after_date(line.text) {
            if !self.is_classified {
                self.classify(UNCLASSIFIED, line);
            }
            self.add(addresses, line);
            self.joined.give(out);
        } else {
            self.break_off(out);
        }
    }

    /// An alert is never complete before its addresses, so an idle source has nothing to give;
    /// this is its end.
    fn flush(&mut self, out: Out<'_>) {
        self.break_off(out);
    }

    fn counts(&self) -> FramerCounts {
        FramerCounts { cut: self.joined.cut(), malformed: self.malformed }
    }
}

impl Alerts {
    fn classify(&mut self, text: &[u8], line: Line<'_>) {
        self.is_classified = true;
        self.add(text, line);
    }

    /// Adds a part behind exactly the blanks that are there, or one.
    fn add(&mut self, text: &[u8], line: Line<'_>) {
        let separator: &[u8] = if self.joined.text().ends_with(b" ") { b"" } else { b" " };
        self.joined.append(separator, Line { text, ..line });
    }

    /// An alert without addresses still has its title.
    fn break_off(&mut self, out: Out<'_>) {
        self.malformed += u64::from(self.joined.is_open());
        self.joined.give(out);
    }
}

/// What follows the date of `MM/DD-HH:MM:SS.FRACTION …` or `MM/DD/YY-…`.
fn after_date(line: &[u8]) -> Option<&[u8]> {
    let at = |position: usize| line.get(position).copied();
    let has_year = at(5) == Some(b'/') && at(8) == Some(b'-');
    if at(2) != Some(b'/') || !(at(5) == Some(b'-') || has_year) {
        return None;
    }
    let blank = line.iter().position(|&byte| byte == b' ')?;
    line.get(blank + 1..)
}
