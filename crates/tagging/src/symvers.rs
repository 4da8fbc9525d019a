//! Finds and reads the symvers file of the kernel that a module was built for, each file once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use deptag::InTreeSymbols;
use kmodule::{Module, Symvers};

use crate::Error;

/// The symbols of the kernels that were asked for so far.
#[derive(Default)]
pub(crate) struct SymversCache {
    given: Option<PathBuf>,
    read: Mutex<HashMap<PathBuf, Arc<InTreeSymbols>>>,
}

impl SymversCache {
    /// With `given`, all modules belong to the kernel of that symvers file.
    pub(crate) fn new(given: Option<PathBuf>) -> Self {
        Self {
            given,
            read: Mutex::default(),
        }
    }

    /// The symvers file given by an option.
    pub(crate) fn given(&self) -> Option<&Path> {
        self.given.as_deref()
    }

    /// The symbols of the kernel that a module was built for. `None` for a module that is marked as
    /// built in the kernel's tree: all its symbols come from there.
    ///
    /// # Errors
    /// The kernel's symvers file is not installed or cannot be read.
    pub(crate) fn of_kernel(
        &self,
        module: &Module<'_>,
        path: &Path,
    ) -> Result<Option<Arc<InTreeSymbols>>, Error> {
        if let Some(symvers) = &self.given {
            return self.symbols(symvers).map(Some);
        }
        if deptag::is_in_tree(module) {
            return Ok(None);
        }
        let release = &module.vermagic()?.kernelrelease;
        let Some(symvers) = modtree::devel_symvers(Path::new("/"), release) else {
            return Err(Error::NoSymvers {
                path: path.to_owned(),
                release: release.clone(),
            });
        };
        self.symbols(&symvers).map(Some)
    }

    fn symbols(&self, symvers: &Path) -> Result<Arc<InTreeSymbols>, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(symbols) = read.get(symvers) {
            return Ok(symbols.clone());
        }
        let symbols = Arc::new(InTreeSymbols::new(&Symvers::open(symvers)?));
        read.insert(symvers.to_owned(), symbols.clone());
        Ok(symbols)
    }
}
