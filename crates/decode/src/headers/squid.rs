//! The access log of Squid.

use crate::header::Header;
use crate::headers::Form;
use crate::headers::Line;

/// `1140804070.368  11623 …`
pub(super) struct Squid;

impl Form for Squid {
    fn name(&self) -> &'static str {
        "squid"
    }

    fn example(&self) -> &'static str {
        "1140804070.368  11623 10.1.1.1 TCP_MISS/200 1150 GET http://a/ - DIRECT/b text/html"
    }

    fn read(&self, line: Line<'_>) -> Option<Header> {
        let fits = line.text.len() > 31
            && line.has(b'1', &[0])
            && line.has_digits(&[1, 2, 3, 13])
            && line.has(b'.', &[10])
            && line.has(b' ', &[14])
            && (line.has(b' ', &[21]) || line.has(b' ', &[22]));
        if !fits {
            return None;
        }
        let blanks = line.text.iter().skip(14).take_while(|&&byte| byte == b' ').count();
        Some(line.log_from(14 + blanks))
    }
}
