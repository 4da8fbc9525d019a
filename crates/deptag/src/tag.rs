//! Gathers tags and sorts them, each once, so that the same facts give the same bytes.
//!
//! A kernel has 200,000 tags. So the tags of a file stand one after another in one buffer, whose
//! memory is used again for the next file.

use std::ops::Range;

use crate::common::common_prefix;

/// libsolv ignores a namespace dependency of this many bytes or more.
pub(crate) const LIBSOLV_LIMIT: usize = 1024;

/// The tags of one file and one dependency type, in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct TagBuffer {
    text: Vec<u8>,
    ranges: Vec<TagRange>,
}

/// Where a tag stands in the buffer.
#[derive(Clone, Debug)]
struct TagRange {
    /// Eight of its bytes as a number, which compares as the bytes do.
    key: u64,
    at: Range<usize>,
}

impl TagBuffer {
    /// Removes all tags and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
    }

    /// Whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds a tag: what `write` appends to the buffer. It is written as in a spec.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        let at = start..self.text.len();
        self.ranges.push(TagRange { key: 0, at });
    }

    /// Adds a tag that is there as text.
    pub fn add_text(&mut self, tag: &str) {
        self.add(|text| text.extend_from_slice(tag.as_bytes()));
    }

    /// All tags, sorted, each once.
    pub fn tags(&mut self) -> TagSet<'_> {
        let Self { text, ranges } = self;
        sort(text, ranges, 0);
        ranges.dedup_by(|a, b| a.tag(text) == b.tag(text));
        let tags = TagSet { text, ranges };
        if ranges.iter().any(|range| range.at.len() >= LIBSOLV_LIMIT) {
            tags.warn();
        }
        tags
    }
}

/// How many bytes of a tag are compared at once.
const KEY_LENGTH: usize = size_of::<u64>();

/// Sorts tags whose first `from` bytes are equal.
///
/// Nearly all tags begin with the same name of a namespace, and comparing them byte by byte took a
/// tenth of all time. So the common prefix is skipped, the next eight bytes are compared as one
/// number, and only tags with equal numbers are compared further.
fn sort(text: &[u8], ranges: &mut [TagRange], from: usize) {
    let Some((first, others)) = ranges.split_first() else {
        return;
    };
    let first = first.after(text, from);
    let same = others.iter().fold(first.len(), |same, other| {
        common_prefix(first.get(..same).unwrap_or(first), other.after(text, from))
    });
    let from = from + same;
    for range in &mut *ranges {
        range.key = key(range.after(text, from));
    }
    ranges.sort_unstable_by_key(|range| range.key);
    for alike in ranges.chunk_by_mut(|a, b| a.key == b.key) {
        match alike.iter().any(|range| range.at.len() > from + KEY_LENGTH) {
            true if alike.len() > 1 => sort(text, alike, from + KEY_LENGTH),
            // Tags that end here are prefixes of each other: the shorter one sorts first.
            _ => alike.sort_unstable_by_key(|range| range.at.len()),
        }
    }
}

/// The first eight bytes as a number, with zeros if there are fewer.
fn key(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<KEY_LENGTH>() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |key, &byte| {
            key >> 8 | u64::from(byte) << (u64::BITS - 8)
        }),
    }
}

impl TagRange {
    fn after<'t>(&self, text: &'t [u8], from: usize) -> &'t [u8] {
        self.tag(text).get(from..).unwrap_or_default()
    }

    fn tag<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.at.clone()).unwrap_or_default()
    }
}

/// The tags of one file and one dependency type, sorted, each once.
#[derive(Clone, Copy, Debug)]
pub struct TagSet<'b> {
    text: &'b [u8],
    ranges: &'b [TagRange],
}

impl<'b> TagSet<'b> {
    /// The tags in order.
    pub fn iter(self) -> impl Iterator<Item = &'b [u8]> {
        let Self { text, ranges } = self;
        ranges.iter().map(|range| range.tag(text))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.ranges.len()
    }

    fn warn(self) {
        for tag in self.iter().filter(|tag| tag.len() >= LIBSOLV_LIMIT) {
            let tag = String::from_utf8_lossy(tag);
            log::warn!("libsolv ignores this tag, which has {LIBSOLV_LIMIT} bytes or more: {tag}");
        }
    }

    /// Appends each tag as a line.
    pub fn write_lines(self, text: &mut Vec<u8>) {
        let bytes = self.ranges.iter().map(|range| range.at.len() + 1);
        text.reserve(bytes.sum());
        for tag in self.iter() {
            text.extend_from_slice(tag);
            text.push(b'\n');
        }
    }

    /// Whether there are no tags.
    pub fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_and_unique_and_memory_is_used_again() {
        let mut buffer = TagBuffer::default();
        for tag in ["b", "a", "b = 1", "a"] {
            buffer.add(|text| text.extend_from_slice(tag.as_bytes()));
        }
        let lines = |buffer: &mut TagBuffer| {
            let mut lines = Vec::new();
            buffer.tags().write_lines(&mut lines);
            String::from_utf8(lines).unwrap()
        };
        assert_eq!(lines(&mut buffer), "a\nb\nb = 1\n");
        assert_eq!(buffer.tags().len(), 3);
        buffer.add(|text| text.extend_from_slice(b"aa"));
        assert_eq!(lines(&mut buffer), "a\naa\nb\nb = 1\n");
        buffer.clear();
        assert!(buffer.tags().is_empty());
    }

    #[test]
    fn the_order_is_that_of_the_bytes() {
        let words: [&[u8]; 15] = [
            b"kmod(usbcore.ko)",
            b"",
            b"a\0",
            b"a",
            b"a\0\0\0\0\0\0\0\0\0b",
            b"a\0\0\0\0\0\0\0\0\0",
            b"ksym(a:usb_register) = 1",
            b"ksym(a:usb_register_driver) = 9f",
            b"ksym(a:usb_register_driver) = 9",
            b"ksym(a:usb_registeR) = 1",
            b"ksym(a:",
            b"ksym(a:\xff) = 1",
            b"ksym(a:~) = 1",
            b"ksym(a:u",
            b"ksym(a:usb_register_driver) = 9",
        ];
        for count in 0..=words.len() {
            let mut wanted = words[..count].to_vec();
            let mut buffer = TagBuffer::default();
            for word in &wanted {
                buffer.add(|text| text.extend_from_slice(word));
            }
            wanted.sort_unstable();
            wanted.dedup();
            assert!(buffer.tags().iter().eq(wanted));
        }
    }
}
