//! A set of tags: sorted and unique, so that the same facts print the same
//! bytes.

use std::collections::BTreeSet;

/// libsolv ignores a namespace dependency of this length or more.
pub(crate) const LIMIT: usize = 1024;

/// The tags of one file and one dependency type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSet(BTreeSet<String>);

impl TagSet {
    /// Adds one tag, name and comparison as rpm would read them in a spec.
    pub(crate) fn insert(&mut self, tag: String) {
        if tag.len() >= LIMIT {
            log::warn!("libsolv ignores tags of {LIMIT} bytes or more: {tag}");
        }
        self.0.insert(tag);
    }

    /// All tags of both sets.
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The tags in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for TagSet {
    fn from_iter<I: IntoIterator<Item = String>>(tags: I) -> Self {
        let mut set = Self::default();
        tags.into_iter().for_each(|tag| set.insert(tag));
        set
    }
}
