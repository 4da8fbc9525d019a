//! A set of tags: sorted and unique, so that the same facts print the same
//! bytes.

/// libsolv ignores a namespace dependency of this length or more.
pub(crate) const LIMIT: usize = 1024;

/// The tags of one file and one dependency type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSet(Vec<String>);

impl TagSet {
    /// All tags of both sets.
    pub fn merge(self, other: Self) -> Self {
        self.0.into_iter().chain(other.0).collect()
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
    /// Takes tags as rpm would read them in a spec.
    fn from_iter<I: IntoIterator<Item = String>>(tags: I) -> Self {
        let mut tags: Vec<String> = tags.into_iter().collect();
        tags.sort_unstable();
        tags.dedup();
        for tag in tags.iter().filter(|tag| tag.len() >= LIMIT) {
            log::warn!("libsolv ignores tags of {LIMIT} bytes or more: {tag}");
        }
        Self(tags)
    }
}
