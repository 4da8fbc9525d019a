//! Tells who supplies a symbol.

use facts::{FactTable, SymbolNameId};
use hashbrown::HashMap;
use id_table::{Id, Table, id};
use kmodule::Crc;

use crate::hash::table_order;
use crate::kernel_symbols::{KernelSymbol, without_prefix};
use crate::module::ModuleNumber;

/// Who supplies each symbol: the last module that exports it, else the kernel.
pub(crate) struct SymbolTable<'t> {
    facts: &'t FactTable<ModuleNumber>,
    keys: Keys<'t>,
    supplied: Table<Key, Option<Supplied>>,
}

/// A symbol that somebody supplies.
#[derive(Clone, Copy)]
pub(crate) struct Supplied {
    pub(crate) by: Supplier,
    pub(crate) crc: Option<Crc>,
}

#[derive(Clone, Copy)]
pub(crate) enum Supplier {
    Kernel,
    Module(ModuleNumber),
}

id! {
    /// A symbol, however its name is spelled.
    Key
}

impl<'t> SymbolTable<'t> {
    pub(crate) fn new(
        kernel: &'t [KernelSymbol],
        facts: &'t FactTable<ModuleNumber>,
        prefix: Option<u8>,
    ) -> Self {
        let (keys, of_kernel) = Keys::new(kernel, facts, prefix);
        let mut supplied: Table<Key, _> = keys.texts(facts).map(|_| None).collect();
        let mut supply = |key: Key, by, crc| {
            if let Some(supplied) = supplied.lookup_mut(key) {
                *supplied = Some(Supplied { by, crc });
            }
        };
        for (key, symbol) in of_kernel.into_iter().zip(kernel) {
            supply(key, Supplier::Kernel, symbol.crc);
        }
        for (number, module) in facts.iter() {
            let crcs = module.export_crcs().iter().copied();
            for (name, crc) in module.exports().zip(crcs.chain(std::iter::repeat(None))) {
                if let Some(key) = keys.of_export(name) {
                    supply(key, Supplier::Module(number), crc);
                }
            }
        }
        Self {
            facts,
            keys,
            supplied,
        }
    }

    /// Who supplies a symbol that is imported by this name.
    pub(crate) fn supplied(&self, import: SymbolNameId) -> Option<Supplied> {
        *self.supplied.lookup(self.keys.of_import(import)?)?
    }

    /// The symbols of modules with the module of each, in the order of kmod's hash table.
    pub(crate) fn of_modules(&self) -> Vec<(&'t [u8], ModuleNumber)> {
        let texts = self.keys.texts(self.facts);
        let of_module =
            |(name, supplied): (&'t [u8], &Option<Supplied>)| match supplied.as_ref()?.by {
                Supplier::Module(module) => Some((name, module)),
                Supplier::Kernel => None,
            };
        let mut all: Vec<_> = texts
            .zip(self.supplied.values())
            .filter_map(of_module)
            .map(|symbol| (table_order(symbol.0, 2048), symbol))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, symbol)| symbol).collect()
    }
}

/// Which names are those of one symbol.
enum Keys<'t> {
    /// Each name is that of a symbol of its own, with the same number.
    Names,
    /// Symbols have names without a prefix, or without a dot where they are imported.
    Spelled(Spelled<'t>),
}

/// Symbols by the numbers of their names, and what they are called.
#[derive(Default)]
struct Spelled<'t> {
    exports: Table<SymbolNameId, Key>,
    imports: Table<SymbolNameId, Key>,
    texts: Table<Key, &'t [u8]>,
}

impl<'t> Keys<'t> {
    /// The keys of all names, and those of the kernel's symbols.
    fn new(
        kernel: &'t [KernelSymbol],
        facts: &'t FactTable<ModuleNumber>,
        prefix: Option<u8>,
    ) -> (Self, Vec<Key>) {
        let is_plain = |(_, name): (SymbolNameId, &[u8])| !name.starts_with(b".");
        if kernel.is_empty() && prefix.is_none() && facts.names().all(is_plain) {
            return (Self::Names, Vec::new());
        }
        let mut known: HashMap<&[u8], Key> = HashMap::new();
        let mut spelled = Spelled::default();
        let mut key = |text: &'t [u8]| {
            *known
                .entry(text)
                .or_insert_with(|| spelled.texts.push(text))
        };
        for (_, name) in facts.names() {
            spelled.exports.push(key(without_prefix(name, prefix)));
            // ppc64 puts a dot before functions.
            let import = name.strip_prefix(b".").unwrap_or(name);
            spelled.imports.push(key(without_prefix(import, prefix)));
        }
        let of_kernel = kernel.iter().map(|symbol| key(&symbol.name)).collect();
        (Self::Spelled(spelled), of_kernel)
    }

    fn of_export(&self, name: SymbolNameId) -> Option<Key> {
        match self {
            Self::Names => Some(Key::from_index(name.index())),
            Self::Spelled(spelled) => spelled.exports.lookup(name).copied(),
        }
    }

    fn of_import(&self, name: SymbolNameId) -> Option<Key> {
        match self {
            Self::Names => Some(Key::from_index(name.index())),
            Self::Spelled(spelled) => spelled.imports.lookup(name).copied(),
        }
    }

    /// What each symbol is called.
    fn texts(&self, facts: &'t FactTable<ModuleNumber>) -> Box<dyn Iterator<Item = &'t [u8]> + '_> {
        match self {
            Self::Names => Box::new(facts.names().map(|(_, name)| name)),
            Self::Spelled(spelled) => Box::new(spelled.texts.values().copied()),
        }
    }
}
