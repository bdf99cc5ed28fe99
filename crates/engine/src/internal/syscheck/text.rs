//! The text of a file integrity event.

use super::Kind;
use super::sum::{PLACEHOLDER, Sum};
use crate::internal::{Attributes, Finding};

/// Bytes of a name that are shown.
const SHOWN_NAME_BYTES_MAX: usize = 756;

/// Writes the text and the attributes of `out`, whose file name is set.
pub(super) fn write(
    kind: Kind,
    old: &Sum<'_>,
    new: &Sum<'_>,
    difference: Option<&[u8]>,
    out: &mut Finding,
) {
    let Finding { log, filename, before, after, .. } = out;
    let name = filename.get(..SHOWN_NAME_BYTES_MAX).unwrap_or(filename);
    match kind {
        Kind::Deleted => {
            push(log, &[b"File '", name, b"' was deleted. Unable to retrieve checksum."]);
        }
        Kind::Returned => push(log, &[b"File '", name, b"' was re-added."]),
        Kind::Added => {
            push(log, &[b"New file '", name, b"' added to the file system.\n"]);
            write_new(log, new);
            after.md5 = owned(new.md5);
            after.sha1 = owned(new.sha1);
            after.sha256 = owned(new.sha256);
        }
        Kind::Changed => {
            push(log, &[b"Integrity checksum changed for: '", name, b"'\n"]);
            write_changes(log, old, new, before, after);
            if let Some(difference) = difference {
                write_difference(log, difference);
            }
        }
    }
}

fn write_new(log: &mut Vec<u8>, new: &Sum<'_>) {
    let unknown: &[u8] = b"Unknown";
    push(log, &[b"New sha1sum is : '", new.sha1.unwrap_or(unknown), b"'\n"]);
    push(log, &[b"New md5sum is : '", new.md5.unwrap_or(unknown), b"'\n"]);
    if let Some(sha256) = new.sha256 {
        push(log, &[b"New sha256sum is : '", sha256, b"'\n"]);
    }
}

fn write_changes(
    log: &mut Vec<u8>,
    old: &Sum<'_>,
    new: &Sum<'_>,
    before: &mut Attributes,
    after: &mut Attributes,
) {
    if let Some((a, b)) = changed(old.size, new.size) {
        push(log, &[b"Size changed from '", a, b"' to '", b, b"'\n"]);
        (before.size, after.size) = (owned(old.size), owned(new.size));
    }
    if let Some((a, b)) = changed(old.mode, new.mode) {
        let (a, b) = (permissions(a), permissions(b));
        push(log, &[b"Permissions changed from '", &a, b"' to '", &b, b"'\n"]);
        (before.mode, after.mode) = (owned(old.mode), owned(new.mode));
    }
    if let Some((a, b)) = changed(old.owner, new.owner) {
        push(log, &[b"Ownership was '", a, b"', now it is '", b, b"'\n"]);
        (before.owner, after.owner) = (owned(old.owner), owned(new.owner));
    }
    if let Some((a, b)) = changed(old.group, new.group) {
        push(log, &[b"Group ownership was '", a, b"', now it is '", b, b"'\n"]);
        (before.group, after.group) = (owned(old.group), owned(new.group));
    }
    if let Some((a, b)) = changed_hash(old.md5, new.md5) {
        push(log, &[b"Old md5sum was: '", a, b"'\nNew md5sum is : '", b, b"'\n"]);
        (before.md5, after.md5) = (owned(old.md5), owned(new.md5));
    }
    if let Some((a, b)) = changed_hash(old.sha1, new.sha1) {
        push(log, &[b"Old sha1sum was: '", a, b"'\nNew sha1sum is : '", b, b"'\n"]);
        (before.sha1, after.sha1) = (owned(old.sha1), owned(new.sha1));
    }
    if let Some((a, b)) = changed_hash(old.sha256, new.sha256) {
        push(log, &[b"Old sha256sum was: '", a, b"'\nNew sha256sum is : '", b, b"'\n"]);
        (before.sha256, after.sha256) = (owned(old.sha256), owned(new.sha256));
    }
}

fn write_difference(log: &mut Vec<u8>, difference: &[u8]) {
    let difference = difference.trim_ascii_end();
    if difference.is_empty() {
        return;
    }
    log.extend_from_slice(b"What changed:\n");
    let printable = |byte: &&u8| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\t');
    log.extend(difference.iter().filter(printable));
    log.push(b'\n');
}

fn changed<'a>(old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Option<(&'a [u8], &'a [u8])> {
    let (old, new) = (old?, new?);
    (old != new).then_some((old, new))
}

fn changed_hash<'a>(old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Option<(&'a [u8], &'a [u8])> {
    changed(old, new).filter(|&(old, new)| old != PLACEHOLDER && new != PLACEHOLDER)
}

/// `rw-r--r--` for a mode; the text itself if it is no number.
fn permissions(mode: &[u8]) -> Vec<u8> {
    // compat: scripts on hosts without an agent send three octal digits.
    let radix = if mode.len() == 3 { 8 } else { 10 };
    let number =
        std::str::from_utf8(mode).ok().and_then(|text| u32::from_str_radix(text, radix).ok());
    let Some(mode) = number else { return mode.to_vec() };
    let mut shown = Vec::with_capacity(9);
    for (shift, special, letter) in [(6, 0o4000, b's'), (3, 0o2000, b's'), (0, 0o1000, b't')] {
        let bits = mode >> shift;
        shown.push(if bits & 4 != 0 { b'r' } else { b'-' });
        shown.push(if bits & 2 != 0 { b'w' } else { b'-' });
        // compat: the letter does not tell whether the file may be executed as well.
        shown.push(match (mode & special != 0, bits & 1 != 0) {
            (true, _) => letter,
            (false, true) => b'x',
            (false, false) => b'-',
        });
    }
    shown
}

fn owned(part: Option<&[u8]>) -> Option<Vec<u8>> {
    part.map(<[u8]>::to_vec)
}

fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (mode, shown) in [
            ("33188", "rw-r--r--"),
            ("33261", "rwxr-xr-x"),
            ("35309", "rwsr-xr-x"),
            ("33279", "rwxrwxrwx"),
            ("17407", "rwxrwxrwt"),
            ("644", "rw-r--r--"),
            ("0", "---------"),
            ("x", "x"),
            ("99999999999", "99999999999"),
        ] {
            assert_eq!(permissions(mode.as_bytes()), shown.as_bytes(), "{mode}");
        }
    }
}
