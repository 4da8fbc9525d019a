//! The body of a store: what modules say, used where it stands.
//!
//! ```text
//! names of symbols: how many, where each ends, all of them
//! modules: how many; lengths of the three texts, numbers of exports and imports of each
//! texts and numbers of names, module by module
//! ```

use std::ops::Range;

use super::cursor::Cursor;
use super::head::put_size;
use crate::all_facts::{Places, Said};
use crate::names::{NameId, Names, ids};
use crate::table::Id;

/// What a store keeps of modules.
#[derive(Debug, Default)]
pub struct KeptFacts {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: Names,
    pub(crate) records: Vec<Places>,
}

/// The place of a module in what a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept(pub(super) usize);

impl Kept {
    pub(crate) fn of(self, records: &[Places]) -> Places {
        records.get(self.0).cloned().unwrap_or_default()
    }
}

impl KeptFacts {
    /// Takes a body apart; `None` if what it says of itself cannot be.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut cursor = Cursor { rest: &bytes };
        let place = |cursor: &Cursor<'_>| bytes.len() - cursor.rest.len();
        let count = cursor.size()?;
        let ends = cursor.take(count.checked_mul(4)?)?;
        let names = names(ends, place(&cursor))?;
        let (names, length) = names;
        cursor.take(length)?;
        let count = cursor.size()?;
        let (lengths, rest) = cursor.take(count.checked_mul(20)?)?.as_chunks::<20>();
        if !rest.is_empty() {
            return None;
        }
        let mut at = place(&cursor);
        let records = lengths
            .iter()
            .map(|lengths| places(lengths, &mut at))
            .collect::<Option<Vec<_>>>()?;
        let known = |symbols: &Range<usize>| {
            let mut symbols = ids(bytes.get(symbols.clone()).unwrap_or_default());
            symbols.all(|id| id.index() < names.len())
        };
        let is_sound = |places: &Places| known(&places.exports) && known(&places.imports);
        let is_whole = at == bytes.len() && records.iter().all(is_sound);
        is_whole.then_some(Self {
            names,
            records,
            bytes,
        })
    }

    /// How many modules it has.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}

/// The names that end at these places behind `start`, and the length of all of them.
fn names(ends: &[u8], start: usize) -> Option<(Names, usize)> {
    let (ends, _) = ends.as_chunks::<4>();
    let mut names = Names::with_capacity(ends.len());
    let mut from = 0;
    for end in ends {
        let end = usize::try_from(u32::from_le_bytes(*end)).ok()?;
        if end < from {
            return None;
        }
        names.push(start.checked_add(from)?..start.checked_add(end)?);
        from = end;
    }
    Some((names, from))
}

fn places(lengths: &[u8; 20], at: &mut usize) -> Option<Places> {
    let mut cursor = Cursor { rest: lengths };
    let mut next = |unit: usize| -> Option<Range<usize>> {
        let start = *at;
        *at = start.checked_add(cursor.size()?.checked_mul(unit)?)?;
        Some(start..*at)
    };
    Some(Places {
        aliases: next(1)?,
        softdeps: next(1)?,
        weakdeps: next(1)?,
        exports: next(4)?,
        imports: next(4)?,
    })
}

/// The bytes [`KeptFacts::parse`] takes, with the names of these modules alone; `None` where a count
/// or length has no room.
pub(super) fn body_of(modules: &[Said<'_>]) -> Option<Vec<u8>> {
    let mut names = Renumbered::default();
    let mut lengths = Vec::with_capacity(20 * modules.len());
    let mut facts = Vec::new();
    for said in modules {
        for text in said.texts() {
            put_size(text.len(), &mut lengths)?;
            facts.extend_from_slice(text);
        }
        put_size(names.put(*said, said.exports(), &mut facts)?, &mut lengths)?;
        put_size(names.put(*said, said.imports(), &mut facts)?, &mut lengths)?;
    }
    let mut out = Vec::new();
    put_size(names.count, &mut out)?;
    out.reserve_exact(names.ends.len() + names.text.len() + 4 + lengths.len() + facts.len());
    out.extend_from_slice(&names.ends);
    out.extend_from_slice(&names.text);
    put_size(modules.len(), &mut out)?;
    out.extend_from_slice(&lengths);
    out.extend_from_slice(&facts);
    Some(out)
}

/// Names in the order in which they are first met.
#[derive(Default)]
struct Renumbered {
    count: usize,
    ends: Vec<u8>,
    text: Vec<u8>,
    /// The new number of each old one.
    numbers: Vec<Option<NameId>>,
}

impl Renumbered {
    /// Writes the new numbers of names of a module; how many there were.
    fn put(
        &mut self,
        said: Said<'_>,
        symbols: impl Iterator<Item = NameId>,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        self.numbers.resize(said.all().name_count(), None);
        let mut count = 0;
        for id in symbols {
            out.extend(self.number(said, id)?.to_bytes()?);
            count += 1;
        }
        Some(count)
    }

    fn number(&mut self, said: Said<'_>, id: NameId) -> Option<NameId> {
        let number = self.numbers.get_mut(id.index())?;
        if number.is_none() {
            *number = Some(NameId::from_index(self.count));
            self.count += 1;
            self.text.extend_from_slice(said.all().name(id));
            put_size(self.text.len(), &mut self.ends)?;
        }
        *number
    }
}
