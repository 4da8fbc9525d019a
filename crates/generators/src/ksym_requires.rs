//! Module in, the symbols it requires out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Result, bail};
use deptag::{Dialect, KernelSymbols, TagRules, TagSet};
use kmodule::{Module, Symvers};

use crate::input::module_tags;
use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the symbols a kernel module requires
///
/// Reads paths on stdin, one a line. For each symbol a module imports it prints
/// ksym() with the CRC the module was built against; in the redhat dialect
/// kernel() if the kernel or one of its own modules exports it with that CRC.
/// A module of a kernel without modversions requires exactly the kernelrelease
/// it was built for.
#[derive(clap::Parser)]
#[command(name = "ksym-requires", version, after_long_help = ERRORS)]
pub struct KsymRequires {
    #[command(flatten)]
    options: Options,

    /// The symbols of each symvers file that was needed so far.
    #[arg(skip)]
    kernels: RefCell<HashMap<PathBuf, Rc<KernelSymbols>>>,
}

impl Generator for KsymRequires {
    fn options(&self) -> &Options {
        &self.options
    }

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        module_tags(path, |module| {
            let kernel = match rules.dialect {
                Dialect::Suse => None,
                Dialect::RedHat => self.kernel_of(module, path)?,
            };
            Ok(deptag::imports(module, rules, kernel.as_deref())?)
        })
    }
}

impl KsymRequires {
    /// The kernel whose symbols are to be told from others; none for a module
    /// that says it is the kernel's own.
    fn kernel_of(&self, module: &Module<'_>, path: &Path) -> Result<Option<Rc<KernelSymbols>>> {
        if let Some(symvers) = &self.options.symvers {
            return self.symbols(symvers).map(Some);
        }
        if deptag::is_in_tree(module) {
            return Ok(None);
        }
        let release = module.vermagic()?.kernelrelease;
        let Some(symvers) = modtree::devel_symvers(Path::new("/"), &release) else {
            bail!(
                "{}: built out of tree for {release}, whose Module.symvers is not installed: \
                 install its kernel-devel or give --symvers",
                path.display()
            );
        };
        self.symbols(&symvers).map(Some)
    }

    fn symbols(&self, symvers: &Path) -> Result<Rc<KernelSymbols>> {
        let mut kernels = self.kernels.borrow_mut();
        if let Some(symbols) = kernels.get(symvers) {
            return Ok(symbols.clone());
        }
        let symbols = Rc::new(KernelSymbols::new(&Symvers::open(symvers)?));
        kernels.insert(symvers.to_owned(), symbols.clone());
        Ok(symbols)
    }
}
