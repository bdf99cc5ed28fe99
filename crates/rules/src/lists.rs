//! Key-value lists: what they contain, and how rules ask for it.

use hashbrown::HashMap;
use pattern::PatternId;

/// A list in memory.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// As the configuration names it.
    pub name: String,
    entries: HashMap<Box<[u8]>, Box<[u8]>>,
}

/// Position of a list in [`crate::ruleset::Ruleset::lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListId(pub u16);

/// The question of one `<list>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTest {
    pub list: ListId,
    pub field: ListField,
    pub lookup: Lookup,
    /// What the value must match, exactly where [`Lookup::wants_value`].
    pub value: Option<PatternId>,
}

/// The event's value that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListField {
    SrcIp,
    SrcPort,
    DstIp,
    DstPort,
    /// The source user if set, else the target user (the reverse of the `user` option).
    User,
    Url,
    Id,
    Hostname,
    ProgramName,
    Status,
    Action,
}

/// When a lookup is true. An event without the field never fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// The key is in the list.
    #[default]
    MatchKey,
    /// The key is not in the list.
    NotMatchKey,
    /// The key is in the list and its value matches.
    MatchKeyValue,
    /// The address or a prefix of it is in the list.
    AddressMatchKey,
    /// Neither the address nor a prefix of it is in the list.
    NotAddressMatchKey,
    /// The address or a prefix of it is in the list and its value matches.
    AddressMatchKeyValue,
}

impl List {
    /// Reads the text form. Of equal keys the first one counts.
    pub fn from_text(name: impl Into<String>, text: &[u8]) -> Self {
        Self::from_pairs(name, text_pairs(text))
    }

    /// A list of these keys and values. Of equal keys the first one counts.
    pub fn from_pairs<'a>(
        name: impl Into<String>,
        pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let mut entries: HashMap<Box<[u8]>, Box<[u8]>> = HashMap::new();
        for (key, value) in pairs {
            entries.entry(key.into()).or_insert_with(|| value.into());
        }
        Self { name: name.into(), entries }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    pub fn lookup(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key).map(|value| &**value)
    }

    /// The value of an address, or else of its longest prefix that ends in `.` or `:`: of
    /// `1.2.3.4` the keys `1.2.3.4`, `1.2.3.`, `1.2.` and `1.`.
    pub fn lookup_address_prefix(&self, address: &[u8]) -> Option<&[u8]> {
        if let Some(value) = self.lookup(address) {
            return Some(value);
        }
        let mut prefix = address.get(..ADDRESS_BYTES_MAX).unwrap_or(address);
        loop {
            let end = prefix.iter().rposition(|byte| matches!(byte, b'.' | b':'))?;
            if let Some(value) = self.lookup(prefix.get(..=end)?) {
                return Some(value);
            }
            prefix = prefix.get(..end)?;
        }
    }
}

/// The longest text of an address, with a zone. Of something longer, which is no address, only the
/// prefixes within are looked up, so that a hostile value does not cost thousands of lookups.
const ADDRESS_BYTES_MAX: usize = 64;

/// The pairs of a list's text form, in order and with repeated keys: lines of `key:value`.
/// `###` starts a comment; lines without `:` are skipped.
pub fn text_pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = without_comment(line.strip_suffix(b"\r").unwrap_or(line));
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (key, value) = line.split_at(colon);
        Some((key, value.get(1..).unwrap_or_default()))
    })
}

/// A line without `###`, what follows it and the blanks before it.
fn without_comment(line: &[u8]) -> &[u8] {
    let Some(start) = line.windows(3).position(|part| part == b"###") else {
        return line;
    };
    let before = line.get(..start).unwrap_or_default();
    let blanks = before.iter().rev().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
    before.get(..start - blanks).unwrap_or_default()
}

impl ListField {
    pub const ALL: [Self; 11] = [
        Self::SrcIp,
        Self::SrcPort,
        Self::DstIp,
        Self::DstPort,
        Self::User,
        Self::Url,
        Self::Id,
        Self::Hostname,
        Self::ProgramName,
        Self::Status,
        Self::Action,
    ];

    /// The word of rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::SrcIp => "srcip",
            Self::SrcPort => "srcport",
            Self::DstIp => "dstip",
            Self::DstPort => "dstport",
            Self::User => "user",
            Self::Url => "url",
            Self::Id => "id",
            Self::Hostname => "hostname",
            Self::ProgramName => "program_name",
            Self::Status => "status",
            Self::Action => "action",
        }
    }

    /// The field a word names, ignoring ASCII case.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word().as_bytes().eq_ignore_ascii_case(word))
    }
}

impl Lookup {
    pub const ALL: [Self; 6] = [
        Self::MatchKey,
        Self::NotMatchKey,
        Self::MatchKeyValue,
        Self::AddressMatchKey,
        Self::NotAddressMatchKey,
        Self::AddressMatchKeyValue,
    ];

    /// The word of rule files.
    pub fn word(self) -> &'static str {
        match self {
            Self::MatchKey => "match_key",
            Self::NotMatchKey => "not_match_key",
            Self::MatchKeyValue => "match_key_value",
            Self::AddressMatchKey => "address_match_key",
            Self::NotAddressMatchKey => "not_address_match_key",
            Self::AddressMatchKeyValue => "address_match_key_value",
        }
    }

    /// The lookup a word names, ignoring ASCII case.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|lookup| lookup.word().as_bytes().eq_ignore_ascii_case(word))
    }

    /// Whether it needs something that the value must match.
    pub fn wants_value(self) -> bool {
        match self {
            Self::MatchKeyValue | Self::AddressMatchKeyValue => true,
            Self::MatchKey
            | Self::NotMatchKey
            | Self::AddressMatchKey
            | Self::NotAddressMatchKey => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        type Case<'a> = (&'a [u8], &'a [(&'a str, &'a str)]);
        let table: [Case<'_>; 12] = [
            (b"", &[]),
            (b"a:1\nb:2\n", &[("a", "1"), ("b", "2")]),
            (b"a:1\r\nb:2\r\n", &[("a", "1"), ("b", "2")]),
            (b"a:1:2", &[("a", "1:2")]),
            (b"a:", &[("a", "")]),
            (b":v", &[("", "v")]),
            (b"no colon\n\n \na:1", &[("a", "1")]),
            (b" a : 1 \n", &[(" a ", " 1 ")]),
            (b"a:1 \t### note: x", &[("a", "1")]),
            (b"### a:1\na###b:1", &[]),
            (b"#a:1 # x", &[("#a", "1 # x")]),
            (b"a:1\na:2", &[("a", "1"), ("a", "2")]),
        ];
        for (text, expected) in table {
            let pairs: Vec<_> = text_pairs(text).collect();
            let expected: Vec<_> =
                expected.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
            assert_eq!(pairs, expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn first_of_equal_keys_counts() {
        let list = List::from_text("l", b"a:1\na:2\nb:");
        assert_eq!(list.len(), 2);
        assert_eq!(list.lookup(b"a"), Some(b"1".as_slice()));
        assert_eq!(list.lookup(b"b"), Some(b"".as_slice()));
        assert_eq!(list.lookup(b"A"), None);
        assert!(List::default().is_empty());
    }

    #[test]
    fn address_prefixes() {
        let list = List::from_pairs(
            "l",
            [
                (b"1.2.3.4".as_slice(), b"host".as_slice()),
                (b"1.2.3.", b"net"),
                (b"1.", b"big"),
                (b"10", b"no dot"),
                (b"2001:db8:", b"six"),
                (b"fe80::", b"link"),
            ],
        );
        let table: [(&str, Option<&str>); 12] = [
            ("1.2.3.4", Some("host")),
            ("1.2.3.5", Some("net")),
            ("1.2.4.4", Some("big")),
            ("1.", Some("big")),
            ("1", None),
            ("10.1.1.1", None),
            ("11.2.3.4", None),
            ("2001:db8::1", Some("six")),
            ("2001:db80::1", None),
            ("fe80::1", Some("link")),
            ("", None),
            ("...", None),
        ];
        for (address, expected) in table {
            let found = list.lookup_address_prefix(address.as_bytes());
            assert_eq!(found, expected.map(str::as_bytes), "{address}");
        }
    }

    #[test]
    fn prefixes_of_long_values_are_limited() {
        let at = |length: usize| [vec![b'x'; length - 1], vec![b'.']].concat();
        for (length, found) in [(ADDRESS_BYTES_MAX, true), (ADDRESS_BYTES_MAX + 1, false)] {
            let key = at(length);
            let list = List::from_pairs("l", [(key.as_slice(), b"v".as_slice())]);
            assert_eq!(
                list.lookup_address_prefix(&[&key, b"1".as_slice()].concat()).is_some(),
                found
            );
            assert!(list.lookup_address_prefix(&key).is_some());
        }
    }

    #[test]
    fn words() {
        for field in ListField::ALL {
            let word = field.word().to_ascii_uppercase();
            assert_eq!(ListField::from_word(word.as_bytes()), Some(field));
        }
        for lookup in Lookup::ALL {
            assert_eq!(Lookup::from_word(lookup.word().as_bytes()), Some(lookup));
            assert_eq!(lookup.wants_value(), lookup.word().ends_with("_value"));
        }
        assert_eq!(ListField::from_word(b"protocol"), None);
        assert_eq!(Lookup::from_word(b""), None);
    }
}
