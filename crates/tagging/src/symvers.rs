//! Finds and reads the symvers file of the kernel that a module was built for, each file once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use deptag::{ImportError, InTreeSymbols};
use kmodule::{Kernelrelease, Module, Symvers};
use modtree::PackagedKernel;

use crate::Error;

/// The symbols of the kernels that were asked for so far.
#[derive(Default)]
pub(crate) struct SymversCache {
    given: Option<PathBuf>,
    read: Mutex<HashMap<PathBuf, Arc<KernelSymvers>>>,
}

/// The symbols of a kernel's tree, and the file they were read from.
pub(crate) struct KernelSymvers {
    pub(crate) symbols: InTreeSymbols,
    path: PathBuf,
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
    ) -> Result<Option<Arc<KernelSymvers>>, Error> {
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

    /// Says which file is of another kernel.
    pub(crate) fn import_error(
        &self,
        path: &Path,
        symvers: Option<&KernelSymvers>,
        error: ImportError,
    ) -> Error {
        match (error, symvers) {
            (ImportError::Module(error), _) => error.into(),
            (ImportError::OtherKernel(release), symvers) => {
                let symvers = symvers
                    .map(|symvers| symvers.path.clone())
                    .unwrap_or_default();
                Error::OtherSymvers {
                    path: path.to_owned(),
                    release,
                    of: described(&symvers),
                    symvers,
                }
            }
        }
    }

    fn symbols(&self, symvers: &Path) -> Result<Arc<KernelSymvers>, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(symbols) = read.get(symvers) {
            return Ok(symbols.clone());
        }
        let symbols = Arc::new(KernelSymvers {
            symbols: InTreeSymbols::new(&Symvers::open(symvers)?),
            path: symvers.to_owned(),
        });
        read.insert(symvers.to_owned(), symbols.clone());
        Ok(symbols)
    }
}

/// Whose symvers file this is: its path tells, or what the kernel's build leaves beside it.
fn described(symvers: &Path) -> String {
    let beside = symvers.with_file_name("include/config/kernel.release");
    let by_path = PackagedKernel::around(symvers).release;
    let release = by_path.or_else(|| {
        let text = std::fs::read(beside).ok()?;
        Kernelrelease::try_from(text.trim_ascii()).ok()
    });
    release.map_or("another kernel".to_owned(), |release| release.to_string())
}
