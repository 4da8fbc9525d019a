//! Keys made one by one in, all of them in one allocation out, for indexes that borrow them.

use std::ops::Range;

/// Bytes of many strings.
#[derive(Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Texts {
    /// Room for so many strings of so many bytes.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ranges: Vec::with_capacity(count),
        }
    }

    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ranges.push(start..self.bytes.len());
    }

    /// Adds what `write` puts behind the other strings; nothing where it gives up.
    pub(super) fn push_with(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        match written {
            Some(()) => self.ranges.push(start..self.bytes.len()),
            None => self.bytes.truncate(start),
        }
        written
    }

    /// All of them, one behind the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let text = |range: &Range<usize>| self.bytes.get(range.clone());
        self.ranges
            .iter()
            .map(move |range| text(range).unwrap_or_default())
    }
}
