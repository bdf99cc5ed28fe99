//! How do bytes become values, and values bytes again? The queue line in, the alert records out.
//!
//! [`queue`] turns `Q:LOCATION:TEXT` into a [`model::Event`] and back. [`alert_text`] and
//! [`alert_json`] write an [`AlertView`] as OSSEC's `alerts.log` record and `alerts.json` line.
//! [`frame`] and [`note`] are what our own processes send one another.
//!
//! # Invariants
//!
//! * No input, output or clock; nothing is kept between calls.
//! * Any bytes are accepted: a line that is not one gives a [`QueueError`], never a panic.
//! * No control character of an event reaches an alert record unescaped.
//! * An `alerts.json` line is valid JSON in valid UTF-8 and has no doubled keys.
//! * Writing an alert appends to the caller's buffer and allocates nothing besides.
//!
//! Start reading at [`alert`]. The expected records stand in the tests of each file.

pub mod alert;
pub mod alert_json;
pub mod alert_text;
pub mod bytes;
mod decoder_json;
mod digits;
pub mod frame;
pub mod note;
pub mod queue;
mod rule_json;
mod scan;

pub use alert::{AlertView, Change, DecoderView, FileChangeView, RuleView};
pub use decoder_json::DecoderJson;
pub use queue::QueueError;
pub use rule_json::RuleJson;
