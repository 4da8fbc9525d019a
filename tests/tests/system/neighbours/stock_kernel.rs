//! Checks that a kernel whose package knows nothing of kmpkit gets no requirements from it.

use std::fs;

use anyhow::{Result, ensure};
use kmpkit_tests::differ;
use kmpkit_tests::rpmbuild::Rpm;

use crate::neighbours::package::{Package, module, tags};

const OF_KERNEL: &str = "/lib/modules/6.1+x/kernel/drivers/xhci-pci.ko";
const DRIVER: &str = "/lib/modules/6.1+x/updates/usb-common.ko";

/// SUSE's and Red Hat's scripts print what such modules provide and leave out the rest.
fn left_alone(rpm: &Rpm) -> Result<()> {
    let (of_kernel, driver) = (
        fs::read(module("xhci-pci")?)?,
        fs::read(module("usb-common")?)?,
    );
    let alone = Package::new()?;
    alone.file(DRIVER, &driver)?;
    let vendor = Package::new()?;
    let kernels = [
        "/lib/modules/6.1+x/modules.builtin",
        "/boot/System.map-6.1+x.gone",
        "/boot/config-6.1+x",
    ];
    for (place, is_kernel) in kernels.into_iter().zip([true, false, true]) {
        let package = Package::new()?;
        package.file(OF_KERNEL, &of_kernel)?;
        package.file(DRIVER, &driver)?;
        package.file(place, b"kernel/drivers/a.ko\n")?;
        for dialect in ["suse", "redhat"] {
            let defines = [("kmp_dialect", dialect)];
            let shown = package.build(rpm, "", &defines)?;
            let of_driver = alone.build(rpm, "", &defines)?;
            let what = format!("{dialect}, {place}, {}", rpm.version()?);
            for kind in ["Require", "Recommend", "Suggest", "Supplement"] {
                let (found, wanted) = (tags(&shown, kind), tags(&of_driver, kind));
                match is_kernel {
                    true => differ::sets(&format!("{what}: {kind}s"), &found, &wanted)?,
                    false => ensure!(kind != "Require" || found.len() > wanted.len(), "{what}"),
                }
            }
            let provides = tags(&shown, "Provide");
            let name = if dialect == "suse" {
                "kmod(xhci_pci.ko)"
            } else {
                "kmod(xhci-pci.ko)"
            };
            ensure!(provides.contains(name), "{what}: {provides:?}");
            let hardware = provides.iter().any(|tag| tag.starts_with("modalias("));
            ensure!(hardware == (dialect == "redhat"), "{what}: {provides:?}");
        }
    }
    // Modules below kernel/ without a kernel are a driver's, too.
    vendor.file(OF_KERNEL, &of_kernel)?;
    let shown = vendor.build(rpm, "", &[("kmp_dialect", "suse")])?;
    ensure!(tags(&shown, "Require").len() > 5 && !tags(&shown, "Supplement").is_empty());
    Ok(())
}

#[test]
fn a_stock_kernel_is_left_alone_by_the_hosts_rpm() -> Result<()> {
    left_alone(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn a_stock_kernel_is_left_alone_by_rpm_4_20_and_6_1() -> Result<()> {
    left_alone(&Rpm::suite("trixie")?)?;
    left_alone(&Rpm::suite("sid")?)
}
