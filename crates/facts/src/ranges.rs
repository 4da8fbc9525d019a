//! Where the facts of one module stand among the bytes of a store.

use std::ops::Range;

/// A range for each kind of fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FactRanges {
    pub(crate) aliases: Range<usize>,
    pub(crate) softdeps: Range<usize>,
    pub(crate) weakdeps: Range<usize>,
    pub(crate) exports: Range<usize>,
    pub(crate) imports: Range<usize>,
}

impl FactRanges {
    pub(crate) fn all(&self) -> [&Range<usize>; 5] {
        let Self {
            aliases,
            softdeps,
            weakdeps,
            exports,
            imports,
        } = self;
        [aliases, softdeps, weakdeps, exports, imports]
    }
}
