//! The exports of all modules in, who supplies a symbol out.

use std::collections::HashMap;

use modtree::Facts;

use crate::hash::table_order;
use crate::kernel_symbols::{KernelSymbol, without_prefix};

/// Who supplies each symbol: the last module that exports it, else the kernel.
pub(crate) struct SymbolTable<'t> {
    symbols: HashMap<&'t [u8], Supplied>,
    prefix: Option<u8>,
}

#[derive(Clone, Copy)]
pub(crate) struct Supplied {
    /// The place of a module in the order; `None` for the kernel.
    pub(crate) by: Option<usize>,
    pub(crate) crc: u64,
}

impl<'t> SymbolTable<'t> {
    pub(crate) fn new(
        kernel: &'t [KernelSymbol],
        modules: &'t [Facts],
        prefix: Option<u8>,
    ) -> Self {
        let mut symbols = HashMap::new();
        for (name, crc) in kernel {
            let supplied = Supplied {
                by: None,
                crc: *crc,
            };
            symbols.insert(&name[..], supplied);
        }
        for (module, facts) in modules.iter().enumerate() {
            let crcs = facts
                .details
                .export_crcs
                .iter()
                .copied()
                .chain(std::iter::repeat(0));
            for (name, crc) in facts.exports.iter().zip(crcs) {
                let supplied = Supplied {
                    by: Some(module),
                    crc,
                };
                symbols.insert(without_prefix(name, prefix), supplied);
            }
        }
        Self { symbols, prefix }
    }

    /// Who supplies a symbol that is imported by this name; ppc64 puts a dot before functions.
    pub(crate) fn supplier(&self, import: &[u8]) -> Option<Supplied> {
        let name = import.strip_prefix(b".").unwrap_or(import);
        self.symbols.get(without_prefix(name, self.prefix)).copied()
    }

    /// The symbols of modules with the module of each, in the order of kmod's hash table.
    pub(crate) fn of_modules(&self) -> Vec<(&'t [u8], usize)> {
        let mut all: Vec<_> = self
            .symbols
            .iter()
            .filter_map(|(&name, supplied)| Some((name, supplied.by?)))
            .map(|symbol| (table_order(symbol.0, 2048), symbol))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, symbol)| symbol).collect()
    }
}
