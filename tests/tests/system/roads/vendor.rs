//! Turns a vendor's package and a policy into the tags the policy adds to its modules, and only
//! those.

use std::fs;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::{Kernel, cache_dir, differ};

const POLICY: &str = "
[[module]]
match = 'updates/vendor/'
provides = ['vendor(driver) = 2-1']
requires = ['vendor-firmware >= 1.5']
recommends = ['vendor-tool']
suggests = ['vendor-doc']
supplements = ['(vendor-card or vendor-board)']
enhances = ['vendor-tool']
conflicts = ['vendor-driver-beta']
obsoletes = ['vendor-driver-old < 1']
orderwithrequires = ['vendor-firmware']
hardware = false
initrd = true

[[module]]
match = 'usb-common'
requires = ['not-for-this-one']
";

const ADDED: [(&str, &str); 10] = [
    ("Provide", "vendor(driver) = 2-1"),
    ("Provide", "kmod-initrd(xhci_pci.ko)"),
    ("Require", "vendor-firmware >= 1.5"),
    ("Recommend", "vendor-tool"),
    ("Suggest", "vendor-doc"),
    ("Supplement", "(vendor-card or vendor-board)"),
    ("Enhance", "vendor-tool"),
    ("Conflict", "vendor-driver-beta"),
    ("Obsolete", "vendor-driver-old < 1"),
    ("Order", "vendor-firmware"),
];

fn build(rpm: &Rpm, policy: bool) -> Result<Shown> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let modules = kernel.modules()?;
    let driver = modules.iter().find(|path| path.ends_with("xhci-pci.ko"));
    let package = VendorPackage::new()?;
    package.file(
        "/lib/modules/6/updates/vendor/xhci-pci.ko",
        &fs::read(driver.context("no xhci-pci.ko")?)?,
    )?;
    // Beside what is packaged.
    let file = package.payload().with_file_name("policy.toml");
    fs::write(&file, POLICY)?;
    let file = file.display().to_string();
    let defines: &[(&str, &str)] = if policy {
        &[("kmp_policy", &file)]
    } else {
        &[]
    };
    let built = package.build(rpm, defines)?;
    shown(&[built])?.into_values().next().context("no package")
}

/// What the package has with the policy is what it has without, plus the policy's tags, less the
/// hardware.
fn tags_are_added(rpm: &Rpm) -> Result<()> {
    let (with, without) = (build(rpm, true)?, build(rpm, false)?);
    let mut wanted = without.tags.clone();
    let hardware = wanted.remove("Supplement").unwrap_or_default();
    ensure!(!hardware.is_empty(), "xhci-pci drives no hardware");
    for (kind, tag) in ADDED {
        wanted
            .entry(kind.to_owned())
            .or_default()
            .insert(tag.to_owned());
    }
    differ::maps(&rpm.version()?, &with.tags, &wanted)?;
    ensure!(with.attributes == without.attributes, "other files");
    Ok(())
}

#[test]
fn tags_with_the_hosts_rpm() -> Result<()> {
    tags_are_added(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn tags_with_other_rpms() -> Result<()> {
    tags_are_added(&Rpm::suite("trixie")?)?;
    tags_are_added(&Rpm::suite("sid")?)
}
