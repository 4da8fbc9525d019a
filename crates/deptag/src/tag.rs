//! Gathers tags and sorts them, each once, so that the same facts give the same bytes.
//!
//! A kernel has 200,000 tags. So the tags of a file stand one after another in one buffer, whose
//! memory is used again for the next file.

use std::cmp::Ordering;
use std::ops::Range;

use byte_sort::{Keyed, sort_by_bytes};

/// libsolv ignores a namespace dependency of this many bytes or more.
pub(crate) const LIBSOLV_LIMIT: usize = 1024;

/// The tags of one file and one dependency type, in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct TagBuffer {
    text: Vec<u8>,
    /// Where each tag stands.
    ranges: Vec<Keyed<Range<usize>>>,
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
        self.ranges.push(Keyed::from(start..self.text.len()));
    }

    /// Adds a tag that is there as text.
    pub fn add_text(&mut self, tag: &str) {
        self.add(|text| text.extend_from_slice(tag.as_bytes()));
    }

    /// All tags, sorted, each once.
    pub fn tags(&mut self) -> TagSet<'_> {
        let Self { text, ranges } = self;
        let tag = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        sort_by_bytes(ranges, tag, |_, _| Ordering::Equal);
        ranges.dedup_by(|a, b| tag(&a.item) == tag(&b.item));
        let tags = TagSet { text, ranges };
        if ranges.iter().any(|range| range.item.len() >= LIBSOLV_LIMIT) {
            tags.warn();
        }
        tags
    }
}

/// The tags of one file and one dependency type, sorted, each once.
#[derive(Clone, Copy, Debug)]
pub struct TagSet<'b> {
    text: &'b [u8],
    ranges: &'b [Keyed<Range<usize>>],
}

impl<'b> TagSet<'b> {
    /// The tags in order.
    pub fn iter(self) -> impl Iterator<Item = &'b [u8]> {
        let Self { text, ranges } = self;
        let tag = |range: &Keyed<Range<usize>>| text.get(range.item.clone());
        ranges
            .iter()
            .map(move |range| tag(range).unwrap_or_default())
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
        let bytes = self.ranges.iter().map(|range| range.item.len() + 1);
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
