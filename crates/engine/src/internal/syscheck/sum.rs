//! The attributes of a file as they are sent: `SIZE:MODE:UID:GID:MD5:SHA1[:SHA256]`.

use super::DELETED;

/// Stands for a hash that was not computed.
pub(super) const PLACEHOLDER: &[u8] = b"xxx";

/// How many attributes are not hashes.
const PLAIN: usize = 4;
/// How many attributes there are.
const COUNT: usize = 7;

/// The parts of a sum; `None` where there are fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum<'a> {
    pub(super) size: Option<&'a [u8]>,
    pub(super) mode: Option<&'a [u8]>,
    pub(super) owner: Option<&'a [u8]>,
    pub(super) group: Option<&'a [u8]>,
    pub(super) md5: Option<&'a [u8]>,
    pub(super) sha1: Option<&'a [u8]>,
    pub(super) sha256: Option<&'a [u8]>,
}

impl<'a> Sum<'a> {
    pub(super) fn parse(sum: &'a [u8]) -> Self {
        if sum == DELETED {
            return Self::default();
        }
        let [size, mode, owner, group, md5, sha1, sha256] = parts(sum);
        Self { size, mode, owner, group, md5, sha1, sha256 }
    }
}

fn parts(sum: &[u8]) -> [Option<&[u8]>; COUNT] {
    let mut parts = sum.splitn(COUNT, |&byte| byte == b':');
    std::array::from_fn(|_| parts.next())
}

/// Two sums that differ only in hashes that are unknown on one side are the same file. Returns what
/// is known of it then: the newer hashes, and the older where there is no newer one.
// Fixed: OSSEC forgets the older hash, and with it a change that happens while hashing is off.
pub(super) fn without_real_change(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    if old == DELETED || new == DELETED {
        return None;
    }
    let (old, new) = (parts(old), parts(new));
    let mut known = Vec::new();
    for (index, (old, new)) in old.into_iter().zip(new).enumerate() {
        let is_hash = index >= PLAIN;
        let unknown = |part: Option<&[u8]>| is_hash && part.is_none_or(|part| part == PLACEHOLDER);
        let part = if old == new || unknown(old) {
            new.or(old)
        } else if unknown(new) {
            old
        } else {
            return None;
        };
        let Some(part) = part else { break };
        if index > 0 {
            known.push(b':');
        }
        known.extend_from_slice(part);
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_changes() {
        for (old, new, known) in [
            ("1:2:3:4:a:b", "1:2:3:4:a:b", Some("1:2:3:4:a:b")),
            ("1:2:3:4:xxx:xxx", "1:2:3:4:a:b", Some("1:2:3:4:a:b")),
            ("1:2:3:4:a:b", "1:2:3:4:xxx:b", Some("1:2:3:4:a:b")),
            ("1:2:3:4:a:b", "1:2:3:4:a:b:c", Some("1:2:3:4:a:b:c")),
            ("1:2:3:4:a:b:c", "1:2:3:4:a:b", Some("1:2:3:4:a:b:c")),
            ("1:2:3:4:a:b:xxx", "1:2:3:4:a:b", Some("1:2:3:4:a:b:xxx")),
            ("1:2:3:4:xxx:b", "1:2:3:4:a:c", None),
            ("1:2:3:4:a:b", "1:2:3:5:xxx:b", None),
            ("xxx:2:3:4:a:b", "1:2:3:4:a:b", None),
            ("-1", "1:2:3:4:xxx:xxx", None),
            ("CreateFile=5", "CreateFile=6", None),
        ] {
            let found = without_real_change(old.as_bytes(), new.as_bytes());
            assert_eq!(found.as_deref(), known.map(str::as_bytes), "{old} {new}");
        }
    }
}
