//! A vector that is indexed by ids of one kind only.
//!
//! ```compile_fail
//! id_table::id! { ModuleId }
//! id_table::id! { PackageId }
//!
//! fn name(names: &id_table::Table<ModuleId, String>, package: PackageId) -> &str {
//!     &names[package]
//! }
//! ```

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// The place of something in a [`Table`].
pub trait Id: Copy {
    /// The id of the `index`th entry.
    fn from_index(index: usize) -> Self;
    /// Which entry it is.
    fn index(self) -> usize;
}

/// Entries by their ids.
///
/// An id is made by the table it belongs to, or by one of the same length, so looking one up does
/// not fail. [`Table::lookup`] is for ids that come from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<I, T> {
    entries: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> Table<I, T> {
    /// An empty table with room for so many entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
            id: PhantomData,
        }
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.entries.len()).map(I::from_index)
    }

    /// All entries with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.ids().zip(&self.entries)
    }

    /// All entries, in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.entries.iter()
    }

    /// All entries themselves, in order.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator {
        self.entries.into_iter()
    }

    /// An entry, if there is one with this id. It is not called `get`, as then clippy would take
    /// indexing with an id of the table itself for something that may panic.
    pub fn lookup(&self, id: I) -> Option<&T> {
        self.entries.get(id.index())
    }

    /// As [`Table::lookup`], to change it.
    pub fn lookup_mut(&mut self, id: I) -> Option<&mut T> {
        self.entries.get_mut(id.index())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A table with an entry for each of this one's.
    pub fn map<U>(&self, make: impl FnMut((I, &T)) -> U) -> Table<I, U> {
        self.iter().map(make).collect()
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: T) -> I {
        self.entries.push(entry);
        I::from_index(self.entries.len() - 1)
    }
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            id: PhantomData,
        }
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(entries: Vec<T>) -> Self {
        Self {
            entries,
            id: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for Table<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(entries: A) -> Self {
        Self::from(Vec::from_iter(entries))
    }
}

#[allow(clippy::indexing_slicing, reason = "ids come from the table")]
impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.entries[id.index()]
    }
}

#[allow(clippy::indexing_slicing, reason = "ids come from the table")]
impl<I: Id, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.entries[id.index()]
    }
}

/// Defines an id type: a number that is the place in a [`Table`].
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $crate::Id for $name {
            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            fn index(self) -> usize {
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }
        }
    };
}
