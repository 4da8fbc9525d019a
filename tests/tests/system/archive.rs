//! Turns what the Debian archive has now into kernel trees. Ignored tests are part of `make
//! test-all`, which runs them with `--include-ignored`.

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir};

fn check(suite: &str, arch: &str, modules_at_least: usize) -> Result<()> {
    let kernel = Kernel::from_archive(suite, arch, &cache_dir())?;
    let modules = kernel.modules()?;
    println!(
        "{suite}/{arch}: {} {} modules, {:?}, {:?}",
        kernel.release,
        modules.len(),
        kernel.vmlinuz,
        kernel.symvers
    );
    assert!(
        modules.len() >= modules_at_least,
        "{suite}/{arch}: {} modules",
        modules.len()
    );
    assert!(modules.is_sorted());
    let symvers = kernel.symvers.context("no symvers")?;
    assert!(
        std::fs::read_to_string(&symvers)?.contains("\tEXPORT_SYMBOL"),
        "{}",
        symvers.display()
    );
    assert!(std::fs::read_to_string(&kernel.config)?.contains("CONFIG_MODULES=y"));
    assert_eq!(kernel.arch, arch);
    Ok(())
}

#[test]
fn bookworm() -> Result<()> {
    check("bookworm", "amd64", 3000)
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    check("trixie", "amd64", 3000)
}

#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    check("sid", "amd64", 3000)
}

#[test]
#[ignore = "test-all"]
fn foreign_architectures() -> Result<()> {
    check("bookworm", "s390x", 800)?;
    check("bookworm", "ppc64el", 2000)?;
    check("bookworm", "armhf", 2000)?;
    check("bookworm", "i386", 2000)
}

#[test]
#[ignore = "test-all"]
fn neighbouring_builds() -> Result<()> {
    for suite in ["bookworm", "trixie"] {
        let builds = Kernel::all_in_archive(suite, "amd64", &cache_dir())?;
        let releases: Vec<&str> = builds.iter().map(|k| k.release.as_str()).collect();
        println!("{suite}: {releases:?}");
        assert!(releases.len() >= 2, "{suite}: only {releases:?}");
        let current = Kernel::from_archive(suite, "amd64", &cache_dir())?;
        assert_eq!(releases.last(), Some(&current.release.as_str()));
    }
    Ok(())
}
