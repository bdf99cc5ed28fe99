//! How do bytes become values, and values bytes again? The queue line in, the alert records out.
//!
//! [`queue`] turns `Q:LOCATION:TEXT` into a [`model::Event`] and back. [`alert_text`] and
//! [`alert_json`] write an [`AlertView`] as OSSEC's `alerts.log` record and `alerts.json` line,
//! [`CustomTemplate`] as a line of the user's own; [`archive_text`], [`archive_json`] and
//! [`firewall_text`] write an [`EventView`].
//! [`frame`] and [`note`] are what our own processes send one another.
//!
//! # Invariants
//!
//! * No input, output or clock; nothing is kept between calls.
//! * Any bytes are accepted: a line that is not one gives a [`QueueError`], never a panic.
//! * No control character of an event reaches a record unescaped.
//! * A JSON line is valid JSON in valid UTF-8 and has no doubled keys.
//! * Writing a record appends to the caller's buffer and allocates nothing besides.
//!
//! Start reading at [`alert`]. The expected records stand in the tests of each file.

pub mod alert;
pub mod alert_json;
pub mod alert_text;
pub mod archive_json;
pub mod archive_text;
pub mod bytes;
pub mod custom_text;
mod decoder_json;
mod digits;
pub mod event;
mod event_json;
pub mod firewall_text;
pub mod frame;
mod json_string;
pub mod note;
pub mod queue;
mod record;
mod rule_json;
#[cfg(test)]
mod samples;
mod scan;

pub use alert::{AlertView, RuleView};
pub use archive_json::FinalRule;
pub use custom_text::CustomTemplate;
pub use decoder_json::DecoderJson;
pub use event::{Change, DecoderView, EventView, FileChangeView};
pub use queue::QueueError;
pub use rule_json::RuleJson;
