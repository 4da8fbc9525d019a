//! A module in, the symbols of its kernel out, each symvers file read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use deptag::KernelSymbols;
use kmodule::{Module, Symvers};

use crate::Error;

/// The kernels whose symbols were needed so far.
#[derive(Default)]
pub(crate) struct Kernels {
    given: Option<PathBuf>,
    read: Mutex<HashMap<PathBuf, Arc<KernelSymbols>>>,
}

impl Kernels {
    /// All modules are of one kernel if its symvers file is given.
    pub(crate) fn new(given: Option<PathBuf>) -> Self {
        Self {
            given,
            read: Mutex::default(),
        }
    }

    /// The symvers file that was given.
    pub(crate) fn given(&self) -> Option<&Path> {
        self.given.as_deref()
    }

    /// The kernel whose symbols are to be told from others; none for a module
    /// that says it is the kernel's own.
    ///
    /// # Errors
    /// Its symvers file is not there or cannot be read.
    pub(crate) fn of(
        &self,
        module: &Module<'_>,
        path: &Path,
    ) -> Result<Option<Arc<KernelSymbols>>, Error> {
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

    fn symbols(&self, symvers: &Path) -> Result<Arc<KernelSymbols>, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(symbols) = read.get(symvers) {
            return Ok(symbols.clone());
        }
        let symbols = Arc::new(KernelSymbols::new(&Symvers::open(symvers)?));
        read.insert(symvers.to_owned(), symbols.clone());
        Ok(symbols)
    }
}
