//! What the script of the page reads: the plan document with numbers instead of names, and what
//! machines would install.
//!
//! Modules and packages refer to each other by their index in the lists.

use std::collections::HashMap;

use id_table::Id;
use modtree::ModuleId;
use policy::Layer;
use serde::Serialize;

use super::front_coded::front_coded;
use super::kernel_parts::largest_part;
use crate::document::{Document, ModuleEntry};
use crate::machine::MachineHardware;
use crate::plan::{FormerPackage, PackageId};
use crate::planned::PlannedKernel;
use crate::reach::reachable;

/// All that the page shows.
#[derive(Debug, Serialize)]
pub struct PageData<'p> {
    /// What `uname -r` prints.
    pub kernelrelease: &'p str,
    /// The kernel's flavor.
    pub flavor: &'p str,
    /// The kernel's kABI.
    pub kabi: &'p str,
    /// Version and release of the packages.
    pub evr: &'p str,
    /// How modules that no rule claims are grouped.
    pub grouping: &'p str,
    /// The packages, sorted by stem. The image package comes last, if it has modules.
    pub packages: Vec<PagePackage<'p>>,
    /// All modules, sorted by path.
    pub modules: Vec<PageModule<'p>>,
    /// The pattern packages.
    pub patterns: Vec<PagePattern<'p>>,
    /// The machines.
    pub machines: Vec<PageMachine<'p>>,
    /// The modules that are elsewhere than in the previous plan.
    pub moved: Vec<PageMoved<'p>>,
    /// Rules that match no module, modules whose symbols and `depends=` differ, and softdeps that
    /// nothing meets.
    pub warnings: Vec<String>,
    /// The policy files.
    pub policies: Vec<PagePolicy<'p>>,
}

/// A policy file.
#[derive(Debug, Serialize)]
pub struct PagePolicy<'p> {
    /// The file, as messages name it.
    pub file: String,
    /// Its text.
    pub text: &'p str,
}

/// A package with modules.
#[derive(Debug, Serialize)]
pub struct PagePackage<'p> {
    /// The name that the template gets. For the image package, the whole name.
    pub stem: &'p str,
    /// The whole name.
    pub name: &'p str,
    /// The summary of the set.
    pub summary: Option<&'p str>,
    /// Whether some of its modules are supported.
    pub supported: bool,
    /// Whether it is the image package.
    pub image: bool,
    /// The part of the kernel to which most of its bytes belong.
    pub part: &'p str,
    /// The size of its modules' files.
    pub bytes: u64,
    /// Its modules.
    pub modules: Vec<usize>,
    /// The packages that it needs.
    pub needs: Vec<usize>,
}

/// A module.
#[derive(Debug, Serialize)]
pub struct PageModule<'p> {
    /// The name.
    pub name: &'p str,
    /// The path below `lib/modules/<kernelrelease>`.
    pub path: &'p str,
    /// The module's own description.
    pub description: Option<&'p str>,
    /// The size of the file.
    pub bytes: u64,
    /// The size in memory.
    pub size: u64,
    /// The aliases, sorted: how many letters each shares with the one before, a blank, and the rest.
    pub aliases: Vec<String>,
    /// The modules that it needs.
    pub needs: Vec<usize>,
    /// Its package. An excluded module has none.
    pub package: Option<usize>,
    /// Why it is there.
    pub why: &'p str,
}

/// A pattern package.
#[derive(Debug, Serialize)]
pub struct PagePattern<'p> {
    /// The whole name.
    pub name: &'p str,
    /// The summary.
    pub summary: &'p str,
    /// The packages that it requires.
    pub packages: Vec<usize>,
}

/// A machine.
#[derive(Debug, Serialize)]
pub struct PageMachine<'p> {
    /// The name.
    pub name: &'p str,
    /// The number of modaliases.
    pub devices: usize,
    /// The modules that its devices ask for.
    pub drivers: Vec<usize>,
    /// The packages that have these modules, and those that they need.
    pub packages: Vec<PageInstalled>,
}

/// A package that a machine installs.
#[derive(Debug, Serialize)]
pub struct PageInstalled {
    /// The package.
    pub package: usize,
    /// The size of its modules that are neither drivers of the machine nor needed by these.
    pub unneeded: u64,
}

/// A module that moved.
#[derive(Debug, Serialize)]
pub struct PageMoved<'p> {
    /// The module.
    pub module: usize,
    /// The package that had it.
    pub from: &'p str,
}

impl<'p> PageData<'p> {
    /// Makes the data of a plan and its document.
    pub fn new(
        planned: &'p PlannedKernel,
        document: &'p Document,
        machines: &'p [MachineHardware],
        layers: &'p [Layer],
    ) -> Self {
        let indexes = DocumentIndexes::new(planned, document);
        let machines = machines.iter();
        let unmet = planned.softdeps.describe_unmet(&planned.tree);
        Self {
            kernelrelease: &document.kernelrelease,
            flavor: &document.flavor,
            kabi: &document.kabi,
            evr: &document.evr,
            grouping: &document.grouping,
            packages: indexes.all_packages(),
            modules: indexes.all_modules(planned),
            patterns: indexes.patterns(),
            machines: machines.map(|one| of_machine(planned, one)).collect(),
            moved: indexes.moved(),
            warnings: document.warnings.iter().cloned().chain(unmet).collect(),
            policies: layers.iter().map(PagePolicy::new).collect(),
        }
    }

    /// The size of all modules' files.
    pub fn bytes(&self) -> u64 {
        self.modules.iter().map(|module| module.bytes).sum()
    }
}

impl<'p> PagePolicy<'p> {
    fn new(layer: &'p Layer) -> Self {
        Self {
            file: layer.file.to_string(),
            text: &layer.text,
        }
    }
}

/// A plan document, and the indexes of what it names.
struct DocumentIndexes<'p> {
    document: &'p Document,
    /// By stem.
    packages: HashMap<&'p str, usize>,
    /// By path without `.ko`.
    modules: HashMap<&'p str, usize>,
}

impl<'p> DocumentIndexes<'p> {
    fn new(planned: &'p PlannedKernel, document: &'p Document) -> Self {
        let stems = document.packages.iter().map(|one| one.stem.as_str());
        let paths = planned.tree.modules.values();
        let paths = paths.map(|record| record.file.plain_path());
        Self {
            document,
            packages: stems.zip(0..).collect(),
            modules: paths.zip(0..).collect(),
        }
    }

    fn packages(&self, stems: &[String]) -> Vec<usize> {
        let stems = stems.iter();
        let found = stems.filter_map(|stem| self.packages.get(stem.as_str()));
        found.copied().collect()
    }

    fn modules<'n>(&self, paths: impl IntoIterator<Item = &'n String>) -> Vec<usize> {
        let paths = paths.into_iter();
        let found = paths.filter_map(|path| self.modules.get(path.as_str()));
        found.copied().collect()
    }

    fn all_packages(&self) -> Vec<PagePackage<'p>> {
        let kmps = self.document.packages.iter().map(|package| PagePackage {
            stem: &package.stem,
            name: &package.name,
            summary: package.summary.as_deref(),
            supported: package.supported,
            image: false,
            part: largest_part(&package.modules),
            bytes: bytes(&package.modules),
            modules: self.modules(package.modules.iter().map(|module| &module.path)),
            needs: self.packages(&package.needs),
        });
        kmps.chain(self.image()).collect()
    }

    fn image(&self) -> Option<PagePackage<'p>> {
        let Document { image, base, .. } = self.document;
        (!base.is_empty()).then(|| PagePackage {
            stem: image,
            name: image,
            summary: None,
            supported: true,
            image: true,
            part: largest_part(base),
            bytes: bytes(base),
            modules: self.modules(base.iter().map(|module| &module.path)),
            needs: Vec::new(),
        })
    }

    fn all_modules(&self, planned: &'p PlannedKernel) -> Vec<PageModule<'p>> {
        let packages = self.document.packages.iter().zip(0..);
        let of_kmps = packages.flat_map(|(package, index)| {
            let modules = package.modules.iter();
            modules.map(move |module| (module, Some(index)))
        });
        let image = self.document.packages.len();
        let of_image = self.document.base.iter().map(|one| (one, Some(image)));
        let excluded = self.document.excluded.iter().map(|one| (one, None));
        let entries = of_kmps.chain(of_image).chain(excluded);
        let entries: HashMap<&str, (&ModuleEntry, Option<usize>)> = entries
            .map(|(module, package)| (module.path.as_str(), (module, package)))
            .collect();
        let modules = planned.tree.modules.values().filter_map(|record| {
            let &(module, package) = entries.get(record.file.plain_path())?;
            Some(PageModule {
                name: &module.name,
                path: &record.file.path,
                description: record.description.as_deref(),
                bytes: module.bytes,
                size: module.size,
                aliases: front_coded(&record.aliases),
                needs: self.modules(&module.needs),
                package,
                why: &module.why,
            })
        });
        modules.collect()
    }

    fn patterns(&self) -> Vec<PagePattern<'p>> {
        let patterns = self.document.patterns.iter().map(|pattern| PagePattern {
            name: &pattern.name,
            summary: &pattern.summary,
            packages: self.packages(&pattern.packages),
        });
        patterns.collect()
    }

    fn moved(&self) -> Vec<PageMoved<'p>> {
        let moved = self.document.moved.iter().filter_map(|moved| {
            Some(PageMoved {
                module: *self.modules.get(moved.module.as_str())?,
                from: match &moved.from {
                    FormerPackage::Image => "the image",
                    FormerPackage::Stem(stem) => stem,
                },
            })
        });
        moved.collect()
    }
}

/// What a machine installs. The document has the packages in the order of their ids.
fn of_machine<'p>(planned: &PlannedKernel, machine: &'p MachineHardware) -> PageMachine<'p> {
    let PlannedKernel {
        tree,
        plan,
        resolution,
        ..
    } = planned;
    let installed = machine.installs(tree, plan);
    let drivers = installed.drivers.iter().copied();
    let needed = reachable(drivers, |id: ModuleId| resolution.needs[id].iter().copied());
    let unneeded = |package: PackageId| {
        let modules = plan.packages[package].modules.iter();
        let unneeded = modules.filter(|id| !needed.contains(id));
        unneeded.map(|&id| tree.modules[id].bytes).sum()
    };
    let packages = installed.packages.iter().map(|&id| PageInstalled {
        package: id.index(),
        unneeded: unneeded(id),
    });
    PageMachine {
        name: &machine.name,
        devices: machine.modaliases.len(),
        drivers: installed.drivers.iter().map(|id| id.index()).collect(),
        packages: packages.collect(),
    }
}

fn bytes(modules: &[ModuleEntry]) -> u64 {
    modules.iter().map(|module| module.bytes).sum()
}
