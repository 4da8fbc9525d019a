//! Tags beside those of Red Hat's kernel-srpm-macros.

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir};

use crate::checkouts::Checkout;
use crate::tags::{Difference, Driver, compare};

const DIFFERENCES: [Difference; 3] = [
    Difference {
        kind: "Provide",
        ours: true,
        begin: "kmod-alias(",
        reason: "by which softdeps name modules; theirs have no softdeps",
    },
    Difference {
        kind: "Require",
        ours: true,
        begin: "kmod(",
        reason: "what depends= of the module says; theirs have symbols alone",
    },
    Difference {
        kind: "Recommend",
        ours: true,
        begin: "(kmod(",
        reason: "theirs have no softdeps",
    },
];

/// On the kernel of Debian 11: since 5.19 the symbols of CRCs are local, and Red Hat's script looks for
/// global ones.
#[test]
fn tags_are_those_of_red_hats_scripts() -> Result<()> {
    let checkout = Checkout::get("kernel-srpm-macros")?;
    let kernel = Kernel::from_archive("bullseye", "amd64", &cache_dir())?;
    let symvers = kernel.symvers.clone().context("no symvers")?;
    let headers = symvers.parent().context("no headers")?;
    let driver = Driver::new(&kernel, &["kernel"])?;
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
    compare(&ours, &theirs, &DIFFERENCES)
}
