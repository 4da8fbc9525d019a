//! Module in, the symbols it requires out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, bail};
use deptag::{Dialect, KernelSymbols, TagRules, TagSet};
use kmodule::{Kernelrelease, Module, Symvers};

use crate::input::module_tags;
use crate::{Generator, Options};

/// Print the symbols a kernel module requires
///
/// Reads paths on stdin, one a line. For each symbol a module imports it prints
/// ksym() with the CRC the module was built against; in the redhat dialect
/// kernel() if the kernel or one of its own modules exports it with that CRC.
/// A module of a kernel without modversions requires exactly the kernelrelease
/// it was built for.
#[derive(clap::Parser, Debug)]
#[command(name = "ksym-requires", version)]
pub struct KsymRequires {
    #[command(flatten)]
    options: Options,
}

/// The form of tags, and which symbols are the kernel's.
pub struct Rules {
    tags: TagRules,
    named: Option<Rc<KernelSymbols>>,
    installed: RefCell<HashMap<Kernelrelease, Rc<KernelSymbols>>>,
}

impl Generator for KsymRequires {
    type Rules = Rules;

    fn options(&self) -> &Options {
        &self.options
    }

    fn rules(&self) -> Result<Rules> {
        let tags = self.options.rules();
        let named = match &self.options.symvers {
            Some(path) if tags.dialect == Dialect::RedHat => Some(read(path)?),
            _ => None,
        };
        let installed = RefCell::default();
        Ok(Rules {
            tags,
            named,
            installed,
        })
    }

    fn tags(&self, rules: &Rules, path: &Path) -> Result<TagSet> {
        module_tags(path, |module| {
            let kernel = rules.kernel_symbols(module, path)?;
            Ok(deptag::imports(module, &rules.tags, kernel.as_deref())?)
        })
    }
}

impl Rules {
    /// The kernel's symbols, where the dialect tells them from others and the
    /// module does not say itself that it is the kernel's.
    fn kernel_symbols(
        &self,
        module: &Module<'_>,
        path: &Path,
    ) -> Result<Option<Rc<KernelSymbols>>> {
        if self.named.is_some()
            || self.tags.dialect != Dialect::RedHat
            || deptag::is_in_tree(module)
        {
            return Ok(self.named.clone());
        }
        let release = module.vermagic()?.kernelrelease;
        let mut installed = self.installed.borrow_mut();
        if let Some(symbols) = installed.get(&release) {
            return Ok(Some(symbols.clone()));
        }
        let Some(symvers) = modtree::devel_symvers(Path::new("/"), &release) else {
            bail!(
                "{}: built out of tree for {release}, whose Module.symvers is not installed: \
                 install its kernel-devel or give --symvers",
                path.display()
            );
        };
        let symbols = read(&symvers)?;
        installed.insert(release, symbols.clone());
        Ok(Some(symbols))
    }
}

fn read(path: &Path) -> Result<Rc<KernelSymbols>> {
    Ok(Rc::new(KernelSymbols::new(&Symvers::open(path)?)))
}
