//! Estimates how likely it is that a machine asks for modules.
//!
//! A group is installed when something asks for one of its modules, or for a module of a group that
//! needs it. The probability that something asks for a module depends on what can do so: a device
//! by its modalias, the kernel by another alias, or only a person who knows its name.

use id_table::Table;
use modtree::{ModuleId, Record, Tree};

/// The probability that a machine has a device of a class, where one driver serves the class.
const CLASS: f64 = 0.3;
/// The probability that a machine has a device for a driver.
const DEVICE: f64 = 0.02;
/// The probability that a machine uses a kernel function, such as a file system or a protocol.
const FUNCTION: f64 = 0.002;
/// The probability that somebody asks for a module by its name.
const NAME: f64 = 0.0002;

/// For each module the logarithm of the probability that nothing asks for it.
pub struct Likelihood(Table<ModuleId, f64>);

impl Likelihood {
    /// Estimates the probabilities from the aliases of modules. Aliases that name hardware only count
    /// where hardware may ask for the module.
    pub fn new(tree: &Tree, hardware: &Table<ModuleId, bool>) -> Self {
        Self(
            tree.modules
                .map(|(id, record)| (-probability(record, hardware[id])).ln_1p()),
        )
    }

    /// The logarithm of the probability that nothing asks for any of `modules`.
    pub fn none_of(&self, modules: impl IntoIterator<Item = ModuleId>) -> f64 {
        modules.into_iter().map(|id| self.0[id]).sum()
    }
}

fn probability(record: &Record, hardware: bool) -> f64 {
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

/// Whether an alias names a class of devices: `pci:v*d*sv*sd*bc01sc06i01*`, `cpu:type:x86,ven*fam*mod*:feature:*0099*`
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
