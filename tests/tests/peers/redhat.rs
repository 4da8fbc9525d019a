//! Tags beside those of Red Hat's kernel-srpm-macros, of a vendor's modules and of a kernel's own.

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir};

use crate::checkouts::Checkout;
use crate::driver::{Built, Driver};
use crate::tags::{Difference, compare};

const SYMBOLS_OF_ITS_OWN: Difference = Difference {
    kind: "Require",
    ours: true,
    begin: "kernel(",
    reason: "theirs leave out what is below kernel/: a kernel in one package needs nothing",
};

/// A kernel may have modules of its own in extra/. Requires of vendors' modules name them `kernel()` with
/// theirs too.
const EXPORTS_OF_ITS_OWN: [Difference; 2] = [
    Difference {
        kind: "Provide",
        ours: true,
        begin: "kernel(",
        reason: "intree=Y says that the module is the kernel's own",
    },
    Difference {
        kind: "Provide",
        ours: false,
        begin: "ksym(",
        reason: "theirs take all that is not below kernel/ for a vendor's",
    },
];

#[test]
fn tags_of_a_vendor_are_those_of_red_hats_scripts() -> Result<()> {
    tags("extra", Built::OutOfTree, &[])
}

#[test]
fn tags_of_a_kernel_are_those_of_red_hats_scripts() -> Result<()> {
    tags("kernel", Built::InTree, &[SYMBOLS_OF_ITS_OWN])
}

#[test]
fn tags_of_a_kernels_own_modules_in_extra_are_those_of_red_hats_scripts() -> Result<()> {
    tags("extra", Built::InTree, &EXPORTS_OF_ITS_OWN)
}

/// On the kernel of Debian 11: since 5.19 the symbols of CRCs are local, and Red Hat's script looks for
/// global ones.
fn tags(directory: &str, built: Built, differences: &[Difference]) -> Result<()> {
    let checkout = Checkout::get("kernel-srpm-macros")?;
    let kernel = Kernel::from_archive("bullseye", "amd64", &cache_dir())?;
    let symvers = kernel.symvers.clone().context("no symvers")?;
    let headers = symvers.parent().context("no headers")?;
    let driver = Driver::new(&kernel, directory, built)?;
    let config = driver.config();
    for attr in ["provided_ksyms", "required_ksyms", "modalias", "kmod"] {
        let attr = format!("{attr}.attr");
        checkout.copy(&attr, &config.join("fileattrs").join(&attr))?;
    }
    for script in ["find-provides.ksyms", "find-requires.ksyms"] {
        checkout.copy(script, &config.join("redhat").join(script))?;
    }
    let modalias = config.join("redhat/find-provides.d/modalias.prov");
    checkout.copy("modalias.prov", &modalias)?;
    let sources = format!("/usr/src/kernels/{}", kernel.release);
    let theirs = driver.theirs(&[(headers, &sources)])?;
    let symvers = symvers.display().to_string();
    let defines = [("kmp_dialect", "redhat"), ("kmp_symvers", &symvers)];
    let ours = driver.ours(&defines, &[headers])?;
    let what = format!(
        "{built} in {}/{directory}/, beside kernel-srpm-macros",
        kernel.release
    );
    compare(&what, &ours, &theirs, differences)
}
