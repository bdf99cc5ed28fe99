//! Fast alerts of Snort and Suricata.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;

/// `01/28-09:13:16.240702  `
pub(super) struct Snort;

impl Form for Snort {
    fn name(&self) -> &'static str {
        "snort"
    }

    fn example(&self) -> &'static str {
        "01/28-09:13:16.240702  [**] [1:1:1] text [**]"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 23
            && line.has(b'/', &[2])
            && line.has(b'-', &[5])
            && line.has(b':', &[8, 11])
            && line.has(b'.', &[14])
            && line.has(b' ', &[21]);
        // compat: two blanks are taken for granted; after a single one a byte is lost.
        fits.then(|| line.log_from(23))
    }
}

/// `01/28/1979-09:13:16.240702  `
pub(super) struct Suricata;

impl Form for Suricata {
    fn name(&self) -> &'static str {
        "suricata"
    }

    fn example(&self) -> &'static str {
        "01/28/1979-09:13:16.240702  [**] [1:1:1] text [**]"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 25
            && line.has(b'/', &[2, 5])
            && line.has(b'-', &[10])
            && line.has(b':', &[13, 16])
            && line.has(b'.', &[19])
            && line.has(b' ', &[26]);
        // compat: two blanks are taken for granted; after a single one a byte is lost.
        fits.then(|| line.log_from(28))
    }
}
