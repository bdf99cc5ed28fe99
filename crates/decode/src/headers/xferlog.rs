//! The transfer log of FTP servers.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;

/// `Mon Apr 17 18:27:14 2006 1 `
pub(super) struct Xferlog;

impl Form for Xferlog {
    fn name(&self) -> &'static str {
        "xferlog"
    }

    fn example(&self) -> &'static str {
        "Mon Apr 17 18:27:14 2006 1 64.160.42.130 10 /a b _ i r user ftp 0 * c"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 27
            && line.has(b' ', &[3, 7, 10, 19, 24, 26])
            && line.has(b':', &[13, 16]);
        // compat: the blank before the transfer time stays; decoders expect it.
        fits.then(|| line.log_from(24))
    }
}
