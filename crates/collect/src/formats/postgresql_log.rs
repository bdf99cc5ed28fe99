//! The log of PostgreSQL.

use config::sections::LogFormat;
use model::Queue;

use super::headed::{Dated, Headed, Undated, has_date};
use super::{Format, Framer, FramerContext, LineFramer};

/// `[2007-08-31 19:17:32.186 ADT] …`, or today's `2026-11-25 10:00:00.123 UTC [123] …`, and the
/// lines below it that start with a tab.
pub(super) struct PostgreSqlLog;

impl Format for PostgreSqlLog {
    fn name(&self) -> &'static str {
        "postgresql_log"
    }

    fn about(&self) -> &'static str {
        "PostgreSQL: a dated line and the lines below it that start with a tab"
    }

    fn queue(&self) -> Queue {
        Queue::Other(b'b')
    }

    fn framer(&self, _: LogFormat, start: u64, _: &FramerContext<'_>) -> Option<Box<dyn Framer>> {
        Some(LineFramer::boxed(start, Headed::new(PostgreSql)))
    }
}

/// Bytes of a header in brackets with a text.
const BRACKETED_BYTES_MIN: usize = 33;
/// Bytes of a header without brackets and with a text.
const BARE_BYTES_MIN: usize = 20;
/// Bytes of a line that goes on.
const CONTINUATION_BYTES_MIN: usize = 3;

struct PostgreSql;

impl Dated for PostgreSql {
    fn is_header(&self, line: &[u8]) -> bool {
        if line.first() == Some(&b'[') {
            line.len() >= BRACKETED_BYTES_MIN && has_date(line, 1)
        } else {
            // Fixed: OSSEC knows only headers in brackets.
            line.len() >= BARE_BYTES_MIN && has_date(line, 0)
        }
    }

    fn undated(&self, line: &[u8]) -> Undated {
        match line.first() {
            Some(b'\t') if line.len() < CONTINUATION_BYTES_MIN => Undated::Empty,
            Some(b'\t') => Undated::Continues,
            Some(_) => Undated::Foreign,
            None => Undated::Empty,
        }
    }
}
