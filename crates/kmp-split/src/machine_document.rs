//! What machines install, as a part of the plan's JSON document.

use modtree::ModuleId;
use serde::{Deserialize, Serialize};

use crate::machine::MachineHardware;
use crate::plan::PackageId;
use crate::planned::PlannedKernel;

/// A machine. It has the image package, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachineEntry {
    /// The name.
    pub name: String,
    /// The number of modaliases.
    pub modaliases: usize,
    /// The size of the files of all modules that are installed.
    pub bytes: u64,
    /// The packages, sorted by stem.
    pub packages: Vec<InstalledEntry>,
}

/// A package that a machine installs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstalledEntry {
    /// The stem.
    pub stem: String,
    /// The paths of the modules that devices ask for.
    pub drivers: Vec<String>,
    /// The stems of the installed packages that need it.
    pub needed_by: Vec<String>,
}

impl MachineEntry {
    /// What a machine installs.
    pub fn new(planned: &PlannedKernel, machine: &MachineHardware) -> Self {
        let (tree, plan) = (&planned.tree, &planned.plan);
        let installed = machine.installs(tree, plan);
        let stem = |id: PackageId| plan.packages[id].stem.clone();
        let path = |id: ModuleId| tree.modules[id].file.plain_path().to_owned();
        let packages = installed.packages.iter().map(|&id| {
            let cause = installed.cause(plan, id);
            InstalledEntry {
                stem: stem(id),
                drivers: cause.drivers.into_iter().map(path).collect(),
                needed_by: cause.needed_by.into_iter().map(stem).collect(),
            }
        });
        let of_packages = installed
            .packages
            .iter()
            .flat_map(|&id| &plan.packages[id].modules);
        let modules = of_packages.copied().chain(plan.image());
        Self {
            name: machine.name.clone(),
            modaliases: machine.modaliases.len(),
            bytes: modules.map(|id| tree.modules[id].bytes).sum(),
            packages: packages.collect(),
        }
    }
}
