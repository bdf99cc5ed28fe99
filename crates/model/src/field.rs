//! The static fields of a decoded event.

/// A field that every decoder may fill. Fields of other names are *dynamic* and known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    DstUser,
    SrcUser,
    SrcIp,
    DstIp,
    SrcPort,
    DstPort,
    Protocol,
    Action,
    Id,
    Url,
    Data,
    Status,
    SystemName,
    Filename,
    SrcGeoIp,
    DstGeoIp,
}

impl Field {
    /// How many static fields there are.
    pub const COUNT: usize = 16;

    /// All fields, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::DstUser,
        Self::SrcUser,
        Self::SrcIp,
        Self::DstIp,
        Self::SrcPort,
        Self::DstPort,
        Self::Protocol,
        Self::Action,
        Self::Id,
        Self::Url,
        Self::Data,
        Self::Status,
        Self::SystemName,
        Self::Filename,
        Self::SrcGeoIp,
        Self::DstGeoIp,
    ];

    /// The label that logtest prints.
    pub fn label(self) -> &'static str {
        match self {
            Self::DstUser => "dstuser",
            Self::SrcUser => "srcuser",
            Self::SrcIp => "srcip",
            Self::DstIp => "dstip",
            Self::SrcPort => "srcport",
            Self::DstPort => "dstport",
            Self::Protocol => "proto",
            Self::Action => "action",
            Self::Id => "id",
            Self::Url => "url",
            Self::Data => "extra_data",
            Self::Status => "status",
            Self::SystemName => "system_name",
            Self::Filename => "filename",
            Self::SrcGeoIp => "srcgeoip",
            Self::DstGeoIp => "dstgeoip",
        }
    }

    /// The static field a word of a decoder's `<order>` means; `None` for a dynamic name.
    /// Words are case-sensitive; any word that contains `filename` is the file name.
    pub fn from_order_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"user" | b"dstuser" => Self::DstUser,
            b"srcuser" => Self::SrcUser,
            b"srcip" => Self::SrcIp,
            b"dstip" => Self::DstIp,
            b"srcport" => Self::SrcPort,
            b"dstport" => Self::DstPort,
            b"protocol" => Self::Protocol,
            b"action" => Self::Action,
            b"id" => Self::Id,
            b"url" => Self::Url,
            b"data" | b"extra_data" => Self::Data,
            b"status" => Self::Status,
            b"system_name" => Self::SystemName,
            _ if word.windows(8).any(|part| part == b"filename") => Self::Filename,
            _ => return None,
        })
    }
}

/// Identity of a decoder for `decoded_as`: children share their parent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecoderId(pub u16);
