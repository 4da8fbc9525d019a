//! Tags beside those of rpm-config-SUSE.

use anyhow::Result;
use kmpkit_tests::{Kernel, cache_dir};

use crate::checkouts::Checkout;
use crate::tags::{Difference, Driver, compare};

const DIFFERENCES: [Difference; 5] = [
    Difference {
        kind: "Provide",
        ours: true,
        begin: "kmod-alias(",
        reason: "by which softdeps name modules; theirs have no softdeps",
    },
    Difference {
        kind: "Provide",
        ours: true,
        begin: "ksym(",
        reason: "theirs come from scripts/mod/ksym-provides, a program of SUSE's kernel sources",
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
    Difference {
        kind: "Suggest",
        ours: true,
        begin: "(kmod(",
        reason: "theirs have no weakdeps",
    },
];

#[test]
fn tags_are_those_of_suses_scripts() -> Result<()> {
    let checkout = Checkout::get("rpm-config-SUSE")?;
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let driver = Driver::new(&kernel, &["updates"])?;
    let config = driver.config();
    checkout.copy("kmp.attr", &config.join("fileattrs/kmp.attr"))?;
    for kind in ["provides", "requires", "supplements"] {
        let script = format!("find-{kind}.ksyms");
        checkout.copy(&script, &config.join(&script))?;
    }
    let theirs = driver.theirs(&[])?;
    let ours = driver.ours(&[("kmp_dialect", "suse")], &[])?;
    compare(&ours, &theirs, &DIFFERENCES)
}
