//! Names of symbols as numbers: a kernel's modules name some ten thousand of them again and again.

use std::ops::Range;

use id_table::Id;
use id_table::id;

id! {
    /// The name of a symbol, among those of all modules of a tree.
    NameId
}

impl NameId {
    /// As it is written into a store.
    pub(crate) fn to_bytes(self) -> Option<[u8; 4]> {
        u32::try_from(self.index()).ok().map(u32::to_le_bytes)
    }
}

/// Numbers of names as a store has them, one behind the other.
pub(crate) fn ids(bytes: &[u8]) -> impl Iterator<Item = NameId> {
    let ids = bytes.chunks_exact(4).filter_map(|id| id.first_chunk());
    ids.map(|&id| {
        let number = u32::from_le_bytes(id);
        NameId::from_index(usize::try_from(number).unwrap_or(usize::MAX))
    })
}

/// Where each name stands in a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<Range<usize>>);

impl Names {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn push(&mut self, place: Range<usize>) -> NameId {
        self.0.push(place);
        NameId::from_index(self.0.len() - 1)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All places, by number.
    pub(crate) fn places(&self) -> &[Range<usize>] {
        &self.0
    }

    /// A name of this text; empty if it has none of that number.
    pub(crate) fn get<'t>(&self, text: &'t [u8], id: NameId) -> &'t [u8] {
        let place = self.0.get(id.index()).cloned();
        place.and_then(|place| text.get(place)).unwrap_or_default()
    }

    /// All names of this text with their numbers.
    pub(crate) fn iter<'n, 't>(
        &'n self,
        text: &'t [u8],
    ) -> impl Iterator<Item = (NameId, &'t [u8])> + use<'n, 't> {
        (0..self.len()).map(move |index| {
            let id = NameId::from_index(index);
            (id, self.get(text, id))
        })
    }
}
