//! The number of a module in a store, which is of no use with another store.

use std::marker::PhantomData;

/// A lifetime that one store has and no other: it neither shrinks nor grows to fit another.
pub(crate) type Brand<'s> = PhantomData<fn(&'s ()) -> &'s ()>;

/// A module of the store with this lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredId<'s> {
    index: usize,
    brand: Brand<'s>,
}

impl<'s> StoredId<'s> {
    pub(crate) fn new(index: usize, brand: Brand<'s>) -> Self {
        Self { index, brand }
    }

    pub(crate) fn index(self) -> usize {
        self.index
    }
}
