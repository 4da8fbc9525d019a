//! How likely it is that a machine installs one group and not another.
//!
//! A group is installed when something asks for one of its modules, or for a module of a group
//! that needs it. Each module is taken to be asked for on its own account with a probability that
//! depends on what can ask for it: a device by its modalias, the kernel by another alias, or only
//! somebody who knows its name.

use id_table::Table;
use modtree::{ModuleId, Record, Tree};

/// The chance that a machine has a device of a class that one driver serves, whoever made it.
const CLASS: f64 = 0.3;
/// The chance that a machine has a device for a given driver.
const DEVICE: f64 = 0.02;
/// The chance that a kernel function such as a file system or a protocol is used.
const FUNCTION: f64 = 0.002;
/// The chance that a module is wanted which nothing can ask for but its name.
const NAME: f64 = 0.0002;

/// For each module the logarithm of the chance that nothing asks for it.
pub struct Likelihood(Table<ModuleId, f64>);

impl Likelihood {
    /// Judges the modules of a tree by their aliases, those that name hardware only where hardware
    /// may ask for the module.
    pub fn new(tree: &Tree, hardware: &Table<ModuleId, bool>) -> Self {
        Self(
            tree.modules
                .map(|(id, record)| (-judge(record, hardware[id])).ln_1p()),
        )
    }

    /// The logarithm of the chance that none of `modules` is asked for.
    pub fn none_of(&self, modules: impl IntoIterator<Item = ModuleId>) -> f64 {
        modules.into_iter().map(|id| self.0[id]).sum()
    }
}

fn judge(record: &Record, hardware: bool) -> f64 {
    if hardware && record.aliases.iter().any(|alias| names_no_vendor(alias)) {
        CLASS
    } else if hardware && record.drives_hardware() {
        DEVICE
    } else if record.aliases.is_empty() {
        NAME
    } else {
        FUNCTION
    }
}

/// `pci:v*d*sv*sd*bc01sc06i01*`, `cpu:type:x86,ven*fam*mod*:feature:*0099*`
/// (linux/scripts/mod/file2alias.c).
fn names_no_vendor(alias: &str) -> bool {
    let of_bus = |bus, vendor| alias.starts_with(bus) && alias.contains(vendor);
    of_bus("pci:", "v*d*sv*sd*")
        || of_bus("usb:", "v*p*")
        || of_bus("cpu:", ",ven*")
        || of_bus("hid:", "v*p*")
        || alias.starts_with("scsi:t-")
        || of_bus("virtio:", "v*")
}
