//! The names that rotated files are given: `log.1`, `log-20261124.gz`, `app-2026-11-24.log`.

use std::cmp::Reverse;

/// What the name of a rotated file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotatedName {
    pub(crate) packing: Packing,
    pub(crate) age: Age,
}

/// How a rotated file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    /// By something that is not read here.
    Other,
}

/// Sorts names from old to new, as far as names tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// `.3` is older than `.1`.
    Counter(Reverse<u32>),
    /// Dates and words.
    Stamp(Vec<u8>),
}

const PACKINGS: &[(&[u8], Packing)] = &[
    (b".gz", Packing::Gzip),
    (b".bz2", Packing::Other),
    (b".lz4", Packing::Other),
    (b".lzma", Packing::Other),
    (b".xz", Packing::Other),
    (b".Z", Packing::Other),
    (b".zip", Packing::Other),
    (b".zst", Packing::Other),
];

const WORDS: &[&[u8]] = &[b"bak", b"last", b"old", b"orig", b"prev", b"save"];

/// Bytes of what rotation adds to a name.
const MARK_BYTES_MAX: usize = 64;
/// Digits of a counter; more are a date.
const COUNTER_DIGITS_MAX: usize = 4;

/// Reads `name` as that of a rotated file of `base`: the base, or the base without its extension,
/// then a mark of separators and digits or a word for *old*, then the extension, then the ending of
/// a packer. `None` if it is not, as with `mail.err` beside `mail`.
pub(crate) fn rotated_name(name: &[u8], base: &[u8]) -> Option<RotatedName> {
    let (unpacked, packing) = packing(name);
    if unpacked == base {
        let age = Age::Stamp(Vec::new());
        return (packing != Packing::Plain).then_some(RotatedName { packing, age });
    }
    let (stem, extension) = split_extension(base);
    let mark = unpacked.strip_prefix(base).filter(|mark| is_mark(mark)).or_else(|| {
        let rest = unpacked.strip_prefix(stem)?;
        rest.strip_suffix(extension).filter(|mark| is_mark(mark))
    })?;
    Some(RotatedName { packing, age: age(mark) })
}

/// The names of which `name` may be the name of a rotated file.
pub(crate) fn bases(name: &[u8]) -> Vec<Vec<u8>> {
    let (unpacked, _) = packing(name);
    let mut bases = Vec::new();
    let endings = [(unpacked, &b""[..]), split_extension(unpacked)];
    for (text, extension) in endings {
        let earliest = text.len().saturating_sub(MARK_BYTES_MAX);
        for at in (earliest..text.len()).rev() {
            let (stem, mark) = text.split_at(at);
            if is_mark(mark) && !stem.is_empty() {
                bases.push([stem, extension].concat());
            }
        }
    }
    bases
}

/// Whether `path` is that of the log, or of one of its rotated files.
pub(crate) fn is_of_family(path: &[u8], log: &[u8]) -> bool {
    let ((directory, name), (home, base)) = (super::split(path), super::split(log));
    directory == home && (name == base || rotated_name(name, base).is_some())
}

/// What the paths of a log and of all its rotated files begin with.
pub(crate) fn family_prefix(log: &[u8]) -> &[u8] {
    let (_, name) = super::split(log);
    let (_, extension) = split_extension(name);
    log.get(..log.len() - extension.len()).unwrap_or(log)
}

/// Whether the name is one that packers give.
pub(crate) fn is_packed(name: &[u8]) -> bool {
    packing(name).1 != Packing::Plain
}

fn packing(name: &[u8]) -> (&[u8], Packing) {
    let known = PACKINGS.iter().find_map(|(ending, packing)| {
        let rest = name.strip_suffix(*ending).filter(|rest| !rest.is_empty())?;
        Some((rest, *packing))
    });
    known.unwrap_or((name, Packing::Plain))
}

fn is_mark(text: &[u8]) -> bool {
    let [separator, rest @ ..] = text else { return false };
    if text == b"~" {
        return true;
    }
    let is_numeric = |byte: &u8| {
        byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'T' | b'Z' | b'+')
    };
    text.len() <= MARK_BYTES_MAX
        && matches!(separator, b'.' | b'-' | b'_')
        && (WORDS.contains(&rest)
            || (rest.iter().all(is_numeric) && rest.iter().any(u8::is_ascii_digit)))
}

fn age(mark: &[u8]) -> Age {
    let text = mark.get(1..).unwrap_or_default();
    let counter = Some(text)
        .filter(|text| text.len() <= COUNTER_DIGITS_MAX)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    match counter {
        Some(number) => Age::Counter(Reverse(number)),
        None => Age::Stamp(text.to_vec()),
    }
}

/// The name and its extension with the dot; without one, all and nothing.
fn split_extension(name: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'.', name) {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, b""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rotated_names() {
        use Packing::{Gzip, Other, Plain};
        for (name, base, packing) in [
            ("messages.1", "messages", Some(Plain)),
            ("messages.12.gz", "messages", Some(Gzip)),
            ("messages-20261124", "messages", Some(Plain)),
            ("messages-20261124-1795560311.gz", "messages", Some(Gzip)),
            ("messages.gz", "messages", Some(Gzip)),
            ("messages.1.xz", "messages", Some(Other)),
            ("messages.old", "messages", Some(Plain)),
            ("messages~", "messages", Some(Plain)),
            ("app.log.2026-11-24", "app.log", Some(Plain)),
            ("app.log.2026-11-24T10:00:00Z.zst", "app.log", Some(Other)),
            ("app-2026-11-24.log", "app.log", Some(Plain)),
            ("app-2026-11-24T10-00-00.000.log.gz", "app.log", Some(Gzip)),
            ("app.1.log", "app.log", Some(Plain)),
            ("messages", "messages", None),
            ("mail.err", "mail", None),
            ("syslog-ng", "syslog", None),
            ("syslog-ng.1", "syslog", None),
            ("messages1", "messages", None),
            ("access.log", "access", None),
            ("app-web.log", "app.log", None),
            ("other.1", "messages", None),
            ("messages.", "messages", None),
            ("messages.-", "messages", None),
        ] {
            let read = rotated_name(name.as_bytes(), base.as_bytes());
            assert_eq!(read.map(|read| read.packing), packing, "{name} {base}");
        }
    }

    #[test]
    fn ages() {
        let age = |name: &str| rotated_name(name.as_bytes(), b"log").unwrap().age;
        assert!(age("log.10") < age("log.2.gz"));
        assert!(age("log-20261123") < age("log-20261124"));
    }

    #[test]
    fn families() {
        for (path, log, is_member) in [
            ("/l/a.log", "/l/a.log", true),
            ("/l/a-1.log", "/l/a.log", true),
            ("/l/a.log.1", "/l/a.log", true),
            ("/m/a.log.1", "/l/a.log", false),
            ("/l/a.logs", "/l/a.log", false),
        ] {
            let (path, log) = (path.as_bytes(), log.as_bytes());
            assert_eq!(is_of_family(path, log), is_member);
            assert!(!is_member || path.starts_with(family_prefix(log)));
        }
    }

    proptest! {
        #[test]
        fn bases_and_names_agree(
            base in "[a-c.]{1,6}", mark in "([.-][0-9T-]{0,6}|\\.old|~)", packing in "(\\.gz)?",
        ) {
            let name = format!("{base}{mark}{packing}").into_bytes();
            let is_base = bases(&name).iter().any(|found| found == base.as_bytes());
            let is_rotated = rotated_name(&name, base.as_bytes()).is_some();
            prop_assert!(is_base || !is_rotated, "{}", String::from_utf8_lossy(&name));
        }

        #[test]
        fn any_bytes_are_read(name: Vec<u8>, base: Vec<u8>) {
            rotated_name(&name, &base);
            bases(&name);
        }
    }
}
