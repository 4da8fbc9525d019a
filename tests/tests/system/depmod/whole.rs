//! Whole kernels.

use anyhow::{Result, ensure};
use kmpkit_tests::depmod::{FILES, compare};
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::{Kernel, cache_dir};

fn check(suite: &str, arch: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, arch, &cache_dir())?;
    let left = compare(&ModulesTree::whole(&kernel)?, &[])?;
    for (name, bytes) in &left.files {
        println!("{:>9} {name}", bytes.len());
    }
    ensure!(
        left.files.len() == FILES.len() && left.success,
        "{}",
        left.stderr
    );
    Ok(())
}

#[test]
fn bookworm() -> Result<()> {
    check("bookworm", "amd64")
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    check("trixie", "amd64")
}

/// No modversions, no lists: namespaces are taken for symbols.
#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    check("sid", "amd64")
}

#[test]
#[ignore = "test-all"]
fn foreign_architectures() -> Result<()> {
    check("bookworm", "s390x")?;
    check("bookworm", "ppc64el")?;
    check("bookworm", "armhf")
}
