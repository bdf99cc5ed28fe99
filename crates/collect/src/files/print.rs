//! Stretches of files, recognised by their hash.

/// A stretch of a file: where it lies, how long it is, and the hash of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) start: u64,
    pub(crate) length: u16,
    pub(crate) hash: u64,
}

/// Bytes of the first line that tell a file from others.
pub(crate) const HEAD_BYTES_MAX: usize = 1024;
/// Bytes before a position by which it is recognised.
pub(crate) const TAIL_BYTES_MAX: usize = 64;

impl Print {
    /// Of at most `u16::MAX` bytes.
    pub(crate) fn of(start: u64, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let bytes = bytes.get(..usize::from(length)).unwrap_or(bytes);
        Self { start, length, hash: Fnv::default().with(bytes).0 }
    }

    /// Of the first line of what a file starts with, if that is complete or as long as it counts.
    pub(crate) fn of_head(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes);
        match memchr::memchr(b'\n', head) {
            Some(end) => Some(Self::of(0, head.get(..=end)?)),
            None => (head.len() == HEAD_BYTES_MAX).then(|| Self::of(0, head)),
        }
    }

    /// Of the last bytes of `bytes`, which end at the offset `end`. `None` of nothing.
    pub(crate) fn of_tail(end: u64, bytes: &[u8]) -> Option<Self> {
        let tail = bytes.get(bytes.len().saturating_sub(TAIL_BYTES_MAX)..).unwrap_or(bytes);
        (!tail.is_empty()).then(|| Self::of(end.saturating_sub(tail.len() as u64), tail))
    }

    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(u64::from(self.length))
    }

    /// Whether `bytes`, which stand at its place, begin with the bytes it was made of.
    pub(crate) fn fits(&self, bytes: &[u8]) -> bool {
        bytes
            .get(..usize::from(self.length))
            .is_some_and(|bytes| Fnv::default().with(bytes).0 == self.hash)
    }
}

/// FNV-1a with 64 bits. What it gives is kept in files and must never change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    /// The hash with its bits mixed, so that near inputs lie far apart.
    pub(crate) fn mixed(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!(Fnv::default().with(b"").0, 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::default().with(b"a").0, 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fnv::default().with(b"foobar").0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn heads() {
        let long = [b'a'; HEAD_BYTES_MAX + 1];
        for (bytes, length) in [
            (&b""[..], None),
            (b"ab", None),
            (b"ab\n", Some(3)),
            (b"ab\ncd\n", Some(3)),
            (b"\n", Some(1)),
            (&long[..HEAD_BYTES_MAX - 1], None),
            (&long[..HEAD_BYTES_MAX], Some(HEAD_BYTES_MAX)),
            (&long, Some(HEAD_BYTES_MAX)),
        ] {
            let head = Print::of_head(bytes);
            assert_eq!(head.map(|head| usize::from(head.length)), length);
            assert!(head.is_none_or(|head| head.fits(bytes)));
        }
    }

    #[test]
    fn tails() {
        assert_eq!(Print::of_tail(9, b""), None);
        let tail = Print::of_tail(9, b"abc").unwrap();
        assert_eq!((tail.start, tail.length, tail.end()), (6, 3, 9));
        assert!(tail.fits(b"abcd") && !tail.fits(b"ab") && !tail.fits(b"abd"));
        assert_eq!(Print::of_tail(100, &[1; 90]).unwrap().start, 36);
    }
}
