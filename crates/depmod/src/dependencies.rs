//! Imports and who supplies them in, which modules each module needs out.
//!
//! Everything a module needs, directly or not, is listed in one order of all modules in which
//! users come before what they use (kmod/tools/depmod.c, `depmod_calculate_dependencies`).

use std::path::Path;

use facts::{AllFacts, ImportDetail, Said};

use crate::cycles::cycles;
use crate::error::Error;
use crate::module_file::ModuleFile;
use crate::settings::Settings;
use crate::symbol_table::{Supplied, SymbolTable};

/// Which modules need which.
pub(crate) struct Dependencies {
    /// What each module needs itself.
    direct: Vec<Vec<usize>>,
    /// The place of each module in the order of users before used.
    rank: Vec<usize>,
}

/// One module needs another, and the first symbol that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need<'n> {
    /// The module that needs.
    pub user: &'n Path,
    /// The symbol.
    pub symbol: &'n [u8],
    /// The module that exports it.
    pub supplier: &'n Path,
}

/// What each module needs itself, in the order of the symbols that say so.
pub(crate) fn direct(
    files: &[ModuleFile],
    facts: &AllFacts,
    symbols: &SymbolTable<'_>,
    settings: &Settings,
    told: &mut dyn FnMut(Need<'_>),
) -> Vec<Vec<usize>> {
    let report = Report::new(settings);
    // The last module that was seen to need each.
    let mut needed_by = vec![usize::MAX; files.len()];
    let of_module = |(user, (file, said)): (usize, (&ModuleFile, Said<'_>))| {
        let mut needed = Vec::new();
        let mut details = said.import_details().iter();
        for symbol in said.imports() {
            let supplied = symbols.supplier(symbol);
            if let (Some(report), Some(detail)) = (&report, details.next()) {
                report.check(file, facts.name(symbol), detail, supplied);
            }
            let supplier = supplied.and_then(|supplied| supplied.by);
            let Some(supplier) = supplier else {
                continue;
            };
            let last = needed_by.get_mut(supplier);
            let last = last.map(|last| std::mem::replace(last, user));
            if last.is_some_and(|last| last != user) {
                needed.push(supplier);
                told(Need {
                    user: file.path(),
                    symbol: facts.name(symbol),
                    supplier: files.get(supplier).map_or(Path::new(""), ModuleFile::path),
                });
            }
        }
        needed
    };
    let modules = files.iter().zip(facts.iter());
    modules.enumerate().map(of_module).collect()
}

/// Warnings about symbols, where they were asked for.
struct Report {
    crcs: bool,
}

impl Report {
    fn new(settings: &Settings) -> Option<Self> {
        use crate::settings::KernelSymbols::{Symvers, Unknown};
        let known = settings.kernel_symbols != Unknown;
        (settings.report_unknown && known).then_some(Self {
            crcs: matches!(settings.kernel_symbols, Symvers(_)),
        })
    }

    fn check(
        &self,
        file: &ModuleFile,
        symbol: &[u8],
        detail: &ImportDetail,
        supplied: Option<Supplied>,
    ) {
        let path = file.path().display();
        let symbol = String::from_utf8_lossy(symbol);
        match supplied {
            _ if detail.weak => {}
            None => log::warn!("{path} needs unknown symbol {symbol}"),
            Some(supplied) if self.crcs && supplied.crc != detail.crc => {
                log::warn!("{path} disagrees about version of symbol {symbol}");
            }
            Some(_) => {}
        }
    }
}

impl Dependencies {
    /// Ranks the modules.
    ///
    /// # Errors
    /// Modules need each other.
    pub(crate) fn new(files: &[ModuleFile], direct: Vec<Vec<usize>>) -> Result<Self, Error> {
        let mut users = vec![0_usize; direct.len()];
        for &needed in direct.iter().flatten() {
            if let Some(users) = users.get_mut(needed) {
                *users += 1;
            }
        }
        let mut ready: Vec<usize> = (0..direct.len())
            .filter(|&module| users.get(module) == Some(&0))
            .collect();
        let mut rank = vec![usize::MAX; direct.len()];
        let mut ranked = 0;
        while let Some(module) = ready.pop() {
            if let Some(rank) = rank.get_mut(module) {
                *rank = ranked;
            }
            ranked += 1;
            for &needed in direct.get(module).into_iter().flatten() {
                if let Some(users) = users.get_mut(needed) {
                    *users -= 1;
                    if *users == 0 {
                        ready.push(needed);
                    }
                }
            }
        }
        if ranked < direct.len() {
            return Err(Error::Cycles(cycles(files, &direct, &users)));
        }
        Ok(Self { direct, rank })
    }

    /// Finds everything modules need, directly or not.
    pub(crate) fn closures(&self) -> Closures<'_> {
        Closures {
            dependencies: self,
            seen_by: vec![usize::MAX; self.direct.len()],
            rest: Vec::new(),
            all: Vec::new(),
        }
    }

    fn needs(&self, module: usize) -> &[usize] {
        self.direct
            .get(module)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// Memory for finding everything a module needs.
pub(crate) struct Closures<'d> {
    dependencies: &'d Dependencies,
    /// The last module that was seen to need each.
    seen_by: Vec<usize>,
    rest: Vec<usize>,
    all: Vec<usize>,
}

impl Closures<'_> {
    /// Everything one module needs, in the order of ranks.
    pub(crate) fn of(&mut self, module: usize) -> &[usize] {
        let dependencies = self.dependencies;
        self.all.clear();
        self.rest.extend_from_slice(dependencies.needs(module));
        while let Some(needed) = self.rest.pop() {
            match self.seen_by.get_mut(needed) {
                Some(seen) if *seen != module => *seen = module,
                _ => continue,
            }
            self.all.push(needed);
            self.rest.extend_from_slice(dependencies.needs(needed));
        }
        self.all
            .sort_unstable_by_key(|&needed| dependencies.rank.get(needed));
        &self.all
    }
}
