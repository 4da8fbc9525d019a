//! A module that was found in a tree, and what a store knows of its file.

use facts::{FileStamp, StoreHead, StoredId};
use id_table::id;

use crate::module_path::ModulePath;

id! {
    /// The place of a module in the order of the indexes. In binary indexes it is its priority.
    ModuleNumber
}

/// A module file that was found.
pub(crate) struct FoundModule<'s> {
    pub(crate) path: ModulePath,
    pub(crate) in_store: InStore<'s>,
    /// What the file system said of the file before it is read; `None` if it is gone.
    pub(crate) stamp: Option<FileStamp>,
}

/// Whether a store has the facts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InStore<'s> {
    /// It has none.
    No,
    /// It has those of the file as it was.
    MayHaveChanged(StoredId<'s>),
    /// It has them, and the file has not changed since.
    Unchanged(StoredId<'s>),
}

impl<'s> InStore<'s> {
    /// The module in the store, whether the file has changed since or not.
    pub(crate) fn id(self) -> Option<StoredId<'s>> {
        match self {
            Self::No => None,
            Self::MayHaveChanged(id) | Self::Unchanged(id) => Some(id),
        }
    }
}

impl<'s> FoundModule<'s> {
    /// The module in the store whose facts still hold, as the file has the stamp it had.
    pub(crate) fn known(&self, head: &StoreHead<'s>) -> Option<StoredId<'s>> {
        let id = self.in_store.id()?;
        (self.stamp.is_some() && head.stamp(id) == self.stamp).then_some(id)
    }
}
