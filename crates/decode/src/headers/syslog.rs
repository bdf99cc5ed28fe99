//! The date of traditional syslog.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;
use crate::headers::names;

/// `Dec 29 10:00:01 `
pub(super) struct Syslog;

impl Form for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn example(&self) -> &'static str {
        "Dec 29 10:00:01 host prog[12]: text"
    }

    #[inline]
    fn read(&self, line: Line<'_>) -> Option<Header> {
        // compat: letters and digits are not looked at, here as in the other forms.
        let fits = line.text.len() > 16 && line.has(b' ', &[3, 6, 15]) && line.has(b':', &[9, 12]);
        fits.then(|| names::read(line, 16))
    }
}
