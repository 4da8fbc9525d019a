//! Tags in any order in, sorted and unique ones out, so that the same facts print the same bytes.
//!
//! A kernel has 200,000 tags. They are written one behind the other into one string, whose memory
//! serves the next file too.

use std::ops::Range;

use crate::common::common;

/// libsolv ignores a namespace dependency of this length or more.
pub(crate) const LIMIT: usize = 1024;

/// Gathers the tags of one file and one dependency type.
#[derive(Clone, Debug, Default)]
pub struct TagBuffer {
    text: Vec<u8>,
    places: Vec<Place>,
}

/// Where a tag stands, and eight of its bytes as a number that compares as they do.
#[derive(Clone, Debug)]
struct Place {
    key: u64,
    at: Range<usize>,
}

impl TagBuffer {
    /// Forgets all tags and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a tag as rpm would read it in a spec: what `write` appends to the text.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        let at = start..self.text.len();
        self.places.push(Place { key: 0, at });
    }

    /// All tags so far, sorted, each once.
    pub fn tags(&mut self) -> TagSet<'_> {
        let Self { text, places } = self;
        sort(text, places, 0);
        places.dedup_by(|a, b| a.tag(text) == b.tag(text));
        let tags = TagSet { text, places };
        if places.iter().any(|place| place.at.len() >= LIMIT) {
            tags.warn();
        }
        tags
    }
}

/// How many bytes are compared at once.
const KEY: usize = size_of::<u64>();

/// Sorts tags that are equal before `from`.
///
/// Nearly all begin alike, with the name of a namespace, and comparing them byte by byte took a
/// tenth of all time. So what they have in common is passed over, the next bytes are compared as
/// numbers, and only those equal in them are looked at further.
fn sort(text: &[u8], places: &mut [Place], from: usize) {
    let Some((first, others)) = places.split_first() else {
        return;
    };
    let first = first.behind(text, from);
    let same = others.iter().fold(first.len(), |same, other| {
        common(first.get(..same).unwrap_or(first), other.behind(text, from))
    });
    let from = from + same;
    for place in &mut *places {
        place.key = key(place.behind(text, from));
    }
    places.sort_unstable_by_key(|place| place.key);
    for alike in places.chunk_by_mut(|a, b| a.key == b.key) {
        match alike.iter().any(|place| place.at.len() > from + KEY) {
            true if alike.len() > 1 => sort(text, alike, from + KEY),
            // Of those that end here one is the beginning of the other.
            _ => alike.sort_unstable_by_key(|place| place.at.len()),
        }
    }
}

/// The first bytes as a number, zeros behind the last.
fn key(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<KEY>() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |key, &byte| {
            key >> 8 | u64::from(byte) << (u64::BITS - 8)
        }),
    }
}

impl Place {
    fn behind<'t>(&self, text: &'t [u8], from: usize) -> &'t [u8] {
        self.tag(text).get(from..).unwrap_or_default()
    }

    fn tag<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.at.clone()).unwrap_or_default()
    }
}

/// The tags of one file and one dependency type: sorted and unique.
#[derive(Clone, Copy, Debug)]
pub struct TagSet<'b> {
    text: &'b [u8],
    places: &'b [Place],
}

impl<'b> TagSet<'b> {
    /// The tags in order.
    pub fn iter(self) -> impl Iterator<Item = &'b [u8]> {
        let Self { text, places } = self;
        places.iter().map(|place| place.tag(text))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.places.len()
    }

    fn warn(self) {
        for tag in self.iter().filter(|tag| tag.len() >= LIMIT) {
            let tag = String::from_utf8_lossy(tag);
            log::warn!("libsolv ignores tags of {LIMIT} bytes or more: {tag}");
        }
    }

    /// Appends each as a line.
    pub fn write_lines(self, text: &mut Vec<u8>) {
        let bytes = self.places.iter().map(|place| place.at.len() + 1);
        text.reserve(bytes.sum());
        for tag in self.iter() {
            text.extend_from_slice(tag);
            text.push(b'\n');
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.places.is_empty()
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
