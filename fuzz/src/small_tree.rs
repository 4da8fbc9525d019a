//! A kernel's modules that are made up, for plans.

use kmodule::Kernelrelease;
use modtree::{ModuleFile, Record, Resolution, Tree, resolve};

/// Path, what its devices are called, and the modules that it needs.
const MODULES: [(&str, &str, &[&str]); 12] = [
    ("kernel/arch/x86/crypto/crc32c-intel", "", &[]),
    (
        "kernel/drivers/net/ethernet/intel/e1000e/e1000e",
        "pci:v00008086d*sv*sd*bc*sc*i*",
        &["ptp"],
    ),
    ("kernel/drivers/net/mii", "", &[]),
    ("kernel/drivers/net/usb/usbnet", "", &["mii", "usbcore"]),
    ("kernel/drivers/ptp/ptp", "", &[]),
    ("kernel/drivers/usb/core/usbcore", "", &["usb-common"]),
    ("kernel/drivers/usb/common/usb-common", "", &[]),
    (
        "kernel/drivers/usb/host/xhci-pci",
        "pci:v*d*sv*sd*bc0Csc03i30*",
        &["usbcore"],
    ),
    ("kernel/fs/ext4/ext4", "fs-ext4", &["jbd2"]),
    ("kernel/fs/jbd2/jbd2", "", &[]),
    ("kernel/fs/nfs/nfs", "fs-nfs", &["sunrpc"]),
    ("kernel/net/sunrpc/sunrpc", "", &[]),
];

/// The tree, and who needs whom in it.
pub fn small_tree() -> (Tree, Resolution) {
    let release = Kernelrelease::try_from(b"6.1.0-50-amd64".as_slice()).expect("a kernelrelease");
    let records = MODULES
        .iter()
        .zip(1..)
        .map(|(&(path, alias, needs), place)| {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            let record = Record {
                file: ModuleFile {
                    path: format!("{path}.ko"),
                    name: name.clone(),
                },
                bytes: 20_000 * place,
                size: 10_000 * place,
                aliases: Some(alias)
                    .filter(|alias| !alias.is_empty())
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                depends: needs.iter().map(|&needed| needed.to_owned()).collect(),
                ..Record::default()
            };
            let imports = needs.iter().map(|needed| format!("symbol_{needed}"));
            (record, vec![format!("symbol_{name}")], imports.collect())
        });
    let tree = Tree::from_records(release, records.collect(), Vec::new());
    let resolution = resolve(&tree, None);
    (tree, resolution)
}
