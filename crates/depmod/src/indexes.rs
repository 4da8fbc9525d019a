//! Makes all indexes of modules that were read.

use crate::dependencies::{self, Dependencies, Dependency};
use crate::error::Error;
use crate::index_files::input::IndexInput;
use crate::index_files::output::Output;
use crate::index_files::{make_all, make_texts};
use crate::read_modules::ReadModules;
use crate::symbol_table::SymbolTable;

/// Which modules of a release need which: what its indexes are made of.
pub struct Indexes<'m> {
    modules: &'m ReadModules,
    symbols: SymbolTable<'m>,
    dependencies: Dependencies,
}

impl<'m> Indexes<'m> {
    /// Finds out which modules need which, and tells `each` of it.
    ///
    /// # Errors
    /// Modules need each other.
    pub fn of(
        modules: &'m ReadModules,
        each: &mut dyn FnMut(Dependency<'_>),
    ) -> Result<Self, Error> {
        let ReadModules {
            settings,
            kernel,
            modules: paths,
            facts,
            ..
        } = modules;
        let symbols = SymbolTable::new(kernel, facts, settings.symbol_prefix);
        let direct = dependencies::direct_needs(paths, facts, &symbols, settings, each);
        Ok(Self {
            dependencies: Dependencies::new(paths, direct, &settings.directory)?,
            modules,
            symbols,
        })
    }

    /// The indexes people can read, in the order kmod writes them.
    ///
    /// # Errors
    /// None: only binary indexes cannot hold everything.
    pub fn texts(&self) -> Result<Vec<Output>, Error> {
        make_texts(&self.input())
    }

    /// All indexes, in the order kmod writes them.
    ///
    /// # Errors
    /// A binary index cannot hold what a module says.
    pub fn outputs(&self) -> Result<Vec<Output>, Error> {
        make_all(&self.input())
    }

    fn input(&self) -> IndexInput<'_> {
        IndexInput::new(
            &self.modules.settings,
            &self.modules.modules,
            &self.modules.facts,
            &self.symbols,
            &self.dependencies,
        )
    }
}
