//! Dates that begin with the year, followed by host and program.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;
use crate::headers::names;

/// `2015-04-16 21:51:02,805 `
pub(super) struct DateAndMilliseconds;

impl Form for DateAndMilliseconds {
    fn name(&self) -> &'static str {
        "date-milliseconds"
    }

    fn example(&self) -> &'static str {
        "2015-04-16 21:51:02,805 host prog: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 23
            && line.has(b'-', &[4, 7])
            && line.has(b' ', &[10])
            && line.has(b':', &[13, 16])
            && line.has(b',', &[19]);
        fits.then(|| names::read(line, 23))
    }
}

/// `2007-06-14T15:48:55-04:00 `
pub(super) struct Iso;

impl Form for Iso {
    fn name(&self) -> &'static str {
        "iso"
    }

    fn example(&self) -> &'static str {
        "2007-06-14T15:48:55-04:00 host prog: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = is_iso(line) && line.has(b':', &[22]) && line.has(b' ', &[25]);
        fits.then(|| names::read(line, 26))
    }
}

/// `2007-06-14T15:48:55.123456-04:00 `, one to six digits of a second's fraction.
pub(super) struct IsoWithFraction;

impl Form for IsoWithFraction {
    fn name(&self) -> &'static str {
        "iso-fraction"
    }

    fn example(&self) -> &'static str {
        "2007-06-14T15:48:55.123456-04:00 host prog: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        if !is_iso(line) || !(line.has(b'.', &[19]) || line.has(b',', &[19])) {
            return None;
        }
        // The colon of the zone tells how many digits there are.
        let colon = (24..=29).find(|&at| line.has(b':', &[at]))?;
        Some(names::read(line, colon + 3))
    }
}

/// What both ISO forms have in common.
// compat: lines of up to 32 bytes are not recognised, however well they fit.
fn is_iso(line: Line<'_>) -> bool {
    line.text.len() > 32
        && line.has(b'-', &[4, 7])
        && line.has(b'T', &[10])
        && line.has(b':', &[13, 16])
}

/// `2015 Dec 29 10:00:01 `
pub(super) struct SyslogWithYear;

impl Form for SyslogWithYear {
    fn name(&self) -> &'static str {
        "syslog-year"
    }

    fn example(&self) -> &'static str {
        "2015 Dec 29 10:00:01 host prog: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 20
            && line.has_digits(&[0])
            && line.has(b' ', &[4, 8, 11, 20])
            && line.has(b':', &[14, 17]);
        fits.then(|| names::read(line, 21))
    }
}

/// `2019:11:06-00:08:03 `
pub(super) struct Colons;

impl Form for Colons {
    fn name(&self) -> &'static str {
        "colons"
    }

    fn example(&self) -> &'static str {
        "2019:11:06-00:08:03 host prog: text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 19
            && line.has_digits(&[0])
            && line.has(b':', &[4, 7, 13, 16])
            && line.has(b'-', &[10]);
        fits.then(|| names::read(line, 20))
    }
}
