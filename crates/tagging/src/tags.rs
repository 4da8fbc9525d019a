//! Holds the tags of one file by dependency type.

use std::collections::BTreeMap;

use deptag::TagBuffer;
use policy::TagKind;

/// The tags of one file, of every dependency type.
#[derive(Clone, Debug, Default)]
pub struct FileTags(BTreeMap<TagKind, TagBuffer>);

impl FileTags {
    /// Removes all tags and keeps the memory.
    pub fn clear(&mut self) {
        self.0.values_mut().for_each(TagBuffer::clear);
    }

    /// Whether there are no tags of any type.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.values().all(TagBuffer::is_empty)
    }

    /// The tags of one type.
    pub fn of(&mut self, kind: TagKind) -> &mut TagBuffer {
        self.0.entry(kind).or_default()
    }
}
