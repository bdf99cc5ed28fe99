//! Decoders that are written in Rust because their logs do not fit a pattern.
//!
//! A decoder file names one in `<plugin_decoder>`. A plugin is a pure function from the log to
//! what it says; it keeps nothing. To add one, write its file and add it to [`ALL`].
//!
//! Invariants: any bytes are acceptable, values are spans of the log or words of the plugin, and a
//! log that stops making sense leaves what was found so far.

mod ossec_alert;
mod pf;
mod reader;
mod sonicwall;
mod symantec_ws;

pub use ossec_alert::RelayedAlert;

use model::Category;
use model::Field;
use model::Span;

/// One decoder written in Rust.
pub trait Plugin: Sync {
    /// The word in `<plugin_decoder>`.
    fn name(&self) -> &'static str;
    /// What it decodes, in one line.
    fn about(&self) -> &'static str;
    /// Reads the log and adds what it says to `out`.
    fn decode(&self, log: &[u8], out: &mut PluginOutput);
}

/// All plugins.
pub const ALL: &[&dyn Plugin] = &[
    &pf::PacketFilter,
    &symantec_ws::SymantecWebSecurity,
    &sonicwall::SonicWall,
    &ossec_alert::OssecAlert,
];

/// The plugin of a name.
pub fn find(name: &[u8]) -> Option<&'static dyn Plugin> {
    ALL.iter().copied().find(|plugin| plugin.name().as_bytes() == name)
}

/// What a plugin found in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginOutput {
    /// Replaces the category of the decoder.
    pub category: Option<Category>,
    /// The log is an alert of another server.
    pub alert: Option<RelayedAlert>,
    fields: [Option<PluginValue>; Field::COUNT],
}

/// The value of a field. Spans are into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginValue {
    Log(Span),
    Word(&'static str),
    /// Two parts, one right after the other.
    Joined(Span, Span),
}

impl PluginOutput {
    /// The fields that were found, in the order of [`Field::ALL`].
    pub fn fields(&self) -> impl Iterator<Item = (Field, PluginValue)> {
        Field::ALL.into_iter().zip(self.fields).filter_map(|(field, value)| Some((field, value?)))
    }

    fn set(&mut self, field: Field, value: PluginValue) {
        // The index is below the number of fields, which is the length.
        self.fields[field as usize] = Some(value);
    }

    fn has(&self, field: Field) -> bool {
        self.fields[field as usize].is_some()
    }
}

impl PluginValue {
    /// Appends the value's text to `out`.
    pub fn write(self, log: &[u8], out: &mut Vec<u8>) {
        let part = |span: Span| log.get(span.range()).unwrap_or_default();
        match self {
            Self::Log(span) => out.extend_from_slice(part(span)),
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Joined(first, second) => {
                out.extend_from_slice(part(first));
                out.extend_from_slice(part(second));
            }
        }
    }
}

#[cfg(test)]
mod tests;
