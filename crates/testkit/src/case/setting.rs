//! Options that a case may be about.

/// An option of the engine that a `set:` line turns on, or with `no_` off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Events that equal one of the last are left out.
    DropRepeated,
    /// New files are told of.
    AlertNewFiles,
    /// Files that change often are told of for ever.
    NoAutoIgnore,
    /// The actions of firewalls stay as they are written.
    NoFirewallActions,
}

impl Setting {
    /// All of them, with their words.
    pub const ALL: [(&str, Self); 4] = [
        ("drop_repeated", Self::DropRepeated),
        ("alert_new_files", Self::AlertNewFiles),
        ("no_auto_ignore", Self::NoAutoIgnore),
        ("no_firewall_actions", Self::NoFirewallActions),
    ];

    /// The setting of a word; the mistake if there is none.
    pub(super) fn of(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        found.map(|(_, setting)| *setting).ok_or_else(|| {
            let known = Self::ALL.map(|(name, _)| name).join(", ");
            format!("unknown setting \"{word}\"; known are {known}")
        })
    }
}
