//! Limits on one file. Its size, nesting and findings are limited by [`model::limits`].

/// Bytes of an element's name, of its content between two tags, of a close tag's text, and of an
/// attribute's name and value (OSSEC's own limit).
pub const TEXT_BYTES_MAX: usize = 8191;
/// Bytes of a variable's name (OSSEC's own limit).
pub const VARIABLE_NAME_BYTES_MAX: usize = 255;
/// Attributes of one element.
pub const ATTRIBUTES_MAX: usize = 128;
/// Elements of one file.
pub const ELEMENTS_MAX: usize = 1_000_000;
/// Bytes that variables may put into one file: a few references to a long value multiply fast.
pub const EXPANDED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a name that are shown in a message.
pub(crate) const SHOWN_BYTES_MAX: usize = 60;
