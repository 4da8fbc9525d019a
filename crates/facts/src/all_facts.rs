//! Facts of many modules, kept by a store or read a moment ago, in one piece of memory out.
//!
//! What a store has is used where it was read to; only what was read anew is added behind it.
//! Symbols are numbers, so that finding out who needs whom compares no names.

use hashbrown::HashMap;
use std::borrow::Cow;
use std::ops::Range;

use crate::facts::{Details, Facts, ImportDetail};
use crate::names::{NameId, Names, ids};
use crate::store::{Kept, KeptFacts};
use crate::strings::{Strings, split};

/// Where the facts of one module are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) aliases: Range<usize>,
    pub(crate) softdeps: Range<usize>,
    pub(crate) weakdeps: Range<usize>,
    pub(crate) exports: Range<usize>,
    pub(crate) imports: Range<usize>,
}

impl Places {
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

/// What is known of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What a store has of it.
    Kept(Kept),
    /// What was read from its file.
    Read(Facts),
}

/// The facts of all modules of a tree, by their places in it.
#[derive(Clone, Debug, Default)]
pub struct AllFacts {
    bytes: Vec<u8>,
    names: Names,
    modules: Vec<Places>,
    /// One for each module, or none at all where no module has any.
    details: Vec<Details>,
}

impl AllFacts {
    /// The facts of these modules; what is kept is that of the same store.
    pub fn new(kept: KeptFacts, sources: Vec<Source>) -> Self {
        let KeptFacts {
            mut bytes,
            names,
            modules: kept,
        } = kept;
        let mut added = Added::new(&bytes, names, &sources);
        let modules = sources
            .iter()
            .map(|source| match source {
                Source::Kept(module) => module.of(&kept),
                Source::Read(facts) => added.add(facts),
            })
            .collect();
        let (names, new) = added.into_parts();
        bytes.extend_from_slice(&new);
        Self {
            bytes,
            names,
            modules,
            details: details(sources),
        }
    }

    /// How many modules there are.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// What each module says, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Said<'_>> {
        let said = |(at, places)| Said {
            all: self,
            places,
            at,
        };
        self.modules.iter().enumerate().map(said)
    }

    /// The name of a symbol; empty for a number of other facts.
    pub fn name(&self, id: NameId) -> &[u8] {
        self.names.get(&self.bytes, id)
    }

    /// All names with their numbers, which are their places here.
    pub fn names(&self) -> impl Iterator<Item = (NameId, &[u8])> {
        self.names.iter(&self.bytes)
    }

    /// What is kept of the facts of some modules: the facts, names, and where those of the modules are.
    pub(crate) fn parts(&self) -> (&[u8], &Names, &[Places]) {
        (&self.bytes, &self.names, &self.modules)
    }

    /// These facts, if not too much of them is about modules that are no more; else new ones.
    pub(crate) fn tidied(&self) -> Cow<'_, Self> {
        let lengths = self.modules.iter().flat_map(Places::all);
        let lengths = lengths.chain(self.names.places());
        let used: usize = lengths.map(Range::len).sum();
        // It pays to write some in vain rather than to number all names anew each time.
        if used >= self.bytes.len() / 3 * 2 {
            return Cow::Borrowed(self);
        }
        let facts = self.iter().map(|said| Source::Read(said.to_facts()));
        Cow::Owned(Self::new(KeptFacts::default(), facts.collect()))
    }

    /// How many names there are.
    pub fn name_count(&self) -> usize {
        self.names.len()
    }
}

/// Details of all modules, if one has any.
fn details(sources: Vec<Source>) -> Vec<Details> {
    let details = sources.into_iter().map(|source| match source {
        Source::Kept(_) => Details::default(),
        Source::Read(facts) => facts.details,
    });
    let details: Vec<_> = details.collect();
    match details.iter().any(|of| *of != Details::default()) {
        true => details,
        false => Vec::new(),
    }
}

/// What comes behind the facts of a store.
struct Added<'f> {
    start: usize,
    bytes: Vec<u8>,
    names: Names,
    /// The numbers names have; names without one are those of the modules to be added.
    ids: HashMap<&'f [u8], Option<NameId>>,
}

impl<'f> Added<'f> {
    fn new(kept: &[u8], names: Names, sources: &'f [Source]) -> Self {
        let ids = match names.len() {
            0 => HashMap::new(),
            _ => numbers(&names, kept, sources),
        };
        Self {
            start: kept.len(),
            bytes: Vec::new(),
            names,
            ids,
        }
    }

    fn into_parts(self) -> (Names, Vec<u8>) {
        (self.names, self.bytes)
    }

    fn add(&mut self, facts: &'f Facts) -> Places {
        Places {
            aliases: self.text(facts.aliases.as_bytes()),
            softdeps: self.text(facts.softdeps.as_bytes()),
            weakdeps: self.text(facts.weakdeps.as_bytes()),
            exports: self.symbols(&facts.exports),
            imports: self.symbols(&facts.imports),
        }
    }

    fn text(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.start + self.bytes.len();
        self.bytes.extend_from_slice(text);
        start..start + text.len()
    }

    fn symbols(&mut self, symbols: &'f Strings) -> Range<usize> {
        let ids: Vec<NameId> = symbols.iter().map(|name| self.id(name)).collect();
        let ids: Vec<[u8; 4]> = ids.into_iter().filter_map(NameId::to_bytes).collect();
        self.text(ids.as_flattened())
    }

    fn id(&mut self, name: &'f [u8]) -> NameId {
        if let Some(Some(id)) = self.ids.get(name) {
            return *id;
        }
        let place = self.text(name);
        let id = self.names.push(place);
        self.ids.insert(name, Some(id));
        id
    }
}

/// The names of what was read, with their numbers among those that are kept.
///
/// Few modules are read where many are kept, so it is the kept names that are looked up.
fn numbers<'f>(
    names: &Names,
    kept: &[u8],
    sources: &'f [Source],
) -> HashMap<&'f [u8], Option<NameId>> {
    let mut numbers = HashMap::new();
    for source in sources {
        if let Source::Read(facts) = source {
            let symbols = facts.exports.iter().chain(facts.imports.iter());
            numbers.extend(symbols.map(|name| (name, None)));
        }
    }
    if !numbers.is_empty() {
        for (id, name) in names.iter(kept) {
            if let Some(number) = numbers.get_mut(name) {
                *number = Some(id);
            }
        }
    }
    numbers
}

/// What one module says, in the order it says it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'f> {
    all: &'f AllFacts,
    places: &'f Places,
    at: usize,
}

impl<'f> Said<'f> {
    /// Values of `alias=`.
    pub fn aliases(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.bytes(&self.places.aliases))
    }

    /// How long they are together, each with a byte behind it.
    pub fn alias_bytes(self) -> usize {
        self.places.aliases.len()
    }

    /// Values of `softdep=`.
    pub fn softdeps(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.bytes(&self.places.softdeps))
    }

    /// Values of `weakdep=`.
    pub fn weakdeps(self) -> impl Iterator<Item = &'f [u8]> {
        split(self.bytes(&self.places.weakdeps))
    }

    /// What kmod takes for exported symbols.
    pub fn exports(self) -> impl Iterator<Item = NameId> + use<'f> {
        ids(self.bytes(&self.places.exports))
    }

    /// Symbols it needs.
    pub fn imports(self) -> impl Iterator<Item = NameId> + use<'f> {
        ids(self.bytes(&self.places.imports))
    }

    /// The CRC of each export, where details were read.
    pub fn export_crcs(self) -> &'f [u64] {
        let details = self.all.details.get(self.at);
        details.map_or(&[], |details| &details.export_crcs)
    }

    /// What it expects of each import, where details were read.
    pub fn import_details(self) -> &'f [ImportDetail] {
        let details = self.all.details.get(self.at);
        details.map_or(&[], |details| &details.imports)
    }

    /// The facts all of them are among.
    #[cfg(test)]
    pub(crate) fn all(self) -> &'f AllFacts {
        self.all
    }

    /// The same, as if it had been read.
    fn to_facts(self) -> Facts {
        let strings = |strings: &mut dyn Iterator<Item = &'f [u8]>| strings.collect();
        let name = |id| self.all.name(id);
        Facts {
            aliases: strings(&mut self.aliases()),
            softdeps: strings(&mut self.softdeps()),
            weakdeps: strings(&mut self.weakdeps()),
            exports: strings(&mut self.exports().map(name)),
            imports: strings(&mut self.imports().map(name)),
            details: Details::default(),
        }
    }

    fn bytes(self, place: &Range<usize>) -> &'f [u8] {
        self.all.bytes.get(place.clone()).unwrap_or_default()
    }
}
