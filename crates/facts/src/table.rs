//! The facts of all modules of a tree, those of a store and those read in this run, together.
//!
//! Facts of a store are used where they were read to; only what was read from modules is added
//! behind them. Symbols are numbers, so finding out which module needs which compares no names.

use hashbrown::HashMap;
use std::borrow::Cow;
use std::ops::Range;

use id_table::{Id, Table};
use kmodule::Crc;

use crate::fresh::{FreshFacts, ImportDetail, SymbolDetails};
use crate::ranges::FactRanges;
use crate::store::body::{StoredFacts, StoredModule};
use crate::strings::{Strings, split};
use crate::symbol_names::{SymbolNameId, SymbolNames, ids};

/// The facts of one module, wherever they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredOrFresh<'s> {
    /// A store has them.
    Stored(StoredModule<'s>),
    /// They were read from the module's file.
    Fresh(FreshFacts),
}

/// The facts of all modules of a tree, by the ids they have there.
#[derive(Clone, Debug)]
pub struct FactTable<I> {
    bytes: Vec<u8>,
    names: SymbolNames,
    modules: Table<I, FactRanges>,
    /// `None` if no module has any.
    details: Option<Table<I, SymbolDetails>>,
}

impl<I: Id> FactTable<I> {
    /// The facts of these modules. `stored` is all that the store has; a module of another store is
    /// of another type.
    pub fn new<'s>(stored: StoredFacts<'s>, modules: Table<I, StoredOrFresh<'s>>) -> Self {
        let StoredFacts {
            mut bytes, names, ..
        } = stored;
        let mut added = Added::new(&bytes, names, modules.values());
        let ranges = modules
            .values()
            .map(|module| match module {
                StoredOrFresh::Stored(module) => module.ranges.clone(),
                StoredOrFresh::Fresh(facts) => added.add(facts),
            })
            .collect();
        let (names, new) = added.into_parts();
        bytes.extend_from_slice(&new);
        Self {
            bytes,
            names,
            modules: ranges,
            details: details(modules),
        }
    }

    /// The facts of a module.
    pub fn module(&self, id: I) -> ModuleFacts<'_> {
        ModuleFacts {
            bytes: &self.bytes,
            ranges: &self.modules[id],
            details: self.details.as_ref().map(|details| &details[id]),
        }
    }

    /// The facts of each module, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (I, ModuleFacts<'_>)> {
        self.modules.ids().map(|id| (id, self.module(id)))
    }

    /// The name of a symbol; empty for a number of another table.
    pub fn name(&self, id: SymbolNameId) -> &[u8] {
        self.names.get(&self.bytes, id)
    }

    /// All names of symbols with their numbers.
    pub fn names(&self) -> impl Iterator<Item = (SymbolNameId, &[u8])> {
        self.names.iter(&self.bytes)
    }

    /// How many names of symbols there are.
    pub fn name_count(&self) -> usize {
        self.names.0.len()
    }

    /// The facts, the names in them, and where those of each module are.
    pub(crate) fn parts(&self) -> (&[u8], &SymbolNames, &Table<I, FactRanges>) {
        (&self.bytes, &self.names, &self.modules)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// This table, or a new one if too much of it is about modules that are gone.
    pub(crate) fn tidied(&self) -> Cow<'_, Self> {
        let ranges = self.modules.values().flat_map(FactRanges::all);
        let used: usize = ranges.chain(self.names.0.values()).map(Range::len).sum();
        // To number all names anew costs more than to write some facts that nobody needs.
        if used >= self.bytes.len() / 3 * 2 {
            return Cow::Borrowed(self);
        }
        Cow::Owned(self.without_gaps())
    }

    /// The same facts, and no others.
    fn without_gaps(&self) -> Self {
        let mut bytes = Vec::new();
        let mut names = SymbolNames::default();
        let mut new_ids: Table<SymbolNameId, Option<SymbolNameId>> = self.names.0.map(|_| None);
        let modules = self.modules.map(|(_, ranges)| {
            let mut text = |range: &Range<usize>| {
                append(
                    &mut bytes,
                    self.bytes.get(range.clone()).unwrap_or_default(),
                )
            };
            let [aliases, softdeps, weakdeps] =
                [&ranges.aliases, &ranges.softdeps, &ranges.weakdeps].map(&mut text);
            let mut symbols = |range: &Range<usize>| {
                let old = ids(self.bytes.get(range.clone()).unwrap_or_default());
                let new: Vec<_> = old
                    .filter_map(|id| {
                        let new = new_ids
                            .lookup_mut(id)?
                            .get_or_insert_with(|| names.0.push(append(&mut bytes, self.name(id))));
                        new.to_bytes()
                    })
                    .collect();
                append(&mut bytes, new.as_flattened())
            };
            let [exports, imports] = [&ranges.exports, &ranges.imports].map(&mut symbols);
            FactRanges {
                aliases,
                softdeps,
                weakdeps,
                exports,
                imports,
            }
        });
        Self {
            bytes,
            names,
            modules,
            details: None,
        }
    }
}

fn append(bytes: &mut Vec<u8>, text: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(text);
    start..bytes.len()
}

/// The details of all modules, if a module has any.
fn details<I: Id>(modules: Table<I, StoredOrFresh<'_>>) -> Option<Table<I, SymbolDetails>> {
    let details = modules.into_values().map(|module| match module {
        StoredOrFresh::Stored(_) => SymbolDetails::default(),
        StoredOrFresh::Fresh(facts) => facts.details,
    });
    let details: Table<I, _> = details.collect();
    let has_any = details.values().any(|of| *of != SymbolDetails::default());
    has_any.then_some(details)
}

/// What comes behind the facts of a store.
struct Added<'f> {
    start: usize,
    bytes: Vec<u8>,
    names: SymbolNames,
    /// The names of all symbols in facts that are to be added, with their numbers where they have one.
    ids: HashMap<&'f [u8], Option<SymbolNameId>>,
}

impl<'f> Added<'f> {
    fn new<'s: 'f>(
        stored: &[u8],
        names: SymbolNames,
        modules: impl Iterator<Item = &'f StoredOrFresh<'s>>,
    ) -> Self {
        let ids = match names.0.is_empty() {
            true => HashMap::new(),
            false => ids_of_fresh(&names, stored, modules),
        };
        Self {
            start: stored.len(),
            bytes: Vec::new(),
            names,
            ids,
        }
    }

    fn into_parts(self) -> (SymbolNames, Vec<u8>) {
        (self.names, self.bytes)
    }

    fn add(&mut self, facts: &'f FreshFacts) -> FactRanges {
        FactRanges {
            aliases: self.text(facts.aliases.as_bytes()),
            softdeps: self.text(facts.softdeps.as_bytes()),
            weakdeps: self.text(facts.weakdeps.as_bytes()),
            exports: self.symbols(&facts.exports),
            imports: self.symbols(&facts.imports),
        }
    }

    fn text(&mut self, text: &[u8]) -> Range<usize> {
        let range = append(&mut self.bytes, text);
        self.start + range.start..self.start + range.end
    }

    fn symbols(&mut self, symbols: &'f Strings) -> Range<usize> {
        let ids: Vec<SymbolNameId> = symbols.iter().map(|name| self.id(name)).collect();
        let ids: Vec<[u8; 4]> = ids.into_iter().filter_map(SymbolNameId::to_bytes).collect();
        self.text(ids.as_flattened())
    }

    fn id(&mut self, name: &'f [u8]) -> SymbolNameId {
        if let Some(Some(id)) = self.ids.get(name) {
            return *id;
        }
        let range = self.text(name);
        let id = self.names.0.push(range);
        self.ids.insert(name, Some(id));
        id
    }
}

/// The names in facts that were read from files, with their numbers in the store.
///
/// Few modules are read where a store has many, so the names of the store are looked up among them
/// and not the other way round.
fn ids_of_fresh<'f, 's: 'f>(
    names: &SymbolNames,
    stored: &[u8],
    modules: impl Iterator<Item = &'f StoredOrFresh<'s>>,
) -> HashMap<&'f [u8], Option<SymbolNameId>> {
    let mut ids = HashMap::new();
    for module in modules {
        if let StoredOrFresh::Fresh(facts) = module {
            let symbols = facts.exports.iter().chain(facts.imports.iter());
            ids.extend(symbols.map(|name| (name, None)));
        }
    }
    if !ids.is_empty() {
        for (id, name) in names.iter(stored) {
            if let Some(known) = ids.get_mut(name) {
                *known = Some(id);
            }
        }
    }
    ids
}

/// The facts of one module of a [`FactTable`], each kind in the order of the file.
#[derive(Clone, Copy, Debug)]
pub struct ModuleFacts<'f> {
    bytes: &'f [u8],
    ranges: &'f FactRanges,
    details: Option<&'f SymbolDetails>,
}

impl<'f> ModuleFacts<'f> {
    /// Values of `alias=`.
    pub fn aliases(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.text(&self.ranges.aliases))
    }

    /// The length of all its aliases, with one byte more for each.
    pub fn alias_bytes(self) -> usize {
        self.ranges.aliases.len()
    }

    /// Values of `softdep=`.
    pub fn softdeps(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.text(&self.ranges.softdeps))
    }

    /// Values of `weakdep=`.
    pub fn weakdeps(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.text(&self.ranges.weakdeps))
    }

    /// Symbols that kmod takes for exported.
    pub fn exports(self) -> impl Iterator<Item = SymbolNameId> + use<'f> {
        ids(self.text(&self.ranges.exports))
    }

    /// Symbols that it needs.
    pub fn imports(self) -> impl Iterator<Item = SymbolNameId> + use<'f> {
        ids(self.text(&self.ranges.imports))
    }

    /// The CRC of each export, if details were read.
    pub fn export_crcs(self) -> &'f [Option<Crc>] {
        self.details.map_or(&[], |details| &details.export_crcs)
    }

    /// What it expects of each import, if details were read.
    pub fn import_details(self) -> &'f [ImportDetail] {
        self.details.map_or(&[], |details| &details.imports)
    }

    fn text(self, range: &Range<usize>) -> &'f [u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}
