//! Limits on what comes from outside, in one place.

/// Bytes of one log line that are used; what is longer is cut and counted.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a location (OSSEC's datagrams carried 6144 for location and text together).
pub const LOCATION_BYTES_MAX: usize = 4096;
/// Bytes of one configuration, rule or decoder file.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Open elements in an XML file.
pub const XML_DEPTH_MAX: usize = 1024;
/// Rules below one another.
pub const RULE_DEPTH_MAX: usize = 64;
/// Findings kept for one file; the rest is counted.
pub const DIAGNOSTICS_MAX: usize = 1000;
/// Bytes of one pattern text.
pub const PATTERN_BYTES_MAX: usize = 16 * 1024;
/// Captures of one pattern that are used.
pub const CAPTURES_MAX: usize = 64;
/// Earlier events printed with an alert.
pub const CONTEXT_LINES_MAX: usize = 11;
/// Bytes of the event and of each earlier event in an alert's text form.
pub const ALERT_LINE_BYTES_MAX: usize = 1256;
/// Bytes of a first-time-seen key and of an ignore entry.
pub const KEY_BYTES_MAX: usize = 255;
