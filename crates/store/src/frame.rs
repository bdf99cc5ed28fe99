//! The frame: a payload with its number and a hash that chains it to the frame before.
//!
//! ```text
//! length u32 │ check u32 │ number u64 │ hash 32 bytes │ payload
//! ```
//!
//! All numbers are little-endian. The hash is BLAKE3 of the former frame's hash, length, number and
//! payload: whoever knows the hash of one frame can tell whether any byte before it was changed. The
//! check is the start of a hash of the header itself, so that a changed length is not taken for a
//! frame that is not there yet.

use std::fmt;

/// Bytes of the payload of one frame.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes before the payload.
pub(crate) const HEADER_BYTES: usize = 48;

/// The hash of a frame and of all before it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first frame of a log follows.
    pub(crate) const START: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// At most [`FRAME_BYTES_MAX`].
    pub(crate) length: u32,
    pub(crate) number: u64,
    pub(crate) hash: Hash,
}

impl Header {
    /// The header of `payload`, which has at most [`FRAME_BYTES_MAX`], behind a frame with the hash
    /// `previous`.
    pub(crate) fn new(previous: &Hash, number: u64, payload: &[u8]) -> Self {
        let length = payload.len() as u32;
        Self { length, number, hash: chained(previous, length, number, payload) }
    }

    pub(crate) fn encode(&self, previous: &Hash) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let parts: [&[u8]; 4] = [
            &self.length.to_le_bytes(),
            &self.check(previous).to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.hash.0,
        ];
        for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    /// `None` if this is not the header of frame `number` behind a frame with the hash `previous`.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES], previous: &Hash, number: u64) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (check, rest) = rest.split_first_chunk()?;
        let (found, rest) = rest.split_first_chunk()?;
        let (hash, _) = rest.split_first_chunk()?;
        let header = Self {
            length: u32::from_le_bytes(*length),
            number: u64::from_le_bytes(*found),
            hash: Hash(*hash),
        };
        let fits = header.number == number
            && header.length as usize <= FRAME_BYTES_MAX
            && header.check(previous) == u32::from_le_bytes(*check);
        fits.then_some(header)
    }

    /// Whether `payload` is the one that this header was made for.
    pub(crate) fn fits(&self, previous: &Hash, payload: &[u8]) -> bool {
        self.hash == chained(previous, self.length, self.number, payload)
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.length)
    }

    fn check(&self, previous: &Hash) -> u32 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&previous.0);
        hasher.update(&self.length.to_le_bytes());
        hasher.update(&self.number.to_le_bytes());
        hasher.update(&self.hash.0);
        match hasher.finalize().as_bytes() {
            [a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]),
        }
    }
}

fn chained(previous: &Hash, length: u32, number: u64, payload: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&previous.0);
    hasher.update(&length.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(payload);
    Hash(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_fits_its_place_alone() {
        let previous = Hash([7; 32]);
        let header = Header::new(&previous, 42, b"payload");
        let bytes = header.encode(&previous);
        assert_eq!(Header::decode(&bytes, &previous, 42), Some(header));
        assert!(header.fits(&previous, b"payload"));
        assert_eq!(Header::decode(&bytes, &previous, 43), None);
        assert_eq!(Header::decode(&bytes, &Hash::START, 42), None);
        assert!(!header.fits(&previous, b"Payload"));
        assert!(!header.fits(&Hash::START, b"payload"));
        for index in 0..HEADER_BYTES * 8 {
            let mut changed = bytes;
            changed[index / 8] ^= 1 << (index % 8);
            assert_eq!(Header::decode(&changed, &previous, 42), None, "bit {index}");
        }
    }
}
