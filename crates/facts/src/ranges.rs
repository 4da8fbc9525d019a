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
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 5;

    pub(crate) fn all(&self) -> [&Range<usize>; Self::KINDS] {
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
