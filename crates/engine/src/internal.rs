//! Decoders for what the product's own sensors report: files, findings, hosts.
//!
//! They look a message up in [`Memory`](model::Memory), write down what is new, and say what the
//! event is. Each is a function of the message, its options and the memory; nothing else is kept.
//!
//! Invariants: any bytes are acceptable. Texts that are made here hold no control characters but
//! line ends and tabs. There is one record for each file, finding and host.

pub mod hostinfo;
pub mod rootcheck;
pub mod syscheck;

use model::Timestamp;

/// A message of one of the product's own sensors.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub location: &'a [u8],
    /// As it arrived, line ends included.
    pub text: &'a [u8],
    pub received: Timestamp,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An event; the rest is in the [`Finding`].
    Event(Internal),
    /// Nothing to tell.
    Silent,
    /// The sensor has reported all files once.
    ScanCompleted,
    /// Not a message of this kind; to be counted.
    Malformed,
}

/// The internal decoders, as rules name them in `decoded_as`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Internal {
    Rootcheck,
    IntegrityChanged,
    IntegrityChangedSecond,
    IntegrityChangedThird,
    NewEntry,
    Deleted,
    HostNew,
    HostModified,
}

impl Internal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Rootcheck,
        Self::IntegrityChanged,
        Self::IntegrityChangedSecond,
        Self::IntegrityChangedThird,
        Self::NewEntry,
        Self::Deleted,
        Self::HostNew,
        Self::HostModified,
    ];

    /// The word in `decoded_as`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rootcheck => "rootcheck",
            Self::IntegrityChanged => "syscheck_integrity_changed",
            Self::IntegrityChangedSecond => "syscheck_integrity_changed_2nd",
            Self::IntegrityChangedThird => "syscheck_integrity_changed_3rd",
            Self::NewEntry => "syscheck_new_entry",
            Self::Deleted => "syscheck_deleted",
            Self::HostNew => "hostinfo_new",
            Self::HostModified => "hostinfo_modified",
        }
    }

    /// The decoder's name that is shown with an alert.
    pub fn shown_name(self) -> &'static str {
        match self {
            Self::Rootcheck => "rootcheck",
            // compat: one name for all, whichever of them it is.
            Self::IntegrityChanged
            | Self::IntegrityChangedSecond
            | Self::IntegrityChangedThird
            | Self::NewEntry
            | Self::Deleted => "syscheck_integrity_changed",
            Self::HostNew | Self::HostModified => "hostinfo_modified",
        }
    }
}

/// What an event says. Reused from event to event; holds something only after
/// [`Outcome::Event`].
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The text of the event.
    pub log: Vec<u8>,
    /// The file it is about; empty if there is none.
    pub filename: Vec<u8>,
    /// Attributes that changed, as they were.
    pub before: Attributes,
    /// Attributes that changed or are known of something new, as they are.
    pub after: Attributes,
    /// A rootcheck text that was never reported before; satisfies `if_fts`.
    pub is_new: bool,
    key: Vec<u8>,
    stored: Vec<u8>,
}

/// Attributes of a file, as texts; `None` if unknown or unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub size: Option<Vec<u8>>,
    /// The mode as it was reported, normally a decimal number.
    pub mode: Option<Vec<u8>>,
    pub owner: Option<Vec<u8>>,
    pub group: Option<Vec<u8>>,
    pub md5: Option<Vec<u8>>,
    pub sha1: Option<Vec<u8>>,
    pub sha256: Option<Vec<u8>>,
}

impl Finding {
    fn clear(&mut self) {
        self.log.clear();
        self.filename.clear();
        self.before = Attributes::default();
        self.after = Attributes::default();
        self.is_new = false;
    }

    /// Makes the key of `name` at a location. Names hold no control characters, so the last zero
    /// byte divides the two.
    fn set_key(&mut self, location: &[u8], name: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(location);
        self.key.push(0);
        self.key.extend_from_slice(name);
    }
}

/// Appends `text` without control characters.
fn push_clean(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().filter(|byte| !byte.is_ascii_control()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_decoders_know() {
        let names = Internal::ALL.map(Internal::name);
        for name in decode::load::INTERNAL_NAMES {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(names.len(), decode::load::INTERNAL_NAMES.len());
    }
}
