//! A plan in, what the page's script reads out: modules and packages refer to each other by their
//! place in the lists.

use std::collections::BTreeSet;

use id_table::Id;
use modtree::{ModuleId, Resolution};
use serde::Serialize;

use crate::identity::Identity;
use crate::machine;
use crate::plan::{Location, PackageId};
use crate::planned::Planned;
use crate::why::tell;

/// All the page shows.
#[derive(Debug, Serialize)]
pub struct Data<'p> {
    /// `uname -r` of the kernel.
    pub kernelrelease: &'p str,
    /// Its flavor.
    pub flavor: &'p str,
    /// Its kABI.
    pub kabi: String,
    /// Version and release of the packages.
    pub evr: &'p str,
    /// What grouped the modules that no rule claims.
    pub grouping: &'static str,
    /// The packages by stem; the image package last, if it has modules.
    pub packages: Vec<Package<'p>>,
    /// All modules, by path.
    pub modules: Vec<Module<'p>>,
    /// The pattern packages.
    pub patterns: Vec<Pattern<'p>>,
    /// The machines.
    pub machines: Vec<Machine<'p>>,
    /// The modules that are elsewhere than in the earlier plan.
    pub moved: Vec<Moved<'p>>,
    /// Rules that match nothing, and oddities of the tree.
    pub warnings: &'p [String],
}

/// A package with modules.
#[derive(Debug, Serialize)]
pub struct Package<'p> {
    /// Its name before the template; the whole name of the image package.
    pub stem: &'p str,
    /// Its name.
    pub name: String,
    /// A set's summary.
    pub summary: Option<&'p str>,
    /// Whether its modules are supported.
    pub supported: bool,
    /// Whether it is the image package.
    pub image: bool,
    /// The part of the kernel most of its bytes are of.
    pub part: &'p str,
    /// Bytes of its modules' files.
    pub bytes: u64,
    /// Its modules.
    pub modules: Vec<usize>,
    /// The packages it needs.
    pub needs: Vec<usize>,
}

/// A module.
#[derive(Debug, Serialize)]
pub struct Module<'p> {
    /// Its name.
    pub name: &'p str,
    /// Its path below `lib/modules/<kernelrelease>`.
    pub path: &'p str,
    /// What it says it is.
    pub description: Option<&'p str>,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes in memory.
    pub size: u64,
    /// How many aliases it has.
    pub aliases: usize,
    /// The modules it needs.
    pub needs: Vec<usize>,
    /// Its package; none if it is excluded.
    pub package: Option<usize>,
    /// Why it is there.
    pub why: String,
}

/// A pattern package.
#[derive(Debug, Serialize)]
pub struct Pattern<'p> {
    /// Its name.
    pub name: String,
    /// One line.
    pub summary: &'p str,
    /// The packages it requires.
    pub packages: Vec<usize>,
}

/// A machine.
#[derive(Debug, Serialize)]
pub struct Machine<'p> {
    /// Its name.
    pub name: &'p str,
    /// How many modaliases it has.
    pub devices: usize,
    /// The modules they ask for.
    pub drivers: Vec<usize>,
    /// The packages that have these, and those they need.
    pub packages: Vec<Installed>,
}

/// A package on a machine.
#[derive(Debug, Serialize)]
pub struct Installed {
    /// Which.
    pub package: usize,
    /// Bytes of its modules that are neither drivers of the machine nor needed by these.
    pub unneeded: u64,
}

/// A module that moved.
#[derive(Debug, Serialize)]
pub struct Moved<'p> {
    /// Which.
    pub module: usize,
    /// Stem of the package that had it.
    pub from: &'p str,
}

impl<'p> Data<'p> {
    /// Takes a plan.
    pub fn new(
        planned: &'p Planned,
        identity: &'p Identity,
        machines: &'p [machine::Machine],
    ) -> Self {
        let collector = Collector { planned, identity };
        let plan = &planned.plan;
        Self {
            kernelrelease: planned.tree.release.as_str(),
            flavor: identity.flavor.as_str(),
            kabi: identity.kabi.to_string(),
            evr: &identity.evr,
            grouping: planned.policy.grouping.by.as_str(),
            packages: collector.packages(),
            modules: planned
                .tree
                .modules
                .ids()
                .map(|id| collector.module(id))
                .collect(),
            patterns: collector.patterns(),
            machines: machines.iter().map(|one| collector.machine(one)).collect(),
            moved: plan.moved.iter().map(moved).collect(),
            warnings: &plan.warnings,
        }
    }

    /// Bytes of all modules.
    pub fn bytes(&self) -> u64 {
        self.modules.iter().map(|module| module.bytes).sum()
    }
}

struct Collector<'p> {
    planned: &'p Planned,
    identity: &'p Identity,
}

impl<'p> Collector<'p> {
    fn packages(&self) -> Vec<Package<'p>> {
        let plan = &self.planned.plan;
        let kmps = plan.packages.values().map(|package| Package {
            stem: &package.stem,
            name: self.identity.kmp(&package.stem),
            summary: package.summary.as_deref(),
            supported: package.supported,
            image: false,
            part: self.part(&package.modules),
            bytes: self.bytes(&package.modules),
            modules: places(&package.modules),
            needs: places(&package.needs),
        });
        kmps.chain(self.image()).collect()
    }

    fn image(&self) -> Option<Package<'p>> {
        let modules: Vec<_> = self.planned.plan.image().collect();
        (!modules.is_empty()).then(|| Package {
            stem: &self.identity.image,
            name: self.identity.image.clone(),
            summary: None,
            supported: true,
            image: true,
            part: self.part(&modules),
            bytes: self.bytes(&modules),
            modules: places(&modules),
            needs: Vec::new(),
        })
    }

    fn module(&self, id: ModuleId) -> Module<'p> {
        let Planned {
            tree,
            plan,
            resolution,
            ..
        } = self.planned;
        let record = &tree.modules[id];
        Module {
            name: &record.file.name,
            path: &record.file.path,
            description: record.description.as_deref(),
            bytes: record.bytes,
            size: record.size,
            aliases: record.aliases.len(),
            needs: places(&resolution.needs[id]),
            package: match plan.location[id] {
                Location::Package(package) => Some(package.index()),
                Location::Image => Some(plan.packages.len()),
                Location::Excluded => None,
            },
            why: tell(tree, &plan.why[id]),
        }
    }

    fn patterns(&self) -> Vec<Pattern<'p>> {
        let patterns = self.planned.plan.patterns.iter().map(|pattern| Pattern {
            name: self.identity.pattern(&pattern.name),
            summary: &pattern.summary,
            packages: places(&pattern.packages),
        });
        patterns.collect()
    }

    fn machine(&self, machine: &'p machine::Machine) -> Machine<'p> {
        let Planned {
            tree,
            plan,
            resolution,
            ..
        } = self.planned;
        let installed = machine.installs(tree, plan);
        let needed = with_needs(resolution, &installed.drivers);
        let unneeded = |package: PackageId| {
            let modules = plan.packages[package].modules.iter();
            let unneeded: Vec<_> = modules.copied().filter(|id| !needed.contains(id)).collect();
            self.bytes(&unneeded)
        };
        let packages = installed.packages.iter().map(|&id| Installed {
            package: id.index(),
            unneeded: unneeded(id),
        });
        Machine {
            name: &machine.name,
            devices: machine.modaliases.len(),
            drivers: installed.drivers.iter().map(|id| id.index()).collect(),
            packages: packages.collect(),
        }
    }

    /// The part of the kernel most bytes of some modules are of; of equals the first by name.
    fn part(&self, modules: &[ModuleId]) -> &'p str {
        let of = |id: &ModuleId| part(&self.planned.tree.modules[*id].file.path);
        let parts: BTreeSet<&str> = modules.iter().map(of).collect();
        let bytes = |wanted: &str| -> u64 {
            let inside: Vec<_> = modules
                .iter()
                .copied()
                .filter(|id| of(id) == wanted)
                .collect();
            self.bytes(&inside)
        };
        let largest = parts.into_iter().rev().max_by_key(|part| bytes(part));
        largest.unwrap_or_default()
    }

    fn bytes(&self, modules: &[ModuleId]) -> u64 {
        modules
            .iter()
            .map(|&id| self.planned.tree.modules[id].bytes)
            .sum()
    }
}

/// The part of the kernel a module is of: `drivers/net`, `fs`, or what stands for `kernel/`.
fn part(path: &str) -> &str {
    let inside = path.strip_prefix("kernel/").unwrap_or(path);
    let levels = match inside.starts_with("drivers/") {
        true => 2,
        false => 1,
    };
    let ends = inside.match_indices('/').map(|(place, _)| place);
    match ends.take(levels).last() {
        Some(end) => inside.get(..end).unwrap_or(inside),
        None => "modules",
    }
}

/// Some modules and all they need.
fn with_needs(resolution: &Resolution, modules: &BTreeSet<ModuleId>) -> BTreeSet<ModuleId> {
    let mut needed = modules.clone();
    let mut open: Vec<_> = modules.iter().copied().collect();
    while let Some(id) = open.pop() {
        let needs = resolution.needs[id].iter().copied();
        open.extend(needs.filter(|&id| needed.insert(id)));
    }
    needed
}

fn moved(moved: &crate::plan::Moved) -> Moved<'_> {
    Moved {
        module: moved.module.index(),
        from: moved.from.as_deref().unwrap_or("the image"),
    }
}

fn places<I: Id>(ids: &[I]) -> Vec<usize> {
    ids.iter().map(|id| id.index()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_kernel() {
        assert_eq!(
            part("kernel/drivers/net/ethernet/intel/e1000e.ko"),
            "drivers/net"
        );
        assert_eq!(part("kernel/drivers/lone.ko"), "drivers");
        assert_eq!(part("kernel/fs/xfs/xfs.ko.xz"), "fs");
        assert_eq!(part("updates/dkms/vendor.ko"), "updates");
        assert_eq!(part("vendor.ko"), "modules");
    }
}
