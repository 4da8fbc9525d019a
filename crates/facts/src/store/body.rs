//! The body of a store: the facts of modules, used where they stand.
//!
//! ```text
//! facts: texts, numbers of names, names
//! names: how many; where each begins and ends
//! modules: how many; where aliases, soft and weak dependencies, exports and imports of each do
//! length of the facts
//! ```
//!
//! Facts of modules that are gone may be among them.

use std::ops::Range;

use id_table::{Id, Table};

use super::format::{Cursor, put_size};
use super::id::{Brand, StoredId};
use crate::ranges::FactRanges;
use crate::symbol_names::{SymbolNames, ids};

/// Bytes of a range: where it begins and where it ends.
const RANGE: usize = 8;

/// All facts of a store.
#[derive(Debug)]
pub struct StoredFacts<'s> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: SymbolNames,
    modules: Vec<FactRanges>,
    brand: Brand<'s>,
}

/// A module of a store whose facts are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModule<'s> {
    pub(crate) ranges: FactRanges,
    brand: Brand<'s>,
}

impl StoredFacts<'static> {
    /// The facts of no store.
    pub fn none() -> Self {
        Self::empty()
    }
}

impl<'s> StoredFacts<'s> {
    pub(crate) fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            names: SymbolNames::default(),
            modules: Vec::new(),
            brand: Brand::default(),
        }
    }

    /// Takes a body apart; `None` if it is damaged.
    pub(crate) fn parse(mut bytes: Vec<u8>) -> Option<Self> {
        let (rest, length) = bytes.split_last_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (facts, rest) = rest.split_at_checked(length)?;
        let mut ranges = Ranges {
            cursor: Cursor { rest },
            facts,
            left: facts.len(),
        };
        let names = ranges.names()?;
        let modules = ranges.modules(names.0.len())?;
        if !ranges.cursor.rest.is_empty() {
            return None;
        }
        bytes.truncate(length);
        Some(Self {
            bytes,
            names,
            modules,
            brand: Brand::default(),
        })
    }

    /// The facts of a module; `None` if the store's body is damaged.
    pub fn module(&self, id: StoredId<'s>) -> Option<StoredModule<'s>> {
        Some(StoredModule {
            ranges: self.modules.get(id.index())?.clone(),
            brand: self.brand,
        })
    }

    /// How many modules there are.
    pub(crate) fn len(&self) -> usize {
        self.modules.len()
    }
}

/// What follows the facts in a body.
struct Ranges<'b> {
    cursor: Cursor<'b>,
    facts: &'b [u8],
    /// How many bytes the ranges to come can have. No two ranges of a sound store overlap; if they
    /// could, a small file would stand for many facts.
    left: usize,
}

impl Ranges<'_> {
    fn names(&mut self) -> Option<SymbolNames> {
        let count = self.cursor.count(RANGE)?;
        let mut names = Table::with_capacity(count);
        for _ in 0..count {
            names.push(self.range()?);
        }
        Some(SymbolNames(names))
    }

    fn modules(&mut self, names: usize) -> Option<Vec<FactRanges>> {
        let count = self.cursor.count(FactRanges::KINDS * RANGE)?;
        let mut modules = Vec::with_capacity(count);
        for _ in 0..count {
            modules.push(FactRanges {
                aliases: self.range()?,
                softdeps: self.range()?,
                weakdeps: self.range()?,
                exports: self.symbols(names)?,
                imports: self.symbols(names)?,
            });
        }
        Some(modules)
    }

    /// A range that lies in the facts.
    fn range(&mut self) -> Option<Range<usize>> {
        let range = self.cursor.size()?..self.cursor.size()?;
        self.left = self.left.checked_sub(range.len())?;
        (range.start <= range.end && range.end <= self.facts.len()).then_some(range)
    }

    /// A range with numbers of names.
    fn symbols(&mut self, names: usize) -> Option<Range<usize>> {
        let range = self.range()?;
        let mut ids = ids(self.facts.get(range.clone())?);
        ids.all(|id| id.index() < names).then_some(range)
    }
}

/// What follows the facts in a body, with these modules; `None` if a number has no room.
pub(crate) fn behind_facts<'r>(
    facts: &[u8],
    names: &SymbolNames,
    modules: impl ExactSizeIterator<Item = &'r FactRanges>,
) -> Option<Vec<u8>> {
    let mut out =
        Vec::with_capacity(12 + RANGE * (names.0.len() + FactRanges::KINDS * modules.len()));
    put_size(names.0.len(), &mut out)?;
    for range in names.0.values() {
        put_range(range, &mut out)?;
    }
    put_size(modules.len(), &mut out)?;
    for ranges in modules {
        for range in ranges.all() {
            put_range(range, &mut out)?;
        }
    }
    put_size(facts.len(), &mut out)?;
    Some(out)
}

fn put_range(range: &Range<usize>, out: &mut Vec<u8>) -> Option<()> {
    put_size(range.start, out)?;
    put_size(range.end, out)
}
