//! Numbers the names of symbols: the modules of a kernel name some ten thousand again and again.

use std::ops::Range;

use id_table::{Id, Table, id};

id! {
    /// The name of a symbol that some module of a [`FactTable`](crate::FactTable) exports or imports.
    SymbolNameId
}

impl SymbolNameId {
    /// As it is written into a store.
    pub(crate) fn to_bytes(self) -> Option<[u8; 4]> {
        u32::try_from(self.index()).ok().map(u32::to_le_bytes)
    }
}

/// The numbers of names that stand one behind the other in a store.
pub(crate) fn ids(bytes: &[u8]) -> impl Iterator<Item = SymbolNameId> {
    let ids = bytes.chunks_exact(4).filter_map(|id| id.first_chunk());
    ids.map(|&id| {
        let number = u32::from_le_bytes(id);
        SymbolNameId::from_index(usize::try_from(number).unwrap_or(usize::MAX))
    })
}

/// Where each name stands among the bytes of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct SymbolNames(pub(crate) Table<SymbolNameId, Range<usize>>);

impl SymbolNames {
    /// A name; empty if there is none of that number.
    pub(crate) fn get<'b>(&self, bytes: &'b [u8], id: SymbolNameId) -> &'b [u8] {
        let range = self.0.lookup(id).cloned();
        range.and_then(|range| bytes.get(range)).unwrap_or_default()
    }

    /// All names with their numbers.
    pub(crate) fn iter<'n, 'b>(
        &'n self,
        bytes: &'b [u8],
    ) -> impl Iterator<Item = (SymbolNameId, &'b [u8])> + use<'n, 'b> {
        let name = move |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        self.0.iter().map(move |(id, range)| (id, name(range)))
    }
}
