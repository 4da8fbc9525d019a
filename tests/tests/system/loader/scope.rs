//! What kmpkit says of modules in the scope of a kernel.

use std::path::Path;

use anyhow::{Context, Result};
use kmodule::{Arena, Image, Kernelrelease, Module, Reader};
use kmpkit_tests::Kernel;
use kmpkit_tests::trial::Trial;
use loader::{ModuleFacts, Modules, Reading, Reason, Scope};
use modtree::{ReleaseDir, read_kernel};

/// How many of a kernel's own modules tell what it is like.
const OWN: usize = 40;

/// A kernel that modules are judged for.
pub(super) struct Judge {
    kernel: loader::Kernel,
    own: Vec<ModuleFacts>,
}

/// A reason, and what is told of it.
pub(super) struct Told {
    pub(super) reason: Reason,
    /// The symbol it is about.
    pub(super) symbol: Option<String>,
    pub(super) told: String,
}

impl Judge {
    pub(super) fn new(kernel: &Kernel) -> Result<Self> {
        let release = Kernelrelease::try_from(kernel.release.as_bytes())?;
        let directory = ReleaseDir::find(&kernel.root, &release).context("no modules")?;
        let known = read_kernel(&kernel.root, &directory, &release)?;
        let mut reader = Reader::new();
        let modules = kernel.modules()?;
        let own = modules.iter().take(OWN).map(|path| {
            let read = |module: &Module<'_>| ModuleFacts::read(module, path, Reading::default());
            Ok(reader.module(path, read)??)
        });
        Ok(Self {
            own: own.collect::<Result<_>>()?,
            kernel: known,
        })
    }

    /// Why the last module of a trial does not load. Once a trial enforces signatures all do.
    pub(super) fn reasons(&mut self, trial: &Trial) -> Result<Vec<Told>> {
        self.kernel.enforces_signatures |= trial.enforce;
        let bases: Vec<_> = self.kernel.btf.iter().collect();
        let reading = Reading {
            btf_bases: &bases,
            ..Reading::default()
        };
        let mut modules = Modules::new();
        for facts in &self.own {
            modules.add(facts.clone());
        }
        let mut last = None;
        for bytes in &trial.modules {
            let path = Path::new("trial.ko");
            let image = Image::from_bytes(path, bytes)?;
            let arena = Arena::new();
            let module = Module::parse(&image, &arena)?;
            last = Some(modules.add(ModuleFacts::read(&module, path, reading)?));
        }
        let last = last.context("a trial without modules")?;
        let scope = Scope::new(&modules, &self.kernel, modules.ids());
        let reasons = scope.verdict(last).reasons.into_iter();
        Ok(reasons
            .map(|reason| Told {
                symbol: symbol(&modules, &reason),
                told: scope.describe(last, &reason),
                reason,
            })
            .collect())
    }
}

/// The symbol that a reason is about.
fn symbol(modules: &Modules, reason: &Reason) -> Option<String> {
    let symbol = match reason {
        Reason::CrcDiffers { symbol: None, .. } | Reason::NoCrc { symbol: None, .. } => {
            return Some("module_layout".to_owned());
        }
        Reason::MissingSymbol { symbol }
        | Reason::GplOnlySymbol { symbol, .. }
        | Reason::ProprietaryExporter { symbol, .. }
        | Reason::NamespaceNotImported { symbol, .. }
        | Reason::DuplicateExport { symbol } => *symbol,
        Reason::CrcDiffers { symbol, .. } | Reason::NoCrc { symbol, .. } => (*symbol)?,
        _ => return None,
    };
    Some(String::from_utf8_lossy(modules.symbol(symbol)).into_owned())
}
