//! Finds out which modules each module needs.
//!
//! Everything a module needs, directly or not, is listed in one order of all modules in which
//! users come before what they use (kmod/tools/depmod.c, `depmod_calculate_dependencies`).

use std::path::Path;

use facts::{FactTable, ImportDetail};
use id_table::Table;

use crate::cycles::cycles;
use crate::error::Error;
use crate::module::ModuleNumber;
use crate::module_path::ModulePath;
use crate::settings::{KernelSymbolsFile, Settings};
use crate::symbol_table::{Supplied, Supplier, SymbolTable};

/// The modules that each module needs itself.
pub(crate) type DirectNeeds = Table<ModuleNumber, Vec<ModuleNumber>>;

/// Which modules need which.
pub(crate) struct Dependencies {
    direct: DirectNeeds,
    /// The place of each module in the order of users before used.
    rank: Table<ModuleNumber, usize>,
}

/// That one module needs another, with the first symbol by which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency<'n> {
    /// The module that needs the other.
    pub user: &'n Path,
    /// The symbol.
    pub symbol: &'n [u8],
    /// The module that exports it.
    pub supplier: &'n Path,
}

/// Finds what each module needs itself, in the order of the symbols by which it does, and tells
/// `each` of it.
pub(crate) fn direct_needs(
    modules: &Table<ModuleNumber, ModulePath>,
    facts: &FactTable<ModuleNumber>,
    symbols: &SymbolTable<'_>,
    settings: &Settings,
    each: &mut dyn FnMut(Dependency<'_>),
) -> DirectNeeds {
    let report = SymbolReport::new(settings);
    // The last module that was seen to need each.
    let mut needed_by: Table<ModuleNumber, Option<ModuleNumber>> = modules.map(|_| None);
    modules.map(|(user, path)| {
        let module = facts.module(user);
        let mut needed = Vec::new();
        let mut details = module.import_details().iter();
        for symbol in module.imports() {
            let supplied = symbols.supplied(symbol);
            if let (Some(report), Some(detail)) = (&report, details.next()) {
                report.check(path, facts.name(symbol), detail, supplied);
            }
            let Some(Supplied {
                by: Supplier::Module(supplier),
                ..
            }) = supplied
            else {
                continue;
            };
            if needed_by[supplier].replace(user) != Some(user) {
                needed.push(supplier);
                each(Dependency {
                    user: path.path(),
                    symbol: facts.name(symbol),
                    supplier: modules[supplier].path(),
                });
            }
        }
        needed
    })
}

/// Warnings about symbols, if they were asked for.
struct SymbolReport {
    compares_crcs: bool,
}

impl SymbolReport {
    fn new(settings: &Settings) -> Option<Self> {
        settings.needs_symbol_details().then_some(Self {
            compares_crcs: matches!(settings.kernel_symbols, KernelSymbolsFile::Symvers(_)),
        })
    }

    fn check(
        &self,
        module: &ModulePath,
        symbol: &[u8],
        detail: &ImportDetail,
        supplied: Option<Supplied>,
    ) {
        let path = module.path().display();
        let symbol = String::from_utf8_lossy(symbol);
        match supplied {
            _ if detail.weak => {}
            None => log::warn!("{path} needs unknown symbol {symbol}"),
            Some(supplied) if self.compares_crcs && supplied.crc != detail.crc => {
                log::warn!("{path} disagrees about version of symbol {symbol}");
            }
            Some(_) => {}
        }
    }
}

impl Dependencies {
    /// Ranks the modules. `directory` is for messages.
    ///
    /// # Errors
    /// Modules need each other.
    pub(crate) fn new(
        modules: &Table<ModuleNumber, ModulePath>,
        direct: DirectNeeds,
        directory: &Path,
    ) -> Result<Self, Error> {
        let mut users = direct.map(|_| 0_usize);
        for &needed in direct.values().flatten() {
            users[needed] += 1;
        }
        let is_unused = |module: &ModuleNumber| users[*module] == 0;
        let mut ready: Vec<ModuleNumber> = direct.ids().filter(is_unused).collect();
        let mut rank = direct.map(|_| usize::MAX);
        let mut ranked = 0;
        while let Some(module) = ready.pop() {
            rank[module] = ranked;
            ranked += 1;
            for &needed in &direct[module] {
                users[needed] -= 1;
                if users[needed] == 0 {
                    ready.push(needed);
                }
            }
        }
        if ranked < direct.len() {
            return Err(Error::Cycles(cycles(modules, &direct, &users, directory)));
        }
        Ok(Self { direct, rank })
    }

    /// Finds everything modules need, directly or not.
    pub(crate) fn closures(&self) -> Closures<'_> {
        Closures {
            dependencies: self,
            seen_by: self.direct.map(|_| None),
            open: Vec::new(),
            all: Vec::new(),
        }
    }
}

/// Memory for finding everything a module needs.
pub(crate) struct Closures<'d> {
    dependencies: &'d Dependencies,
    /// The last module that was seen to need each.
    seen_by: Table<ModuleNumber, Option<ModuleNumber>>,
    open: Vec<ModuleNumber>,
    all: Vec<ModuleNumber>,
}

impl Closures<'_> {
    /// Everything one module needs, in the order of ranks.
    pub(crate) fn of(&mut self, module: ModuleNumber) -> &[ModuleNumber] {
        let Dependencies { direct, rank } = self.dependencies;
        self.all.clear();
        self.open.extend_from_slice(&direct[module]);
        while let Some(needed) = self.open.pop() {
            if self.seen_by[needed].replace(module) == Some(module) {
                continue;
            }
            self.all.push(needed);
            self.open.extend_from_slice(&direct[needed]);
        }
        self.all.sort_unstable_by_key(|&needed| rank[needed]);
        &self.all
    }
}
