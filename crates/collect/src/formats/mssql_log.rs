//! The error log of Microsoft SQL Server.

use config::sections::LogFormat;

use super::headed::{Dated, Headed, Undated, has_date};
use super::{Format, Framer, FramerContext, LineFramer};

/// `2026-11-25 10:00:00.12 Logon  Error: …`, and the lines below it.
pub(super) struct MsSqlLog;

impl Format for MsSqlLog {
    fn name(&self) -> &'static str {
        "mssql_log"
    }

    fn about(&self) -> &'static str {
        "Microsoft SQL Server: a dated line and the lines below it"
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Headed::new(MsSql)))
    }
}

/// Bytes of a header with a text.
const HEADER_BYTES_MIN: usize = 20;
/// Bytes of a line that goes on.
const CONTINUATION_BYTES_MIN: usize = 3;

struct MsSql;

impl Dated for MsSql {
    fn is_header(&self, line: &[u8]) -> bool {
        line.len() >= HEADER_BYTES_MIN && has_date(line, 0)
    }

    fn undated(&self, line: &[u8]) -> Undated {
        if line.len() < CONTINUATION_BYTES_MIN { Undated::Empty } else { Undated::Continues }
    }
}
