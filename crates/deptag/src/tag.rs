//! Tags in any order in, sorted and unique ones out, so that the same facts print the same bytes.
//!
//! A kernel has 200,000 tags. They are written one behind the other into one string, whose memory
//! serves the next file too.

use std::ops::Range;

/// libsolv ignores a namespace dependency of this length or more.
pub(crate) const LIMIT: usize = 1024;

/// Gathers the tags of one file and one dependency type.
#[derive(Clone, Debug, Default)]
pub struct TagBuffer {
    text: String,
    places: Vec<Range<usize>>,
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

    /// Adds a tag as rpm would read it in a spec: what `write` appends to the string.
    pub fn add(&mut self, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        self.places.push(start..self.text.len());
    }

    /// All tags so far, sorted, each once.
    pub fn tags(&mut self) -> TagSet<'_> {
        let Self { text, places } = self;
        // As bytes, which need no look for the boundaries of characters.
        let tag = |place: &Range<usize>| text.as_bytes().get(place.clone());
        places.sort_unstable_by(|a, b| tag(a).cmp(&tag(b)));
        places.dedup_by(|a, b| tag(a) == tag(b));
        let tags = TagSet { text, places };
        if places.iter().any(|place| place.len() >= LIMIT) {
            tags.warn();
        }
        tags
    }
}

/// The tags of one file and one dependency type: sorted and unique.
#[derive(Clone, Copy, Debug)]
pub struct TagSet<'b> {
    text: &'b str,
    places: &'b [Range<usize>],
}

impl<'b> TagSet<'b> {
    /// The tags in order.
    pub fn iter(self) -> impl Iterator<Item = &'b str> {
        let Self { text, places } = self;
        places.iter().filter_map(|place| text.get(place.clone()))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.places.len()
    }

    fn warn(self) {
        for tag in self.iter().filter(|tag| tag.len() >= LIMIT) {
            log::warn!("libsolv ignores tags of {LIMIT} bytes or more: {tag}");
        }
    }

    /// Appends each as a line.
    pub fn write_lines(self, text: &mut String) {
        let bytes = self.places.iter().map(|place| place.len() + 1);
        text.reserve(bytes.sum());
        for tag in self.iter() {
            text.push_str(tag);
            text.push('\n');
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
            buffer.add(|text| text.push_str(tag));
        }
        let tags = buffer.tags();
        assert_eq!(tags.iter().collect::<Vec<_>>(), ["a", "b", "b = 1"]);
        assert_eq!(tags.len(), 3);
        buffer.add(|text| text.push_str("aa"));
        let tags: Vec<_> = buffer.tags().iter().collect();
        assert_eq!(tags, ["a", "aa", "b", "b = 1"]);
        buffer.clear();
        assert!(buffer.tags().is_empty());
    }
}
