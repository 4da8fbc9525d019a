//! The body of a store: what modules say, used where it stands.
//!
//! ```text
//! facts: texts, numbers of names, names
//! names: how many; where each begins and ends
//! modules: how many; where aliases, soft and weak dependencies, exports and imports of each do
//! length of the facts
//! ```
//!
//! Facts of modules that are no more may be among them.

use std::ops::Range;

use super::cursor::Cursor;
use super::head::put_size;
use crate::all_facts::Places;
use crate::names::{Names, ids};
use id_table::Id;

/// What a store keeps of modules.
#[derive(Debug, Default)]
pub struct KeptFacts {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: Names,
    pub(crate) modules: Vec<Places>,
}

/// The place of a module in what a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept(pub(super) usize);

impl Kept {
    pub(crate) fn of(self, modules: &[Places]) -> Places {
        modules.get(self.0).cloned().unwrap_or_default()
    }
}

impl KeptFacts {
    /// Takes a body apart; `None` if what it says of itself cannot be.
    pub(super) fn parse(mut bytes: Vec<u8>) -> Option<Self> {
        let (rest, length) = bytes.split_last_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (facts, rest) = rest.split_at_checked(length)?;
        let mut cursor = Cursor { rest };
        let mut names = Names::with_capacity((rest.len() / 8).min(cursor.peek_size()?));
        for _ in 0..cursor.size()? {
            names.push(range(&mut cursor, facts)?);
        }
        let mut modules = Vec::with_capacity((rest.len() / 40).min(cursor.peek_size()?));
        for _ in 0..cursor.size()? {
            let places = places(&mut cursor, facts)?;
            let are_names = |symbols: &Range<usize>| {
                let mut ids = ids(facts.get(symbols.clone()).unwrap_or_default());
                ids.all(|id| id.index() < names.len())
            };
            if !are_names(&places.exports) || !are_names(&places.imports) {
                return None;
            }
            modules.push(places);
        }
        if !cursor.rest.is_empty() {
            return None;
        }
        bytes.truncate(length);
        Some(Self {
            bytes,
            names,
            modules,
        })
    }

    /// How many modules it has.
    pub(super) fn len(&self) -> usize {
        self.modules.len()
    }
}

fn places(cursor: &mut Cursor<'_>, facts: &[u8]) -> Option<Places> {
    let mut next = || range(cursor, facts);
    Some(Places {
        aliases: next()?,
        softdeps: next()?,
        weakdeps: next()?,
        exports: next()?,
        imports: next()?,
    })
}

/// A range that lies in the facts.
fn range(cursor: &mut Cursor<'_>, facts: &[u8]) -> Option<Range<usize>> {
    let range = cursor.size()?..cursor.size()?;
    (range.start <= range.end && range.end <= facts.len()).then_some(range)
}

/// What follows the facts in a body, with these modules alone; `None` where a number has no room.
pub(super) fn behind_facts<'p>(
    facts: &[u8],
    names: &Names,
    modules: impl ExactSizeIterator<Item = &'p Places>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(12 + 8 * names.len() + 40 * modules.len());
    put_size(names.len(), &mut out)?;
    for place in names.places() {
        put_range(place, &mut out)?;
    }
    put_size(modules.len(), &mut out)?;
    for places in modules {
        for place in places.all() {
            put_range(place, &mut out)?;
        }
    }
    put_size(facts.len(), &mut out)?;
    Some(out)
}

fn put_range(range: &Range<usize>, out: &mut Vec<u8>) -> Option<()> {
    put_size(range.start, out)?;
    put_size(range.end, out)
}
