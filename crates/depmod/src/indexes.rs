//! The modules of a release in, who needs whom out, and with that all indexes.

use std::borrow::Cow;

use facts::Store;
use rayon::prelude::*;

use crate::dependencies::{self, Dependencies, Need};
use crate::error::Error;
use crate::found::Found;
use crate::outputs::{self, Output, View};
use crate::read::Read;
use crate::settings::KernelSymbols;
use crate::sum::Sum;
use crate::symbol_table::SymbolTable;

/// The modules of a release, and what they say.
pub struct Tree {
    found: Found,
    read: Read,
}

impl Tree {
    /// Reads the modules that the store does not know, which must be the one they were found with.
    pub fn read(found: Found, store: Store) -> Self {
        let settings = &found.settings;
        let details = settings.kernel_symbols != KernelSymbols::Unknown && settings.report_unknown;
        // A store has no details.
        let store = if details { Store::default() } else { store };
        let read = Read::all(&found.files, &found.listings, &found.stamps, details, store);
        Self { found, read }
    }

    /// The parts of a store for the next run, about these outputs; `None` if it would be the one of the
    /// last.
    pub fn store(&self, outputs: &[Output]) -> Option<[Cow<'_, [u8]>; 3]> {
        let sums: Vec<_> = outputs
            .par_iter()
            .map(|output| (output.name, Sum::of(&output.bytes)))
            .collect();
        let digest = self.found.state.with(sums.into_iter());
        self.read
            .store(&self.found.files, &self.found.listings, &digest)
    }

    /// How many modules were read because the store did not know them.
    pub fn read_anew(&self) -> usize {
        self.read.anew
    }
}

/// Who needs whom in a tree: what its indexes are made of.
pub struct Indexes<'t> {
    tree: &'t Tree,
    symbols: SymbolTable<'t>,
    dependencies: Dependencies,
}

impl<'t> Indexes<'t> {
    /// Finds out who needs whom, and tells it.
    ///
    /// # Errors
    /// Modules need each other.
    pub fn of(tree: &'t Tree, told: &mut dyn FnMut(Need<'_>)) -> Result<Self, Error> {
        let Found {
            settings,
            kernel,
            files,
            ..
        } = &tree.found;
        let facts = &tree.read.facts;
        let symbols = SymbolTable::new(kernel, facts, settings.symbol_prefix);
        let direct = dependencies::direct(files, facts, &symbols, settings, told);
        Ok(Self {
            dependencies: Dependencies::new(files, direct)?,
            tree,
            symbols,
        })
    }

    /// The indexes people can read, in the order kmod writes them.
    ///
    /// # Errors
    /// None; binary indexes alone cannot hold everything.
    pub fn texts(&self) -> Result<Vec<Output>, Error> {
        outputs::texts(&self.view())
    }

    /// All indexes, in the order kmod writes them.
    ///
    /// # Errors
    /// A binary index cannot hold what a module says.
    pub fn outputs(&self) -> Result<Vec<Output>, Error> {
        outputs::all(&self.view())
    }

    fn view(&self) -> View<'_> {
        let Tree { found, read } = self.tree;
        View::new(
            &found.settings,
            &found.files,
            &read.facts,
            &self.symbols,
            &self.dependencies,
        )
    }
}
