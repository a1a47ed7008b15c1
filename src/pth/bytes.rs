//! A cursor over a file's bytes that says where it ran out of them.

use super::fault::Fault;

/// Reads from `at` to the end of `data`; `at` counts from the start of the file.
#[derive(Clone)]
pub(super) struct Bytes<'a> {
    data: &'a [u8],
    pub at: usize,
    /// What is being read, for errors.
    what: &'static str,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(data: &'a [u8], at: usize, what: &'static str) -> Self {
        Self { data, at, what }
    }

    /// Takes the next `count` bytes.
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Fault> {
        let left = self.data.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(count).ok().and_then(|count| left.get(..count));
        let taken = taken.ok_or(Fault::Truncated { what: self.what, at: self.at, needed: count, left: left.len() })?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Takes a line without its end.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Fault> {
        let left = self.data.get(self.at..).unwrap_or_default();
        let end = left.iter().position(|&byte| byte == b'\n');
        let needed = left.len() as u64 + 1;
        let end = end.ok_or(Fault::Truncated { what: self.what, at: self.at, needed, left: left.len() })?;
        self.at += end + 1;
        Ok(&left[..end])
    }
}
