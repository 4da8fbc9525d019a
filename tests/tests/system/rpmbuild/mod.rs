//! Builds ordinary packages of modules by rpmbuild.

mod packages;
mod symvers;
mod vendors;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{Kernel, cache_dir};

fn module(name: &str) -> Result<PathBuf> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let modules = kernel.modules()?;
    let file = format!("{name}.ko");
    modules
        .into_iter()
        .find(|path| path.ends_with(&file))
        .with_context(|| file)
}

/// xhci-pci with another .modinfo.
fn with_modinfo(directory: &Path, change: &dyn Fn(String) -> String) -> Result<PathBuf> {
    let (changed, modinfo) = (directory.join("xhci-pci.ko"), directory.join("modinfo"));
    run(tool("objcopy")?
        .arg("-O")
        .arg("binary")
        .arg("--only-section=.modinfo")
        .arg("--set-section-flags")
        .arg(".modinfo=alloc")
        .arg(module("xhci-pci")?)
        .arg(&modinfo))?;
    let text = String::from_utf8(fs::read(&modinfo)?)?;
    fs::write(&modinfo, change(text))?;
    run(tool("objcopy")?
        .arg("--update-section")
        .arg(format!(".modinfo={}", modinfo.display()))
        .arg(module("xhci-pci")?)
        .arg(&changed))?;
    Ok(changed)
}
