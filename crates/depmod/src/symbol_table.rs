//! The exports of all modules in, who supplies a symbol out.

use hashbrown::HashMap;

use facts::{AllFacts, NameId};
use id_table::Id;

use crate::hash::table_order;
use crate::kernel_symbols::{KernelSymbol, without_prefix};

/// Who supplies each symbol: the last module that exports it, else the kernel.
pub(crate) struct SymbolTable<'t> {
    facts: &'t AllFacts,
    keys: Keys<'t>,
    /// By the place of a key.
    supplied: Vec<Option<Supplied>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Supplied {
    /// The place of a module in the order; `None` for the kernel.
    pub(crate) by: Option<usize>,
    pub(crate) crc: u64,
}

impl<'t> SymbolTable<'t> {
    pub(crate) fn new(kernel: &'t [KernelSymbol], facts: &'t AllFacts, prefix: Option<u8>) -> Self {
        let (keys, of_kernel) = Keys::new(kernel, facts, prefix);
        let mut supplied = vec![None; keys.len(facts)];
        let mut supply = |key: Option<usize>, by, crc| {
            if let Some(supplied) = key.and_then(|key| supplied.get_mut(key)) {
                *supplied = Some(Supplied { by, crc });
            }
        };
        for (key, (_, crc)) in of_kernel.into_iter().zip(kernel) {
            supply(Some(key), None, *crc);
        }
        for (module, said) in facts.iter().enumerate() {
            let crcs = said.export_crcs().iter().copied();
            for (id, crc) in said.exports().zip(crcs.chain(std::iter::repeat(0))) {
                supply(keys.of_export(id), Some(module), crc);
            }
        }
        Self {
            facts,
            keys,
            supplied,
        }
    }

    /// Who supplies a symbol that is imported by this name.
    pub(crate) fn supplier(&self, import: NameId) -> Option<Supplied> {
        *self.supplied.get(self.keys.of_import(import)?)?
    }

    /// The symbols of modules with the module of each, in the order of kmod's hash table.
    pub(crate) fn of_modules(&self) -> Vec<(&'t [u8], usize)> {
        let texts = self.keys.texts(self.facts);
        let mut all: Vec<_> = texts
            .into_iter()
            .zip(&self.supplied)
            .filter_map(|(name, supplied)| Some((name, supplied.as_ref()?.by?)))
            .map(|symbol| (table_order(symbol.0, 2048), symbol))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, symbol)| symbol).collect()
    }
}

/// By what a symbol is known, whoever spells it.
enum Keys<'t> {
    /// By its name.
    Names,
    /// By its name without a prefix, or a dot where it is imported.
    Spelled(Spelled<'t>),
}

/// Keys of names by their numbers, and what the keys are.
#[derive(Default)]
struct Spelled<'t> {
    exports: Vec<usize>,
    imports: Vec<usize>,
    texts: Vec<&'t [u8]>,
}

impl<'t> Keys<'t> {
    /// The keys of all names, and those of the kernel's symbols.
    fn new(
        kernel: &'t [KernelSymbol],
        facts: &'t AllFacts,
        prefix: Option<u8>,
    ) -> (Self, Vec<usize>) {
        let is_plain = |(_, name): (NameId, &[u8])| !name.starts_with(b".");
        if kernel.is_empty() && prefix.is_none() && facts.names().all(is_plain) {
            return (Self::Names, Vec::new());
        }
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        let mut spelled = Spelled::default();
        let mut key = |text: &'t [u8]| {
            *known.entry(text).or_insert_with(|| {
                spelled.texts.push(text);
                spelled.texts.len() - 1
            })
        };
        for (_, name) in facts.names() {
            spelled.exports.push(key(without_prefix(name, prefix)));
            // ppc64 puts a dot before functions.
            let import = name.strip_prefix(b".").unwrap_or(name);
            spelled.imports.push(key(without_prefix(import, prefix)));
        }
        let of_kernel = kernel.iter().map(|(name, _)| key(name)).collect();
        (Self::Spelled(spelled), of_kernel)
    }

    fn len(&self, facts: &AllFacts) -> usize {
        match self {
            Self::Names => facts.name_count(),
            Self::Spelled(spelled) => spelled.texts.len(),
        }
    }

    fn of_export(&self, id: NameId) -> Option<usize> {
        match self {
            Self::Names => Some(id.index()),
            Self::Spelled(spelled) => spelled.exports.get(id.index()).copied(),
        }
    }

    fn of_import(&self, id: NameId) -> Option<usize> {
        match self {
            Self::Names => Some(id.index()),
            Self::Spelled(spelled) => spelled.imports.get(id.index()).copied(),
        }
    }

    fn texts(&self, facts: &'t AllFacts) -> Vec<&'t [u8]> {
        match self {
            Self::Names => facts.names().map(|(_, name)| name).collect(),
            Self::Spelled(spelled) => spelled.texts.clone(),
        }
    }
}
