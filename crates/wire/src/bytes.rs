//! Reads numbers and byte strings off the front of a slice.

/// The bytes end before the value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes end too early")]
pub struct Ended;

/// What is left to read.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Ended> {
        let (bytes, left) = self.left.split_at_checked(count).ok_or(Ended)?;
        self.left = left;
        Ok(bytes)
    }

    /// A byte string with its length (4 bytes) before it.
    pub fn string(&mut self) -> Result<&'a [u8], Ended> {
        let count = self.u32()? as usize;
        self.bytes(count)
    }

    pub fn u8(&mut self) -> Result<u8, Ended> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, Ended> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Ended> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Ended> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn rest(self) -> &'a [u8] {
        self.left
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Ended> {
        let (array, left) = self.left.split_first_chunk::<N>().ok_or(Ended)?;
        self.left = left;
        Ok(*array)
    }
}

/// Appends a byte string with its length before it, as [`Cursor::string`] reads it.
pub fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}
