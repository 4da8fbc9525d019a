//! Tags beside those of rpm-config-SUSE.

use anyhow::Result;
use kmpkit_tests::{Kernel, cache_dir};

use crate::checkouts::Checkout;
use crate::driver::{Built, Driver};
use crate::tags::{Difference, compare};

const EXPORTS: Difference = Difference {
    kind: "Provide",
    ours: true,
    begin: "ksym(",
    reason: "theirs come from scripts/mod/ksym-provides, a program of SUSE's kernel sources",
};

const HARDWARE: Difference = Difference {
    kind: "Supplement",
    ours: true,
    begin: "modalias(",
    reason: "theirs leave out what is below kernel/: a kernel in one package is for all hardware",
};

#[test]
fn tags_of_a_vendor_are_those_of_suses_scripts() -> Result<()> {
    tags("updates", Built::OutOfTree, &[EXPORTS])
}

#[test]
fn tags_of_a_kernel_are_those_of_suses_scripts() -> Result<()> {
    tags("kernel", Built::InTree, &[EXPORTS, HARDWARE])
}

fn tags(directory: &str, built: Built, differences: &[Difference]) -> Result<()> {
    let checkout = Checkout::get("rpm-config-SUSE")?;
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let driver = Driver::new(&kernel, directory, built)?;
    let config = driver.config();
    checkout.copy("kmp.attr", &config.join("fileattrs/kmp.attr"))?;
    for kind in ["provides", "requires", "supplements"] {
        let script = format!("find-{kind}.ksyms");
        checkout.copy(&script, &config.join(&script))?;
    }
    let theirs = driver.theirs(&[])?;
    let ours = driver.ours(&[("kmp_dialect", "suse")], &[])?;
    let what = format!(
        "{built} in {}/{directory}/, beside rpm-config-SUSE",
        kernel.release
    );
    compare(&what, &ours, &theirs, differences)
}
