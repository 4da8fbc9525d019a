//! How numbers and texts are written into a store, and read again.

/// The first bytes of a store.
pub(crate) const MAGIC: [u8; 8] = *b"kmpfacts";
/// Raised whenever the head, the body or the facts in it get another meaning.
pub(crate) const VERSION: u32 = 5;
/// Bytes before the head: magic, version, length and checksum of the head, length and checksum of
/// the body.
pub(crate) const START: usize = 28;

/// The checksum of a head, and of what is said of the body beside it.
pub(crate) fn head_checksum(body_length: usize, body_checksum: u32, head: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(body_length as u64).to_le_bytes());
    hasher.update(&body_checksum.to_le_bytes());
    hasher.update(head);
    hasher.finalize()
}

/// Bytes that are left to read.
pub(crate) struct Cursor<'b> {
    pub(crate) rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn word(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*bytes))
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    /// A length or a count.
    pub(crate) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.word()?).ok()
    }

    /// A count of things that have so many bytes at least. More than there are bytes for is damage,
    /// and gets no memory.
    pub(crate) fn count(&mut self, least: usize) -> Option<usize> {
        let count = self.size()?;
        (count <= self.rest.len() / least).then_some(count)
    }

    pub(crate) fn text(&mut self) -> Option<&'b [u8]> {
        let length = self.size()?;
        self.take(length)
    }
}

pub(crate) fn put_numbers<const N: usize>(numbers: [u64; N], out: &mut Vec<u8>) {
    for number in numbers {
        out.extend(number.to_le_bytes());
    }
}

/// Writes a length or a count; `None` if it has no room.
pub(crate) fn put_size(size: usize, out: &mut Vec<u8>) -> Option<()> {
    out.extend(u32::try_from(size).ok()?.to_le_bytes());
    Some(())
}

/// Writes a text with its length; `None` if that has no room.
pub(crate) fn put_text(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    put_size(text.len(), out)?;
    out.extend_from_slice(text);
    Some(())
}
