//! What arrived, uninterpreted.

use crate::Timestamp;

/// One message as a sensor handed it over. Nothing in it has been interpreted yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// When the message entered the system. The engine knows no other time.
    pub received: Timestamp,
    /// What kind of sensor sent it.
    pub queue: Queue,
    /// Where it was seen: a file, a command, `(agent) address->file` or a sender's address.
    pub location: Vec<u8>,
    /// The text, without its line end. At most [`crate::limits::LINE_BYTES_MAX`] bytes are used.
    pub line: Vec<u8>,
}

/// The queue letter of a message (OSSEC's `Q:location:message`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Queue {
    /// `1`: a local file or an agent's log.
    #[default]
    LocalFile,
    /// `2`: remote syslog.
    Syslog,
    /// `3`: host information.
    HostInfo,
    /// `8`: file integrity.
    Syscheck,
    /// `9`: rootkit and policy checks.
    Rootcheck,
    /// Any other letter; decoded as a log line.
    Other(u8),
}

impl Queue {
    /// The queue a letter stands for.
    pub fn from_letter(letter: u8) -> Self {
        match letter {
            b'1' => Self::LocalFile,
            b'2' => Self::Syslog,
            b'3' => Self::HostInfo,
            b'8' => Self::Syscheck,
            b'9' => Self::Rootcheck,
            other => Self::Other(other),
        }
    }

    /// Whether the product's own sensors send on this queue what is no log line.
    pub fn is_internal(self) -> bool {
        match self {
            Self::HostInfo | Self::Syscheck | Self::Rootcheck => true,
            Self::LocalFile | Self::Syslog | Self::Other(_) => false,
        }
    }

    /// The letter of this queue.
    pub fn letter(self) -> u8 {
        match self {
            Self::LocalFile => b'1',
            Self::Syslog => b'2',
            Self::HostInfo => b'3',
            Self::Syscheck => b'8',
            Self::Rootcheck => b'9',
            Self::Other(letter) => letter,
        }
    }
}

/// The type of a decoded event. It selects the template rule under which rules are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    #[default]
    Syslog,
    Firewall,
    Ids,
    WebLog,
    Squid,
    Windows,
    /// Decoders' word is `host-information`.
    HostInformation,
    /// Decoders' and rules' word is `ossec`.
    Ossec,
}

impl Category {
    /// All categories, in the order of OSSEC's template rules.
    pub const ALL: [Self; 8] = [
        Self::Syslog,
        Self::Firewall,
        Self::Ids,
        Self::WebLog,
        Self::Squid,
        Self::Windows,
        Self::Ossec,
        Self::HostInformation,
    ];

    /// The word used in decoder and rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Syslog => "syslog",
            Self::Firewall => "firewall",
            Self::Ids => "ids",
            Self::WebLog => "web-log",
            Self::Squid => "squid",
            Self::Windows => "windows",
            Self::HostInformation => "host-information",
            Self::Ossec => "ossec",
        }
    }

    /// The category a word names, compared exactly.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.word().as_bytes() == word)
    }
}
