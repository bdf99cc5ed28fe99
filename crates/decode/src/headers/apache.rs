//! The error log of Apache.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;

/// `[Fri Feb 11 18:06:35 2004] `
pub(super) struct ApacheError;

impl Form for ApacheError {
    fn name(&self) -> &'static str {
        "apache-error"
    }

    fn example(&self) -> &'static str {
        "[Fri Feb 11 18:06:35 2004] [error] text"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 26
            && line.has(b'[', &[0])
            && line.has(b' ', &[4, 8, 11, 20])
            && line.has(b':', &[14, 17])
            && line.has(b']', &[25]);
        fits.then(|| line.log_from(27))
    }
}
