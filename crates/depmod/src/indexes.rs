//! Settings in, all indexes of a tree out.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use modtree::Store;

use crate::arrange::arrange;
use crate::config::Config;
use crate::dependencies::{self, Dependencies, Need};
use crate::error::Error;
use crate::kernel_symbols::{self, KernelSymbol};
use crate::module_file::ModuleFile;
use crate::outputs::{self, Output, View};
use crate::read::Read;
use crate::settings::{KernelSymbols, Settings};
use crate::symbol_table::SymbolTable;
use crate::walk::find;

/// The modules of a release, in the order of its indexes, and what they say.
pub struct Tree {
    settings: Settings,
    kernel: Vec<KernelSymbol>,
    files: Vec<ModuleFile>,
    read: Read,
}

impl Tree {
    /// Finds all modules and reads those that the store does not know.
    ///
    /// # Errors
    /// The directory or a file with the kernel's symbols cannot be read, or there are more modules
    /// than indexes have numbers for.
    pub fn find(settings: &Settings, store: Store) -> Result<Self, Error> {
        let kernel = kernel_symbols::load(settings)?;
        let config = Config::load(settings.config.as_deref(), &settings.release);
        let files = find(&settings.directory, &config)?;
        Self::read(settings, kernel, files, store)
    }

    /// Reads the modules of these files alone.
    ///
    /// # Errors
    /// As for [`Tree::find`], and a path is relative, leads nowhere or to a module of a name that
    /// is already there.
    pub fn of_files(settings: &Settings, paths: &[PathBuf]) -> Result<Self, Error> {
        let kernel = kernel_symbols::load(settings)?;
        let directory = settings.directory.as_os_str().as_bytes();
        let mut files: Vec<ModuleFile> = Vec::new();
        for path in paths {
            let bad = |reason: String| Error::Module {
                path: path.clone(),
                reason,
            };
            if !path.is_absolute() {
                return Err(bad("not absolute path".into()));
            }
            path.metadata().map_err(|error| bad(error.to_string()))?;
            let file = ModuleFile::new(path.as_os_str().as_bytes().to_vec(), directory);
            if files.iter().any(|other| other.name() == file.name()) {
                return Err(bad("a module of this name was added before".into()));
            }
            files.push(file);
        }
        Self::read(settings, kernel, files, Store::default())
    }

    fn read(
        settings: &Settings,
        kernel: Vec<KernelSymbol>,
        files: Vec<ModuleFile>,
        store: Store,
    ) -> Result<Self, Error> {
        if files.len() >= usize::from(u16::MAX) {
            return Err(Error::TooMany(files.len()));
        }
        let files = arrange(files, &settings.directory, settings.compat);
        let details = settings.kernel_symbols != KernelSymbols::Unknown && settings.report_unknown;
        // A store has no details.
        let store = if details { Store::default() } else { store };
        let read = Read::all(&files, details, store);
        Ok(Self {
            settings: settings.clone(),
            kernel,
            files,
            read,
        })
    }

    /// A store for the next run; `None` if it would be the one of the last.
    pub fn store(&self) -> Option<Vec<u8>> {
        self.read.store(&self.files)
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
        let Tree {
            settings,
            kernel,
            files,
            read,
        } = tree;
        let facts = &read.facts;
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
        let Tree {
            settings,
            files,
            read,
            ..
        } = self.tree;
        View {
            settings,
            files,
            facts: &read.facts,
            symbols: self.symbols.of_modules(),
            needs: self.dependencies.closures().collect(),
        }
    }
}
