//! Settings in, all indexes of a tree out.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::arrange::arrange;
use crate::config::Config;
use crate::dependencies::{self, Dependencies, Need};
use crate::error::Error;
use crate::facts::{Facts, read_all};
use crate::kernel_symbols::{self, KernelSymbol};
use crate::module_file::ModuleFile;
use crate::outputs::{self, Output, View};
use crate::settings::{KernelSymbols, Settings};
use crate::symbol_table::SymbolTable;
use crate::walk::find;

/// The modules of a release, in the order of its indexes, and what they say.
pub struct Tree {
    settings: Settings,
    kernel: Vec<KernelSymbol>,
    files: Vec<ModuleFile>,
    facts: Vec<Facts>,
}

impl Tree {
    /// Finds all modules and reads them.
    ///
    /// # Errors
    /// The directory or a file with the kernel's symbols cannot be read, or there are more modules
    /// than indexes have numbers for.
    pub fn find(settings: &Settings) -> Result<Self, Error> {
        let kernel = kernel_symbols::load(settings)?;
        let config = Config::load(settings.config.as_deref(), &settings.release);
        let files = find(&settings.directory, &config)?;
        Self::read(settings, kernel, files)
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
        Self::read(settings, kernel, files)
    }

    fn read(
        settings: &Settings,
        kernel: Vec<KernelSymbol>,
        files: Vec<ModuleFile>,
    ) -> Result<Self, Error> {
        if files.len() >= usize::from(u16::MAX) {
            return Err(Error::TooMany(files.len()));
        }
        let files = arrange(files, &settings.directory, settings.compat);
        let details = settings.kernel_symbols != KernelSymbols::Unknown && settings.report_unknown;
        let facts = read_all(&files, details);
        Ok(Self {
            settings: settings.clone(),
            kernel,
            files,
            facts,
        })
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
            facts,
        } = tree;
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
            facts,
            ..
        } = self.tree;
        View {
            settings,
            files,
            facts,
            symbols: self.symbols.of_modules(),
            needs: self.dependencies.closures().collect(),
        }
    }
}
